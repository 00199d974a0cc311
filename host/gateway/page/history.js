// The history of usage: reads of the admin API, and charts of a period.

import { get } from './api.js';
import { createChart } from './chart.js';
import { h } from './dom.js';
import { count, duration, failuresBy, figure, milliseconds, moment, money, percent, roundTime } from './format.js';
import { facts, failed, loading } from './parts.js';
import { colourOf, palette } from './series.js';
import { state } from './store.js';

/** @import { History, HistoryPoint } from '../../admin-api/admin-api.d.ts' */
/** @import { Period } from './period.js' */

/** Names that have a colour of their own. */
const MAX_NAMES = 7;
/** Least time between two reads where the period names none, in milliseconds. */
const PAUSE = 4_000;

/** Reads a resource again and again while a page is drawn.
 * @template T
 * @param {() => void} redraw */
export function createReader(redraw) {
  /** @type {T | null} */
  let known = null;
  let [error, readFor, readAt] = [null, '', 0];
  /** @param {string} path  resource
   * @param {string} wanted  name of what is read, which stays the same while the path follows the clock
   * @param {number} [pause]
   * @returns {{ known: T | null, error: Error | null }} */
  return (path, wanted, pause = PAUSE) => {
    if (wanted !== readFor) [known, error] = [null, null];
    if (wanted !== readFor || Date.now() - readAt > pause) {
      [readFor, readAt] = [wanted, Date.now()];
      const store = (found, failure) => {
        if (wanted !== readFor) return;
        error = failure;
        if (found) known = found;
        redraw();
      };
      get(path).then((found) => store(found, null), (failure) => store(null, failure));
    }
    return { known, error };
  };
}

/** Reads the history of a period again and again.
 * @param {() => void} redraw */
export function createHistory(redraw) {
  /** @type {ReturnType<typeof createReader<History>>} */
  const read = createReader(redraw);
  /** @param {Period} period
   * @param {Record<string, string>} filter */
  return (period, filter) => {
    const from = period.from(Math.floor(state.now.now_ms / 1000));
    const wanted = JSON.stringify([period.id, filter]);
    return read(`/admin/history?${new URLSearchParams({ ...filter, from: String(from), step: String(period.step) })}`, wanted, period.pause);
  };
}

/** Charts of the history of one route, model or key, by the names of another member.
 * @param {() => void} redraw */
export function createHistoryCharts(redraw) {
  const read = createHistory(redraw);
  const charts = Object.fromEntries(['requests', 'names', 'latency', 'cost'].map((id) => [id, createChart(`history-${id}`, redraw)]));
  return {
    /** @param {Period} period
     * @param {'route' | 'model' | 'key'} by
     * @param {Record<string, string>} filter */
    draw(period, by, filter) {
      const { known, error } = read(period, { ...filter, by, limit: String(MAX_NAMES) });
      if (!known) return h('section', { key: 'history' }, error ? failed('The history cannot be read', error) : loading('the history'));
      const steps = bucketsOf(known);
      const seen = { known, period, by, steps, names: namesOf(known, steps), changes: state.changes, until: steps.at(-1).until };
      return h('section', { key: 'history', class: 'history', 'aria-label': `History, ${period.words}` },
        figures(known, period), limits(known),
        known.totals.requests > 0 && h('div', { class: 'charts' }, requests(charts.requests, seen), answering(charts.names, seen), latency(charts.latency, seen), cost(charts.cost, seen)));
    },
  };
}

/** Sums of all series in the steps of a period.
 * @param {History} history */
export function bucketsOf({ from, to, step, series, other }) {
  const length = Math.max(1, Math.ceil((to - from) / step));
  const buckets = Array.from({ length }, (_, at) => ({
    at: (from + at * step) * 1000,
    until: (from + (at + 1) * step) * 1000,
    requests: 0, answered: 0, failed: 0, cancelled: 0, cost: 0, latency: 0,
  }));
  for (const points of [...series, other].map((one) => one?.points ?? [])) {
    for (const point of points) {
      const bucket = buckets[(point.at - from) / step];
      bucket.requests += point.requests;
      bucket.answered += point.answered;
      bucket.failed += point.failed;
      bucket.cancelled += point.requests - point.answered - point.failed;
      bucket.cost += point.cost_usd;
      bucket.latency += (point.mean_latency_ms ?? 0) * point.answered;
    }
  }
  return buckets;
}

/** Names of the series with their colours and their points by step.
 * @param {History} history
 * @param {ReturnType<typeof bucketsOf>} steps */
