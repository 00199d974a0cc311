"""Uses of OpenAI's Python client, through the gateway.

The client takes OPENAI_BASE_URL and OPENAI_API_KEY from the environment."""

import asyncio
import os

import openai

TEXT = "one two three"
MESSAGES = [{"role": "user", "content": "Count to three."}]

client = openai.OpenAI(max_retries=0)


def whole_answer():
    raw = client.chat.completions.with_raw_response.create(model="good", messages=MESSAGES)
    answer = raw.parse()
    assert answer.choices[0].message.content == TEXT, answer
    assert answer.usage.prompt_tokens == 7 and answer.usage.completion_tokens == 3, answer
    assert raw.headers["x-pointsman-model"] == "good/chat", raw.headers
    assert raw.headers["x-pointsman-cost-usd"] == "0.000013", raw.headers


def streamed_answer():
    with client.chat.completions.create(model="good", messages=MESSAGES, stream=True) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT, chunks
    assert all(chunk.usage is None for chunk in chunks), chunks


def streamed_answer_with_usage():
    options = {"include_usage": True}
    stream = client.chat.completions.create(model="good", messages=MESSAGES, stream=True, stream_options=options)
    *chunks, last = stream
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT, chunks
    assert last.choices == [] and last.usage.completion_tokens == 3, last


def orchestrated_answer():
    raw = client.chat.completions.with_raw_response.create(model="chain", messages=MESSAGES)
    answer = raw.parse()
    assert answer.choices[0].message.content == TEXT, answer
    assert raw.headers["x-pointsman-tasks"] == "3", raw.headers
    assert answer.usage.prompt_tokens == 21 and answer.usage.completion_tokens == 9, answer


def streamed_orchestrated_answer():
    options = {"include_usage": True}
    stream = client.chat.completions.create(model="chain", messages=MESSAGES, stream=True, stream_options=options)
    *chunks, last = stream
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT, chunks
    assert last.usage.total_tokens == 30, last


async def asynchronous_answer():
    async with openai.AsyncOpenAI(max_retries=0) as asynchronous:
        answer = await asynchronous.chat.completions.create(model="good", messages=MESSAGES)
    assert answer.choices[0].message.content == TEXT, answer


def list_of_models():
    ids = [model.id for model in client.models.list()]
    assert ids == ["good", "limited", "broken", "dying", "chain", "good/chat"], ids
    assert client.models.retrieve("good/chat").owned_by == "good"


def raises(kind, code, **request):
    try:
        answer = client.chat.completions.create(messages=request.pop("messages", MESSAGES), **request)
        for _ in answer:
            pass
    except openai.APIError as error:
        assert type(error) is kind, repr(error)
        assert error.code == code, repr(error)
    else:
        raise AssertionError(f"{request} did not fail with {kind}")


def errors():
    raises(openai.NotFoundError, "model_not_found", model="missing")
    raises(openai.PermissionDeniedError, "model_not_allowed", model="forbidden")
    raises(openai.BadRequestError, "empty_array", model="good", messages=[])
    raises(openai.RateLimitError, "rate_limit_exceeded", model="limited")
    raises(openai.InternalServerError, "all_models_failed", model="broken")
    raises(openai.APIError, "stream_broken", model="dying", stream=True)
    stranger = openai.OpenAI(api_key="pm-unknown", max_retries=0)
    try:
        stranger.models.list()
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key", repr(error)
    else:
        raise AssertionError("an unknown key was accepted")


def large(size):
    return [{"role": "user", "content": "x" * size}]


def early_refusals():
    """A large request with a wrong key gets its 401, and the connection pool stays usable."""
    for _ in range(5):
        try:
            client.with_options(api_key="pm-unknown").chat.completions.create(model="good", messages=large(8 << 20))
        except openai.AuthenticationError as error:
            assert error.code == "invalid_api_key", repr(error)
        else:
            raise AssertionError("an unknown key was accepted")
        assert client.models.retrieve("good").id == "good"
    too_large = {"messages": large(40 << 20)}
    try:
        client.chat.completions.create(model="good", **too_large)
    except openai.APIStatusError as error:
        assert error.status_code == 413 and error.code == "request_too_large", repr(error)
    else:
        raise AssertionError("40 MB were accepted")
    assert client.models.retrieve("good").id == "good"


async def asynchronous_early_refusals():
    async with openai.AsyncOpenAI(max_retries=0) as asynchronous:
        stranger = asynchronous.with_options(api_key="pm-unknown")

        async def refused(size):
            try:
                await stranger.chat.completions.create(model="good", messages=large(size))
            except openai.AuthenticationError as error:
                assert error.code == "invalid_api_key", repr(error)
            else:
                raise AssertionError("an unknown key was accepted")

        for _ in range(5):
            await refused(8 << 20)
            assert (await asynchronous.models.retrieve("good")).id == "good"
        await asyncio.gather(*[refused(size) for size in [100, 64 << 10, 1 << 20, 8 << 20] * 2])
        assert (await asynchronous.models.retrieve("good")).id == "good"


def keys_in_other_headers():
    for header in ["x-api-key", "api-key"]:
        headers = {"Authorization": openai.Omit(), header: os.environ["OPENAI_API_KEY"]}
        assert client.models.retrieve("good", extra_headers=headers).id == "good", header


whole_answer()
streamed_answer()
streamed_answer_with_usage()
orchestrated_answer()
streamed_orchestrated_answer()
asyncio.run(asynchronous_answer())
list_of_models()
errors()
early_refusals()
asyncio.run(asynchronous_early_refusals())
keys_in_other_headers()
print("all is well")
