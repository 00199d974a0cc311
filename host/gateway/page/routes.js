// Routes: policies, trials and savings.

import { demote, endTrial, promote } from './actions.js';
import { decisionsAddress, modelAddress, policyAddress, routeAddress } from './address.js';
import { h } from './dom.js';
import { count, duration, failuresBy, lessOrMore, list, microseconds, milliseconds, moment, money, percent, plural, savedOrNot, saving, short } from './format.js';
import { createHistoryCharts } from './history.js';
import { badge, digest, facts, heading, nothing, operation, version } from './parts.js';
import { detailChoice, detailPeriod } from './period.js';
import { createRecent, frequencies, quantile, recentPanels, shares } from './recent.js';
import { state } from './store.js';

/** @import { Comparison, DecisionSummary, GatewayStatus, HoldStatus, RouteOverview, TrialStatus, VersionStats } from '../../admin-api/admin-api.d.ts' */

export function routes(redraw) {
  const recent = createRecent(redraw);
  const history = createHistoryCharts(redraw);
  return {
    title: 'Routes',
    draw(name, query) {
      const { now } = state;
      const period = detailPeriod(query);
      const shown = name ? now.routes.filter((route) => route.name === name) : now.routes;
      return [
        heading(name ?? 'Routes', name ? h('a', { href: '#/routes' }, 'All routes')
          : h('p', { class: 'muted' }, `${plural(now.routes.length, 'name')} that clients request. Savings count the answered requests that a route’s baseline model could have answered too.`), name && shown.length > 0 && detailChoice('routes', name, query)),
        name && shown.length > 0 && period.from && history.draw(period, 'model', { route: name }),
        shown.length ? h('div', { class: 'panels' }, shown.map((route) => panel(route, now)), name && detail(name, recent.take({ route: name }))) : nothing('There is no such route', h('p', null, h('a', { href: '#/routes' }, 'All routes'))),
      ];
    },
  };
}

/** Panels about the latest requests of a route.
 * @param {string} name
 * @param {DecisionSummary[] | null} decisions */
function detail(name, decisions) {
  if (!decisions) return null;
  const answered = decisions.filter(({ ending }) => ending === 'answered').map(({ latency_ms: ms }) => ms);
  return [
    h('section', { class: 'panel', key: 'latest', 'aria-labelledby': 'figures' },
      h('div', { class: 'panel-head' }, h('h2', { id: 'figures' }, `The latest ${plural(decisions.length, 'request')}`)),
      facts(['Latency', answered.length ? `${milliseconds(quantile(answered, 0.5))} (p50), ${milliseconds(quantile(answered, 0.95))} (p95)` : null],
        ['Decisions', frequencies(decisions, ({ label }) => label).slice(0, 6).map(([label, number]) => `${label} ${count(number)}`).join(', ')])),
    shares('Answers by model', frequencies(decisions, ({ model, ending }) => (ending === 'answered' ? model : null)), modelAddress),
    recentPanels(decisions, { route: name }),
  ];
}

/** @param {RouteOverview} route
 * @param {GatewayStatus} now */
function panel(route, now) {
  const { name, trial, promoted, aliases = [], holds = [] } = route;
  const id = `route-${name}`;
  return h('section', { class: trial ? 'panel wide' : 'panel', key: name, 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, h('a', { class: 'plain', href: routeAddress(name) }, name)), promoted && badge('good', 'promoted'),
      trial && badge(trial.suspended ? 'bad' : 'new', trial.suspended ? 'canary suspended' : trial.mode === 'canary' ? `canary ${trial.percent} %` : 'shadow'),
      h('div', { class: 'buttons' },
        trial && !trial.suspended && h('button', { type: 'button', class: 'primary', key: 'promote', ...operation(() => promote(route)), 'aria-label': `Promote ${trial.policy} at ${name}` }, 'Promote'),
        trial && h('button', { type: 'button', key: 'end', ...operation(() => endTrial(route)), 'aria-label': `End trial at ${name}` }, 'End trial'),
        promoted && h('button', { type: 'button', key: 'back', ...operation(() => demote(route)), 'aria-label': `Roll back ${name}` }, 'Roll back'))),
    route.description && h('p', { class: 'pad muted' }, route.description),
    facts(
      aliases.length > 0 && ['Aliases', aliases.join(', ')],
      ['Policy', h('a', { class: 'plain', href: policyAddress(route.policy) }, version(route.version))],
      promoted && ['Promoted', `${moment(promoted.at * 1000)}, instead of ${promoted.instead_of}`],
      ['Requests', h('a', { href: decisionsAddress({ route: name }) }, count(route.requests))],
      ['Failed', route.failed ? h('a', { href: decisionsAddress({ route: name, ending: 'failed' }) }, failuresBy(route.failed, route.failed_by)) : '0'],
      ['Cost', money(route.cost_usd)],
      ['Against the baseline', saved(route)],
      ['Models', modelsOf(route, now)],
    ),
    trial && comparison(trial),
    holds.length > 0 && h('div', { class: 'pad' }, h('h3', null, 'On hold here'), h('ul', { class: 'rows' }, holds.map((hold) => h('li', { key: hold.digest }, digest(hold.digest), holdState(hold, now.now_ms), h('p', { class: 'why' }, hold.why))))));
}

