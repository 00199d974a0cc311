// Decisions: the latest ones, live. The filters are in the address.

import { address, keyAddress, modelAddress, policyAddress, routeAddress } from './address.js';
import { get } from './api.js';
import { h } from './dom.js';
import { count, milliseconds, money, percent, plural, time } from './format.js';
import { ending, firstRequest, heading, key, nothing, table, version } from './parts.js';
import { colourOf, palette } from './series.js';
import { createSteady } from './steady.js';
import { state } from './store.js';

/** @import { DecisionSummary, GatewayStatus, record } from '../../admin-api/admin-api.d.ts' */

const SHOWN = 100;
const ENDINGS = ['answered', 'failed', 'cancelled'];
const CAUSES = ['client', 'model', 'policy', 'limit'];
/** Groups of errors that are listed. */
const GROUPS = 6;
/** Filters, each a member of the address and of the query of the admin API. */
const FILTERS = ['route', 'model', 'key', 'policy', 'ending', 'cause', 'since', 'until'];
/** Least time between two reads for one filter, in milliseconds. */
const PAUSE = 5_000;

export function decisions(redraw) {
  const steady = createSteady();
  let paused = false;
  /** @type {DecisionSummary[]} */
  let shown = [];
  /** @type {DecisionSummary[]} */
  let older = [];
  let [readFor, readAt] = ['', 0];

  /** Rare decisions may be older than those that the page keeps, so the gateway is asked for them.
   * @param {Record<string, string>} filter */
  async function read(filter) {
    const query = new URLSearchParams({ ...filter, limit: '200' });
    [readFor, readAt] = [JSON.stringify(filter), Date.now()];
    const wanted = readFor;
    const found = await get(`/admin/decisions?${query}`).catch(() => []);
    if (wanted === readFor) older = found;
    redraw();
  }

  /** @param {Record<string, string>} filter */
  function matching(filter) {
    const known = new Set(state.decisions.map(({ id }) => id));
    const all = [...state.decisions, ...older.filter(({ id }) => !known.has(id))];
    return all.filter((decision) => fits(decision, filter)).sort((a, b) => b.at_ms - a.at_ms).slice(0, SHOWN);
  }

  return {
    title: 'Decisions',
    enter(_, query) {
      [shown, older] = [[], []];
      const filter = filterOf(query);
      if (Object.keys(filter).length) read(filter);
    },
    draw(_, query) {
      const { now } = state;
      const filter = filterOf(query);
      const isFiltered = Object.keys(filter).length > 0;
      if (isFiltered && readFor === JSON.stringify(filter) && Date.now() - readAt > PAUSE && !paused) read(filter);
      const fresh = matching(filter);
      const held = paused || steady.isHeld();
      if (!held || shown.length === 0) shown = fresh;
      const first = shown[0]?.at_ms ?? 0;
      const waiting = fresh.filter(({ at_ms: at }) => at > first).length;
      const toggle = () => { paused = !paused; redraw(); };
      return [
        heading('Decisions', h('p', { class: 'muted', key: 'state' }, held ? `${paused ? 'paused' : 'paused while you are on the list'}${waiting ? `, ${waiting === SHOWN ? 'many' : count(waiting)} new` : ''}` : 'live, the newest first')),
        filters(filter, now, toggle, paused),
        errors(shown),
        shown.length ? [rows(shown, now, steady), shown.length === SHOWN && h('p', { class: 'muted small', key: 'cut' }, `The newest ${SHOWN} of those that match are listed; the decision log has all.`)]
          : now.totals.requests ? nothing('No matching decision', h('p', null, isFiltered ? 'None of the latest matches these filters. ' : '', isFiltered && h('a', { href: '#/decisions' }, 'Remove the filters'))) : firstRequest(now.routes[0]?.name),
      ];
    },
  };
}

/** @param {URLSearchParams} query
 * @returns {Record<string, string>} */
function filterOf(query) {
  return Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]).filter(([, value]) => value));
}

/** @param {DecisionSummary} decision
 * @param {Record<string, string>} filter */
function fits(decision, { since, until, policy, ...equal }) {
  const at = decision.at_ms;
  return (!since || at >= Number(since)) && (!until || at < Number(until))
    && (!policy || decision.policy?.split('@')[0] === policy)
    && Object.entries(equal).every(([name, value]) => decision[name] === value);
}

/** @param {Record<string, string>} filter
 * @param {GatewayStatus} now */
function filters(filter, now, toggle, paused) {
  const set = (name, value) => { location.hash = address('decisions', null, { ...filter, [name]: value }); };
  const choose = (label, name, options) => select(label, filter[name] ?? '', options, (value) => set(name, value), name);
  const span = (label, name) => h('label', { key: name }, h('span', null, label),
    h('input', { type: 'datetime-local', value: localTime(filter[name]), onchange: ({ target }) => set(name, target.value ? new Date(target.value).getTime() : '') }));
  const search = (event) => {
    event.preventDefault();
    const id = String(new FormData(event.target).get('id') ?? '').trim();
    if (id) location.hash = address('decisions', id);
  };
  return [h('form', { class: 'filters', 'aria-label': 'Filters', key: 'filters', onsubmit: (event) => event.preventDefault() },
    choose('Route', 'route', now.routes.map(({ name }) => name)),
    choose('Model', 'model', now.models.map(({ id }) => id)),
    choose('Policy', 'policy', now.policies.map(({ name }) => name)),
    choose('Ending', 'ending', ENDINGS),
    choose('Cause', 'cause', CAUSES),
    span('From', 'since'), span('Until', 'until'),
    filter.key && h('a', { key: 'key', href: address('decisions', null, { ...filter, key: '' }) }, `key ${filter.key} ✕`),
    h('button', { type: 'button', class: 'last', 'aria-pressed': String(paused), onclick: toggle }, paused ? 'Resume' : 'Pause')),
  h('form', { class: 'filters', 'aria-label': 'Search', key: 'search', onsubmit: search },
    h('label', null, h('span', null, 'Decision id'), h('input', { name: 'id', type: 'search', autocomplete: 'off', spellcheck: 'false' })),
    h('button', { type: 'submit' }, 'Open'))];
}

