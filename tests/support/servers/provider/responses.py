"""OpenAI's Responses."""

import json

from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)

from chat import error as error
from script import CACHED, INPUT, OUTPUT, Turn, identifier
from shapes import check, require

CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}


def without_echoes(body):
    """Returns a request without what OpenAI ignores: nulls in place of absent members, ids of
    messages, and the member that Codex adds."""
    body = {member: value for member, value in body.items() if value is not None and member != "client_metadata"}
    if isinstance(body.get("input"), list):
        body["input"] = [
            {member: value for member, value in item.items() if member != "id" or "content" not in item}
            for item in body["input"]
        ]
    return body


def read(body):
    """Checks a request and returns its turn."""
    body = without_echoes(body)
    check(body, ResponseCreateParamsStreaming if body.get("stream") else ResponseCreateParamsNonStreaming)
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict):
        choice = choice["name"]
    turn = Turn(body["model"], bool(body.get("stream")), choice=choice)
    for tool in body.get("tools", []):
        if tool["type"] == "function":
            turn.tools[tool["name"]] = tool["parameters"]
    parallel = body.get("parallel_tool_calls")
    turn.parallel = parallel is not False
    shape = (body.get("text") or {}).get("format") or {}
    turn.schema = shape.get("schema")
    turn.results = read_items(body["input"])
    return turn


def read_items(items):
    if isinstance(items, str):
        return []
    pending, results = {}, []
    for number, item in enumerate(items):
        place, kind = f"body.input[{number}]", item.get("type", "message")
        if kind in CALLS:
            pending[item["call_id"]] = CALLS[kind]
            if kind == "function_call":
                json.loads(item["arguments"])
        elif kind in CALLS.values():
            require(pending.pop(item["call_id"], None) == kind, place, f"no call {item['call_id']} before it")
            results.append(text(item["output"]))
        elif kind == "message":
            results = []
    require(not pending, "body.input", f"calls without a result: {list(pending)}")
    return results


def text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def items_of(answer):
    items = []
    if answer.text:
        content = [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}]
        items.append({
            "id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content,
        })
    for name, arguments in answer.calls:
        items.append({
            "id": identifier("fc_"), "type": "function_call", "status": "completed", "call_id": identifier("call_"),
            "name": name, "arguments": json.dumps(arguments),
        })
    return items


def response(turn, output, status, body):
    usage = {
        "input_tokens": INPUT, "input_tokens_details": {"cached_tokens": CACHED, "cache_write_tokens": 0},
        "output_tokens": OUTPUT, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": INPUT + OUTPUT,
    }
    return {
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status, "model": turn.model,
        "output": output, "error": None, "incomplete_details": None, "instructions": body.get("instructions"),
        "metadata": {}, "parallel_tool_calls": turn.parallel, "temperature": 1.0, "top_p": 1.0,
        "tool_choice": body.get("tool_choice", "auto"), "tools": body.get("tools", []), "store": False,
        "previous_response_id": None, "reasoning": {"effort": None, "summary": None}, "truncation": "disabled",
        "text": body.get("text") or {"format": {"type": "text"}},
        "usage": usage if status == "completed" else None,
    }


def whole(turn, answer, body):
    return response(turn, items_of(answer), "completed", body)


def stream(turn, answer, body):
    for number, (kind, members) in enumerate(events(turn, answer, body)):
        yield kind, {"type": kind, "sequence_number": number, **members}


def events(turn, answer, body):
    started = response(turn, [], "in_progress", body)
    yield "response.created", {"response": started}
    yield "response.in_progress", {"response": started}
    items = items_of(answer)
    for index, item in enumerate(items):
        place = {"item_id": item["id"], "output_index": index}
        if item["type"] == "message":
            empty = {**item, "status": "in_progress", "content": []}
            yield "response.output_item.added", {"output_index": index, "item": empty}
            part = item["content"][0]
            place["content_index"] = 0
            yield "response.content_part.added", {**place, "part": {**part, "text": ""}}
            for piece in answer.pieces():
                yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}
            yield "response.output_text.done", {**place, "text": part["text"], "logprobs": []}
            yield "response.content_part.done", {**place, "part": part}
        else:
            empty = {**item, "status": "in_progress", "arguments": ""}
            yield "response.output_item.added", {"output_index": index, "item": empty}
            arguments = item["arguments"]
            for piece in (arguments[:5], arguments[5:]):
                yield "response.function_call_arguments.delta", {**place, "delta": piece}
            done = {"arguments": arguments, "name": item["name"]}
            yield "response.function_call_arguments.done", {**place, **done}
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield "response.completed", {"response": response(turn, items, "completed", body)}
