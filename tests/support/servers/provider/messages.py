"""Anthropic's messages."""

import json

from anthropic.types import message_count_tokens_params as stable_count
from anthropic.types import message_create_params as stable
from anthropic.types.beta import message_count_tokens_params as beta_count
from anthropic.types.beta import message_create_params as beta

from script import CACHED, INPUT, OUTPUT, SIGNATURES, THOUGHT, Turn, identifier, signature
from shapes import check, require

VERSIONS = {"2023-06-01": {"temperature", "top_p", "top_k"}, "2026-10-21": set()}
"""Versions of the API with the members that the later one, which the package describes, lacks."""


def read(body, headers):
    """Checks a request and returns its turn."""
    require(headers["anthropic-version"] in VERSIONS, "headers", "no anthropic-version")
    earlier = VERSIONS[headers["anthropic-version"]]
    body = {member: value for member, value in body.items() if member not in earlier}
    package = beta if headers["anthropic-beta"] else stable
    kind = package.MessageCreateParamsStreaming if body.get("stream") else package.MessageCreateParamsNonStreaming
    check(body, kind)
    choice = body.get("tool_choice", {"type": "auto"})
    kinds = {"auto": "auto", "any": "required", "none": "none"}
    turn = Turn(body["model"], bool(body.get("stream")), choice=kinds.get(choice["type"]) or choice["name"])
    turn.parallel = not choice.get("disable_parallel_tool_use", False)
    for tool in body.get("tools", []):
        if tool.get("type") in (None, "custom"):
            turn.tools[tool["name"]] = tool["input_schema"]
    require(body.get("tools") or "tool_choice" not in body, "body.tool_choice", "there are no tools")
    shape = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    turn.schema = shape.get("schema")
    thinking = (body.get("thinking") or {}).get("type")
    turn.reasons = thinking in ("enabled", "adaptive")
    if thinking == "enabled" and not body.get("thread"):
        check_reasoning(body["messages"])
    turn.results = read_messages(body["messages"], (body.get("thread") or {}).get("type") == "continue")
    return turn


def count(body, headers):
    """Checks a request for the number of its tokens and returns the answer."""
    require(headers["anthropic-version"] in VERSIONS, "headers", "no anthropic-version")
    package = beta_count if headers["anthropic-beta"] else stable_count
    check(body, package.MessageCountTokensParams)
    return {"input_tokens": INPUT}


def read_messages(messages, continues_thread):
    """Checks the messages and returns the results of tools in the last one. The calls before a thread
    continues are at the provider."""
    pending, results = [], []
    if continues_thread:
        pending = [block["tool_use_id"] for block in messages[0]["content"] if block["type"] == "tool_result"]
    require(messages and messages[0]["role"] == "user", "body.messages", "the first is not of the user")
    for number, message in enumerate(messages):
        place = f"body.messages[{number}]"
        blocks = message["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        require(blocks or number == len(messages) - 1, place, "no content")
        for block in blocks:
            require(block["type"] != "text" or block["text"].strip(), place, "an empty text")
            if block["type"] == "thinking":
                require(block["signature"] in SIGNATURES, place, f"unknown signature {block['signature']}")
        found = [block for block in blocks if block["type"] == "tool_result"]
        if message["role"] == "system":
            continue
        identifiers = [block["tool_use_id"] for block in found]
        require(sorted(identifiers) == sorted(pending), place, f"results of {identifiers}, calls were {pending}")
        require(blocks[: len(found)] == found, place, "content before the results of tools")
        results = [text(block.get("content", "")) for block in found]
        pending = [block["id"] for block in blocks if block["type"] == "tool_use"]
        require(not pending or message["role"] == "assistant", place, "a call of the user")
    require(not pending, "body.messages", f"calls without a result: {pending}")
    return results


def check_reasoning(messages):
    """Checks that the calls which are answered now follow their signed reasoning."""
    if isinstance(messages[-1]["content"], str) or messages[-1]["content"][0]["type"] != "tool_result":
        return
    kinds = [block["type"] for block in messages[-2]["content"]]
    require(kinds[0] in ("thinking", "redacted_thinking"), "body.messages", f"{kinds} lack the reasoning")


def text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def usage(output):
    return {
        "input_tokens": INPUT - CACHED, "output_tokens": output, "service_tier": "standard",
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": CACHED,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    }


def blocks_of(turn, answer):
    blocks = [{"type": "thinking", "thinking": THOUGHT, "signature": signature()}] if turn.reasons else []
    if answer.text:
        blocks.append({"type": "text", "text": answer.text})
    for name, arguments in answer.calls:
        blocks.append({"type": "tool_use", "id": identifier("toolu_"), "name": name, "input": arguments})
    return blocks


def message(turn, content, stop, output):
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": turn.model, "content": content,
        "stop_reason": stop, "stop_sequence": None, "usage": usage(output),
    }


def whole(turn, answer):
    return message(turn, blocks_of(turn, answer), "tool_use" if answer.calls else "end_turn", OUTPUT)


def stream(turn, answer, _body):
    def event(kind, **members):
        return kind, {"type": kind, **members}

    yield event("message_start", message=message(turn, [], None, 1))
    yield event("ping")
    for index, block in enumerate(blocks_of(turn, answer)):
        if block["type"] == "text":
            start = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in answer.pieces()]
        elif block["type"] == "thinking":
            start = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": THOUGHT},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        else:
            start = {**block, "input": {}}
            arguments = json.dumps(block["input"])
            pieces = ("", arguments[:5], arguments[5:])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    stop = {"stop_reason": "tool_use" if answer.calls else "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=stop, usage={
        "input_tokens": INPUT - CACHED, "output_tokens": OUTPUT,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": CACHED,
    })
    yield event("message_stop")


def error(status, problem):
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": problem}, "request_id": "req_1"}