/** @param {RouteOverview} route */
function saved(route) {
  const share = saving(route);
  if (!route.baseline) return 'nothing to compare: the route has no baseline model';
  if (share === null) return `nothing compared with ${route.baseline} yet`;
  return [h('b', null, savedOrNot(share)), `: ${lessOrMore(route.baseline_cost_usd - route.compared_cost_usd)} than at ${route.baseline}`];
}

/** @param {RouteOverview} route
 * @param {GatewayStatus} now */
function modelsOf({ models }, now) {
  if (models.length === now.models.length) return `all ${models.length}`;
  return models.length > 4 ? h('span', { title: models.join(', ') }, `${models.length} of ${now.models.length}`) : list(models);
}

/** The state of a hold.
 * @param {HoldStatus} hold
 * @param {number} now */
export function holdState({ in_force: inForce, until, strikes }, now) {
  if (!inForce) return badge('plain', `was on hold, ${plural(strikes, 'strike')}`);
  if (until === null || until === undefined) return badge('bad', 'quarantine');
  return badge('warn', `on hold for ${duration(until - now / 1000)}`);
}

/** @param {VersionStats | undefined} record */
const figuresOf = (record) => ({
  decisions: count(record?.decisions),
  failures: record?.failures.length ? record.failures.map(([reason, number]) => `${count(number)} ${reason}`).join(', ') : 'none',
  p50: microseconds(record?.decision_us_p50),
  p99: microseconds(record?.decision_us_p99),
  requests: count(record?.requests),
  errors: count(record?.errors),
  cost: money(record?.mean_cost_usd),
  latency: milliseconds(record?.mean_latency_ms),
});

/** @param {TrialStatus} trial */
function comparison(trial) {
  const title = h('h3', null, `On trial: ${trial.policy}`, trial.version && h('span', { class: 'digest' }, `@${short(trial.version)}`));
  if (!trial.active) return h('div', { class: 'trial' }, title, h('p', null, 'Suspended: its version is on hold.'));
  const { compared } = trial;
  const [active, tried] = [figuresOf(trial.active), figuresOf(trial.trial)];
  const rows = [
    ['Decisions', active.decisions, tried.decisions],
    ['Failures', active.failures, tried.failures],
    ['Decides in, p50', active.p50, tried.p50],
    ['Decides in, p99', active.p99, tried.p99],
    ...(compared ? predicted(compared) : [
      ['Requests', active.requests, tried.requests], ['Failed', active.errors, tried.errors],
      ['Mean cost', active.cost, tried.cost], ['Mean latency', active.latency, tried.latency]]),
  ];
  return h('div', { class: 'trial' }, title,
    h('p', { class: 'muted' }, trial.mode === 'canary' ? `It decides ${trial.percent} % of the requests, since ${moment(trial.since * 1000)}.`
      : `It is asked about every request and decides none, since ${moment(trial.since * 1000)}.`,
    compared && compared.agreement !== null ? ` Both choose the same model first for ${percent(compared.agreement)} of ${count(compared.decisions)} requests.` : ''),
    h('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': `Comparison with ${trial.policy}` }, h('table', { class: 'compare' },
      h('thead', null, h('tr', null, h('td'), rows.map(([name]) => h('th', { scope: 'col', class: 'end', key: name }, name)))),
      h('tbody', null, ['decides', 'on trial'].map((side, at) => h('tr', { key: side }, h('th', { scope: 'row' }, side),
        rows.map(([name, ...cells]) => h('td', { class: 'end', key: name }, cells[at]))))))));
}

/** @param {Comparison} compared */
function predicted({ predicted_cost_usd: cost, predicted_latency_ms: latency }) {
  return [cost && ['Predicted cost', money(cost.active), money(cost.trial)],
    latency && ['Predicted latency', milliseconds(latency.active), milliseconds(latency.trial)]].filter(Boolean);
}
