// One model: health, speed, price, errors, and the routes that chose it.

import { policyAddress } from './address.js';
import { h } from './dom.js';
import { count, duration, figure, list, milliseconds, moment, money, percent } from './format.js';
import { createHistoryCharts } from './history.js';
import { health, price } from './models.js';
import { facts, heading, nothing } from './parts.js';
import { detailChoice, detailPeriod } from './period.js';
import { byRoute, createRecent, frequencies, quantile, recentPanels, shares } from './recent.js';
import { state } from './store.js';

/** @import { DecisionSummary, ModelOverview } from '../../admin-api/admin-api.d.ts' */

export function modelDetail(redraw) {
  const recent = createRecent(redraw);
  const history = createHistoryCharts(redraw);
  return {
    title: 'Model',
    draw(id, query) {
      const { now } = state;
      const model = now.models.find((known) => known.id === id);
      const back = h('a', { href: '#/models' }, 'All models');
      if (!model) return [heading(id, back), nothing('There is no such model', h('p', null, back))];
      const filter = { model: id };
      const decisions = recent.take(filter);
      const period = detailPeriod(query);
      return [
        heading(id, health(model), back, detailChoice('models', id, query)),
        condition(model, now.now_ms),
        period.from && history.draw(period, 'route', filter),
        h('div', { class: 'panels' },
          h('section', { class: 'panel', key: 'facts', 'aria-labelledby': 'about' },
            h('div', { class: 'panel-head' }, h('h2', { id: 'about' }, 'Since the start')), about(model, decisions ?? [])),
          decisions && [byRoute(decisions), shares('Chosen by', frequencies(decisions, ({ policy }) => policy?.split('@')[0]), policyAddress)],
          recentPanels(decisions, filter)),
      ];
    },
  };
}

/** The reason for which the model is not called, if there is one.
 * @param {ModelOverview} model
 * @param {number} now */
function condition({ down_since_ms: down, resting_since_ms: resting }, now) {
  if (down) return h('div', { class: 'objection', key: 'down' }, h('p', null, h('strong', null, `Down since ${moment(down)}, for ${duration((now - down) / 1000)}. `), 'Calls or probes failed three times in a row, and none has succeeded since. It is tried again at growing intervals.'));
  if (resting) return h('div', { class: 'objection', key: 'resting' }, h('p', null, h('strong', null, `Resting since ${moment(resting)}. `), 'Its backend asked not to be called for a time, such as by status 429 with Retry-After.'));
  return null;
}

/** @param {ModelOverview} model
 * @param {DecisionSummary[]} decisions */
function about(model, decisions) {
  // A whole answer has no first token of its own.
  const streams = decisions.filter(({ streaming, ending }) => streaming && ending === 'answered');
  const first = streams.map(({ first_token_ms: ms }) => ms);
  const latencies = decisions.filter(({ ending }) => ending === 'answered').map(({ latency_ms: ms }) => ms);
  return facts(
    ['Answers', count(model.requests)],
    ['Calls in flight', count(model.in_flight)],
    ['Recent errors', percent(model.error_rate)],
    ['Latency of requests', `${milliseconds(quantile(latencies, 0.5))} (p50), ${milliseconds(quantile(latencies, 0.95))} (p95)`],
    ['First token of streams', first.length ? `${milliseconds(quantile(first, 0.5))} (p50), ${milliseconds(quantile(first, 0.95))} (p95)` : 'no stream yet'],
    ['Measured speed', model.tokens_per_second ? `${figure(model.tokens_per_second)} tokens/s` : null],
    ['Price of a million tokens', `$${price(model)}`],
    ['Spent', money(model.cost_usd)],
    ['Context window', model.context_window ? `${count(model.context_window)} tokens` : null],
    ['Operations', model.operations?.length ? list(model.operations) : null],
    ['Inputs', model.inputs?.length ? list(model.inputs) : null],
    ['Abilities', model.abilities?.length ? list(model.abilities) : null],
    ['Stated quality', model.quality],
  );
}
