// Keys of clients: requests, tokens and spending.

import { address, decisionsAddress, keyAddress, modelAddress, routeAddress } from './address.js';
import { h } from './dom.js';
import { count, money, percent } from './format.js';
import { createHistoryCharts, limits } from './history.js';
import { createButton, keyList, keyPanel, keyTable } from './key-actions.js';
import { facts, failed, heading, loading, nothing, table } from './parts.js';
import { spendingChoice, spendingPeriod } from './period.js';
import { createRecent, recentPanels } from './recent.js';
import { createSpending } from './spending.js';

/** @import { Spending } from './spending.js' */

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
  const spending = createSpending(redraw);
  return {
    title: 'Keys',
    draw(_, query) {
      const period = spendingPeriod(query);
      const { rows, error, history } = spending(period, 'key');
      const { known: all, error: unlisted } = keyList(redraw);
      const title = heading('Keys', h('p', { class: 'muted' }, `spending ${period.words}, the most expensive first`), spendingChoice(null, query), all && createButton(all));
      if (!rows) return [title, error ? failed('The usage cannot be read', error) : loading('the usage')];
      const link = (name) => keyAddress(name, { period: period.id });
      return [
        title,
        rows.length ? spendingTable('Key', rows, link) : nothing(`No request with a key ${period.words}`, h('p', null, 'Keys of clients are created here or with ', h('code', null, 'pointsman key create'), ', or are in ', h('code', null, '[keys.NAME]'), ' of the configuration.')),
        history && limits(history),
        all?.keys.length ? h('div', { class: 'panel', key: 'states' }, keyTable(all)) : unlisted && failed('The keys cannot be read', unlisted),
      ];
    },
  };
}

export function keyDetail(redraw) {
  const [routes, models] = [createSpending(redraw), createSpending(redraw)];
  const charts = createHistoryCharts(redraw);
  const recent = createRecent(redraw);
  return {
    title: 'Key',
    draw(name, query) {
      const period = spendingPeriod(query);
      const status = keyList(redraw).known?.keys.find((key) => key.name === name);
      const state = status && keyPanel(status);
      const filter = { key: name };
      const [byRoute, byModel] = [routes(period, 'route', filter), models(period, 'model', filter)];
      const title = heading(name, h('a', { href: address('keys', null, { period: period.id }) }, 'All keys'), spendingChoice(name, query));
      if (!byRoute.rows || !byModel.rows) return [title, byRoute.error ? failed('The usage cannot be read', byRoute.error) : loading('the usage')];
      if (!byRoute.rows.length) return [title, state, nothing(`No request with this key ${period.words}`), byRoute.history && limits(byRoute.history)];
      const all = (member) => byRoute.rows.reduce((sum, row) => sum + row[member], 0);
      return [
        title,
        state,
        period.from ? charts.draw(period, 'model', filter)
          : facts(['Requests', h('a', { href: decisionsAddress(filter) }, count(all('requests')))],
            ['Failed', all('failed') ? h('a', { href: decisionsAddress({ ...filter, ending: 'failed' }) }, count(all('failed'))) : '0'],
            ['Input tokens', count(all('input'))], ['Output tokens', count(all('output'))], ['Spent since the start', money(all('cost'))]),
        h('div', { class: 'panels' },
          h('section', { class: 'panel', key: 'routes', 'aria-label': 'Routes' }, spendingTable('Route', byRoute.rows, routeAddress)),
          h('section', { class: 'panel', key: 'models', 'aria-label': 'Models' }, spendingTable('Model', byModel.rows, modelAddress)),
          recentPanels(recent.take(filter), filter)),
      ];
    },
  };
}
