// Elements that several views share.

import { h } from './dom.js';
import { short } from './format.js';
import { mayOperate } from './store.js';

/** The heading of a view. Its title gets the focus when the view is opened. */
export const heading = (title, ...beside) =>
  h('div', { class: 'heading' }, h('h1', { id: 'title', tabindex: '-1' }, title), ...beside);

/** A policy's version: `name@digest`. */
export function version(text) {
  if (!text) return h('span', { class: 'muted' }, 'the gateway’s own order');
  const [name, digest] = text.split('@');
  return h('span', { class: 'version' }, name, digest && h('span', { class: 'digest' }, `@${short(digest)}`));
}

/** A short digest, with the whole digest as its tooltip. */
export const digest = (hex) => h('code', { class: 'digest', title: hex }, short(hex));

export const badge = (kind, ...text) => h('span', { class: `badge ${kind}` }, ...text);

/** A column: `end` aligns it to the right, and `sort` returns the sort key.
 * @template T
 * @typedef {{ title: string, cell: (row: T) => unknown, end?: boolean, sort?: (row: T) => unknown }} Column */

const ENDINGS = { answered: 'good', failed: 'bad', cancelled: 'warn', done: 'good', skipped: 'plain' };

/** The end of a request or task: never by colour alone. */
export const ending = (end) => badge(ENDINGS[end] ?? 'plain', end);

/** The attributes of a button that makes a change: without the role for it, the button is disabled and refers to
 * the reason.
 * @param {() => void} run */
export const operation = (run) => (mayOperate() ? { onclick: run }
  : { 'aria-disabled': 'true', 'aria-describedby': 'read-only-note', title: 'Needs the operators’ token' });

export const key = (colour) => h('span', { class: `key ${colour}`, 'aria-hidden': 'true' });

/** A list of terms with their values. Terms without a value are omitted. */
export function facts(...pairs) {
  const shown = pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined && pair[1] !== '');
  return h('dl', { class: 'facts' }, shown.map(([term, value]) =>
    h('div', { key: term }, h('dt', null, term), h('dd', null, value))));
}

/** A table, whose rows become cards on narrow screens.
 * @template T
 * @param {{
 *   caption: string, columns: Column<T>[], rows: T[], keyOf: (row: T) => unknown,
 *   sorted?: { by: string, down: boolean }, onSort?: (column: Column<T>) => void,
 *   rowClass?: (row: T) => string | undefined, mount?: (element: Element) => unknown, compact?: boolean,
 * }} table */
export function table({ caption, columns, rows, keyOf, sorted, onSort, rowClass, mount, compact }) {
  const head = columns.map((column) => headCell(column, sorted, onSort));
  const body = rows.map((row) => h('tr', { key: keyOf(row), role: 'row', class: rowClass?.(row) },
    columns.map((column, at) => h(at === 0 ? 'th' : 'td', {
      role: at === 0 ? 'rowheader' : 'cell',
      scope: at === 0 ? 'row' : undefined,
      class: column.end ? 'end' : undefined,
      'data-label': column.title,
    }, h('div', { class: 'in' }, column.cell(row))))));
  return h('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': caption, mount },
    h('table', { class: compact ? 'cards compact' : 'cards', role: 'table', 'aria-label': caption },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
      h('tbody', { role: 'rowgroup' }, body)));
}

function headCell(column, sorted, onSort) {
  const isSorted = sorted?.by === column.title;
  const direction = isSorted ? (sorted.down ? 'descending' : 'ascending') : undefined;
  const content = column.sort && onSort
    ? h('button', { type: 'button', class: 'sort', onclick: () => onSort(column) }, h('span', { class: 'arrow', 'aria-hidden': 'true' }, isSorted ? (sorted.down ? '↓' : '↑') : ''), column.title)
    : column.title;
  return h('th', { scope: 'col', role: 'columnheader', class: column.end ? 'end' : undefined, 'aria-sort': direction }, content);
}

/** A choice between a few options. */
export function choice(label, options, chosen, onchange) {
  return h('div', { class: 'choice', role: 'group', 'aria-label': label }, options.map(({ name, value }) =>
    h('button', { key: name, type: 'button', 'aria-pressed': String(value === chosen), onclick: () => onchange(value) }, name)));
}

/** A placeholder for missing data. */
export const nothing = (title, ...text) =>
  h('div', { class: 'nothing' }, h('h2', null, title), ...text);

/** A placeholder for an error. */
export const failed = (title, error) =>
  h('div', { class: 'nothing', role: 'alert' }, h('h2', null, title), h('p', null, error.message));

export const loading = (what) => h('p', { class: 'loading', role: 'status' }, `Loading ${what} …`);

/** Instructions for a first request. */
export function firstRequest(route) {
  const command = `curl http://${location.hostname}:8080/v1/chat/completions -H 'content-type: application/json' \\
  -d '{"model": "${route ?? 'auto'}", "messages": [{"role": "user", "content": "Hello"}]}'`;
  return nothing('No request yet',
    h('p', null, 'Send one to the address that the gateway prints after “listening on”, and it appears here immediately:'),
    h('pre', { tabindex: '0' }, command),
    h('p', { class: 'muted' }, 'Any OpenAI client works with that address and /v1 as its base URL.'));
}
