// Plans: requests that were split into tasks, and the tasks of one plan.

import { get } from './api.js';
import { h } from './dom.js';
import { count, list, milliseconds, moment, money, percent, plural } from './format.js';
import { createGantt } from './gantt.js';
import { ending, facts, failed, heading, loading, nothing, table, version } from './parts.js';
import { createSteady } from './steady.js';
import { state } from './store.js';

/** @import { PlanSummary, PlanTrace, record } from '../../admin-api/admin-api.d.ts' */

const LISTED = 100;
/** Least time between two reads of the list, in milliseconds. */
const PAUSE = 3_000;

export function plans(redraw) {
  const steady = createSteady();
  /** @type {PlanSummary[] | null} */
  let known = null;
  let [error, readAt, newest] = [null, 0, null];
  async function read() {
    readAt = Date.now();
    newest = state.decisions.find(({ tasks }) => tasks)?.id;
    try {
      [known, error] = [await get(`/admin/plans?limit=${LISTED}`), null];
    } catch (failure) {
      error = failure;
    }
    redraw();
  }
  return {
    title: 'Plans',
    enter: read,
    draw() {
      const isNew = state.decisions.find(({ tasks }) => tasks)?.id !== newest;
      if (isNew && Date.now() - readAt > PAUSE && !steady.isHeld()) read();
      return [
        heading('Plans', h('p', { class: 'muted' }, 'requests that a policy split into tasks')),
        error && !known ? failed('The plans cannot be read', error) : known === null ? loading('the plans')
          : known.length ? rows(known, steady) : nothing('No plan yet', h('p', null, 'A plan exists when a policy splits a request into tasks. Request a route such as ', h('code', null, 'parallel'), '.')),
      ];
    },
  };
}

/** @param {PlanSummary[]} known */
function rows(known, steady) {
  return table({
    caption: 'Plans', rows: known, keyOf: ({ id }) => id, mount: steady.mount,
    columns: [
      { title: 'Time', cell: (plan) => h('a', { href: `#/plans/${encodeURIComponent(plan.id)}`, 'aria-label': `Plan of ${moment(plan.at * 1000)} at ${plan.route}` }, moment(plan.at * 1000)) },
      { title: 'Route', cell: ({ route }) => route },
      { title: 'Plan', cell: ({ label }) => h('span', { class: 'name' }, label) },
      { title: 'Policy', cell: ({ policy }) => version(policy) },
      { title: 'Ending', cell: (plan) => ending(plan.ending) },
      { title: 'Tasks', end: true, cell: ({ tasks }) => count(tasks) },
      { title: 'Latency', end: true, cell: (plan) => milliseconds(plan.latency_ms) },
      { title: 'Critical path', end: true, cell: (plan) => milliseconds(plan.critical_path_ms) },
      { title: 'Cost', end: true, cell: (plan) => money(plan.cost_usd) },
    ],
  });
}

export function plan(redraw) {
  const chart = createGantt(redraw);
  /** @type {PlanTrace | null} */
  let trace = null;
  let [error, wanted] = [null, null];
  return {
    title: 'Plan',
    async enter(id) {
      [trace, error, wanted] = [null, null, id];
      try {
        const read = await get(`/admin/plans/${encodeURIComponent(id)}`);
        if (wanted === id) trace = read;
      } catch (failure) {
        if (wanted === id) error = failure;
      }
      redraw();
    },
    draw(id) {
      const back = h('a', { href: '#/plans' }, 'All plans');
      if (error) return [heading('Plan', back), failed('This plan cannot be shown', error)];
      if (!trace) return [heading('Plan', back), loading('the plan')];
      return [
        heading(trace.label, ending(trace.ending), back, h('a', { href: `#/decisions/${encodeURIComponent(id)}` }, 'Decision record')),
        h('p', { class: 'lead' }, inWords(trace)),
        trace.error && h('div', { class: 'objection' }, trace.error),
        facts(['Route', h('a', { href: `#/routes/${encodeURIComponent(trace.route)}` }, trace.route)], ['Policy', version(trace.policy)], ['When', moment(trace.at * 1000)],
          ['Tokens', `${count(trace.input_tokens)} in, ${count(trace.output_tokens)} out`], ['Cost', money(trace.cost_usd)]),
        tasksOf(trace, chart, trace.latency_ms),
      ];
    },
  };
}

