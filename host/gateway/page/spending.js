// Spending of a period by route, model or key.

import { createHistory, createReader } from './history.js';

/** @import { History, UsageLine } from '../../admin-api/admin-api.d.ts' */
/** @import { Period } from './period.js' */

/** @typedef {{ name: string, requests: number, failed: number, input: number, output: number, cost: number }} Spending */
/** `rows` are null until they are read, the most expensive first; `history` is that of a period.
 * @typedef {{ rows: Spending[] | null, error: Error | null, history: History | null }} ReadSpending */

/** Reads spending again and again while a page is drawn: from the history, or since the start from the usage.
 * @param {() => void} redraw */
export function createSpending(redraw) {
  /** @type {ReturnType<typeof createReader<UsageLine[]>>} */
  const usage = createReader(redraw);
  const history = createHistory(redraw);
  /** @param {Period} period
   * @param {'route' | 'model' | 'key'} by
   * @param {Record<string, string>} filter
   * @returns {ReadSpending} */
  return (period, by, filter = {}) => {
    if (period.from) {
      const { known, error } = history(period, { ...filter, by, points: 'false' });
      return { rows: known && rowsOf(known), error, history: known };
    }
    const { known, error } = usage('/admin/usage', 'usage');
    const lines = known?.filter((line) => Object.entries(filter).every(([member, value]) => line[member] === value));
    return { rows: lines ? sumsOf(lines, by) : null, error, history: null };
  };
}

/** @param {History} history
 * @returns {Spending[]} */
function rowsOf({ series }) {
  return series.filter(({ name }) => name !== null).map((one) => ({
    name: one.name, requests: one.requests, failed: one.failed, input: one.input_tokens, output: one.output_tokens, cost: one.cost_usd,
  }));
}

/** Sums lines by a member, the most expensive first.
 * @param {UsageLine[]} lines
 * @param {'route' | 'model' | 'key'} by
 * @returns {Spending[]} */
function sumsOf(lines, by) {
  const sums = new Map();
  for (const line of lines) {
    const name = line[by];
    if (!name) continue;
    const sum = sums.get(name) ?? { name, requests: 0, failed: 0, input: 0, output: 0, cost: 0 };
    sum.requests += line.answered + line.failed + line.cancelled;
    sum.failed += line.failed;
    sum.input += line.input_tokens;
    sum.output += line.output_tokens;
    sum.cost += line.cost_usd;
    sums.set(name, sum);
  }
  return [...sums.values()].sort((a, b) => b.cost - a.cost);
}
