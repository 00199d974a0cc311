// Periods of the history. The chosen one is part of the address.

import { address } from './address.js';
import { choice } from './parts.js';

/** A period: `from` returns its start from the present, both in seconds since 1970; without it, the page shows the
 * present or everything since the start. `step` is the length of a step in seconds, and `pause` the least time
 * between two reads, in milliseconds.
 * @typedef {{ id: string, name: string, words: string, from?: (now: number) => number, step?: number, pause?: number }} Period */

const [HOUR, DAY] = [3_600, 86_400];

/** The start of a period up to now, at a whole step, so that the bars of a chart stay where they are. */
const back = (length, step) => (now) => Math.ceil((now - length) / step) * step;

const days = (number, step) =>
  ({ id: `${number}d`, name: `${number} d`, words: `in the last ${number} days`, from: back(number * DAY, step), step, pause: 60_000 });

/** @type {Period[]} */
const DETAIL = [
  { id: '', name: 'Now', words: 'now' },
  { id: '24h', name: '24 h', words: 'in the last 24 hours', from: back(DAY, 900), step: 900, pause: 15_000 },
  days(7, HOUR),
  days(14, 2 * HOUR),
];

/** @type {Period[]} */
const SPENDING = [
  { id: '', name: 'Today', words: 'today', from: (now) => new Date(now * 1000).setHours(0, 0, 0, 0) / 1000, step: 900, pause: 10_000 },
  days(7, HOUR),
  days(14, 2 * HOUR),
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
