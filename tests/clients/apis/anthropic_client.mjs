// Anthropic's Node client with a model of each provider dialect.

import assert from "node:assert/strict";

import { FINAL, KEY, QUESTION, REPORT, REPORTED, TEXT, TIME, URL, WEATHER, eachDialect, load, result } from "./matrix.mjs";

const { default: Anthropic } = load("@anthropic-ai/sdk");
const client = new Anthropic({ baseURL: URL, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "user", content: QUESTION }];
const tools = [
  { name: "get_weather", description: "Returns the weather of a city.", input_schema: WEATHER },
  { name: "get_time", description: "Returns the time in a zone.", input_schema: TIME },
];

function checkUsage({ input_tokens, cache_read_input_tokens, output_tokens }) {
  assert.deepEqual([input_tokens, cache_read_input_tokens, output_tokens], [40, 30, 9]);
}

async function whole(model) {
  const answer = await client.messages.create({ model, max_tokens: 100, system: "Be brief.", messages });
  assert.deepEqual([answer.content[0].text, answer.stop_reason], [TEXT, "end_turn"]);
  checkUsage(answer.usage);
}

async function streamed(model) {
  const stream = client.messages.stream({ model, max_tokens: 100, messages });
  let text = "";
  stream.on("text", (piece) => { text += piece; });
  const answer = await stream.finalMessage();
  assert.deepEqual([text, answer.content[0].text, answer.stop_reason], [TEXT, TEXT, "end_turn"]);
  checkUsage(answer.usage);
}

async function toolTurn(model, ask) {
  const request = { model, max_tokens: 100, tools };
  const { content, stop_reason } = await ask({ ...request, messages });
  assert.equal(stop_reason, "tool_use");
  // Gemini signs calls; the signature follows as a block of its own.
  const calls = content.filter(({ type }) => type === "tool_use");
  assert.deepEqual(calls.map(({ name }) => name), ["get_weather", "get_time"]);
  const results = calls.map(({ id, name, input }) => (
    { type: "tool_result", tool_use_id: id, content: result(name, input) }
  ));
  const longer = [...messages, { role: "assistant", content }, { role: "user", content: results }];
  assert.equal((await ask({ ...request, messages: longer })).content[0].text, FINAL);
}

const wholeTools = (model) => toolTurn(model, (request) => client.messages.create(request));
const streamedTools = (model) => toolTurn(model, (request) => client.messages.stream(request).finalMessage());

/** Runs the library's own loop of tool calls, which asks the provider to keep the conversation. */
async function toolRunner(model) {
  const runnable = tools.map((tool) => ({ ...tool, parse: (input) => input, run: (input) => result(tool.name, input) }));
  const runner = client.beta.messages.toolRunner({ model, max_tokens: 100, messages, tools: runnable });
  assert.equal((await runner.runUntilDone()).content[0].text, FINAL);
}

async function structured(model) {
  const output_config = { format: { type: "json_schema", schema: REPORT } };
  const answer = await client.messages.create({ model, max_tokens: 100, messages, output_config });
  assert.deepEqual(JSON.parse(answer.content[0].text), REPORTED);
}

async function errors(model) {
  const request = { model, max_tokens: 9, messages };
  const limited = { ...request, model: model.replace("chat", "limited") };
  await assert.rejects(client.messages.create(limited), Anthropic.RateLimitError);
  await assert.rejects(client.messages.stream(limited).finalMessage(), Anthropic.RateLimitError);
  await assert.rejects(client.messages.create({ ...request, model: "missing" }), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({ ...request, messages: [] }), Anthropic.BadRequestError);
  const stranger = new Anthropic({ baseURL: URL, apiKey: "pm-unknown", maxRetries: 0 });
  await assert.rejects(stranger.messages.create(request), Anthropic.AuthenticationError);
}

await eachDialect(whole, streamed, wholeTools, streamedTools, toolRunner, structured, errors);
