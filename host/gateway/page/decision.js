// One decision: its explanation, candidates, calls and outcome.

import { get } from './api.js';
import { against } from './decisions.js';
import { h } from './dom.js';
import { estimate, explain, overhead, qualities } from './explain.js';
import { count, figure, list, microseconds, milliseconds, moment, money, percent, short } from './format.js';
import { createGantt } from './gantt.js';
import { price } from './models.js';
import { badge, ending, facts, failed, heading, loading, table, version } from './parts.js';
import { tasksOf } from './plans.js';

/** @import { record } from '../../admin-api/admin-api.d.ts' */
/** @import { Column } from './parts.js' */

export function decision(redraw) {
  const charts = { attempts: createGantt(redraw), tasks: createGantt(redraw) };
  /** @type {record.DecisionRecord | null} */
  let shown = null;
  let [error, wanted] = [null, null];
  return {
    title: 'Decision',
    async enter(id) {
      [shown, error, wanted] = [null, null, id];
      try {
        const read = await get(`/admin/decisions/${encodeURIComponent(id)}`);
        if (wanted === id) shown = read;
      } catch (failure) {
        if (wanted === id) error = failure;
      }
      redraw();
    },
    draw() {
      const back = [h('a', { href: '#/decisions' }, 'All decisions'), wanted && h('a', { href: `#/playground/${encodeURIComponent(wanted)}` }, 'Try in the playground')];
      if (error) return [heading('Decision', back), failed('This decision cannot be shown', error)];
      if (!shown) return [heading('Decision', back), loading('the decision')];
      return whole(shown, charts, back);
    },
  };
}

/** @param {record.DecisionRecord} record */
function whole(record, charts, back) {
  const { outcome } = record;
  return [
    heading(outcome?.label ?? record.decisions.at(-1)?.answer.label ?? 'Decision', outcome ? ending(outcome.ending) : badge('plain', 'dry run'), back),
    h('section', { class: 'explained', 'aria-label': 'Explanation' }, explain(record).map((text, at) => h('p', { key: at }, text))),
    outcome && amounts(outcome, record.request),
    record.decisions.map((decision, at) => candidates(decision, at, record)),
    outcome && record.attempts.length > 0 && timeline(record, charts.attempts),
    record.plan && tasksOf(record.plan, charts.tasks, outcome?.latency_ms ?? record.plan.critical_path_ms),
    request(record),
    h('details', { class: 'numbers' }, h('summary', null, 'The whole record as JSON'), h('pre', { tabindex: '0' }, JSON.stringify(record, null, 2))),
  ];
}

/** @param {record.OutcomeRecord} outcome
 * @param {record.RequestRecord} request */
function amounts(outcome, { streaming }) {
  const tile = (name, value, ...below) => h('div', { class: 'figure', key: name }, h('dt', null, name), h('dd', null, h('b', null, value), below.filter(Boolean).map((text) => h('span', null, text))));
  const baseline = outcome.baseline_cost_usd;
  const most = Math.max(outcome.cost_usd, baseline ?? 0);
  const length = (cost) => ({ width: `${most ? ((cost / most) * 100).toFixed(1) : 0}%` });
  const bar = (name, cost, colour) => h('div', { class: 'versus', key: name }, h('span', null, name), h('span', { class: 'meter wide', 'aria-hidden': 'true' }, h('span', { class: colour, style: length(cost) })), h('b', null, money(cost)));
  return [
    h('dl', { class: 'figures', key: 'figures' },
      tile('Latency', milliseconds(outcome.latency_ms), streaming && typeof outcome.first_token_ms === 'number' && `first token after ${milliseconds(outcome.first_token_ms)}`, overhead(outcome) && `the gateway added ${overhead(outcome)}`),
      tile('Tokens', count(outcome.input_tokens + outcome.output_tokens), `${count(outcome.input_tokens)} in, ${count(outcome.output_tokens)} out`, outcome.estimated && 'estimated: the model reported none'),
      tile('Cost', money(outcome.cost_usd), against(outcome) ?? 'no baseline to compare with')),
    outcome.baseline_model && h('div', { class: 'panel pad', key: 'versus' }, bar('as answered', outcome.cost_usd, 'accent'), bar(`at ${outcome.baseline_model}`, baseline, 'second')),
  ];
}

