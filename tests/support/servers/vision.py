"""Model that reads the text in pictures, behind /v1/chat/completions: the picture is an
`image_url` part with a data: URL, and the answer is the text in it."""

import base64
import json

from rapidocr_onnxruntime import RapidOCR

from server import keep_to_core, serve

keep_to_core(1)
read = RapidOCR()


def answer(_, body):
    parts = [part for message in json.loads(body)["messages"] if isinstance(message["content"], list) for part in message["content"]]
    lines = []
    for part in parts:
        if part["type"] == "image_url":
            encoded = part["image_url"]["url"].split(";base64,", 1)[1]
            found, _ = read(base64.b64decode(encoded))
            lines += [text for _, text, _ in found or []]
    words = " ".join(lines)
    return {
        "id": "chatcmpl-ocr",
        "object": "chat.completion",
        "created": 1,
        "model": "ocr",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 256, "completion_tokens": len(words.split()), "total_tokens": 256 + len(words.split())},
    }


serve("chat/completions", answer)
