// Decisions: the latest ones, live.

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

export function decisions(redraw) {
  const steady = createSteady();
  const filter = { route: '', model: '', ending: '' };
  let paused = false;
  /** @type {DecisionSummary[]} */
  let shown = [];
  /** @type {DecisionSummary[]} */
  let older = [];

  async function choose(name, value) {
    filter[name] = value;
    [shown, older] = [[], []];
    redraw();
    // Rare ones may be older than those that the page keeps.
    const query = new URLSearchParams({ limit: '200' });
    for (const field of ['route', 'model']) if (filter[field]) query.set(field, filter[field]);
    older = await get(`/admin/decisions?${query}`).catch(() => []);
    redraw();
  }

  function matching() {
    const known = new Set(state.decisions.map(({ id }) => id));
    const all = [...state.decisions, ...older.filter(({ id }) => !known.has(id))];
    const fits = (decision) => Object.entries(filter).every(([name, value]) => !value || decision[name] === value);
    return all.filter(fits).sort((a, b) => b.at_ms - a.at_ms).slice(0, SHOWN);
  }

  return {
    title: 'Decisions',
    draw() {
      const { now } = state;
      const fresh = matching();
      const held = paused || steady.isHeld();
      if (!held || shown.length === 0) shown = fresh;
      const first = shown[0]?.at_ms ?? 0;
      const waiting = fresh.filter(({ at_ms: at }) => at > first).length;
      const toggle = () => { paused = !paused; redraw(); };
      return [
        heading('Decisions', h('p', { class: 'muted', key: 'state' }, held ? `${paused ? 'paused' : 'paused while you are on the list'}${waiting ? `, ${waiting === SHOWN ? 'many' : count(waiting)} new` : ''}` : 'live, the newest first')),
        h('form', { class: 'filters', 'aria-label': 'Filters', onsubmit: (event) => event.preventDefault() },
          select('Route', 'route', now.routes.map(({ name }) => name), filter, choose),
          select('Model', 'model', now.models.map(({ id }) => id), filter, choose),
          select('Ending', 'ending', ENDINGS, filter, choose),
          h('button', { type: 'button', class: 'last', 'aria-pressed': String(paused), onclick: toggle }, paused ? 'Resume' : 'Pause')),
        shown.length ? rows(shown, now, steady) : now.totals.requests ? nothing('No matching decision', h('p', null, 'None of the latest matches these filters.')) : firstRequest(now.routes[0]?.name),
      ];
    },
  };
}

function select(label, name, options, filter, choose) {
  return h('label', { key: name }, h('span', null, label), h('select', { value: filter[name], onchange: (event) => choose(name, event.target.value) },
    h('option', { value: '' }, 'all'), options.map((option) => h('option', { key: option, value: option }, option))));
}

/** @param {DecisionSummary[]} shown
 * @param {GatewayStatus} now */
function rows(shown, now, steady) {
  const colours = palette(now.models);
  return table({
    caption: 'Decisions', rows: shown, keyOf: ({ id }) => id, mount: steady.mount,
    columns: [
      { title: 'Time', cell: (d) => h('a', { href: `#/decisions/${encodeURIComponent(d.id)}`, 'aria-label': `Decision of ${time(d.at_ms)} at ${d.route}` }, time(d.at_ms)) },
      { title: 'Route', cell: (d) => d.route },
      { title: 'Decision', cell: (d) => h('span', { title: d.reason ?? undefined }, h('span', { class: 'name' }, d.label), d.tasks ? h('span', { class: 'muted' }, ` ${plural(d.tasks, 'task')}`) : null) },
      { title: 'Policy', cell: (d) => version(d.policy) },
      { title: 'Model', cell: (d) => (d.model ? [key(colourOf(colours, d.model)), d.model] : h('span', { class: 'muted' }, 'none')) },
      { title: 'Ending', cell: (d) => [ending(d.ending), d.attempts > 1 && !d.tasks ? h('span', { class: 'muted' }, ` ${d.attempts} calls`) : null] },
      { title: 'First token', end: true, cell: (d) => milliseconds(d.first_token_ms) },
      { title: 'Latency', end: true, cell: (d) => milliseconds(d.latency_ms) },
      { title: 'Cost', end: true, cell: (d) => money(d.cost_usd) },
    ],
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
