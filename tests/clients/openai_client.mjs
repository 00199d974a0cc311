// Uses of OpenAI's Node client, through the gateway.
//
// The client takes OPENAI_BASE_URL and OPENAI_API_KEY from the environment; the
// argument is the directory of the packages.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "here.js"));
const { default: OpenAI } = require("openai");

const TEXT = "one two three";
const messages = [{ role: "user", content: "Count to three." }];

const client = new OpenAI({ maxRetries: 0 });
const completions = client.chat.completions;

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { chunks, text: chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("") };
}

async function wholeAnswer() {
  const { data, response } = await completions.create({ model: "good", messages }).withResponse();
  assert.equal(data.choices[0].message.content, TEXT);
  assert.equal(data.usage.completion_tokens, 3);
  assert.equal(response.headers.get("x-pointsman-model"), "good/chat");
  assert.equal(response.headers.get("x-pointsman-cost-usd"), "0.000013");
}

async function streamedAnswer() {
  const { chunks, text } = await textOf(await completions.create({ model: "good", messages, stream: true }));
  assert.equal(text, TEXT);
  assert.ok(chunks.every((chunk) => chunk.usage == null));
}

async function streamedAnswerWithUsage() {
  const stream_options = { include_usage: true };
  const { chunks, text } = await textOf(await completions.create({ model: "good", messages, stream: true, stream_options }));
  assert.equal(text, TEXT);
  assert.equal(chunks.at(-1).usage.completion_tokens, 3);
}

async function orchestratedAnswer() {
  const { data, response } = await completions.create({ model: "chain", messages }).withResponse();
  assert.equal(data.choices[0].message.content, TEXT);
  assert.equal(response.headers.get("x-pointsman-tasks"), "3");
  assert.equal(data.usage.total_tokens, 30);
}

async function streamedOrchestratedAnswer() {
  const stream_options = { include_usage: true };
  const { chunks, text } = await textOf(await completions.create({ model: "chain", messages, stream: true, stream_options }));
  assert.equal(text, TEXT);
  assert.equal(chunks.at(-1).usage.completion_tokens, 9);
}

async function accumulatedStream() {
  assert.equal(await completions.stream({ model: "good", messages }).finalContent(), TEXT);
}

async function listOfModels() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.deepEqual(ids, ["good", "limited", "broken", "dying", "chain", "good/chat"]);
  assert.equal((await client.models.retrieve("good/chat")).owned_by, "good");
}

async function rejects(kind, code, request) {
  const attempt = async () => {
    const answer = await completions.create({ messages, ...request });
    if (request.stream) await textOf(answer);
  };
  await assert.rejects(attempt, (error) => {
    assert.equal(error.constructor, kind, String(error));
    assert.equal(error.code, code, String(error));
    return true;
  });
}

async function errors() {
  await rejects(OpenAI.NotFoundError, "model_not_found", { model: "missing" });
  await rejects(OpenAI.PermissionDeniedError, "model_not_allowed", { model: "forbidden" });
  await rejects(OpenAI.BadRequestError, "empty_array", { model: "good", messages: [] });
  await rejects(OpenAI.RateLimitError, "rate_limit_exceeded", { model: "limited" });
  await rejects(OpenAI.InternalServerError, "all_models_failed", { model: "broken" });
  await rejects(OpenAI.APIError, "stream_broken", { model: "dying", stream: true });
  const stranger = new OpenAI({ apiKey: "pm-unknown", maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
}

/** A large request with a wrong key gets its 401, and the connection pool stays usable. */
async function earlyRefusals() {
  const stranger = new OpenAI({ apiKey: "pm-unknown", maxRetries: 0 });
  const large = (size) => ({ model: "good", messages: [{ role: "user", content: "x".repeat(size) }] });
  const refused = (size) => assert.rejects(stranger.chat.completions.create(large(size)), (error) => {
    assert.equal(error.constructor, OpenAI.AuthenticationError, String(error));
    return true;
  });
  for (let round = 0; round < 5; round++) {
    await refused(8 << 20);
    assert.equal((await client.models.retrieve("good")).id, "good");
  }
  await Promise.all([100, 64 << 10, 1 << 20, 8 << 20].map(refused));
  await assert.rejects(completions.create(large(40 << 20)), (error) => {
    assert.equal(error.status, 413, String(error));
    return true;
  });
  assert.equal((await client.models.retrieve("good")).id, "good");
}

await wholeAnswer();
await streamedAnswer();
await streamedAnswerWithUsage();
await orchestratedAnswer();
await streamedOrchestratedAnswer();
await accumulatedStream();
await listOfModels();
await errors();
await earlyRefusals();
console.log("all is well");
