// Models: health, prices and share of the answers.

import { modelAddress } from './address.js';
import { h } from './dom.js';
import { count, figure, milliseconds, money, percent } from './format.js';
import { badge, heading, key, table } from './parts.js';
import { colourOf, palette } from './series.js';
import { createSteady } from './steady.js';
import { state } from './store.js';

/** @import { ModelOverview } from '../../admin-api/admin-api.d.ts' */
/** @import { Column } from './parts.js' */

export function models(redraw) {
  let sorted = { by: 'Share', down: true };
  const steady = createSteady();
  let order = [];
  return {
    title: 'Models',
    draw() {
      const { models: list, totals } = state.now;
      const colours = palette(list);
      const answers = list.reduce((all, { requests }) => all + requests, 0);
      const columns = columnsOf(colours, answers);
      if (!steady.isHeld()) order = inOrder(list, columns, sorted);
      const byId = new Map(list.map((model) => [model.id, model]));
      const rows = [...order.filter((id) => byId.has(id)), ...[...byId.keys()].filter((id) => !order.includes(id))].map((id) => byId.get(id));
      const onSort = (column) => {
        sorted = { by: column.title, down: sorted.by === column.title ? !sorted.down : Boolean(column.end) };
        order = inOrder(list, columns, sorted);
        redraw();
      };
      const down = list.filter(({ healthy }) => !healthy).length;
      return [
        heading('Models', h('p', { class: 'muted' }, `${list.length} configured, ${down ? `${down} not healthy` : 'all healthy'}; ${money(totals.cost_usd)} spent since the start`)),
        table({ caption: 'Models', columns, rows, keyOf: ({ id }) => id, sorted, onSort, mount: steady.mount }),
      ];
    },
  };
}

/** @param {ModelOverview[]} list */
function inOrder(list, columns, { by, down }) {
  const value = columns.find(({ title }) => title === by).sort;
  const known = (model) => value(model) ?? (down ? -Infinity : Infinity);
  const compare = (a, b) => (known(a) < known(b) ? -1 : known(a) > known(b) ? 1 : 0);
  return [...list].sort((a, b) => (down ? compare(b, a) : compare(a, b))).map(({ id }) => id);
}

/** @returns {Column<ModelOverview>[]} */
function columnsOf(colours, answers) {
  /** @param {ModelOverview} model */
  const share = ({ requests }) => (answers ? requests / answers : 0);
  return [
    { title: 'Model', sort: ({ id }) => id, cell: ({ id }) => [key(colourOf(colours, id)), h('a', { class: 'name', href: modelAddress(id) }, id)] },
    { title: 'Health', sort: ({ healthy, resting }) => Number(healthy) + Number(healthy && !resting), cell: health },
    { title: 'Share', end: true, sort: share, cell: (model) => [
      h('span', { class: 'meter', 'aria-hidden': 'true' }, h('span', { class: colourOf(colours, model.id), style: { width: `${(share(model) * 100).toFixed(1)}%` } })),
      h('span', { class: 'share' }, percent(share(model)))] },
    { title: 'Answers', end: true, sort: ({ requests }) => requests, cell: ({ requests }) => count(requests) },
    { title: 'In flight', end: true, sort: ({ in_flight: load }) => load, cell: ({ in_flight: load }) => count(load) },
    { title: 'First token', end: true, sort: ({ first_token_ms: ms }) => ms, cell: ({ first_token_ms: ms }) => milliseconds(ms) },
    { title: 'Tokens/s', end: true, sort: ({ tokens_per_second: speed }) => speed, cell: ({ tokens_per_second: speed }) => figure(speed) },
    { title: 'Errors', end: true, sort: ({ error_rate: rate }) => rate, cell: ({ error_rate: rate }) => h('span', { class: rate > 0.05 ? 'bad-text' : undefined }, percent(rate)) },
    { title: '$/M tokens', end: true, sort: ({ output_usd_per_million: price }) => price, cell: (model) => price(model) },
    { title: 'Spent', end: true, sort: ({ cost_usd: cost }) => cost, cell: ({ cost_usd: cost }) => money(cost) },
  ];
}

/** The health of a model: never by colour alone.
 * @param {ModelOverview} model */
export function health({ healthy, resting, down_since_ms: down }) {
  if (!healthy) return badge('bad', 'down');
  if (down) return badge('warn', 'down, to be tried again');
  return resting ? badge('warn', 'resting') : badge('good', 'healthy');
}

/** The price of a million tokens, in and out.
 * @param {{ input_usd_per_million: number, output_usd_per_million: number }} model */
export function price({ input_usd_per_million: input, output_usd_per_million: output }) {
  return input === output ? figure(input) : `${figure(input)} in, ${figure(output)} out`;
}
