"""pydantic-ai's models for OpenAI (chat completions and responses) and Anthropic, with a model of each
provider dialect."""

import anthropic
import openai
from pydantic import BaseModel
from pydantic_ai import Agent, ModelHTTPError, NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

import matrix
from matrix import FINAL, KEY, QUESTION, TEXT, URL, each_dialect, expect


PROFILE = {"supports_json_schema_output": True}
"""The library knows what models can do by their names, and the gateway's are unknown to it."""


def from_openai(kind):
    def make(model, key=KEY):
        client = openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0)
        return kind(model, provider=OpenAIProvider(openai_client=client), profile=PROFILE)

    make.__name__ = kind.__name__
    return make


def messages(model, key=KEY):
    client = anthropic.AsyncAnthropic(base_url=URL, api_key=key, max_retries=0)
    return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client), profile=PROFILE)


MODELS = [from_openai(OpenAIChatModel), from_openai(OpenAIResponsesModel), messages]


class Weather(BaseModel):
    """Weather of a city."""

    city: str
    degrees: int


async def whole(model):
    for make in MODELS:
        result = await Agent(make(model), system_prompt="Be brief.").run(QUESTION)
        expect(result.output, TEXT, make.__name__)
        expect((result.usage.input_tokens, result.usage.output_tokens), (70, 9), make.__name__)
        expect(result.usage.cache_read_tokens, 30, make.__name__)


async def streamed(model):
    for make in MODELS:
        async with Agent(make(model), instructions="Be brief.").run_stream(QUESTION) as result:
            pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        assert len(pieces) > 1, (make.__name__, pieces)
        expect("".join(pieces), TEXT, make.__name__)
        expect((result.usage.input_tokens, result.usage.output_tokens), (70, 9), make.__name__)


async def tools(model):
    for make in MODELS:
        agent = Agent(make(model), tools=[matrix.get_weather, matrix.get_time])
        result = await agent.run(QUESTION)
        expect(result.output, FINAL, make.__name__)
        expect((result.usage.requests, result.usage.tool_calls), (2, 2), make.__name__)
        # The history, with the calls and results, is sent again.
        expect((await agent.run("And now?", message_history=result.all_messages())).output, FINAL, make.__name__)


async def streamed_tools(model):
    for make in MODELS:
        agent = Agent(make(model), tools=[matrix.get_weather, matrix.get_time])
        async with agent.run_stream(QUESTION) as result:
            expect(await result.get_output(), FINAL, make.__name__)


async def structured(model):
    expected = Weather(city="Paris", degrees=21)
    for make in MODELS:
        for kind in [Weather, NativeOutput(Weather)]:
            result = await Agent(make(model), output_type=kind).run(QUESTION)
            expect(result.output, expected, make.__name__)


async def structured_after_a_tool(model):
    for make in MODELS:
        agent = Agent(make(model), output_type=Weather, tools=[matrix.get_weather])
        expect((await agent.run(QUESTION)).output, Weather(city="Paris", degrees=21), make.__name__)


async def errors(model):
    for make in MODELS:
        for broken, status in [
            (make(model.replace("chat", "limited")), 429), (make("missing"), 404), (make(model, "pm-unknown"), 401),
        ]:
            try:
                await Agent(broken).run(QUESTION)
            except ModelHTTPError as error:
                expect(error.status_code, status, make.__name__)
            else:
                raise AssertionError(f"no error {status}")


each_dialect(whole, streamed, tools, streamed_tools, structured, structured_after_a_tool, errors)
