// The timeline, divided into the bars and points of the charts.

/** @import { FailureCauses, ModelOverview, RequestTotals, TimelinePoint } from '../../admin-api/admin-api.d.ts' */
/** Members that totals and points have in common.
 * @typedef {Exclude<keyof RequestTotals & keyof TimelinePoint, 'failed_by'>} Summed */

/** Models that have a colour of their own; further ones are drawn together. */
const MAX_COLOURS = 7;
/** Members that are summed up.
 * @type {Summed[]} */
const SUMS = ['requests', 'answered', 'failed', 'cancelled', 'input_tokens', 'output_tokens', 'cost_usd',
  'compared_cost_usd', 'baseline_cost_usd'];

/** Buckets of a window up to now, oldest first. The last one is still growing.
 * @param {TimelinePoint[]} points */
export function buckets(points, window, now) {
  const size = window.bucket;
  const number = (window.seconds * 1000) / size;
  const first = (Math.floor(now / size) - number + 1) * size;
  const list = Array.from({ length: number }, (_, at) => empty(first + at * size, size, now));
  for (const point of points) list[Math.floor((point.at_ms - first) / size)]?.add(point);
  return list;
}

/** Sums over points or buckets.
 * @param {Pick<TimelinePoint, Summed>[]} points */
export function sum(points) {
  const total = /** @type {Record<Summed, number>} */ (Object.fromEntries(SUMS.map((name) => [name, 0])));
  for (const point of points) for (const name of SUMS) total[name] += point[name];
  return total;
}

/** Failed requests of points by cause.
 * @param {TimelinePoint[]} points
 * @returns {FailureCauses} */
export function causes(points) {
  const total = { client: 0, model: 0, policy: 0, limit: 0 };
  for (const { failed_by: by } of points) for (const cause of Object.keys(total)) total[cause] += by?.[cause] ?? 0;
  return total;
}

function empty(at, size, now) {
  const bucket = {
    at,
    until: at + size,
    /** Seconds that it covers so far. */
    seconds: Math.max(1, Math.min(size, now - at) / 1000),
    models: /** @type {Record<string, number>} */ ({}),
    ...sum([]),
    p50: /** @type {number | null} */ (null),
    p95: /** @type {number | null} */ (null),
    added: /** @type {number | null} */ (null),
    /** @param {TimelinePoint} point */
    add(point) {
      const before = bucket.requests;
      for (const name of SUMS) bucket[name] += point[name];
      for (const [model, answers] of Object.entries(point.models ?? {})) {
        bucket.models[model] = (bucket.models[model] ?? 0) + answers;
      }
      bucket.p50 = mean(bucket.p50, before, point.latency_ms_p50, point.requests);
      bucket.p95 = mean(bucket.p95, before, point.latency_ms_p95, point.requests);
      bucket.added = mean(bucket.added, before, point.added_ms_p50, point.requests);
    },
  };
  return bucket;
}

/** Percentiles cannot be summed up. Their mean, weighted by requests, approximates them. */
function mean(a, weightA, b, weightB) {
  if (b === null || b === undefined) return a;
  if (a === null) return b;
  return weightA + weightB ? (a * weightA + b * weightB) / (weightA + weightB) : a;
}

/** A percentile over all buckets, with the same approximation. */
export function over(list, name) {
  let [value, weight] = [null, 0];
  for (const bucket of list) {
    value = mean(value, weight, bucket[name], bucket.requests);
    if (bucket[name] !== null) weight += bucket.requests;
  }
  return value;
}

/** The models that have a colour of their own, in the gateway's order. It does not change, so a
 * model keeps its colour.
 * @param {ModelOverview[]} models */
export function palette(models) {
  const ids = models.map(({ id }) => id);
  const apart = ids.length > MAX_COLOURS + 1 ? ids.slice(0, MAX_COLOURS) : ids;
  return new Map(apart.map((id, at) => [id, `series-${at + 1}`]));
}

/** The colour of a model. */
export const colourOf = (colours, id) => colours.get(id) ?? 'series-other';

/** Answers in a bucket of one model, or of all without a colour if `id` is null. */
export function answersOf(bucket, id, colours) {
  if (id !== null) return bucket.models[id] ?? 0;
  return Object.entries(bucket.models).reduce((all, [model, answers]) => all + (colours.has(model) ? 0 : answers), 0);
}
