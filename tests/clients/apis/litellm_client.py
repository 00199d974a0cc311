"""LiteLLM's SDK with its providers `openai` and `anthropic`, and a model of each provider dialect."""

import json
import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm
from pydantic import BaseModel

from matrix import FINAL, KEY, QUESTION, TEXT, TIME, TOOLS, URL, WEATHER, each_dialect, expect, raises

litellm.telemetry = False
litellm.suppress_debug_info = True
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
DEFINITIONS = [
    {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": parameters}}
    for name, parameters in [("get_weather", WEATHER), ("get_time", TIME)]
]


class Weather(BaseModel):
    city: str
    degrees: int


def openai(model, key=KEY):
    return {"model": f"openai/{model}", "api_base": f"{URL}/v1", "api_key": key, "num_retries": 0}


def anthropic(model, key=KEY):
    return {"model": f"anthropic/{model}", "api_base": URL, "api_key": key, "num_retries": 0, "max_tokens": 100}


PROVIDERS = [openai, anthropic]


def whole(model):
    for provider in PROVIDERS:
        answer = litellm.completion(**provider(model), messages=MESSAGES)
        expect(answer.choices[0].message.content, TEXT, provider.__name__)
        usage = answer.usage
        expect((usage.prompt_tokens, usage.completion_tokens), (70, 9), provider.__name__)
        expect(usage.prompt_tokens_details.cached_tokens, 30, provider.__name__)


def streamed(model):
    for provider in PROVIDERS:
        options = {"include_usage": True}
        chunks = list(litellm.completion(**provider(model), messages=MESSAGES, stream=True, stream_options=options))
        answer = litellm.stream_chunk_builder(chunks, messages=MESSAGES)
        expect(answer.choices[0].message.content, TEXT, provider.__name__)
        expect((answer.usage.prompt_tokens, answer.usage.completion_tokens), (70, 9), provider.__name__)


def tool_turn(model, provider, ask):
    conversation = list(MESSAGES)
    message = ask(**provider(model), messages=conversation, tools=DEFINITIONS).choices[0].message
    expect([call.function.name for call in message.tool_calls], ["get_weather", "get_time"], provider.__name__)
    conversation.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        result = TOOLS[call.function.name](**json.loads(call.function.arguments))
        conversation.append({"role": "tool", "tool_call_id": call.id, "content": result})
    answer = ask(**provider(model), messages=conversation, tools=DEFINITIONS)
    expect(answer.choices[0].message.content, FINAL, provider.__name__)


def tools(model):
    for provider in PROVIDERS:
        tool_turn(model, provider, litellm.completion)


def streamed_tools(model):
    def ask(**request):
        return litellm.stream_chunk_builder(list(litellm.completion(**request, stream=True)))

    for provider in PROVIDERS:
        tool_turn(model, provider, ask)


def structured(model):
    for provider in PROVIDERS:
        answer = litellm.completion(**provider(model), messages=MESSAGES, response_format=Weather)
        expect(json.loads(answer.choices[0].message.content), {"city": "Paris", "degrees": 21}, provider.__name__)


def responses(model):
    answer = litellm.responses(**openai(model), input=QUESTION)
    expect(answer.output[0].content[0].text, TEXT)
    events = list(litellm.responses(**openai(model), input=QUESTION, stream=True))
    expect(events[-1].type, "response.completed")


def errors(model):
    for provider in PROVIDERS:
        for request, error in [
            (provider(model.replace("chat", "limited")), litellm.RateLimitError),
            (provider("missing"), litellm.NotFoundError),
            (provider(model, "pm-unknown"), litellm.AuthenticationError),
        ]:
            raises(error, lambda: litellm.completion(**request, messages=MESSAGES))


each_dialect(whole, streamed, tools, streamed_tools, structured, responses, errors)
