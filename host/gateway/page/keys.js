// Keys of clients: requests, tokens and spending.

import { decisionsAddress, keyAddress, modelAddress, routeAddress } from './address.js';
import { get } from './api.js';
import { h } from './dom.js';
import { count, money, percent } from './format.js';
import { facts, failed, heading, loading, nothing, table } from './parts.js';
import { createRecent, recentPanels } from './recent.js';

/** @import { UsageLine } from '../../admin-api/admin-api.d.ts' */

/** Least time between two reads, in milliseconds. */
const PAUSE = 4_000;

/** Reads the usage again and again while a page is drawn. */
function createUsage(redraw) {
  /** @type {UsageLine[] | null} */
  let known = null;
  let [error, readAt] = [null, 0];
  return () => {
    if (Date.now() - readAt > PAUSE) {
      readAt = Date.now();
      get('/admin/usage').then((lines) => { [known, error] = [lines, null]; }, (failure) => { error = failure; }).finally(redraw);
    }
    return { known, error };
  };
}

/** @typedef {{ name: string, requests: number, failed: number, input: number, output: number, cost: number }} Spending */

/** Sums lines by a member, the most expensive first.
 * @param {UsageLine[]} lines
 * @param {(line: UsageLine) => string | null} of
 * @returns {Spending[]} */
function spending(lines, of) {
  const sums = new Map();
  for (const line of lines) {
    const name = of(line);
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

/** @param {string} caption
 * @param {Spending[]} rows
 * @param {(name: string) => string} link */
function spendingTable(caption, rows, link) {
  const all = rows.reduce((sum, { cost }) => sum + cost, 0);
  return table({
    caption, rows, keyOf: ({ name }) => name,
    columns: [
      { title: caption, cell: ({ name }) => h('a', { class: 'name', href: link(name) }, name) },
      { title: 'Requests', end: true, cell: ({ requests }) => count(requests) },
      { title: 'Failed', end: true, cell: (row) => (row.failed ? count(row.failed) : '0') },
      { title: 'Input tokens', end: true, cell: ({ input }) => count(input) },
      { title: 'Output tokens', end: true, cell: ({ output }) => count(output) },
      { title: 'Spent', end: true, cell: ({ cost }) => money(cost) },
      { title: 'Share', end: true, cell: ({ cost }) => (all ? percent(cost / all) : '–') },
    ],
  });
}

export function keys(redraw) {
  const usage = createUsage(redraw);
  return {
    title: 'Keys',
    draw() {
      const { known, error } = usage();
      if (!known) return [heading('Keys'), error ? failed('The usage cannot be read', error) : loading('the usage')];
      const rows = spending(known, ({ key }) => key);
      return [
        heading('Keys', h('p', { class: 'muted' }, 'spending since the start, the most expensive first')),
        rows.length ? spendingTable('Key', rows, keyAddress) : nothing('No request with a key yet', h('p', null, 'Keys of clients are configured in ', h('code', null, '[[keys]]'), '.')),
      ];
    },
  };
}

export function keyDetail(redraw) {
  const usage = createUsage(redraw);
  const recent = createRecent(redraw);
  return {
    title: 'Key',
    draw(name) {
      const { known, error } = usage();
      const back = h('a', { href: '#/keys' }, 'All keys');
      if (!known) return [heading(name, back), error ? failed('The usage cannot be read', error) : loading('the usage')];
      const lines = known.filter(({ key }) => key === name);
      const [sum] = spending(lines, ({ key }) => key);
      if (!sum) return [heading(name, back), nothing('No request with this key since the start', h('p', null, back))];
      const filter = { key: name };
      return [
        heading(name, back),
        facts(['Requests', h('a', { href: decisionsAddress(filter) }, count(sum.requests))],
          ['Failed', sum.failed ? h('a', { href: decisionsAddress({ ...filter, ending: 'failed' }) }, count(sum.failed)) : '0'],
          ['Input tokens', count(sum.input)], ['Output tokens', count(sum.output)], ['Spent since the start', money(sum.cost)]),
        h('div', { class: 'panels' },
          h('section', { class: 'panel', key: 'routes', 'aria-label': 'Routes' }, spendingTable('Route', spending(lines, ({ route }) => route), routeAddress)),
          h('section', { class: 'panel', key: 'models', 'aria-label': 'Models' }, spendingTable('Model', spending(lines, ({ model }) => model), modelAddress)),
          recentPanels(recent.take(filter), filter)),
      ];
    },
  };
}
