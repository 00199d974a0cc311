// Keys of clients: their states, and operations on them, each with its dialog.

import { keyAddress } from './address.js';
import { get } from './api.js';
import { ask } from './dialog.js';
import { h } from './dom.js';
import { list, moment } from './format.js';
import { badge, facts, operation, table } from './parts.js';

/** @import { IssuedKey, KeyList, KeyStatus } from '../../admin-api/admin-api.d.ts' */

/** Least time between two reads, in milliseconds. */
const PAUSE = 4_000;
/** Most keys that are listed. */
const MOST = 500;

const p = (...text) => h('p', null, ...text);
const b = (text) => h('strong', null, text);
const at = (name, action = '') => `/admin/keys/${encodeURIComponent(name)}${action}`;

/** @type {KeyList | null} */
let known = null;
/** @type {import('./api.js').ApiError | null} */
let error = null;
let readAt = 0;

/** The keys, which are read again and again while a page is drawn.
 * @param {() => void} redraw */
export function keyList(redraw) {
  if (Date.now() - readAt > PAUSE) {
    readAt = Date.now();
    get('/admin/keys').then((keys) => { [known, error] = [keys, null]; }, (failure) => { error = failure; }).finally(redraw);
  }
  return { known, error };
}

/** Lets the next drawing read the keys, after a change. */
const changed = () => { readAt = 0; };

const STATES = { active: 'good', disabled: 'warn', expired: 'bad' };

/** @param {KeyStatus} key */
const stateOf = ({ state }) => badge(STATES[state] ?? 'plain', state);

/** @param {number | null | undefined} seconds */
const time = (seconds) => (seconds ? moment(seconds * 1000) : null);

/** @param {KeyStatus} key */
const mayRequest = ({ routes }) => (routes ? list(routes) || 'nothing' : 'everything');

/** The table of all keys with their states.
 * @param {KeyList} keys */
export function keyTable({ keys }) {
  const shown = keys.slice(0, MOST);
  return [
    table({
      caption: 'Keys and their states', rows: shown, keyOf: ({ name }) => name,
      columns: [
        { title: 'Key', cell: ({ name }) => h('a', { class: 'name', href: keyAddress(name) }, name) },
        { title: 'State', cell: stateOf },
        { title: 'Expires', cell: ({ expires }) => time(expires) ?? 'never' },
        { title: 'Old key until', cell: ({ grace_until: until }) => time(until) ?? '–' },
        { title: 'May request', cell: mayRequest },
        { title: 'Changes', cell: (key) => buttons(key) },
      ],
    }),
    keys.length > MOST && h('p', { class: 'muted pad' }, `The first ${MOST} of ${keys.length} keys; pointsman key list shows all.`),
  ];
}

/** State, times and operations of one key.
 * @param {KeyStatus} key */
export function keyPanel(key) {
  return h('section', { class: 'panel', key: 'state', 'aria-labelledby': 'key-state' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'key-state' }, 'State'), stateOf(key), buttons(key)),
    facts(['Created', time(key.created)], ['Rotated', time(key.rotated)], ['Old key accepted until', time(key.grace_until)],
      ['Expires', time(key.expires) ?? 'never'], ['May request', mayRequest(key)]));
}

/** @param {KeyStatus} key */
function buttons(key) {
  const { name, source, state } = key;
  if (source !== 'store') return h('span', { class: 'muted' }, 'in the configuration');
  const button = (label, run) => h('button', { type: 'button', key: label, class: 'quiet', ...operation(run), 'aria-label': `${label} ${name}` }, label);
  return h('div', { class: 'buttons' },
    button('Rotate', () => rotate(key)),
    state === 'disabled' ? button('Enable', () => enable(key)) : button('Disable', () => disable(key)),
    button('Expiry', () => expire(key)),
    button('Delete', () => remove(key)));
}

/** The button that creates a key; without a state directory, the reason why there is none.
 * @param {KeyList} keys */
export function createButton({ can_store: canStore }) {
  if (!canStore) return h('p', { class: 'muted' }, 'Keys can be created with ', h('code', null, 'dir'), ' below ', h('code', null, '[state]'), '.');
  return h('button', { type: 'button', class: 'last', ...operation(create) }, 'Create key …');
}

