"""Script of the provider: what it answers to a turn of a conversation, in every dialect."""

import base64
import itertools
import json
from dataclasses import dataclass, field

from shapes import require

TEXT = "The sky is blue."
"""Answer to a request without tools."""
FINAL = "It is 21 degrees in Paris."
"""Answer to the result of a tool."""
INPUT, CACHED, OUTPUT = 70, 30, 9
"""Tokens of every answer; the input includes the cached ones."""
ARGUMENTS = {
    "get_weather": {"city": "Paris"},
    "get_time": {"zone": "Europe/Paris"},
    "Bash": {"command": "echo from-the-tool > proof.txt && cat proof.txt", "description": "Write a file"},
    "exec_command": {"cmd": "echo from-the-tool > proof.txt && cat proof.txt"},
    "shell": {"command": ["sh", "-c", "echo from-the-tool > proof.txt && cat proof.txt"]},
    "shell_command": {"command": "echo from-the-tool > proof.txt && cat proof.txt"},
}
"""Arguments of the tools that the script calls if they are offered."""
RESULTS = ["21", "from-the-tool", "Other"]
"""Texts of which one is in the results of the tools."""

NUMBERS = itertools.count(1)
THOUGHT = "The user asks a question."
"""Reasoning, where it is requested."""
SIGNATURES = set()
"""Signatures that a provider gave, which are all that it accepts."""


@dataclass
class Turn:
    """What the script reads from a request, in whichever dialect."""

    model: str
    stream: bool
    tools: dict = field(default_factory=dict)
    """Schemas of the functions by name."""
    choice: str = "auto"
    """`auto`, `none`, `required`, or the name of a function."""
    parallel: bool = True
    reasons: bool = False
    """True if reasoning is requested."""
    schema: dict | None = None
    """Schema of a structured answer."""
    results: list = field(default_factory=list)
    """Texts of the tool results at the end of the conversation."""
    identifier: str = field(default_factory=lambda: identifier("r"))


def identifier(prefix):
    """Returns an identifier that no other call has."""
    return f"{prefix}{next(NUMBERS)}"


def signature():
    """Returns a new signature in base64."""
    text = base64.b64encode(identifier("signature").encode()).decode()
    SIGNATURES.add(text)
    return text


@dataclass
class Answer:
    text: str = ""
    calls: list = field(default_factory=list)
    """Names and arguments."""

    def pieces(self):
        """Returns the text in the pieces of a stream."""
        words = self.text.split(" ")
        return [word + " " for word in words[:-1]] + words[-1:]


def answer(turn):
    """Returns the answer to a turn."""
    if turn.results:
        for result in turn.results:
            require(any(text in result for text in RESULTS), "result", f"{result!r} is none of the tools'")
        return final(turn)
    names = [turn.choice] if turn.choice in turn.tools else [name for name in turn.tools if name in ARGUMENTS]
    if turn.choice == "required" and not names:
        names = list(turn.tools)[:1]
    if turn.choice != "none" and names:
        calls = [(name, ARGUMENTS.get(name) or example(turn.tools[name])) for name in names]
        return Answer(calls=calls if turn.parallel else calls[:1])
    return final(turn)


def final(turn):
    if turn.choice == "required" or turn.choice in turn.tools:
        # Libraries that take their structured answer from a tool call force one at the end too.
        name = next(name for name in reversed(turn.tools) if name not in ARGUMENTS or name == turn.choice)
        return Answer(calls=[(name, ARGUMENTS.get(name) or example(turn.tools[name]))])
    if turn.schema is not None:
        return Answer(text=json.dumps(example(turn.schema)))
    return Answer(text=FINAL if turn.results else TEXT)


def example(schema, definitions=None):
    """Returns a value that fits a JSON schema of the clients."""
    definitions = definitions or schema.get("$defs") or {}
    if "$ref" in schema:
        return example(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    for alternatives in ("anyOf", "oneOf", "allOf"):
        if alternatives in schema:
            return example(schema[alternatives][0], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        members = schema.get("properties", {})
        return {name: example(member, definitions) for name, member in members.items()}
    if kind == "array":
        return [example(schema.get("items", {}), definitions)]
    return {"string": "Paris", "integer": 21, "number": 21.5, "boolean": True, "null": None}[kind]
