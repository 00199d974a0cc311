"""OpenAI's Python client with a model of each provider dialect: chat completions, responses and
completions."""

import json

import openai
from pydantic import BaseModel

from matrix import FINAL, KEY, QUESTION, TEXT, TIME, TOOLS, URL, WEATHER, each_dialect, expect, raises

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
FUNCTIONS = [
    {"name": "get_weather", "description": "Returns the weather of a city.", "parameters": WEATHER, "strict": True},
    {"name": "get_time", "description": "Returns the time in a zone.", "parameters": TIME, "strict": True},
]
CHAT_TOOLS = [{"type": "function", "function": function} for function in FUNCTIONS]
RESPONSES_TOOLS = [{"type": "function", **function} for function in FUNCTIONS]


class Weather(BaseModel):
    city: str
    degrees: int


def chat_usage(usage):
    expect((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (70, 9, 79))
    expect(usage.prompt_tokens_details.cached_tokens, 30)


def chat_whole(model):
    answer = client.chat.completions.create(
        model=model, messages=MESSAGES, max_completion_tokens=100, temperature=0.5, stop=["END"]
    )
    choice = answer.choices[0]
    expect((choice.message.content, choice.message.role, choice.finish_reason), (TEXT, "assistant", "stop"))
    chat_usage(answer.usage)


def chat_streamed(model):
    options = {"include_usage": True}
    *chunks, last = client.chat.completions.create(
        model=model, messages=MESSAGES, stream=True, stream_options=options
    )
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
    assert len(pieces) > 1, pieces
    expect(("".join(pieces), chunks[-1].choices[0].finish_reason, last.choices), (TEXT, "stop", []))
    chat_usage(last.usage)


def chat_stream_without_usage(model):
    chunks = list(client.chat.completions.create(model=model, messages=MESSAGES, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks), chunks


def chat_tool_turn(model, ask):
    conversation = list(MESSAGES)
    message = ask(model=model, messages=conversation, tools=CHAT_TOOLS)
    expect([call.function.name for call in message.tool_calls], ["get_weather", "get_time"])
    conversation.append(message)
    for call in message.tool_calls:
        result = TOOLS[call.function.name](**json.loads(call.function.arguments))
        conversation.append({"role": "tool", "tool_call_id": call.id, "content": result})
    expect(ask(model=model, messages=conversation, tools=CHAT_TOOLS).content, FINAL)


def chat_tools(model):
    chat_tool_turn(model, lambda **request: client.chat.completions.create(**request).choices[0].message)


def chat_streamed_tools(model):
    def ask(**request):
        with client.chat.completions.stream(**request) as stream:
            message = stream.get_final_completion().choices[0].message
        # The helper adds members that OpenAI's API does not have.
        for call in message.tool_calls or []:
            del call.function.parsed_arguments
        del message.parsed
        return message

    chat_tool_turn(model, ask)


def chat_forced_tool(model):
    choice = {"type": "function", "function": {"name": "get_time"}}
    answer = client.chat.completions.create(model=model, messages=MESSAGES, tools=CHAT_TOOLS, tool_choice=choice)
    expect([call.function.name for call in answer.choices[0].message.tool_calls], ["get_time"])


def chat_single_tool(model):
    request = {"model": model, "messages": MESSAGES, "tools": CHAT_TOOLS, "parallel_tool_calls": False}
    answer = client.chat.completions.create(**request)
    expect([call.function.name for call in answer.choices[0].message.tool_calls], ["get_weather"])
    with client.chat.completions.stream(**request) as stream:
        message = stream.get_final_completion().choices[0].message
    expect([call.function.arguments for call in message.tool_calls], ['{"city": "Paris"}'])


def chat_structured(model):
    answer = client.chat.completions.parse(model=model, messages=MESSAGES, response_format=Weather)
    expect(answer.choices[0].message.parsed, Weather(city="Paris", degrees=21))


def responses_usage(usage):
    expect((usage.input_tokens, usage.output_tokens, usage.total_tokens), (70, 9, 79))
    expect(usage.input_tokens_details.cached_tokens, 30)


def responses_whole(model):
    answer = client.responses.create(
        model=model, instructions="Be brief.", input=QUESTION, max_output_tokens=100, store=False
    )
    expect((answer.output_text, answer.status, answer.error), (TEXT, "completed", None))
    responses_usage(answer.usage)


def responses_streamed(model):
    events = list(client.responses.create(model=model, input=QUESTION, stream=True))
    kinds = [event.type for event in events if event.type != "response.output_text.delta"]
    expect(kinds, [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ])
    expect([event.sequence_number for event in events], list(range(len(events))))
    expect("".join(event.delta for event in events if event.type == "response.output_text.delta"), TEXT)
    expect(events[-1].response.output_text, TEXT)
    responses_usage(events[-1].response.usage)


def names_of(response):
    return [item.name for item in response.output if item.type == "function_call"]


def responses_tool_turn(model, ask):
    items = [{"role": "user", "content": QUESTION}]
    answer = ask(model=model, input=items, tools=RESPONSES_TOOLS)
    calls = [item for item in answer.output if item.type == "function_call"]
    expect([call.name for call in calls], ["get_weather", "get_time"])
    items += answer.output
    for call in calls:
        result = TOOLS[call.name](**json.loads(call.arguments))
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
    expect(ask(model=model, input=items, tools=RESPONSES_TOOLS).output_text, FINAL)


def responses_tools(model):
    responses_tool_turn(model, client.responses.create)


def responses_streamed_tools(model):
    def ask(**request):
        with client.responses.stream(**request) as stream:
            return stream.get_final_response()

    responses_tool_turn(model, ask)


def responses_forced_tool(model):
    answer = client.responses.create(
        model=model, input=QUESTION, tools=RESPONSES_TOOLS, tool_choice={"type": "function", "name": "get_time"}
    )
    expect(names_of(answer), ["get_time"])


def responses_single_tool(model):
    request = {"model": model, "input": QUESTION, "tools": RESPONSES_TOOLS, "parallel_tool_calls": False}
    expect(names_of(client.responses.create(**request)), ["get_weather"])
    with client.responses.stream(**request) as stream:
        expect(names_of(stream.get_final_response()), ["get_weather"])


def responses_structured(model):
    answer = client.responses.parse(model=model, input=QUESTION, text_format=Weather)
    expect(answer.output_parsed, Weather(city="Paris", degrees=21))


def completions(model):
    answer = client.completions.create(model=model, prompt=QUESTION, max_tokens=50)
    expect((answer.choices[0].text, answer.choices[0].finish_reason), (TEXT, "stop"))
    chunks = client.completions.create(model=model, prompt=QUESTION, stream=True)
    expect("".join(chunk.choices[0].text for chunk in chunks), TEXT)


async def asynchronous(model):
    async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0) as asynchronous:
        answer = await asynchronous.chat.completions.create(model=model, messages=MESSAGES)
        expect(answer.choices[0].message.content, TEXT)
        expect((await asynchronous.responses.create(model=model, input=QUESTION)).output_text, TEXT)


def errors(model):
    limited = model.replace("chat", "limited")
    for create in [
        lambda client, model, **more: client.chat.completions.create(model=model, messages=MESSAGES, **more),
        lambda client, model, **more: client.responses.create(model=model, input=QUESTION, **more),
        lambda client, model, **more: client.completions.create(model=model, prompt=QUESTION, **more),
    ]:
        rate_limited = lambda error: error.code == "rate_limit_exceeded" and error.response.headers["retry-after"]
        raises(openai.RateLimitError, lambda: create(client, limited), rate_limited)
        raises(openai.RateLimitError, lambda: list(create(client, limited, stream=True)), rate_limited)
        raises(openai.NotFoundError, lambda: create(client, "missing"), lambda error: error.code == "model_not_found")
        stranger = client.with_options(api_key="pm-unknown")
        raises(openai.AuthenticationError, lambda: create(stranger, model))
        raises(openai.BadRequestError, lambda: create(client, model, extra_body={"stream": "perhaps"}))


each_dialect(
    chat_whole, chat_streamed, chat_stream_without_usage, chat_tools, chat_streamed_tools, chat_forced_tool,
    chat_single_tool,
    chat_structured, responses_whole, responses_streamed, responses_tools, responses_streamed_tools,
    responses_forced_tool, responses_single_tool, responses_structured, completions, asynchronous, errors,
)
