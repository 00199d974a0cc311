// Overview: traffic, answers by model, latency, cost and savings.

import { decisionsAddress, modelAddress, policyAddress, routeAddress } from './address.js';
import { strip } from './attention.js';
import { createChart } from './chart.js';
import { describe, keyOf, summary } from './changes.js';
import { h } from './dom.js';
import { count, duration, figure, lessOrMore, list, milliseconds, moment, money, percent, plural, roundTime, savedOrNot, saving } from './format.js';
import { badge, choice, ending, firstRequest, heading, key, version } from './parts.js';
import { answersOf, buckets, causes, colourOf, over, palette, sum } from './series.js';
import { createSteady } from './steady.js';
import { WINDOWS, choose, state } from './store.js';

/** @import { AuditEvent, FailureCauses, GatewayStatus, RequestTotals, RouteOverview } from '../../admin-api/admin-api.d.ts' */

const CHANGES = 10;
/** Routes that are shown, the busiest first. */
const ROUTES = 8;
/** Loads of policies within this many seconds belong to one start. */
const START = 30;
const DECISIONS = 6;
/** Least time for which the latest decisions are shown, in milliseconds. */
const LATEST_PAUSE = 3_000;
/** Least time for which routes keep their order, in milliseconds. */
const ORDER_PAUSE = 15_000;

/** What the charts show.
 * @typedef {{
 *   steps: ReturnType<typeof buckets>, total: ReturnType<typeof sum>, window: typeof WINDOWS[number],
 *   now: GatewayStatus, changes: AuditEvent[], until: number,
 * }} Seen */

export function overview(redraw) {
  const charts = Object.fromEntries(['traffic', 'models', 'latency', 'cost'].map((id) => [id, createChart(id, redraw)]));
  const steady = createSteady(LATEST_PAUSE);
  const calm = createSteady(ORDER_PAUSE);
  return {
    title: 'Overview',
    draw() {
      const { now, window } = state;
      const steps = buckets(state.points, window, now.now_ms);
      const seen = { steps, total: sum(steps), window, now, changes: state.changes, until: now.now_ms };
      const windows = WINDOWS.map((option) => ({ name: option.name, value: option }));
      return [
        heading('Overview', choice('Length of time', windows, window, choose)),
        strip(now),
        ...(now.totals.requests === 0 ? [firstRequest(now.routes[0]?.name)] : [figures(seen),
          h('div', { class: 'charts' }, traffic(charts.traffic, seen), answering(charts.models, seen),
            latency(charts.latency, seen), cost(charts.cost, seen))]),
        h('div', { class: 'pair' }, h('div', { class: 'column' }, deciding(now, calm), latest(steady)), happened()),
      ];
    },
  };
}

/** Describes the model that costs are compared with.
 * @param {RouteOverview[]} routes */
export function baselineOf(routes) {
  const names = [...new Set(routes.map(({ baseline }) => baseline).filter(Boolean))];
  return names.length === 1 ? names[0] : 'each route’s baseline model';
}

/** @param {Seen} seen */
function figures({ steps, total, window, now }) {
  // The last buckets stand for the present.
  const recent = steps.slice(-3);
  const seconds = recent.reduce((all, bucket) => all + bucket.seconds, 0);
  const last = sum(recent);
  const saved = saving(total);
  const mean = `last ${duration((recent.length * window.bucket) / 1000)}`;
  const baseline = baselineOf(now.routes);
  const tile = (name, value, ...below) => h('div', { class: 'figure', key: name }, h('dt', null, name), h('dd', null, h('b', null, value), ...below.filter(Boolean).map((text) => h('span', null, text))));
  return h('dl', { class: 'figures' },
    tile(`Requests, ${mean}`, `${figure(last.requests / seconds)}/s`,
      h('a', { href: decisionsAddress({}) }, `${count(total.requests)} in ${window.words}`), failures(total, causes(state.points))),
    tile(`Latency, ${mean}`, milliseconds(over(recent, 'p50')),
      `p95 ${milliseconds(over(recent, 'p95'))}`, `the gateway adds ${milliseconds(over(recent, 'added'))}`),
    tile(`Cost, ${mean}`, `${money(last.cost_usd / seconds)}/s`,
      `${money(total.cost_usd)} in ${window.words}`, `${money(now.totals.cost_usd)} since the start`),
    tile(`Against the baseline, ${window.words}`, saved === null ? '–' : savedOrNot(saved),
      saved === null ? 'nothing to compare yet' : `${lessOrMore(total.baseline_cost_usd - total.compared_cost_usd)} than at ${baseline}`,
      saved === null ? '' : `since the start ${savedOrNot(saving(now.totals))}, ${lessOrMore(now.totals.baseline_cost_usd - now.totals.compared_cost_usd)}`));
}

