// Vercel's AI SDK with its providers for OpenAI (responses and chat completions), servers that are
// compatible with OpenAI, and Anthropic, and a model of each provider dialect.

import assert from "node:assert/strict";

import { FINAL, KEY, QUESTION, REPORT, REPORTED, TEXT, TIME, URL, WEATHER, eachDialect, load, result } from "./matrix.mjs";

const { APICallError, Output, generateText, isStepCount, jsonSchema, stepCountIs, streamText, tool } = load("ai");
const { createAnthropic } = load("@ai-sdk/anthropic");
const { createOpenAI } = load("@ai-sdk/openai");
const { createOpenAICompatible } = load("@ai-sdk/openai-compatible");

const baseURL = `${URL}/v1`;
const providers = {
  responses: (model, apiKey = KEY) => createOpenAI({ baseURL, apiKey }).responses(model),
  chat: (model, apiKey = KEY) => createOpenAI({ baseURL, apiKey }).chat(model),
  compatible: (model, apiKey = KEY) => createOpenAICompatible({
    name: "gateway", baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true,
  })(model),
  anthropic: (model, apiKey = KEY) => createAnthropic({ baseURL, apiKey })(model),
};
const tools = {
  get_weather: tool({
    description: "Returns the weather of a city.", inputSchema: jsonSchema(WEATHER),
    execute: (input) => result("get_weather", input),
  }),
  get_time: tool({
    description: "Returns the time in a zone.", inputSchema: jsonSchema(TIME),
    execute: (input) => result("get_time", input),
  }),
};
const request = { prompt: QUESTION, maxRetries: 0, maxOutputTokens: 100 };
const stopWhen = (stepCountIs ?? isStepCount)(3);

/** Makes a check that runs with each provider of the library. */
function withEach(name, check) {
  return { async [name](model) {
    for (const [kind, provider] of Object.entries(providers)) {
      await check(provider, model).catch((error) => { throw new Error(`${kind}: ${error.stack}`, { cause: error }); });
    }
  } }[name];
}

const whole = withEach("whole", async (provider, model) => {
  const { text, usage, finishReason } = await generateText({ model: provider(model), ...request });
  assert.deepEqual([text, finishReason], [TEXT, "stop"]);
  assert.deepEqual([usage.inputTokens, usage.outputTokens], [70, 9]);
});

const streamed = withEach("streamed", async (provider, model) => {
  const answer = streamText({ model: provider(model), ...request, onError: () => {} });
  const pieces = [];
  for await (const piece of answer.textStream) pieces.push(piece);
  assert.equal(pieces.join(""), TEXT);
  assert.ok(pieces.length > 1);
  const usage = await answer.usage;
  assert.deepEqual([usage.inputTokens, usage.outputTokens], [70, 9]);
});

const wholeTools = withEach("wholeTools", async (provider, model) => {
  const { text, steps } = await generateText({ model: provider(model), ...request, tools, stopWhen });
  assert.equal(text, FINAL);
  assert.deepEqual(steps[0].toolResults.map(({ toolName }) => toolName), ["get_weather", "get_time"]);
});

const streamedTools = withEach("streamedTools", async (provider, model) => {
  const answer = streamText({ model: provider(model), ...request, tools, stopWhen, onError: () => {} });
  assert.equal(await answer.text, FINAL);
});

const structured = withEach("structured", async (provider, model) => {
  const output = Output.object({ schema: jsonSchema(REPORT) });
  const answer = await generateText({ model: provider(model), ...request, output });
  assert.deepEqual(answer.output, REPORTED);
});

const errors = withEach("errors", async (provider, model) => {
  const cases = [
    [provider(model.replace("chat", "limited")), 429, true],
    [provider("missing"), 404, false],
    [provider(model, "pm-unknown"), 401, false],
  ];
  for (const [broken, status, retryable] of cases) {
    await assert.rejects(generateText({ model: broken, ...request }), (error) => {
      assert.ok(APICallError.isInstance(error), String(error));
      assert.deepEqual([error.statusCode, error.isRetryable], [status, retryable]);
      return true;
    });
  }
});

await eachDialect(whole, streamed, wholeTools, streamedTools, structured, errors);