/** @param {PlanTrace} trace */
function inWords(trace) {
  const row = trace.tasks.reduce((all, { begun_ms: begun, ended_ms: ended }) => all + (ended ?? 0) - (begun ?? 0), 0);
  const saved = row > trace.latency_ms ? ` Run one after another, its tasks would have taken ${milliseconds(row)}; running them in parallel saved ${percent(1 - trace.latency_ms / row)}.` : '';
  const steps = trace.steps > 1 ? ` in ${trace.steps} steps` : '';
  return `${plural(trace.tasks.length, 'task')}${steps}, completed after ${milliseconds(trace.latency_ms)}.${saved}${trace.reason ? ` The policy’s reason: ${trace.reason}` : ''}`;
}

/** The tasks of a plan, as a chart and as a table.
 * @param {record.PlanRecord} plan */
export function tasksOf({ tasks, critical_path: path, critical_path_ms: time }, chart, total) {
  const names = new Map(tasks.map(({ number, name }) => [number, name]));
  const waited = ({ after, step }) => (after.length ? list(after.map((number) => `${number + 1} ${names.get(number) ?? ''}`.trim())) : step > 1 ? `step ${step - 1}` : 'nothing');
  const rows = tasks.map((task) => ({
    id: task.number, name: `${task.number + 1} ${task.name}`, begun: task.begun_ms, ended: task.ended_ms, after: task.after,
    kind: task.status, isCritical: path.includes(task.number), criticalAfter: path[path.indexOf(task.number) - 1],
    beside: task.begun_ms === null || task.begun_ms === undefined ? task.status : `${task.model ?? task.status}, ${milliseconds(task.ended_ms - task.begun_ms)}`,
    tooltip: `${task.name} (${task.operation}), ${task.status}, waited for ${waited(task)}${task.error ? `: ${task.error}` : ''}`,
  }));
  // A policy is asked again when all tasks of a step are done, so the next step waits for them.
  const later = [...new Set(tasks.map(({ step }) => step))].filter((step) => step > 1);
  const begins = (step) => Math.min(...tasks.filter((task) => task.step === step).map(({ begun_ms: begun }) => begun ?? Infinity));
  const steps = later.map((step) => ({ at: begins(step), text: `step ${step}` })).filter(({ at }) => Number.isFinite(at));
  const long = path.map((number) => names.get(number));
  return [
    h('section', { class: 'panel', key: 'chart', 'aria-labelledby': 'tasks-title' },
      h('div', { class: 'panel-head' }, h('h2', { id: 'tasks-title' }, 'Tasks over time')),
      h('p', { class: 'pad muted' }, h('span', { class: 'key accent', 'aria-hidden': 'true' }), `critical path, ${milliseconds(time)}: ${list(long, 'then')}. Lines lead from a task to those that waited for it${steps.length ? '; at each step the policy was asked again' : ''}.`),
      h('div', { class: 'pad' }, chart(rows, total, steps))),
    table({
      caption: 'Tasks', rows: tasks, keyOf: ({ number }) => number,
      columns: [
        { title: 'Task', cell: (task) => h('span', { class: path.includes(task.number) ? 'name critical-name' : 'name' }, `${task.number + 1} ${task.name}`) },
        { title: 'Waited for', cell: waited },
        { title: 'On the critical path', cell: (task) => (path.includes(task.number) ? 'yes' : 'no') },
        { title: 'Step', end: true, cell: ({ step }) => count(step) },
        { title: 'Status', cell: (task) => [ending(task.status), task.error && h('p', { class: 'why' }, task.error)] },
        { title: 'Model', cell: (task) => task.model ?? h('span', { class: 'muted' }, 'none') },
        { title: 'Began', end: true, cell: (task) => milliseconds(task.begun_ms) },
        { title: 'Duration', end: true, cell: (task) => (task.begun_ms === null || task.begun_ms === undefined ? '–' : milliseconds(task.ended_ms - task.begun_ms)) },
        { title: 'Tokens', end: true, cell: (task) => `${count(task.input_tokens)} + ${count(task.output_tokens)}` },
        { title: 'Cost', end: true, cell: (task) => money(task.cost_usd) },
      ],
    }),
  ];
}