/** The candidates of a decision, in the order that the policy chose.
 * @param {record.DecisionEntryRecord} decision
 * @param {number} at
 * @param {record.DecisionRecord} record */
function candidates(decision, at, { request, outcome }) {
  const { candidates: models, answer } = decision;
  const order = answer.kind === 'route' ? answer.targets.map(({ candidate }) => candidate) : [];
  const rest = models.map((_, index) => index).filter((index) => !order.includes(index));
  const rows = [...order, ...rest].map((index) => ({ index, ...models[index], rank: order.indexOf(index) })).filter(({ model }) => model);
  const id = `decision-${at}`;
  return h('section', { class: 'panel', key: id, 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, 'Candidates and decision'), version(decision.policy ? `${decision.policy}@${short(decision.digest ?? '')}` : null),
      h('span', { class: 'muted' }, `in ${microseconds(decision.took_us)}`)),
    h('p', { class: 'pad' }, badge(answer.kind === 'failure' || answer.kind === 'refusal' ? 'bad' : 'plain', answer.kind), ' ', answer.label && h('strong', null, answer.label), answer.reason ? ` ${answer.reason}` : '', answer.message ? ` ${answer.message}` : '',
      answer.hedge_after_ms ? ` A second model is called after ${milliseconds(answer.hedge_after_ms)} without an answer.` : '', answer.propensity ? ` Chosen with a probability of ${percent(answer.propensity)}.` : ''),
    table({ caption: 'Candidates, in the order that was chosen', rows, keyOf: ({ index }) => index, rowClass: ({ rank }) => (rank < 0 ? 'passed-over' : undefined), columns: candidateColumns(request, outcome) }));
}

/** @param {record.RequestRecord} request
 * @param {record.OutcomeRecord | null | undefined} outcome
 * @returns {Column<record.CandidateRecord & { index: number, rank: number }>[]} */
function candidateColumns(request, outcome) {
  return [
    { title: 'Order', cell: ({ rank, model }) => [rank < 0 ? h('span', { class: 'muted' }, 'not chosen') : `${rank + 1}. `, outcome?.model === model ? badge('good', 'answered') : null] },
    { title: 'Model', cell: ({ model, healthy }) => [h('span', { class: 'name' }, model), ' ', healthy ? null : badge('bad', 'down')] },
    { title: '$/M tokens', end: true, cell: price },
    { title: 'This request', end: true, cell: (candidate) => money(estimate(candidate, request, outcome)) },
    { title: 'Quality', end: true, cell: (candidate) => h('span', { title: qualities(candidate).all || undefined }, qualities(candidate).general) },
    { title: 'First token', end: true, cell: ({ first_token_ms: ms }) => milliseconds(ms) },
    { title: 'Tokens/s', end: true, cell: ({ tokens_per_second: speed }) => figure(speed) },
    { title: 'In flight', end: true, cell: ({ in_flight: load }) => count(load) },
    { title: 'Errors', end: true, cell: ({ error_rate: rate }) => percent(rate) },
    { title: 'Context', end: true, cell: ({ context_window: tokens }) => count(tokens) },
    { title: 'Abilities', cell: ({ abilities, inputs }) => [...(inputs ?? []).filter((input) => input !== 'text'), ...(abilities ?? [])].join(', ') || '–' },
  ];
}