/** @param {Pick<RequestTotals, 'requests' | 'failed' | 'cancelled'>} totals
 * @param {FailureCauses} by */
function failures({ requests, failed, cancelled }, by) {
  if (!failed && !cancelled) return 'all answered';
  const words = [failed && h('a', { href: decisionsAddress({ ending: 'failed' }) }, `${percent(failed / requests)} failed${causedBy(by, requests)}`), cancelled && h('a', { href: decisionsAddress({ ending: 'cancelled' }) }, `${percent(cancelled / requests)} cancelled`)];
  return words.filter(Boolean).flatMap((word, at) => (at ? [', ', word] : [word]));
}

/** @param {FailureCauses} by
 * @param {number} requests */
function causedBy(by, requests) {
  const parts = Object.entries(by).filter(([, number]) => number).map(([cause, number]) => `${cause} ${percent(number / requests)}`);
  return parts.length ? `: ${parts.join(', ')}` : '';
}

/** @param {Function} chart
 * @param {Seen} seen */
function traffic(chart, { steps, total, window, changes, until }) {
  const series = ['answered', 'failed', 'cancelled'].map((name) =>
    ({ name, colour: name, shape: 'bar', values: steps.map((bucket) => bucket[name] / bucket.seconds) }));
  return chart({
    title: 'Traffic', buckets: steps, series, changes, until,
    aside: 'requests a second',
    format: figure, axis: figure,
    text: `In ${window.words}: ${count(total.answered)} requests answered, ${count(total.failed)} failed, ${count(total.cancelled)} cancelled.`,
  });
}

/** @param {Function} chart
 * @param {Seen} seen */
function answering(chart, { steps, total, window, now, changes, until }) {
  const colours = palette(now.models);
  const others = now.models.length > colours.size ? [null] : [];
  const sums = [...colours.keys(), ...others].map((id) => [id, steps.map((bucket) => answersOf(bucket, id, colours))]);
  const used = sums.filter(([, answers]) => answers.some(Boolean));
  const series = used.map(([id, answers]) => ({
    name: id ?? 'other models', colour: id ? colourOf(colours, id) : 'series-other', shape: 'bar',
    values: answers.map((number, at) => number / steps[at].seconds),
  }));
  const shares = used.map(([id, answers]) => `${id ?? 'others'} ${percent(answers.reduce((a, b) => a + b, 0) / total.answered)}`);
  return chart({
    title: 'Answers by model', buckets: steps, series, changes, until,
    aside: 'answers a second',
    format: figure, axis: figure,
    text: shares.length ? `Share of the answers in ${window.words}: ${shares.join(', ')}.` : 'No answers yet.',
  });
}

/** @param {Function} chart
 * @param {Seen} seen */
function latency(chart, { steps, window, changes, until }) {
  const series = [['p95', 'second'], ['p50', 'accent']].map(([name, colour]) =>
    ({ name, colour, shape: 'line', values: steps.map((bucket) => bucket[name]) }));
  return chart({
    title: 'Latency', buckets: steps, series, changes, until,
    aside: 'to the end of the answer',
    format: milliseconds, axis: roundTime,
    text: `In ${window.words} half of the requests took about ${milliseconds(over(steps, 'p50'))} or less, and 95 of 100 about ${milliseconds(over(steps, 'p95'))} or less: means over shorter intervals.`,
  });
}

/** @param {Function} chart
 * @param {Seen} seen */
function cost(chart, { steps, total, window, now, changes, until }) {
  const baseline = baselineOf(now.routes);
  const rate = (name) => steps.map((bucket) => (bucket.requests ? bucket[name] / bucket.seconds : null));
  const series = [
    { name: `as if ${baseline} had answered`, colour: 'second', shape: 'line', values: rate('baseline_cost_usd') },
    { name: 'as answered', colour: 'accent', shape: 'line', values: rate('compared_cost_usd') },
  ];
  const saved = saving(total);
  const words = saved === null ? 'Nothing to compare yet.'
    : `In ${window.words} the requests that ${baseline} could have answered too cost ${money(total.compared_cost_usd)}; there they would have cost ${money(total.baseline_cost_usd)}: ${savedOrNot(saved)}.`;
  return chart({
    title: 'Cost', buckets: steps, series, changes, until,
    band: [series[0].name, series[1].name],
    aside: 'a second, for requests that the baseline model could answer too',
    format: money, axis: (dollars) => `$${figure(dollars)}`,
    text: words, isTextShown: true,
  });
}

