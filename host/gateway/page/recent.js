// Recent decisions of one route, model, policy or key, for its page.

import { address, decisionsAddress, modelAddress, routeAddress } from './address.js';
import { get } from './api.js';
import { groupErrors } from './decisions.js';
import { h } from './dom.js';
import { count, milliseconds, money, percent, plural, time } from './format.js';
import { ending } from './parts.js';

/** @import { DecisionSummary } from '../../admin-api/admin-api.d.ts' */

const READ = 200;
const SHOWN = 8;
/** Least time between two reads, in milliseconds. */
const PAUSE = 4_000;

/** Reads recent decisions that match a filter again and again while their page is drawn.
 * @param {() => void} redraw */
export function createRecent(redraw) {
  /** @type {DecisionSummary[] | null} */
  let known = null;
  let [readFor, readAt] = ['', 0];
  return {
    /** The decisions, the newest first; null until they are read.
     * @param {Record<string, string>} filter */
    take(filter) {
      const wanted = JSON.stringify(filter);
      if (wanted !== readFor) known = null;
      if (wanted !== readFor || Date.now() - readAt > PAUSE) {
        [readFor, readAt] = [wanted, Date.now()];
        get(`/admin/decisions?${new URLSearchParams({ ...filter, limit: String(READ) })}`).then((found) => {
          if (wanted === readFor) known = found;
          redraw();
        }).catch(() => {});
      }
      return known;
    },
  };
}

/** Counts of a member of decisions, the most frequent first.
 * @param {DecisionSummary[]} decisions
 * @param {(decision: DecisionSummary) => string | null | undefined} of
 * @returns {[string, number][]} */
export function frequencies(decisions, of) {
  const counts = new Map();
  for (const decision of decisions) {
    const value = of(decision);
    if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** A quantile of the values that are known. */
export function quantile(values, share) {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : null;
}

/** The panel with the newest decisions, and groups of their errors.
 * @param {DecisionSummary[] | null} decisions
 * @param {Record<string, string>} filter */
export function recentPanels(decisions, filter) {
  if (!decisions) return null;
  const groups = groupErrors(decisions);
  return [
    groups.length > 0 && h('section', { class: 'panel', key: 'errors', 'aria-labelledby': 'recent-errors' },
      h('div', { class: 'panel-head' }, h('h2', { id: 'recent-errors' }, 'Errors'), h('a', { href: decisionsAddress({ ...filter, ending: 'failed' }) }, 'Failed requests')),
      h('ul', { class: 'rows' }, groups.slice(0, SHOWN).map(({ text, number }) => h('li', { key: text }, h('b', null, `${count(number)} ×`), h('span', { class: 'grow' }, text)))),
      groups.length > SHOWN && h('p', { class: 'muted small pad' }, `The ${SHOWN} most frequent of ${groups.length}.`)),
    h('section', { class: 'panel wide', key: 'recent', 'aria-labelledby': 'recent' },
      h('div', { class: 'panel-head' }, h('h2', { id: 'recent' }, 'Latest decisions'), h('a', { href: decisionsAddress(filter) }, 'All')),
      decisions.length ? h('ul', { class: 'rows' }, decisions.slice(0, SHOWN).map((decision) => h('li', { key: decision.id },
        h('a', { class: 'name', href: address('decisions', decision.id) }, time(decision.at_ms)),
        h('span', { class: 'grow' }, decision.route, ' · ', decision.label, ' ', h('span', { class: 'muted' }, decision.ending === 'failed' ? decision.error : decision.reason)),
        decision.model ? h('a', { href: modelAddress(decision.model) }, decision.model) : null, ending(decision.ending),
        h('span', { class: 'small end' }, milliseconds(decision.latency_ms)), h('span', { class: 'small end' }, money(decision.cost_usd)))))
        : h('p', { class: 'muted pad' }, 'None among the latest requests.')),
  ];
}

/** A panel with shares of a member, each with a link.
 * @param {string} title
 * @param {[string, number][]} counts
 * @param {(name: string) => string} link */
export function shares(title, counts, link) {
  const all = counts.reduce((sum, [, number]) => sum + number, 0);
  if (!all) return null;
  const id = title.toLowerCase().replaceAll(' ', '-');
  return h('section', { class: 'panel', key: id, 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, title), h('span', { class: 'muted small' }, `among the latest ${plural(all, 'request')}`)),
    h('ul', { class: 'rows' }, counts.slice(0, SHOWN).map(([name, number]) => h('li', { key: name },
      h('a', { class: 'grow name', href: link(name) }, name), h('span', { class: 'small end' }, percent(number / all)), h('span', { class: 'small end' }, count(number))))),
    counts.length > SHOWN && h('p', { class: 'muted small pad' }, `The ${SHOWN} most frequent of ${counts.length}.`));
}

export const byRoute = (decisions) => shares('Routes', frequencies(decisions, ({ route }) => route), routeAddress);
