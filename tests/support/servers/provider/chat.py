"""OpenAI's chat completions, also as Azure serves them."""

import copy
import json

from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

from script import CACHED, INPUT, OUTPUT, Turn, identifier
from shapes import check, require


def without_echoes(body):
    """Returns a request without the members of answers that clients send back and OpenAI ignores."""
    body = copy.deepcopy(body)
    for message in body["messages"]:
        message.pop("annotations", None)
        for call in message.get("tool_calls") or []:
            call.pop("index", None)
    return body


def read(body):
    """Checks a request and returns its turn."""
    body = without_echoes(body)
    check(body, CompletionCreateParamsStreaming if body.get("stream") else CompletionCreateParamsNonStreaming)
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        choice = choice["function"]["name"]
    turn = Turn(body["model"], bool(body.get("stream")), choice=choice)
    for tool in body.get("tools", []):
        if tool["type"] == "function":
            turn.tools[tool["function"]["name"]] = tool["function"].get("parameters", {})
    require(turn.tools or "tool_choice" not in body, "body.tool_choice", "there are no tools")
    require(turn.tools or "parallel_tool_calls" not in body, "body.parallel_tool_calls", "there are no tools")
    turn.parallel = body.get("parallel_tool_calls", True)
    shape = body.get("response_format", {})
    if shape.get("type") == "json_schema":
        turn.schema = shape["json_schema"]["schema"]
    turn.results = read_messages(body["messages"])
    return turn


def read_messages(messages):
    pending, results = [], []
    for number, message in enumerate(messages):
        place = f"body.messages[{number}]"
        if message["role"] == "tool":
            require(message["tool_call_id"] in pending, place, f"no call {message['tool_call_id']} before it")
            pending.remove(message["tool_call_id"])
            results.append(text(message["content"]))
            continue
        require(not pending, place, f"calls without a result: {pending}")
        calls = message.get("tool_calls") or []
        for call in calls:
            json.loads(call["function"]["arguments"])
        if message["role"] == "assistant":
            require(calls or message.get("content") is not None, place, "neither content nor calls")
        pending, results = [call["id"] for call in calls], []
    require(not pending, "body.messages", f"calls without a result: {pending}")
    return results


def text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def usage():
    return {
        "prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    }


def calls_of(answer):
    return [
        {
            "id": identifier("call_"), "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for name, arguments in answer.calls
    ]


def head(turn, kind):
    return {
        "id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": turn.model,
        "service_tier": "default", "system_fingerprint": "fp_1",
    }


def whole(turn, answer):
    message = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.calls:
        message["tool_calls"] = calls_of(answer)
    finish = "tool_calls" if answer.calls else "stop"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {**head(turn, "chat.completion"), "choices": [choice], "usage": usage()}


def stream(turn, answer, body):
    with_usage = (body.get("stream_options") or {}).get("include_usage", False)

    def chunk(delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage_member = {"usage": None} if with_usage else {}
        return {**head(turn, "chat.completion.chunk"), "choices": [choice], **usage_member}

    yield None, chunk({"role": "assistant", "content": None if answer.calls else "", "refusal": None})
    for piece in answer.pieces():
        if piece:
            yield None, chunk({"content": piece})
    for number, call in enumerate(calls_of(answer)):
        arguments = call["function"].pop("arguments")
        call["function"]["arguments"] = ""
        yield None, chunk({"tool_calls": [{"index": number, **call}]})
        for piece in (arguments[:5], arguments[5:]):
            yield None, chunk({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
    yield None, chunk({}, "tool_calls" if answer.calls else "stop")
    if with_usage:
        yield None, {**head(turn, "chat.completion.chunk"), "choices": [], "usage": usage()}
    yield None, "[DONE]"


def error(status, message):
    kind, code = {
        401: ("invalid_request_error", "invalid_api_key"),
        404: ("invalid_request_error", "model_not_found"),
        429: ("requests", "rate_limit_exceeded"),
    }.get(status, ("invalid_request_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
