"""Fuzzes the gateway with requests that OpenAI's API description allows, and with such as it does not.

No request may fail in the server, and every response has to fit the description: its status, its
content type, and the schema of its body or of each event. OPENAI_BASE_URL names the gateway, whose
models are simulated and whose route `any` serves every operation and every other name.
POINTSMAN_DATA names the folder with the description. An argument is the number of requests of each
kind for each operation.
"""

import json
import os
import pathlib
import sys
from collections import Counter

import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis.generation import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

PATHS = {
    "/chat/completions": "post",
    "/completions": "post",
    "/responses": "post",
    "/embeddings": "post",
    "/audio/transcriptions": "post",
    "/audio/translations": "post",
    "/audio/speech": "post",
    "/images/generations": "post",
    "/images/edits": "post",
    "/moderations": "post",
    "/models": "get",
    "/models/{model}": "get",
}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
EVENTS = "text/event-stream"
# Content that the API sends, but the description does not list.
MEDIA_TYPES = {
    "/audio/transcriptions": ["text/plain", "text/vtt"],
    "/audio/translations": ["text/plain", "text/vtt"],
    "/audio/speech": ["audio/mpeg", "audio/wav", "audio/pcm"],
}
# Paths whose streams the description does not list either.
EVENTS_WITHOUT_SCHEMA = ["/completions"]


def read_description():
    """Returns the description of the operations that the gateway serves, and the schemas of their events."""
    path = pathlib.Path(os.environ["POINTSMAN_DATA"]) / "conformance/openai-openapi.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    whole = yaml.load(path.read_text(), Loader=loader)
    paths = {path: {method: whole["paths"][path][method]} for path, method in PATHS.items()}
    description = {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "paths": paths,
        "components": {"schemas": whole["components"]["schemas"]},
    }
    description["components"]["schemas"] = referenced(description)
    correct(description)
    # YAML has dates, JSON has not.
    description = json.loads(json.dumps(description, default=str))
    return description, take_event_schemas(description["paths"])


def referenced(description):
    """Returns the schemas that the operations use, since it takes long to prepare all."""
    found, waiting = {}, [description["paths"], {"$ref": "#/components/schemas/ErrorResponse"}]
    prefix = "#/components/schemas/"
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            target = value.get("$ref")
            if isinstance(target, str) and target.startswith(prefix) and target not in found:
                found[target] = description["components"]["schemas"][target.removeprefix(prefix)]
                waiting.append(found[target])
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return {name.removeprefix(prefix): schema for name, schema in found.items()}


def correct(description):
    """Corrects where the description differs from the API itself, and adds the schema of errors."""
    schemas = description["components"]["schemas"]
    without_discriminators(description)
    # A base64 text if the request asks for it.
    schemas["Embedding"]["properties"]["embedding"] = {
        "anyOf": [schemas["Embedding"]["properties"]["embedding"], {"type": "string"}]
    }
    for path, method in PATHS.items():
        responses = description["paths"][path][method]["responses"]
        responses.pop("429", None)
        error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
        responses["4XX"] = {"description": "An error", "content": error}
        content = responses["200"]["content"]
        content.update({media_type: {} for media_type in MEDIA_TYPES.get(path, [])})
        if path in EVENTS_WITHOUT_SCHEMA:
            content[EVENTS] = {}
        for media in content.values():
            schema = media.get("schema", {})
            # A verbose text also fits the schema of the short one.
            if "oneOf" in schema:
                schema["anyOf"] = schema.pop("oneOf")


def without_discriminators(value):
    """Removes discriminators, since their values are not the names of the schemas."""
    if isinstance(value, dict):
        if "propertyName" in (value.get("discriminator") or {}):
            del value["discriminator"]
        for member in value.values():
            without_discriminators(member)
    elif isinstance(value, list):
        for element in value:
            without_discriminators(element)


def take_event_schemas(paths):
    """Removes the schemas of events, which describe their data rather than the bodies."""
    taken = {}
    for path, method in PATHS.items():
        content = paths[path][method]["responses"]["200"]["content"]
        taken[path] = content.get(EVENTS, {}).pop("schema", None)
    return taken


class Fuzzer:
    def __init__(self, examples):
        description, event_schemas = read_description()
        self.events = {
            path: Draft202012Validator({**schema, "components": description["components"]})
            for path, schema in event_schemas.items()
            if schema is not None
        }
        self.schema = schemathesis.openapi.from_dict(description)
        self.schema.config.update(base_url=os.environ["OPENAI_BASE_URL"])
        self.examples = examples
        # Each once, with the number of responses.
        self.failures = Counter()

    def run(self):
        """Returns the number of requests."""
        total = 0
        for operation in self.schema.get_all_operations():
            operation = operation.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                answers = self.fuzz(operation, mode)
                total += sum(answers.values())
                print(f"{operation.label} {mode.name.lower()}: {dict(sorted(answers.items()))}")
                if mode is GenerationMode.POSITIVE and not answers[200]:
                    self.failures[f"{operation.label}: no valid request was served"] += 1
        return total

    def fuzz(self, operation, mode):
        """Sends requests to an operation. Returns how many responses have each status."""
        answers = Counter()

        @seed(1)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case):
            if mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
                case.body["model"] = "any"
                if operation.path == "/responses":
                    # The description lets a request have neither input nor a stored conversation.
                    case.body.setdefault("input", "Hello.")
            response = case.call()
            answers[response.status_code] += 1
            try:
                case.validate_response(response, checks=CHECKS)
                self.validate_events(operation.path, response)
            except (AssertionError, BaseExceptionGroup) as error:
                self.failures[f"{operation.label}: {error}"[:2000]] += 1

        try:
            send()
        except Unsatisfiable:
            # Without a parameter or a body there is nothing to get wrong.
            pass
        return answers

    def validate_events(self, path, response):
        content_type = response.headers.get("content-type", [""])[0]
        if not content_type.startswith(EVENTS):
            return
        lines = response.content.decode().splitlines()
        events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        assert events, f"a stream without events: {lines}"
        for event in events:
            if event == "[DONE]":
                continue
            event = json.loads(event)
            if path in self.events:
                for error in self.events[path].iter_errors(event):
                    raise AssertionError(f"event {json.dumps(event)[:500]}: {error.message[:500]}")


load_all_checks()
fuzzer = Fuzzer(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
requests = fuzzer.run()
for failure, count in fuzzer.failures.most_common(10):
    print(f"{count} times: {failure}", file=sys.stderr)
if fuzzer.failures:
    sys.exit(f"{fuzzer.failures.total()} of {requests} responses are at fault")
print("all is well")
