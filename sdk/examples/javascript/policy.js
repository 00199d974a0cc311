// The cheapest model that is good enough. Setting: `min_quality`, 0..1.

import { json } from "pointsman:policy/settings@0.1.0";

/** Tokens that an answer is taken to have, unless the client allows fewer. */
const TYPICAL_OUTPUT_TOKENS = 256;

/** The settings, read once for each instance. */
let settings;

function readSettings() {
  const { min_quality: minQuality = 0, ...unknown } = JSON.parse(json());
  if (typeof minQuality !== "number" || minQuality < 0 || minQuality > 1) {
    throw `setting \`min_quality\`: ${JSON.stringify(minQuality)} is not a number in 0..1`;
  }
  for (const name of Object.keys(unknown)) {
    throw `there is no setting \`${name}\`; the only one is \`min_quality\``;
  }
  return { minQuality };
}

/** What a request will probably cost, in millionths of a US dollar. */
function cost(request, candidate) {
  const output = Math.min(request.maxOutputTokens ?? TYPICAL_OUTPUT_TOKENS, TYPICAL_OUTPUT_TOKENS);
  return request.inputTokens * candidate.inputPrice + output * candidate.outputPrice;
}

export const router = {
  route(request, candidates) {
    settings ??= readSettings();
    const { minQuality } = settings;
    const choices = candidates
      .map((candidate, index) => ({ ...candidate, index, cost: cost(request, candidate) }))
      .filter(({ quality }) => (quality ?? 0) >= minQuality)
      .sort((a, b) => b.healthy - a.healthy || a.cost - b.cost);
    if (choices.length === 0) {
      throw { tag: "no-candidate", val: `no model is known to have a quality of ${minQuality}` };
    }
    return {
      targets: choices.map(({ index }) => ({ candidate: index, timeoutMs: undefined })),
      label: "cheapest",
      reason: `${choices[0].id} is the cheapest of ${choices.length} that are good enough`,
      hedgeAfterMs: undefined,
      propensity: undefined,
    };
  },
};

export const configuration = {
  validate() {
    settings = readSettings();
  },
};
