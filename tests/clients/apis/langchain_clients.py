"""LangChain's models for OpenAI (chat completions and responses) and Anthropic, with a model of each
provider dialect."""

import anthropic
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

import matrix
from matrix import FINAL, KEY, QUESTION, TEXT, URL, each_dialect, expect, raises

MESSAGES = [SystemMessage("Be brief."), HumanMessage(QUESTION)]


def chat(model, key=KEY):
    # Usage of streams is off by default for other base URLs than OpenAI's.
    return ChatOpenAI(model=model, base_url=f"{URL}/v1", api_key=key, max_retries=0, stream_usage=True)


def responses(model, key=KEY):
    return ChatOpenAI(model=model, base_url=f"{URL}/v1", api_key=key, max_retries=0, use_responses_api=True)


def messages(model, key=KEY):
    return ChatAnthropic(model=model, base_url=URL, api_key=key, max_retries=0, max_tokens=100)


LIBRARIES = [(chat, openai), (responses, openai), (messages, anthropic)]


@tool
def get_weather(city: str) -> str:
    """Returns the weather of a city."""
    return matrix.get_weather(city)


@tool
def get_time(zone: str) -> str:
    """Returns the time in a zone."""
    return matrix.get_time(zone)


TOOLS = {"get_weather": get_weather, "get_time": get_time}


class Weather(BaseModel):
    """Weather of a city."""

    city: str
    degrees: int


def expect_usage(usage):
    expect((usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]), (70, 9, 79))
    expect(usage["input_token_details"]["cache_read"], 30)


def whole(model):
    for make, _ in LIBRARIES:
        answer = make(model).invoke(MESSAGES)
        expect(answer.text, TEXT, make.__name__)
        expect_usage(answer.usage_metadata)


def streamed(model):
    for make, _ in LIBRARIES:
        chunks = list(make(model).stream(MESSAGES))
        answer = chunks[0]
        for chunk in chunks[1:]:
            answer += chunk
        expect(answer.text, TEXT, make.__name__)
        assert len([chunk for chunk in chunks if chunk.text]) > 1, chunks
        expect_usage(answer.usage_metadata)


def tool_turn(model, ask):
    conversation = list(MESSAGES)
    answer = ask(model, conversation)
    expect([call["name"] for call in answer.tool_calls], ["get_weather", "get_time"])
    conversation.append(answer)
    conversation += [TOOLS[call["name"]].invoke(call) for call in answer.tool_calls]
    expect(ask(model, conversation).text, FINAL)


def tools(model):
    for make, _ in LIBRARIES:
        tool_turn(make(model).bind_tools(TOOLS.values()), lambda model, messages: model.invoke(messages))


def streamed_tools(model):
    def ask(model, messages):
        first, *rest = model.stream(messages)
        for chunk in rest:
            first += chunk
        return first

    for make, _ in LIBRARIES:
        tool_turn(make(model).bind_tools(TOOLS.values()), ask)


def structured(model):
    expected = Weather(city="Paris", degrees=21)
    for make, _ in LIBRARIES:
        for method in ["json_schema", "function_calling"]:
            expect(make(model).with_structured_output(Weather, method=method).invoke(QUESTION), expected, method)


def errors(model):
    for make, package in LIBRARIES:
        limited = make(model.replace("chat", "limited"))
        raises(package.RateLimitError, lambda: limited.invoke(QUESTION))
        raises(package.RateLimitError, lambda: list(limited.stream(QUESTION)))
        raises(package.NotFoundError, lambda: make("missing").invoke(QUESTION))
        raises(package.AuthenticationError, lambda: make(model, "pm-unknown").invoke(QUESTION))


each_dialect(whole, streamed, tools, streamed_tools, structured, errors)
