"""Common part of the scripts that use client libraries with a model of each provider dialect.

The environment has the gateway's address in GATEWAY_URL and a key in GATEWAY_KEY."""

import asyncio
import inspect
import os

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
DIALECTS = ["openai", "openai-responses", "azure", "anthropic", "gemini"]
"""Backends of the gateway; each has the models `chat` and `limited`."""
TEXT = "The sky is blue."
FINAL = "It is 21 degrees in Paris."
QUESTION = "Why is the sky blue?"
WEATHER = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
    "additionalProperties": False,
}
TIME = {
    "type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"],
    "additionalProperties": False,
}


def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    assert city == "Paris", city
    return "21 degrees, sunny"


def get_time(zone: str) -> str:
    """Returns the time in a zone."""
    assert zone == "Europe/Paris", zone
    return "21:00"


TOOLS = {"get_weather": get_weather, "get_time": get_time}


def dialect_of(model):
    return model.split("/")[0]


def expect(actual, expected, hint=""):
    assert actual == expected, f"{actual!r} is not {expected!r} {hint}"


def raises(kind, call, check=lambda error: True):
    """Calls and expects an error of this type."""
    try:
        call()
    except Exception as error:
        assert isinstance(error, kind), f"{type(error)} instead of {kind}: {error!r}"
        assert check(error), repr(error)
    else:
        raise AssertionError(f"no {kind}")


async def raises_async(kind, call, check=lambda error: True):
    """Awaits the result of a call and expects an error of this type."""
    try:
        await call()
    except Exception as error:
        assert isinstance(error, kind), f"{type(error)} instead of {kind}: {error!r}"
        assert check(error), repr(error)
    else:
        raise AssertionError(f"no {kind}")


async def run_each_dialect(checks):
    failures = []
    for dialect in DIALECTS:
        for check in checks:
            try:
                result = check(f"{dialect}/chat")
                if inspect.isawaitable(result):
                    await result
            except Exception as error:
                failures.append(f"{dialect}: {check.__name__}: {type(error).__name__}: {error}")
    if failures:
        raise SystemExit("\n".join(failures))
    print("all is well")


def each_dialect(*checks):
    """Runs checks, which may be asynchronous, with the name of a model of each dialect."""
    asyncio.run(run_each_dialect(checks))