/** A time of the address as the value of an input, in local time.
 * @param {string | undefined} ms */
function localTime(ms) {
  const at = new Date(Number(ms));
  if (!ms || Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function select(label, value, options, onchange, name) {
  return h('label', { key: name }, h('span', null, label), h('select', { value, onchange: (event) => onchange(event.target.value) },
    h('option', { value: '' }, 'all'), options.map((option) => h('option', { key: option, value: option }, option))));
}

/** Groups of equal errors among the decisions: failed calls by model and error, and other failures by their cause.
 * @param {DecisionSummary[]} shown */
export function groupErrors(shown) {
  /** @type {Map<string, { text: string, model: string | null, number: number }>} */
  const groups = new Map();
  const add = (text, model) => {
    const group = groups.get(text) ?? { text, model, number: 0 };
    group.number += 1;
    groups.set(text, group);
  };
  for (const { failed_calls: calls = [], ending: end, error, cause } of shown) {
    for (const { model, error: reason } of calls) add(`${model}: ${reason}`, model);
    if (end === 'failed' && !calls.length) add(`${cause ?? 'failed'}: ${error ?? 'without a reason'}`, null);
  }
  return [...groups.values()].sort((a, b) => b.number - a.number);
}

/** @param {DecisionSummary[]} shown */
function errors(shown) {
  const groups = groupErrors(shown);
  if (!groups.length) return null;
  return h('section', { class: 'panel', key: 'errors', 'aria-labelledby': 'errors' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'errors' }, 'Errors in these decisions'),
      groups.length > GROUPS && h('span', { class: 'muted small' }, `the ${GROUPS} most frequent of ${groups.length}`)),
    h('ul', { class: 'rows' }, groups.slice(0, GROUPS).map(({ text, model, number }) => h('li', { key: text },
      h('b', null, `${count(number)} ×`), model ? h('a', { class: 'grow', href: modelAddress(model) }, text) : h('span', { class: 'grow' }, text)))));
}

/** @param {DecisionSummary[]} shown
 * @param {GatewayStatus} now */
function rows(shown, now, steady) {
  const colours = palette(now.models);
  const hasKeys = shown.some(({ key: name }) => name);
  return table({
    caption: 'Decisions', rows: shown, keyOf: ({ id }) => id, mount: steady.mount, compact: true,
    columns: [
      { title: 'Time', cell: (d) => h('a', { href: address('decisions', d.id), 'aria-label': `Decision of ${time(d.at_ms)} at ${d.route}` }, time(d.at_ms)) },
      { title: 'Route', cell: (d) => h('a', { href: routeAddress(d.route) }, d.route) },
      hasKeys && { title: 'Key', cell: (d) => (d.key ? h('a', { href: keyAddress(d.key) }, d.key) : h('span', { class: 'muted' }, 'none')) },
      { title: 'Decision', cell: (d) => [h('span', { class: 'name' }, d.label), d.tasks ? h('span', { class: 'muted' }, ` ${plural(d.tasks, 'task')}`) : null] },
      { title: 'Reason', cell: (d) => h('span', { class: 'reason' }, d.ending === 'failed' ? d.error : d.reason) },
      { title: 'Policy', cell: (d) => (d.policy ? h('a', { class: 'plain', href: policyAddress(d.policy.split('@')[0]) }, version(d.policy)) : version(null)) },
      { title: 'Model', cell: (d) => (d.model ? [key(colourOf(colours, d.model)), h('a', { href: modelAddress(d.model) }, d.model)] : h('span', { class: 'muted' }, 'none')) },
      { title: 'Ending', cell: (d) => [ending(d.ending), d.cause && h('span', { class: 'muted' }, ` by ${d.cause}`), d.attempts > 1 ? h('span', { class: 'muted' }, ` ${d.attempts} ${d.tasks ? 'calls for tasks' : 'calls'}`) : null] },
      { title: 'Tokens', end: true, cell: (d) => `${count(d.input_tokens ?? 0)} → ${count(d.output_tokens ?? 0)}` },
      { title: 'First token', end: true, cell: (d) => (d.streaming ? milliseconds(d.first_token_ms) : '–') },
      { title: 'Latency', end: true, cell: (d) => milliseconds(d.latency_ms) },
      { title: 'Cost', end: true, cell: (d) => money(d.cost_usd) },
    ].filter(Boolean),
  });
}

/** Compares the cost of a request with that of the route's baseline.
 * @param {record.OutcomeRecord} outcome */
export function against({ cost_usd: cost, baseline_cost_usd: baseline, baseline_model: model }) {
  if (!model || baseline === undefined || baseline === null) return null;
  const saved = baseline - cost;
  if (Math.abs(saved) < 1e-12) return `as much as at ${model}`;
  return saved > 0 ? `${money(saved)} (${percent(saved / baseline)}) less than at ${model}` : `${money(-saved)} more than at ${model}`;
}
