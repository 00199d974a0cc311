"""Anthropic's Python client with a model of each provider dialect."""

import anthropic
from anthropic import beta_tool
from pydantic import BaseModel

from matrix import FINAL, KEY, QUESTION, TEXT, TIME, TOOLS, URL, WEATHER, dialect_of, each_dialect, expect, raises

client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
MESSAGES = [{"role": "user", "content": QUESTION}]
DEFINITIONS = [
    {"name": "get_weather", "description": "Returns the weather of a city.", "input_schema": WEATHER},
    {"name": "get_time", "description": "Returns the time in a zone.", "input_schema": TIME},
]


def expect_usage(usage):
    expect((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens), (40, 30, 9))


def whole(model):
    raw = client.messages.with_raw_response.create(
        model=model, max_tokens=100, system="Be brief.", messages=MESSAGES, stop_sequences=["END"]
    )
    answer = raw.parse()
    expect([(block.type, block.text) for block in answer.content], [("text", TEXT)])
    expect((answer.role, answer.type, answer.stop_reason), ("assistant", "message", "end_turn"))
    expect(raw.headers["x-pointsman-model"], model)
    expect_usage(answer.usage)


def streamed(model):
    with client.messages.stream(model=model, max_tokens=100, messages=MESSAGES) as stream:
        pieces = list(stream.text_stream)
        answer = stream.get_final_message()
    assert len(pieces) > 1, pieces
    expect(("".join(pieces), answer.content[0].text, answer.stop_reason), (TEXT, TEXT, "end_turn"))
    expect_usage(answer.usage)


def raw_events(model):
    kinds = [event.type for event in client.messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=True)]
    expect([kind for kind in kinds if kind not in ("ping", "content_block_delta")], [
        "message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop",
    ])


def names_of(answer):
    return [block.name for block in answer.content if block.type == "tool_use"]


def results_of(answer):
    return [
        {"type": "tool_result", "tool_use_id": block.id, "content": TOOLS[block.name](**block.input)}
        for block in answer.content if block.type == "tool_use"
    ]


def tool_turn(model, ask):
    conversation = list(MESSAGES)
    request = {"model": model, "max_tokens": 100, "tools": DEFINITIONS}
    answer = ask(messages=conversation, **request)
    expect(answer.stop_reason, "tool_use")
    expect(len(results_of(answer)), 2)
    conversation += [
        {"role": "assistant", "content": answer.content}, {"role": "user", "content": results_of(answer)},
    ]
    answer = ask(messages=conversation, **request)
    expect((answer.content[-1].text, answer.stop_reason), (FINAL, "end_turn"))


def whole_tools(model):
    tool_turn(model, client.messages.create)


def streamed_tools(model):
    def ask(**request):
        with client.messages.stream(**request) as stream:
            return stream.get_final_message()

    tool_turn(model, ask)


def reasoned_tools(model):
    """The signed reasoning before the calls is sent back with their results."""
    thinking = {"type": "enabled", "budget_tokens": 1024, "display": "summarized"}

    def stream(**request):
        with client.messages.stream(**request) as stream:
            return stream.get_final_message()

    for send in [client.messages.create, stream]:
        kinds = []

        def ask(**request):
            answer = send(**{**request, "max_tokens": 2000, "thinking": thinking})
            kinds.extend(block.type for block in answer.content)
            return answer

        tool_turn(model, ask)
        expect("thinking" in kinds, dialect_of(model) in ("anthropic", "gemini"), kinds)


def one_forced_tool(model):
    choice = {"type": "tool", "name": "get_time"}
    answer = client.messages.create(
        model=model, max_tokens=100, messages=MESSAGES, tools=DEFINITIONS, tool_choice=choice
    )
    expect(names_of(answer), ["get_time"])


def single_tool(model):
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    request = {"model": model, "max_tokens": 100, "messages": MESSAGES, "tools": DEFINITIONS, "tool_choice": choice}
    expect(names_of(client.messages.create(**request)), ["get_weather"])
    with client.messages.stream(**request) as stream:
        expect(names_of(stream.get_final_message()), ["get_weather"])


@beta_tool
def get_weather(city: str) -> str:
    """Returns the weather of a city.

    Args:
        city: Its name.
    """
    return TOOLS["get_weather"](city)


def tool_runner(model):
    runner = client.beta.messages.tool_runner(model=model, max_tokens=100, messages=MESSAGES, tools=[get_weather])
    expect(runner.until_done().content[0].text, FINAL)


class Weather(BaseModel):
    city: str
    degrees: int


def structured(model):
    answer = client.messages.parse(model=model, max_tokens=100, messages=MESSAGES, output_format=Weather)
    expect(answer.parsed_output, Weather(city="Paris", degrees=21))


async def asynchronous(model):
    async with anthropic.AsyncAnthropic(base_url=URL, api_key=KEY, max_retries=0) as asynchronous:
        answer = await asynchronous.messages.create(model=model, max_tokens=100, messages=MESSAGES)
    expect(answer.content[0].text, TEXT)


def counts(model):
    assert client.messages.count_tokens(model=model, messages=MESSAGES).input_tokens > 0


def models(model):
    assert model in [each.id for each in client.models.list()]
    expect(client.models.retrieve(model).type, "model")


def errors(model):
    request = {"max_tokens": 9, "messages": MESSAGES}
    limited = model.replace("chat", "limited")
    raises(anthropic.RateLimitError, lambda: client.messages.create(model=limited, **request))
    raises(anthropic.RateLimitError, lambda: list(client.messages.create(model=limited, stream=True, **request)))
    raises(anthropic.NotFoundError, lambda: client.messages.create(model="missing", **request))
    raises(anthropic.BadRequestError, lambda: client.messages.create(model=model, messages=[], max_tokens=9))
    stranger = anthropic.Anthropic(base_url=URL, api_key="pm-unknown", max_retries=0)
    raises(anthropic.AuthenticationError, lambda: stranger.messages.create(model=model, **request))
    bearer = anthropic.Anthropic(base_url=URL, auth_token=KEY, max_retries=0)
    expect(bearer.messages.create(model=model, **request).content[0].text, TEXT)


each_dialect(
    whole, streamed, raw_events, whole_tools, streamed_tools, reasoned_tools, one_forced_tool, single_tool,
    tool_runner, structured, asynchronous, counts, models, errors,
)