function create() {
  ask({
    title: 'Create a key',
    text: [p('The key is shown once. From the first key on, requests without a key are refused.')],
    fields: [
      { id: 'key-name', label: 'Name', required: true, maxlength: 64, pattern: '[a-zA-Z0-9_.\\-]+', note: 'Letters, digits, _ . and -. Policies see it as the tenant.' },
      { id: 'key-routes', label: 'May request', note: 'Routes, models and aliases, separated by commas; * matches anything. Empty for everything.' },
      { id: 'key-expires', label: 'Expires after', pattern: '[0-9]+[smhd]', note: 'Such as 12h or 90d. Empty for never.' },
    ],
    button: 'Create',
    method: 'POST',
    path: '/admin/keys',
    body: (values) => ({ name: values['key-name'].trim(), ...routesIn(values), ...(values['key-expires'] ? { expires_in: values['key-expires'] } : {}) }),
    report: issued(),
    once: true,
    after: changed,
  });
}

const routesIn = (values) => {
  const routes = values['key-routes'].split(',').map((route) => route.trim()).filter(Boolean);
  return routes.length ? { routes } : {};
};

/** @param {KeyStatus} key */
function rotate({ name }) {
  ask({
    title: `Rotate ${name}?`,
    text: [p('A new key takes the place of the present one, which is accepted too for the grace period. The new key is shown once.')],
    fields: [{ id: 'key-grace', label: 'Grace period', required: true, value: '24h', pattern: '0|[0-9]+[smhd]', note: 'Such as 24h or 7d; 0 if the present key leaked.' }],
    button: 'Rotate',
    method: 'POST',
    path: at(name, '/rotate'),
    body: (values) => ({ grace: values['key-grace'] }),
    report: issued(),
    once: true,
    after: changed,
  });
}

/** @param {KeyStatus} key */
function disable({ name }) {
  ask({
    title: `Disable ${name}?`,
    text: [p('Requests with the key ', b(name), ' are refused until it is enabled again. Requests in flight are not affected.')],
    button: 'Disable',
    danger: true,
    method: 'PATCH',
    path: at(name),
    body: { disabled: true },
    done: `${name} is disabled.`,
    after: changed,
  });
}

/** @param {KeyStatus} key */
function enable({ name }) {
  ask({
    title: `Enable ${name}?`,
    text: [p('Requests with the key ', b(name), ' are accepted again, unless it has expired.')],
    button: 'Enable',
    method: 'PATCH',
    path: at(name),
    body: { disabled: false },
    done: `${name} is enabled.`,
    after: changed,
  });
}

/** @param {KeyStatus} key */
function expire({ name, expires }) {
  ask({
    title: `Set the expiry of ${name}`,
    text: [p(expires ? `At present it expires ${time(expires)}.` : 'At present it does not expire.')],
    fields: [{ id: 'key-expires', label: 'Expires after', pattern: '0|[0-9]+[smhd]', note: 'From now on, such as 12h or 90d; 0 for at once. Empty for never.' }],
    button: 'Set',
    method: 'PATCH',
    path: at(name),
    body: (values) => (values['key-expires'] ? { expires_in: values['key-expires'] } : { expires_at: null }),
    done: `The expiry of ${name} is set.`,
    after: changed,
  });
}

/** @param {KeyStatus} key */
function remove({ name }) {
  ask({
    title: `Delete ${name}?`,
    text: [p('Requests with the key ', b(name), ' are refused from now on. This cannot be undone; ', b('Disable'), ' can.')],
    button: 'Delete',
    danger: true,
    method: 'DELETE',
    path: at(name),
    done: `${name} is deleted.`,
    after: changed,
  });
}

/** Renders a key that is shown once, with a button that copies it. */
function issued() {
  let copied = '';
  /** @param {IssuedKey} answer
   * @param {() => void} draw */
  return ({ name, key, grace_until: until }, draw) => {
    const copy = async () => {
      /** @type {HTMLInputElement} */ (document.getElementById('issued-key')).select();
      try {
        await navigator.clipboard.writeText(key);
        copied = 'Copied.';
      } catch {
        // Browsers have a clipboard on https and on this machine only.
        copied = 'Selected: copy it with the keyboard.';
      }
      draw();
    };
    return h('div', { class: 'report' },
      p('This is the key ', b(name), '. It is shown only now: store it, and give it to the client.', until ? ` The one before is accepted until ${time(until)}.` : ''),
      h('div', { class: 'field' }, h('label', { for: 'issued-key' }, 'Key'),
        h('input', { id: 'issued-key', readonly: true, value: key, autocomplete: 'off', spellcheck: 'false' })),
      h('div', { class: 'buttons' }, h('button', { type: 'button', onclick: copy }, 'Copy')),
      h('p', { role: 'status', class: 'muted small' }, copied));
  };
}
