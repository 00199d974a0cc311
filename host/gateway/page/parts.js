// Pieces that several views are made of.

import { h } from './dom.js';
import { short } from './format.js';

/** A head with a title that gets the focus when a view is opened. */
export const heading = (title, ...beside) =>
  h('div', { class: 'heading' }, h('h1', { id: 'title', tabindex: '-1' }, title), ...beside);

/** A policy's version: `name@digest`. */
export function version(text) {
  if (!text) return h('span', { class: 'muted' }, 'the gateway’s own order');
  const [name, digest] = text.split('@');
  return h('span', { class: 'version' }, name, digest && h('span', { class: 'digest' }, `@${short(digest)}`));
}

/** A digest, short, with all of it for who rests on it. */
export const digest = (hex) => h('code', { class: 'digest', title: hex }, short(hex));

export const badge = (kind, ...text) => h('span', { class: `badge ${kind}` }, ...text);

const ENDINGS = { answered: 'good', failed: 'bad', cancelled: 'warn', done: 'good', skipped: 'plain' };

/** How something ended: never by colour alone. */
export const ending = (how) => badge(ENDINGS[how] ?? 'plain', how);

export const key = (colour) => h('span', { class: `key ${colour}`, 'aria-hidden': 'true' });

/** Terms and what is said of them; without a value they are left out. */
export function facts(...pairs) {
  const shown = pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined && pair[1] !== '');
  return h('dl', { class: 'facts' }, shown.map(([term, value]) =>
    h('div', { key: term }, h('dt', null, term), h('dd', null, value))));
}

/** A table that becomes a card for each row where there is little room. `columns` have
 * `title`, `cell(row)`, perhaps `end` (aligned right) and `sort(row)`. */
export function table({ caption, columns, rows, keyOf, sorted, onSort, rowClass, mount }) {
  const head = columns.map((column) => headCell(column, sorted, onSort));
  const body = rows.map((row) => h('tr', { key: keyOf(row), role: 'row', class: rowClass?.(row) },
    columns.map((column, at) => h(at === 0 ? 'th' : 'td', {
      role: at === 0 ? 'rowheader' : 'cell',
      scope: at === 0 ? 'row' : undefined,
      class: column.end ? 'end' : undefined,
      'data-label': column.title,
    }, h('div', { class: 'in' }, column.cell(row))))));
  return h('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': caption, mount },
    h('table', { class: 'cards', role: 'table', 'aria-label': caption },
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

/** A choice of one among a few. */
export function choice(label, options, chosen, onchange) {
  return h('div', { class: 'choice', role: 'group', 'aria-label': label }, options.map(({ name, value }) =>
    h('button', { key: name, type: 'button', 'aria-pressed': String(value === chosen), onclick: () => onchange(value) }, name)));
}

/** What stands where there is nothing yet. */
export const nothing = (title, ...text) =>
  h('div', { class: 'nothing' }, h('h2', null, title), ...text);

/** What stands where something went wrong. */
export const failed = (title, error) =>
  h('div', { class: 'nothing', role: 'alert' }, h('h2', null, title), h('p', null, error.message));

export const loading = (what) => h('p', { class: 'loading', role: 'status' }, `Loading ${what} …`);

/** How to send a first request. */
export function firstRequest(route) {
  const command = `curl http://${location.hostname}:8080/v1/chat/completions -H 'content-type: application/json' \\
  -d '{"model": "${route ?? 'auto'}", "messages": [{"role": "user", "content": "Hello"}]}'`;
  return nothing('No request yet',
    h('p', null, 'Send one to the address that the gateway prints as “listening on”, and it appears here at once:'),
    h('pre', { tabindex: '0' }, command),
    h('p', { class: 'muted' }, 'Any OpenAI client will do, with that address and /v1 as its base URL.'));
}
