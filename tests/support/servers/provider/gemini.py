"""Google's generateContent."""

import base64
from typing import List, Optional

from google.genai import types
from pydantic import BaseModel, ConfigDict, ValidationError

from script import CACHED, INPUT, OUTPUT, SIGNATURES, THOUGHT, Turn, signature
from shapes import Fault, require


class GenerateContent(BaseModel):
    """Body of a request; the types of its members reject unknown ones."""

    model_config = ConfigDict(extra="forbid")
    contents: List[types.Content]
    systemInstruction: Optional[types.Content] = None
    tools: Optional[List[types.Tool]] = None
    toolConfig: Optional[types.ToolConfig] = None
    safetySettings: Optional[List[types.SafetySetting]] = None
    generationConfig: Optional[types.GenerationConfig] = None
    cachedContent: Optional[str] = None


def read(body, model, stream):
    """Checks a request and returns its turn."""
    try:
        checked = GenerateContent.model_validate(body)
    except ValidationError as error:
        raise Fault("body", str(error)) from error
    turn = Turn(model, stream)
    for tool in checked.tools or []:
        for function in tool.function_declarations or []:
            schema = function.parameters_json_schema
            if schema is None and function.parameters is not None:
                schema = function.parameters.model_dump(mode="json", exclude_none=True)
            turn.tools[function.name] = schema or {}
    calling = checked.toolConfig and checked.toolConfig.function_calling_config
    if calling and calling.mode:
        turn.choice = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}[calling.mode.value]
        require(turn.tools, "body.toolConfig", "there are no tools")
    if calling and calling.allowed_function_names:
        require(calling.mode.value in ("ANY", "VALIDATED"), "body.toolConfig", "names without the mode ANY")
        if len(calling.allowed_function_names) == 1:
            turn.choice = calling.allowed_function_names[0]
    config = checked.generationConfig
    if config and (config.response_json_schema or config.response_schema):
        require(config.response_mime_type == "application/json", "body.generationConfig", "a schema without JSON")
        turn.schema = body["generationConfig"].get("responseJsonSchema") or body["generationConfig"]["responseSchema"]
    turn.reasons = bool(config and config.thinking_config and config.thinking_config.include_thoughts)
    turn.results = read_contents(checked.contents)
    return turn


def read_contents(contents):
    pending, results = [], []
    for number, content in enumerate(contents):
        place = f"body.contents[{number}]"
        require(content.role in ("user", "model"), place, f"the role {content.role}")
        require(content.parts, place, "no parts")
        for part in content.parts:
            require(part.model_dump(exclude_none=True), place, "an empty part")
            if part.thought_signature:
                given = base64.b64encode(part.thought_signature).decode()
                require(given in SIGNATURES, place, f"unknown signature {given}")
        found = [part.function_response for part in content.parts if part.function_response]
        names = [response.name for response in found]
        require(sorted(names) == sorted(pending), place, f"results of {names}, calls were {pending}")
        results = [str(response.response) for response in found]
        pending = [part.function_call.name for part in content.parts if part.function_call]
        require(not pending or content.role == "model", place, "a call of the user")
    require(not pending, "body.contents", f"calls without a result: {pending}")
    return results


def response(turn, parts, finish):
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT, "totalTokenCount": INPUT + OUTPUT,
            "cachedContentTokenCount": CACHED, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT}],
        },
        "modelVersion": turn.model, "responseId": turn.identifier,
    }


def call_parts(answer):
    parts = [{"functionCall": {"name": name, "args": arguments}} for name, arguments in answer.calls]
    if parts:
        # The first of parallel calls is signed.
        parts[0]["thoughtSignature"] = signature()
    return parts


def thoughts(turn):
    return [{"text": THOUGHT, "thought": True}] if turn.reasons else []


def whole(turn, answer):
    text = [{"text": answer.text}] if answer.text else []
    return response(turn, thoughts(turn) + text + call_parts(answer), "STOP")


def stream(turn, answer, _body):
    if turn.reasons:
        yield None, response(turn, thoughts(turn), None)
    for piece in answer.pieces():
        if piece:
            yield None, response(turn, [{"text": piece}], None)
    for part in call_parts(answer):
        yield None, response(turn, [part], None)
    yield None, response(turn, [{"text": ""}], "STOP")


def error(status, problem):
    kinds = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    return {"error": {"code": status, "message": problem, "status": kinds.get(status, "INVALID_ARGUMENT")}}
