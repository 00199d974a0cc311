"""Short requests go to the cheapest model, long ones to the best. Settings and labels: README.md."""

import json
from functools import cache

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import settings
from wit_world.imports.types import Candidate, Decision, Request, Target

# Tokens that an answer is assumed to have, unless the client allows fewer.
TYPICAL_OUTPUT_TOKENS = 256


@cache
def long_tokens() -> int:
    """The setting, read once for each instance. Raises ValueError if it is wrong."""
    table = json.loads(settings.json())
    value = table.pop("long_tokens", 2000)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"setting `long_tokens`: {value!r} is not a whole number of at least 1")
    for name in table:
        raise ValueError(f"there is no setting `{name}`; the only one is `long_tokens`")
    return value


def cost(request: Request, model: Candidate) -> float:
    """What a request will probably cost, in millionths of a US dollar."""
    output = TYPICAL_OUTPUT_TOKENS
    if request.max_output_tokens is not None:
        output = min(output, request.max_output_tokens)
    return request.input_tokens * model.input_price + output * model.output_price


class Router(exports.Router):
    def route(self, request: Request, candidates: list[Candidate]) -> Decision:
        """Orders the models for a request. The first is called, the others are its fallbacks."""
        is_long = request.input_tokens >= long_tokens()

        def rank(index: int) -> float:
            model = candidates[index]
            return -(model.quality or 0) if is_long else cost(request, model)

        order = sorted(range(len(candidates)), key=rank)
        return Decision(
            targets=[Target(candidate=index, timeout_ms=None) for index in order],
            label="best" if is_long else "cheapest",
            reason=f"{request.input_tokens} input tokens, long from {long_tokens()}",
            hedge_after_ms=None,
            propensity=None,
        )


class Configuration(exports.Configuration):
    def validate(self) -> None:
        """Checks the settings when the policy is loaded. An error keeps the previous version serving."""
        try:
            long_tokens()
        except ValueError as error:
            raise Err(str(error)) from error
