"""The cheapest model that is good enough. Setting: `min_quality`, 0..1."""

import json
from functools import cache

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import settings
from wit_world.imports.types import (
    Candidate,
    Decision,
    Refusal_NoCandidate,
    Request,
    Target,
)

# Tokens that an answer is taken to have, unless the client allows fewer.
TYPICAL_OUTPUT_TOKENS = 256


@cache
def min_quality() -> float:
    """The setting, read once for each instance. Raises ValueError if it is wrong."""
    table = json.loads(settings.json())
    value = table.pop("min_quality", 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"setting `min_quality`: {value!r} is not a number in 0..1")
    for name in table:
        raise ValueError(f"there is no setting `{name}`; the only one is `min_quality`")
    return value


def cost(request: Request, candidate: Candidate) -> float:
    """What a request will probably cost, in millionths of a US dollar."""
    output = TYPICAL_OUTPUT_TOKENS
    if request.max_output_tokens is not None:
        output = min(output, request.max_output_tokens)
    return request.input_tokens * candidate.input_price + output * candidate.output_price


class Router(exports.Router):
    def route(self, request: Request, candidates: list[Candidate]) -> Decision:
        floor = min_quality()
        good = [index for index, candidate in enumerate(candidates) if (candidate.quality or 0) >= floor]
        if not good:
            raise Err(Refusal_NoCandidate(f"no model is known to have a quality of {floor}"))
        good.sort(key=lambda index: (not candidates[index].healthy, cost(request, candidates[index])))
        cheapest = candidates[good[0]].id
        return Decision(
            targets=[Target(candidate=index, timeout_ms=None) for index in good],
            label="cheapest",
            reason=f"{cheapest} is the cheapest of {len(good)} that are good enough",
            hedge_after_ms=None,
            propensity=None,
        )


class Configuration(exports.Configuration):
    def validate(self) -> None:
        try:
            min_quality()
        except ValueError as error:
            raise Err(str(error)) from error