/** @param {record.DecisionRecord} record */
function timeline({ request, decisions, attempts, outcome, plan }, chart) {
  const asked = decisions.map((decision, at) => ({
    id: `d${at}`, name: decision.policy ?? 'gateway order', begun: decision.asked_ms, ended: decision.asked_ms + decision.took_us / 1000, kind: 'decided',
    beside: `${decision.answer.kind}, ${microseconds(decision.took_us)}`, tooltip: `${decision.policy ?? 'the gateway’s own order'}: ${decision.answer.kind}`,
  }));
  /** @param {record.AttemptRecord} attempt */
  const taskOf = ({ task }) => plan?.tasks.find(({ number }) => number === task)?.name;
  const called = attempts.map((attempt, at) => ({
    id: `a${at}`, name: attempt.model, begun: attempt.begun_ms, ended: attempt.ended_ms, first: request.streaming ? attempt.first_token_ms : null, kind: attempt.result, isCritical: attempt.result === 'answered' && !plan,
    beside: `${taskOf(attempt) ?? attempt.result}, ${milliseconds(attempt.ended_ms - attempt.begun_ms)}`, tooltip: `${attempt.model}: ${attempt.result}${attempt.error ? `, ${attempt.error}` : ''}`,
  }));
  const rows = [...asked, ...called].sort((a, b) => a.begun - b.begun);
  return h('section', { class: 'panel', key: 'tried', 'aria-labelledby': 'tried' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'tried' }, 'Decisions and calls over time'), h('span', { class: 'muted' }, `since the request arrived${request.streaming ? '; a line in a bar marks the first token' : ''}`)),
    h('div', { class: 'pad' }, chart(rows, outcome.latency_ms)),
    table({
      caption: 'Calls', rows: attempts.map((attempt, at) => ({ ...attempt, at })), keyOf: ({ at }) => at,
      columns: [
        { title: 'Model', cell: ({ model }) => h('span', { class: 'name' }, model) },
        plan && { title: 'Task', cell: (attempt) => taskOf(attempt) ?? '–' },
        { title: 'Result', cell: ({ result, error }) => [ending(result), error && h('p', { class: 'why' }, error)] },
        { title: 'Began', end: true, cell: (attempt) => milliseconds(attempt.begun_ms) },
        { title: 'First token', end: true, cell: (attempt) => milliseconds(attempt.first_token_ms) },
        { title: 'Ended', end: true, cell: (attempt) => milliseconds(attempt.ended_ms) },
        { title: 'Tokens', end: true, cell: (attempt) => `${count(attempt.input_tokens)} + ${count(attempt.output_tokens)}` },
        { title: 'Cost', end: true, cell: (attempt) => money(attempt.cost_usd) },
      ].filter(Boolean),
    }));
}

/** @param {record.DecisionRecord} record */
function request({ id, at_ms: at, route, key, trace_id: trace, request: asked }) {
  const attributes = Object.entries(asked.attributes ?? {}).map(([name, value]) => `${name}=${value}`);
  return h('section', { class: 'panel', key: 'request', 'aria-labelledby': 'request' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'request' }, 'The request')),
    facts(['When', moment(at)], ['Route', h('a', { href: `#/routes/${encodeURIComponent(route)}` }, route)], ['Requested model', asked.model], ['Operation', asked.operation],
      ['Input', `about ${count(asked.input_tokens)} tokens of ${list(asked.inputs)}${asked.turns > 1 ? ` in ${asked.turns} turns` : ''}`],
      ['Output', `${asked.max_output_tokens ? `at most ${count(asked.max_output_tokens)} tokens, ` : ''}${asked.streaming ? 'streamed' : 'not streamed'}`],
      ['Needs', asked.needs?.length ? list(asked.needs) : 'none'], ['Deadline', asked.deadline_ms ? milliseconds(asked.deadline_ms) : null],
      ['Session', asked.session], ['Key', key], ['Attributes', attributes.join(', ')], ['Decision', h('code', null, id)], ['Trace', trace && h('code', null, trace)]));
}
