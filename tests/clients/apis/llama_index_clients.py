"""LlamaIndex's models for OpenAI (chat completions and responses) and Anthropic, with a model of each
provider dialect."""

import anthropic
import openai
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI, OpenAIResponses
from pydantic import BaseModel

import matrix
from matrix import FINAL, KEY, QUESTION, TEXT, URL, dialect_of, each_dialect, expect, raises

MESSAGES = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content=QUESTION)]
TOOLS = [FunctionTool.from_defaults(matrix.get_weather), FunctionTool.from_defaults(matrix.get_time)]


NAMES = {
    "openai": ("gpt-4.1", "claude-sonnet-4-5"),
    "openai-responses": ("gpt-4o", "claude-haiku-4-5"),
    "azure": ("gpt-4.1-mini", "claude-opus-4-5"),
    "anthropic": ("gpt-4o-mini", "claude-opus-4-1"),
    "gemini": ("gpt-4-turbo", "claude-opus-4-6"),
    "limited": ("gpt-4", "claude-opus-4-0"),
    "missing": ("gpt-4-32k", "claude-sonnet-4-0"),
}
"""Aliases of routes with a model of each dialect: the library rejects names that it does not know."""


def chat(dialect, key=KEY):
    return OpenAI(model=NAMES[dialect][0], api_base=f"{URL}/v1", api_key=key, max_retries=0)


def responses(dialect, key=KEY):
    return OpenAIResponses(model=NAMES[dialect][0], api_base=f"{URL}/v1", api_key=key, max_retries=0)


def messages(dialect, key=KEY):
    return Anthropic(model=NAMES[dialect][1], base_url=URL, api_key=key, max_retries=0, max_tokens=100)


LIBRARIES = [(chat, openai), (responses, openai), (messages, anthropic)]


class Weather(BaseModel):
    """Weather of a city."""

    city: str
    degrees: int


def whole(model):
    for make, _ in LIBRARIES:
        expect(make(dialect_of(model)).chat(MESSAGES).message.content, TEXT, make.__name__)


def streamed(model):
    for make, _ in LIBRARIES:
        pieces = [piece.delta or "" for piece in make(dialect_of(model)).stream_chat(MESSAGES)]
        assert len([piece for piece in pieces if piece]) > 1, pieces
        expect("".join(pieces), TEXT, make.__name__)


async def tools(model):
    for make, _ in LIBRARIES:
        # The agent streams its turns.
        agent = FunctionAgent(llm=make(dialect_of(model)), tools=TOOLS)
        expect((await agent.run(QUESTION)).response.content, FINAL, make.__name__)


def whole_tools(model):
    for make, _ in LIBRARIES:
        llm = make(dialect_of(model))
        conversation = list(MESSAGES)
        answer = llm.chat_with_tools(TOOLS, chat_history=conversation, allow_parallel_tool_calls=True)
        calls = llm.get_tool_calls_from_response(answer)
        expect([call.tool_name for call in calls], ["get_weather", "get_time"], make.__name__)
        conversation.append(answer.message)
        for call in calls:
            result = matrix.TOOLS[call.tool_name](**call.tool_kwargs)
            more = {"tool_call_id": call.tool_id}
            conversation.append(ChatMessage(role="tool", content=result, additional_kwargs=more))
        answer = llm.chat_with_tools(TOOLS, chat_history=conversation, allow_parallel_tool_calls=True)
        expect(answer.message.content, FINAL, make.__name__)


def structured(model):
    for make, _ in LIBRARIES:
        answer = make(dialect_of(model)).as_structured_llm(Weather).chat(MESSAGES)
        expect(answer.raw, Weather(city="Paris", degrees=21), make.__name__)


def errors(model):
    for make, package in LIBRARIES:
        for broken, error in [
            (make("limited"), package.RateLimitError),
            (make("missing"), package.NotFoundError),
            (make(dialect_of(model), "pm-unknown"), package.AuthenticationError),
        ]:
            raises(error, lambda: broken.chat(MESSAGES))
            raises(error, lambda: list(broken.stream_chat(MESSAGES)))


each_dialect(whole, streamed, whole_tools, tools, structured, errors)