/** @param {GatewayStatus} now */
function deciding({ routes, totals }, calm) {
  const busy = calm.take([...routes].sort((a, b) => b.requests - a.requests).slice(0, ROUTES).map(({ name }) => name));
  const shown = busy.map((name) => routes.find((route) => route.name === name)).filter(Boolean);
  return h('section', { class: 'panel', 'aria-labelledby': 'deciding', mount: calm.mount },
    h('div', { class: 'panel-head' }, h('h2', { id: 'deciding' }, 'Active policies'), h('a', { href: '#/routes' }, 'All routes')),
    h('ul', { class: 'rows' }, shown.map((route) => h('li', { key: route.name },
      h('a', { href: routeAddress(route.name), class: 'name' }, route.name),
      h('span', { class: 'grow' }, h('a', { class: 'plain', href: policyAddress(route.policy) }, version(route.version)), route.promoted && badge('good', 'promoted'),
        route.trial && badge(route.trial.suspended ? 'bad' : 'plain', `trial: ${route.trial.policy}`)),
      h('span', { class: 'small end' }, h('b', null, totals.requests ? percent(route.requests / totals.requests) : '–'), ' of requests'),
      h('span', { class: 'small end saved' }, saving(route) === null ? h('span', { class: 'muted' }, 'nothing compared') : h('b', null, savedOrNot(saving(route))))))));
}

function happened() {
  const rows = together(state.changes).slice(0, CHANGES).map((changes) => {
    const { kind, versions, by, why } = describe(changes[0]);
    const single = changes.length === 1;
    return h('li', { key: keyOf(changes[0]), class: 'change' }, h('span', { class: `dot ${kind}`, 'aria-hidden': 'true' }),
      h('div', { class: 'grow' }, h('span', { class: 'name' }, summary(changes)), ' ',
        single ? versions && h('code', { class: 'digest' }, versions) : h('p', { class: 'why' }, list(changes.map(({ policy }) => policy))),
        why && h('p', { class: 'why' }, why)),
      h('span', { class: 'small end muted' }, h('span', null, moment(changes[0].at * 1000)), h('span', null, by)));
  });
  return h('section', { class: 'panel', 'aria-labelledby': 'happened' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'happened' }, 'Recent changes')),
    rows.length ? h('ul', { class: 'rows' }, rows) : h('p', { class: 'muted pad' }, 'No changes since the start.'));
}

/** Groups the changes of one start.
 * @param {AuditEvent[]} changes */
function together(changes) {
  const groups = [];
  for (const change of changes) {
    const last = groups.at(-1);
    if (last && change.action === 'load' && last[0].action === 'load' && Math.abs(last[0].at - change.at) < START) last.push(change);
    else groups.push([change]);
  }
  return groups;
}

function latest(steady) {
  const decisions = steady.take(state.decisions.slice(0, DECISIONS));
  if (!decisions.length) return null;
  const colours = palette(state.now.models);
  return h('section', { class: 'panel', 'aria-labelledby': 'latest', mount: steady.mount },
    h('div', { class: 'panel-head' }, h('h2', { id: 'latest' }, 'Latest decisions'), h('a', { href: '#/decisions' }, 'All decisions')),
    h('ul', { class: 'rows' }, decisions.map((decision) => h('li', { key: decision.id },
      h('a', { class: 'name', href: `#/decisions/${encodeURIComponent(decision.id)}` }, decision.route),
      h('span', { class: 'grow' }, decision.label, decision.tasks ? badge('plain', plural(decision.tasks, 'task')) : null),
      decision.model ? h('span', null, key(colourOf(colours, decision.model)), h('a', { class: 'plain', href: modelAddress(decision.model) }, decision.model)) : ending(decision.ending),
      h('span', { class: 'small end' }, milliseconds(decision.latency_ms)), h('span', { class: 'small end' }, money(decision.cost_usd))))));
}
