"""Whisper behind /v1/audio/transcriptions, as OpenAI has it: `transcriptions.py DIRECTORY`,
where DIRECTORY has the model in the layout of CTranslate2."""

import email
import io
import sys

from faster_whisper import WhisperModel

from server import keep_to_core, serve

keep_to_core(0)
model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)


def answer(headers, body):
    head = f"content-type: {headers['content-type']}\r\n\r\n".encode()
    form = {}
    for part in email.message_from_bytes(head + body).get_payload():
        form[part.get_param("name", header="content-disposition")] = part.get_payload(decode=True)
    language = form.get("language", b"").decode() or None
    segments, _ = model.transcribe(io.BytesIO(form["file"]), language=language, beam_size=1)
    return {"text": "".join(segment.text for segment in segments).strip()}


serve("audio/transcriptions", answer)
