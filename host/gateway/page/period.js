// Periods of the history. The chosen one is part of the address.

import { address } from './address.js';
import { choice } from './parts.js';

/** A period: `from` returns its start from the present, both in seconds since 1970; without it, the page shows the
 * present or everything since the start. `pause` is the least time between two reads, in milliseconds.
 * @typedef {{ id: string, name: string, words: string, from?: (now: number) => number, pause?: number }} Period */

const DAY = 86_400;
const days = (number, pause) => ({ id: `${number}d`, name: `${number} d`, words: `in the last ${number} days`, from: (now) => now - number * DAY, pause });

/** @type {Period[]} */
const DETAIL = [
  { id: '', name: 'Now', words: 'now' },
  { id: '24h', name: '24 h', words: 'in the last 24 hours', from: (now) => now - DAY, pause: 15_000 },
  days(7, 60_000),
  days(14, 60_000),
];

/** @type {Period[]} */
const SPENDING = [
  { id: '', name: 'Today', words: 'today', from: (now) => new Date(now * 1000).setHours(0, 0, 0, 0) / 1000, pause: 10_000 },
  days(7, 60_000),
  days(14, 60_000),
  { id: 'start', name: 'Since the start', words: 'since the start' },
];

/** @param {Period[]} periods
 * @param {URLSearchParams} query */
const chosen = (periods, query) => periods.find(({ id }) => id === (query.get('period') ?? '')) ?? periods[0];

/** The period of the page of a route or a model.
 * @param {URLSearchParams} query */
export const detailPeriod = (query) => chosen(DETAIL, query);

/** The period of a page about spending.
 * @param {URLSearchParams} query */
export const spendingPeriod = (query) => chosen(SPENDING, query);

/** @param {Period[]} periods
 * @param {string} section
 * @param {string | null} about
 * @param {URLSearchParams} query */
function buttons(periods, section, about, query) {
  const options = periods.map((period) => ({ name: period.name, value: period }));
  return choice('Period', options, chosen(periods, query), ({ id }) => {
    location.hash = address(section, about, { ...Object.fromEntries(query), period: id });
  });
}

/** The choice of a period on the page of a route or a model.
 * @param {string} section
 * @param {string} about
 * @param {URLSearchParams} query */
export const detailChoice = (section, about, query) => buttons(DETAIL, section, about, query);

/** The choice of a period on a page about spending.
 * @param {string | null} about
 * @param {URLSearchParams} query */
export const spendingChoice = (about, query) => buttons(SPENDING, 'keys', about, query);
