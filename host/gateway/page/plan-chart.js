// A drawing of a plan: tasks in columns, each right of those that it waits for.

import { h } from './dom.js';

const BOX = { width: 168, height: 48, right: 40, below: 16 };
const LONGEST_NAME = 22;

/** Draws the plan of a playground's answer: `{ tasks: [{ name, operation, targets, after }], next }`. `name` is for
 * screen readers. */
export function planChart({ tasks, next }, name) {
  const columns = columnsOf(tasks);
  const inColumn = new Map();
  const boxes = tasks.map((task, at) => {
    const column = columns[at];
    const row = inColumn.get(column) ?? 0;
    inColumn.set(column, row + 1);
    return { task, x: column * (BOX.width + BOX.right), y: row * (BOX.height + BOX.below) };
  });
  const last = Math.max(0, ...columns) + 1;
  const height = Math.max(1, ...inColumn.values()) * (BOX.height + BOX.below);
  const end = { x: last * (BOX.width + BOX.right), y: (height - BOX.below - BOX.height) / 2 };
  const waitedFor = new Set(tasks.flatMap(({ after }) => after ?? []));
  const lines = boxes.flatMap((to) => (to.task.after ?? []).map((name) => line(boxes.find(({ task }) => task.name === name), to)));
  const ends = boxes.filter(({ task }) => !waitedFor.has(task.name)).map((from) => line(from, end));
  const summary = `Plan: ${tasks.map(({ name, after }) => `${name}${after?.length ? ` after ${after.join(', ')}` : ''}`).join('; ')}; then ${next}`;
  return h('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': name },
    h('svg', { class: 'plan-chart', role: 'img', 'aria-label': summary, width: String(end.x + BOX.width), height: String(height), viewBox: `0 0 ${end.x + BOX.width} ${height}` },
      lines, ends, boxes.map(({ task, x, y }, at) => box(at, x, y, task.name, `${task.operation} ${task.targets?.[0] ?? ''}`)), box('end', end.x, end.y, next, '')));
}

/** Returns the column of each task: one more than the last of those that it waits for. */
function columnsOf(tasks) {
  const byName = new Map();
  return tasks.map(({ name, after }) => {
    const column = Math.max(0, ...(after ?? []).map((other) => (byName.get(other) ?? -1) + 1));
    byName.set(name, column);
    return column;
  });
}

const line = (from, to) => (from ? h('path', { class: 'plan-line', d: `M${from.x + BOX.width},${from.y + BOX.height / 2} C${from.x + BOX.width + BOX.right / 2},${from.y + BOX.height / 2} ${to.x - BOX.right / 2},${to.y + BOX.height / 2} ${to.x},${to.y + BOX.height / 2}` }) : null);

function box(key, x, y, title, below) {
  const cut = (text) => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text);
  return h('g', { key, transform: `translate(${x} ${y})` }, h('title', null, `${title} ${below}`.trim()),
    h('rect', { class: 'plan-box', width: String(BOX.width), height: String(BOX.height), rx: '6' }),
    h('text', { x: '10', y: below ? '20' : '29', class: 'plan-name' }, cut(title)), below && h('text', { x: '10', y: '37', class: 'plan-below' }, cut(below)));
}
