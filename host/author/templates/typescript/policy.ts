// Short requests go to the cheapest model, long ones to the best. Settings and labels: README.md.

import type { Configuration } from "pointsman:policy/configuration@0.1.0";
import type { Router } from "pointsman:policy/router@0.1.0";
import { json } from "pointsman:policy/settings@0.1.0";
import type { Candidate, Request } from "pointsman:policy/types@0.1.0";

/** Tokens that an answer is assumed to have, unless the client allows fewer. */
const TYPICAL_OUTPUT_TOKENS = 256;

interface Settings {
  /** Input tokens from which a request is long. */
  longTokens: number;
}

/** The settings, read once for each instance. They cannot be read before the gateway calls a function. */
let settings: Settings | undefined;

/** Reads the settings. Throws the reason why they are wrong. */
function readSettings(): Settings {
  const { long_tokens: longTokens = 2000, ...unknown } = JSON.parse(json()) as Record<string, unknown>;
  if (typeof longTokens !== "number" || !Number.isInteger(longTokens) || longTokens < 1) {
    throw `setting \`long_tokens\`: ${JSON.stringify(longTokens)} is not a whole number of at least 1`;
  }
  for (const name of Object.keys(unknown)) {
    throw `there is no setting \`${name}\`; the only one is \`long_tokens\``;
  }
  return { longTokens };
}

/** What a request will probably cost, in millionths of a US dollar. */
function cost(request: Request, model: Candidate): number {
  const output = Math.min(request.maxOutputTokens ?? TYPICAL_OUTPUT_TOKENS, TYPICAL_OUTPUT_TOKENS);
  return request.inputTokens * model.inputPrice + output * model.outputPrice;
}

export const router: Router = {
  // Orders the models for a request. The first is called, the others are its fallbacks.
  route(request, candidates) {
    const { longTokens } = (settings ??= readSettings());
    const isLong = request.inputTokens >= longTokens;
    const models = candidates.map((model, index) => ({ model, index }));
    models.sort((a, b) =>
      isLong
        ? (b.model.quality ?? 0) - (a.model.quality ?? 0)
        : cost(request, a.model) - cost(request, b.model),
    );
    return {
      targets: models.map(({ index }) => ({ candidate: index })),
      label: isLong ? "best" : "cheapest",
      reason: `${request.inputTokens} input tokens, long from ${longTokens}`,
    };
  },
};

export const configuration: Configuration = {
  // Checks the settings when the policy is loaded. A thrown text keeps the previous version serving.
  validate() {
    settings = readSettings();
  },
};
