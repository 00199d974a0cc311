"""openai-agents with its two models, for chat completions and responses, and a model of each provider
dialect."""

import openai
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from pydantic import BaseModel

import matrix
from matrix import FINAL, KEY, QUESTION, TEXT, URL, each_dialect, expect, raises_async

set_tracing_disabled(True)
KINDS = [OpenAIChatCompletionsModel, OpenAIResponsesModel]
TOOLS = [function_tool(matrix.get_weather), function_tool(matrix.get_time)]


class Weather(BaseModel):
    city: str
    degrees: int


def agent(kind, model, key=KEY, **more):
    client = openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0)
    return Agent(name="Helper", instructions="Be brief.", model=kind(model, openai_client=client), **more)


async def whole(model):
    for kind in KINDS:
        result = await Runner.run(agent(kind, model), QUESTION)
        expect(result.final_output, TEXT, kind.__name__)
        usage = result.context_wrapper.usage
        expect((usage.input_tokens, usage.output_tokens), (70, 9), kind.__name__)
        expect(usage.input_tokens_details.cached_tokens, 30, kind.__name__)


async def streamed(model):
    for kind in KINDS:
        result = Runner.run_streamed(agent(kind, model), QUESTION)
        pieces = [
            event.data.delta async for event in result.stream_events()
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
        ]
        expect(("".join(pieces), result.final_output), (TEXT, TEXT), kind.__name__)


async def tools(model):
    for kind in KINDS:
        helper = agent(kind, model, tools=TOOLS)
        result = await Runner.run(helper, QUESTION)
        expect(result.final_output, FINAL, kind.__name__)
        again = result.to_input_list() + [{"role": "user", "content": "And now?"}]
        expect((await Runner.run(helper, again)).final_output, FINAL, kind.__name__)


async def streamed_tools(model):
    for kind in KINDS:
        result = Runner.run_streamed(agent(kind, model, tools=TOOLS), QUESTION)
        kinds = [event.name async for event in result.stream_events() if event.type == "run_item_stream_event"]
        assert kinds.count("tool_called") == kinds.count("tool_output") == 2, kinds
        expect(result.final_output, FINAL, kind.__name__)


async def handed_off(model):
    for kind in KINDS:
        # The script of the provider calls a tool that it does not know if one is required.
        required = ModelSettings(tool_choice="required")
        other = agent(kind, model).clone(name="Other")
        first = agent(kind, model, handoffs=[other], model_settings=required)
        result = await Runner.run(first, QUESTION)
        expect((result.final_output, result.last_agent.name), (FINAL, "Other"), kind.__name__)


async def structured(model):
    for kind in KINDS:
        result = await Runner.run(agent(kind, model, output_type=Weather), QUESTION)
        expect(result.final_output, Weather(city="Paris", degrees=21), kind.__name__)


async def errors(model):
    for kind in KINDS:
        for broken, error in [
            (agent(kind, model.replace("chat", "limited")), openai.RateLimitError),
            (agent(kind, "missing"), openai.NotFoundError),
            (agent(kind, model, "pm-unknown"), openai.AuthenticationError),
        ]:
            await raises_async(error, lambda: Runner.run(broken, QUESTION))


each_dialect(whole, streamed, tools, streamed_tools, handed_off, structured, errors)
