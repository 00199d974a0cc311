// OpenAI's Node client with a model of each provider dialect: chat completions and responses.

import assert from "node:assert/strict";

import { FINAL, KEY, QUESTION, REPORT, REPORTED, TEXT, TIME, URL, WEATHER, eachDialect, load, result } from "./matrix.mjs";

const { default: OpenAI } = load("openai");
const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: QUESTION }];
const functions = [
  { name: "get_weather", description: "Returns the weather of a city.", parameters: WEATHER, strict: true },
  { name: "get_time", description: "Returns the time in a zone.", parameters: TIME, strict: true },
];
const chatTools = functions.map((each) => ({ type: "function", function: each }));
const responsesTools = functions.map((each) => ({ type: "function", ...each }));

async function chatWhole(model) {
  const answer = await client.chat.completions.create({ model, messages, max_completion_tokens: 100 });
  assert.equal(answer.choices[0].message.content, TEXT);
  assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens], [70, 9]);
}

async function chatStreamed(model) {
  const stream_options = { include_usage: true };
  const stream = client.chat.completions.stream({ model, messages, stream_options });
  let pieces = 0;
  stream.on("content", () => { pieces++; });
  assert.equal(await stream.finalContent(), TEXT);
  assert.equal((await stream.totalUsage()).total_tokens, 79);
  assert.ok(pieces > 1);
}

/** Runs the library's own loop of tool calls. */
async function chatToolLoop(model, stream) {
  const tools = functions.map((each) => ({
    type: "function",
    function: { ...each, parse: JSON.parse, function: (input) => result(each.name, input) },
  }));
  const runner = client.chat.completions.runTools({ model, messages, tools, stream });
  let results = 0;
  runner.on("functionToolCallResult", () => { results++; });
  assert.equal(await runner.finalContent(), FINAL);
  assert.equal(results, 2);
}

const chatToolsWhole = (model) => chatToolLoop(model, false);
const chatToolsStreamed = (model) => chatToolLoop(model, true);

async function chatStructured(model) {
  const response_format = { type: "json_schema", json_schema: { name: "report", schema: REPORT, strict: true } };
  const answer = await client.chat.completions.parse({ model, messages, response_format });
  assert.deepEqual(JSON.parse(answer.choices[0].message.content), REPORTED);
}

async function responsesWhole(model) {
  const answer = await client.responses.create({ model, instructions: "Be brief.", input: QUESTION });
  assert.equal(answer.output_text, TEXT);
  assert.deepEqual([answer.usage.input_tokens, answer.usage.output_tokens], [70, 9]);
}

async function responsesStreamed(model) {
  const stream = client.responses.stream({ model, input: QUESTION });
  let text = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
  assert.deepEqual([text, (await stream.finalResponse()).output_text], [TEXT, TEXT]);
}

async function responsesToolTurn(model, ask) {
  const input = [{ role: "user", content: QUESTION }];
  const { output } = await ask({ model, input, tools: responsesTools });
  const calls = output.filter(({ type }) => type === "function_call");
  assert.deepEqual(calls.map(({ name }) => name), ["get_weather", "get_time"]);
  for (const item of output) {
    // The helper for streams adds a member that OpenAI's API does not have.
    const { parsed_arguments, ...sent } = item;
    input.push(sent);
  }
  for (const { name, call_id, arguments: text } of calls) {
    input.push({ type: "function_call_output", call_id, output: result(name, JSON.parse(text)) });
  }
  assert.equal((await ask({ model, input, tools: responsesTools })).output_text, FINAL);
}

const responsesToolsWhole = (model) => responsesToolTurn(model, (request) => client.responses.create(request));
const responsesToolsStreamed = (model) =>
  responsesToolTurn(model, (request) => client.responses.stream(request).finalResponse());

async function responsesStructured(model) {
  const text = { format: { type: "json_schema", name: "report", schema: REPORT, strict: true } };
  assert.deepEqual(JSON.parse((await client.responses.create({ model, input: QUESTION, text })).output_text), REPORTED);
}

async function errors(model) {
  const limited = model.replace("chat", "limited");
  const creates = [
    (client, model, stream) => client.chat.completions.create({ model, messages, stream }),
    (client, model, stream) => client.responses.create({ model, input: QUESTION, stream }),
  ];
  for (const create of creates) {
    await assert.rejects(create(client, limited), OpenAI.RateLimitError);
    await assert.rejects(create(client, limited, true), OpenAI.RateLimitError);
    await assert.rejects(create(client, "missing"), OpenAI.NotFoundError);
    await assert.rejects(create(client.withOptions({ apiKey: "pm-unknown" }), model), OpenAI.AuthenticationError);
  }
}

await eachDialect(
  chatWhole, chatStreamed, chatToolsWhole, chatToolsStreamed, chatStructured, responsesWhole, responsesStreamed,
  responsesToolsWhole, responsesToolsStreamed, responsesStructured, errors,
);
