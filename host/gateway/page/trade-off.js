// Trade-off: cost, latency, complexity and payback of the routes, from their recent requests.

import { get } from './api.js';
import { h } from './dom.js';
import { count, figure, milliseconds, money, percent } from './format.js';
import { badge, failed, firstRequest, heading, loading, table } from './parts.js';
import { state } from './store.js';

/** @import { RouteTradeOff, TradeOff } from '../../admin-api/admin-api.d.ts' */
/** @import { Column } from './parts.js' */

const RATINGS = { low: 'good', medium: 'plain', high: 'warn' };
/** The value of the option for each route's baseline model. */
const BASELINE = '';

export function tradeOff(redraw) {
  const own = {
    inputs: { requests_per_month: '1000000', one_off_usd: '20000', monthly_usd: '500', against: BASELINE },
    /** @type {TradeOff | null} */ found: null,
    /** @type {Error | null} */ error: null,
    /** The number of the newest request, whose response is shown. */
    asked: 0,
  };

  async function load() {
    const asked = ++own.asked;
    const query = new URLSearchParams(Object.entries(own.inputs).filter(([, value]) => value !== ''));
    try {
      const found = await get(`/admin/trade-off?${query}`);
      if (asked !== own.asked) return;
      Object.assign(own, { found, error: null });
    } catch (error) {
      if (asked !== own.asked) return;
      own.error = error;
    }
    redraw();
  }

  const submit = (event) => {
    event.preventDefault();
    load();
  };
  const set = (name) => (event) => { own.inputs[name] = event.target.value; };

  return {
    title: 'Trade-off',
    enter: load,
    draw() {
      return [
        heading('Trade-off', h('p', { class: 'muted' }, 'Routes side by side, from the last 1,000 requests. Complexity counts calls, depth and providers.')),
        h('form', { class: 'trade-off', onsubmit: submit, 'aria-label': 'Inputs of the payback time' },
          h('div', { class: 'filters' },
            amount('Requests a month', 'requests_per_month', own, set), amount('One-off cost, $', 'one_off_usd', own, set), amount('Running cost, $ a month', 'monthly_usd', own, set),
            h('div', { class: 'field', key: 'against' }, h('label', { for: 'against' }, 'Compared with'),
              h('select', { id: 'against', value: own.inputs.against, onchange: (event) => { set('against')(event); load(); } },
                h('option', { value: BASELINE, key: 'baseline' }, 'the baseline model'),
                state.now.routes.map(({ name }) => h('option', { value: name, key: name }, name)))),
            h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'Calculate')))),
        own.error && failed('The trade-off cannot be shown', own.error),
        !own.found && !own.error && loading('the trade-off'),
        own.found && !own.error && (own.found.routes.length ? sides(own.found) : firstRequest(state.now.routes[0]?.name)),
      ];
    },
  };
}

function amount(title, name, own, set) {
  return h('div', { class: 'field', key: name }, h('label', { for: name }, title),
    h('input', { id: name, name, type: 'number', min: '0', step: 'any', required: true, value: own.inputs[name], oninput: set(name) }));
}

/** @param {TradeOff} found */
function sides(found) {
  const perMonth = found.requests_per_month;
  return [
    table({ caption: 'Trade-off of the routes', columns: columns(perMonth), rows: found.routes, keyOf: ({ route }) => route }),
    h('p', { class: 'muted small' }, `Payback against ${found.against ? `the route ${found.against}` : 'the same answers from each route’s baseline model'}: one-off cost / (requests a month × cost saved a request − running cost).`),
  ];
}

/** @returns {Column<RouteTradeOff>[]} */
function columns(perMonth) {
  const monthly = (cost) => (cost === null || cost === undefined ? cost : cost * perMonth);
  return [
    { title: 'Route', cell: ({ route }) => h('a', { href: `#/routes/${encodeURIComponent(route)}` }, route) },
    { title: 'Answered', end: true, cell: ({ answered, requests }) => `${count(answered)} of ${count(requests)}` },
    { title: 'Cost', end: true, cell: ({ mean_cost_usd: cost }) => money(cost) },
    { title: 'Cost/month', end: true, cell: ({ mean_cost_usd: cost }) => money(monthly(cost)) },
    { title: 'p50', end: true, cell: ({ latency_ms_p50: ms }) => milliseconds(ms) },
    { title: 'p95', end: true, cell: ({ latency_ms_p95: ms }) => milliseconds(ms) },
    { title: 'Calls', end: true, cell: ({ calls }) => figure(calls) },
    { title: 'Several calls', end: true, cell: ({ several_calls: share }) => percent(share) },
    { title: 'Depth', end: true, cell: ({ depth, largest_depth: largest }) => (depth === largest ? figure(depth) : `${figure(depth)}, max ${count(largest)}`) },
    { title: 'Providers', end: true, cell: ({ providers }) => count(providers) },
    { title: 'Complexity', cell: ({ rating, points }) => h('span', { class: 'whole' }, badge(RATINGS[rating] ?? 'plain', rating), ` ${count(points)}`) },
    { title: 'Saved/month', end: true, cell: ({ monthly_saving_usd: saving }) => money(saving) },
    { title: 'Payback', end: true, cell: ({ payback_months: months, monthly_saving_usd: saving }) => (typeof months === 'number' ? `${figure(months)} months` : saving === null || saving === undefined ? '–' : 'never') },
  ];
}