function namesOf({ by, from, step, series, other }, steps) {
  const colours = palette(state.now.models);
  /** @param {HistoryPoint[]} points
   * @param {'answered' | 'cost_usd'} member */
  const values = (points, member) => {
    const list = steps.map(() => 0);
    for (const point of points) list[(point.at - from) / step] = point[member];
    return list;
  };
  const of = (name, colour, points = []) => ({ name, colour, answered: values(points, 'answered'), cost: values(points, 'cost_usd') });
  const own = series.map(({ name, points }, at) =>
    of(name ?? `no ${by}`, by === 'model' && name ? colourOf(colours, name) : name ? `series-${at + 1}` : 'series-other', points));
  return other ? [...own, of(`${other.names} others`, 'series-other', other.points)] : own;
}

/** @param {History} history
 * @param {Period} period */
function figures({ totals }, { words }) {
  return h('section', { class: 'panel', 'aria-labelledby': 'in-period' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'in-period' }, words[0].toUpperCase() + words.slice(1))),
    facts(['Requests', count(totals.requests)], ['Failed', failuresBy(totals.failed, totals.failed_by)],
      ['Mean latency', milliseconds(totals.mean_latency_ms)], ['Input tokens', count(totals.input_tokens)],
      ['Output tokens', count(totals.output_tokens)], ['Spent', money(totals.cost_usd)]));
}

/** What the history does not have.
 * @param {History} history */
export function limits({ from, oldest, folded, storage }) {
  const texts = [
    storage.error && `The history is in memory and ends with the gateway: ${storage.error}.`,
    !storage.error && !storage.is_durable && 'The history is in memory: it has the last day and ends with the gateway. With state.dir it has 14 days.',
    oldest !== null && oldest > from && `The history begins at ${moment(oldest * 1000)}.`,
    folded && `${money(folded.cost_usd)} of ${count(folded.requests)} requests were spread over more keys, models and routes than are stored apart.`,
    storage.lost_steps > 0 && `${count(storage.lost_steps)} steps of 5 minutes are missing: they could not be stored.`,
    storage.unreadable_steps > 0 && `${count(storage.unreadable_steps)} steps of 5 minutes are damaged.`,
  ].filter(Boolean);
  return texts.length ? h('p', { class: 'muted small', key: 'limits' }, texts.join(' ')) : null;
}

const aside = (what, { step }) => `${what} in ${duration(step)}`;

function requests(chart, { known, steps, changes, until, period }) {
  const series = ['answered', 'failed', 'cancelled'].map((name) => ({ name, colour: name, shape: 'bar', values: steps.map((bucket) => bucket[name]) }));
  const { requests: all, failed: bad } = known.totals;
  return chart({
    title: 'Requests', buckets: steps, series, changes, until, aside: aside('requests', known), format: count, axis: figure,
    text: `${count(all)} requests ${period.words}, of which ${percent(bad / all)} failed.`,
  });
}

function answering(chart, { known, steps, names, by, changes, until, period }) {
  const answers = known.totals.answered;
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const shares = names.filter(({ answered }) => sum(answered)).map(({ name, answered }) => `${name} ${percent(sum(answered) / answers)}`);
  return chart({
    title: `Answers by ${by}`, buckets: steps, changes, until, aside: aside('answers', known), format: count, axis: figure,
    series: names.map(({ name, colour, answered: values }) => ({ name, colour, shape: 'bar', values })),
    text: shares.length ? `Share of the answers ${period.words}: ${shares.join(', ')}.` : `No answers ${period.words}.`,
  });
}

function latency(chart, { known, steps, changes, until, period }) {
  const values = steps.map(({ answered, latency: sum }) => (answered ? sum / answered : null));
  return chart({
    title: 'Latency', buckets: steps, changes, until, aside: 'mean to the end of the answer', format: milliseconds, axis: roundTime,
    series: [{ name: 'mean', colour: 'accent', shape: 'line', values }],
    text: `The mean latency of an answer was ${milliseconds(known.totals.mean_latency_ms)} ${period.words}.`,
  });
}

function cost(chart, { known, steps, names, changes, until, period }) {
  return chart({
    title: 'Cost', buckets: steps, changes, until, aside: aside('US dollars', known), format: money, axis: (dollars) => `$${figure(dollars)}`,
    series: names.map(({ name, colour, cost: values }) => ({ name, colour, shape: 'bar', values })),
    text: `${money(known.totals.cost_usd)} spent ${period.words}.`,
  });
}
