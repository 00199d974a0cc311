// Common part of the scripts that use client libraries with a model of each provider dialect.
//
// The environment has the gateway's address in GATEWAY_URL and a key in GATEWAY_KEY; the argument is
// the directory of the packages.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

export const load = createRequire(join(process.argv[2], "here.js"));
export const URL = process.env.GATEWAY_URL;
export const KEY = process.env.GATEWAY_KEY;
/** Backends of the gateway; each has the models `chat` and `limited`. */
const DIALECTS = ["openai", "openai-responses", "azure", "anthropic", "gemini"];
export const TEXT = "The sky is blue.";
export const FINAL = "It is 21 degrees in Paris.";
export const QUESTION = "Why is the sky blue?";

const object = (member) => ({
  type: "object", properties: { [member]: { type: "string" } }, required: [member], additionalProperties: false,
});
export const WEATHER = object("city");
export const TIME = object("zone");
/** JSON schema of a structured answer, and the answer of the providers. */
export const REPORT = {
  type: "object", properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"], additionalProperties: false,
};
export const REPORTED = { city: "Paris", degrees: 21 };

/** Runs a tool. */
export function result(name, { city, zone }) {
  if (name === "get_weather") {
    assert.equal(city, "Paris");
    return "21 degrees, sunny";
  }
  assert.deepEqual([name, zone], ["get_time", "Europe/Paris"]);
  return "21:00";
}

/** Runs checks with the name of a model of each dialect. */
export async function eachDialect(...checks) {
  const failures = [];
  for (const dialect of DIALECTS) {
    for (const check of checks) {
      try {
        await check(`${dialect}/chat`);
      } catch (error) {
        failures.push(`${dialect}: ${check.name}: ${error.stack}`);
      }
    }
  }
  console.log(failures.length === 0 ? "all is well" : failures.join("\n"));
  process.exitCode = failures.length === 0 ? 0 : 1;
}
