// The confirmation dialog of operations, and the report of their result.

import { change, operator } from './api.js';
import { h, render } from './dom.js';
import { failed } from './parts.js';
import { refresh } from './store.js';

/** @import { ReloadReport } from '../../admin-api/admin-api.d.ts' */

/** The API's own limits. */
const LONGEST_NAME = 64;
const LONGEST_REASON = 500;
/** Time for which a message is shown, in milliseconds. */
const TOAST_TIME = 6_000;

let timer = null;

/** Asks for confirmation, then calls the API. `what` has `title`, `text` (the effect), `button`,
 * `method`, `path`, `body`, `danger`, `done` (the message afterwards) and `report` (renders the
 * response). With `fields`, `body` is a function of their values. `after` is called after a change;
 * with `once`, the response is shown until its button is pressed. */
export function ask(what) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('dialog'));
  const values = Object.fromEntries((what.fields ?? []).map(({ id, value }) => [id, value ?? '']));
  const own = { busy: false, error: null, name: operator.get(), why: '', answer: null, values };
  const draw = () => render(dialog, own.answer ? answered(what, own, dialog, draw) : form(what, own, dialog, draw));
  draw();
  dialog.oncancel = (event) => {
    if (own.busy || (what.once && own.answer)) event.preventDefault();
  };
  // What was shown may be a secret.
  dialog.onclose = () => render(dialog);
  dialog.showModal();
  /** @type {HTMLElement} */ (dialog.querySelector('input, textarea'))?.focus();
}

function form(what, own, dialog, draw) {
  const submit = async (event) => {
    event.preventDefault();
    if (own.busy) return;
    Object.assign(own, { busy: true, error: null });
    draw();
    try {
      operator.set(own.name.trim());
      const body = typeof what.body === 'function' ? what.body(own.values) : what.body;
      const answer = await change(what.method, what.path, { ...body, ...(what.noReason ? {} : { why: own.why.trim() }) });
      finish(what, own, dialog, draw, answer);
    } catch (error) {
      // The report of a reload that rejected something has an error status.
      if (what.report && error.body?.policies) finish(what, own, dialog, draw, error.body);
      else Object.assign(own, { busy: false, error }), draw();
    }
  };
  return h('form', { onsubmit: submit, key: 'form' },
    h('h2', { id: 'dialog-title' }, what.title),
    h('div', { class: 'what' }, what.text),
    (what.fields ?? []).map((it) => field(it.label, it.id, h('input', {
      id: it.id, required: it.required, maxlength: it.maxlength, pattern: it.pattern, autocomplete: 'off', value: own.values[it.id],
      'aria-describedby': `${it.id}-note`, oninput: (event) => { own.values[it.id] = event.target.value; },
    }), it.note)),
    what.noReason ? null : field('Reason', 'why', h('textarea', {
      id: 'why', rows: '2', maxlength: LONGEST_REASON, 'aria-describedby': 'why-note', oninput: (event) => { own.why = event.target.value.replace(/\s+/g, ' '); },
    }), 'Optional; recorded in the audit log.'),
    field('Your name', 'operator', h('input', {
      id: 'operator', maxlength: LONGEST_NAME, autocomplete: 'username', pattern: '[ -~]*', value: own.name,
      'aria-describedby': 'operator-note', oninput: (event) => { own.name = event.target.value; },
    }), 'Recorded in the audit log; this browser remembers it.'),
    own.error && h('div', { class: 'objection', role: 'alert' }, h('strong', null, 'Nothing was changed: '), own.error.message),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      h('button', { type: 'submit', class: what.danger ? 'danger' : 'primary', 'aria-disabled': own.busy ? 'true' : undefined }, own.busy ? 'Working …' : what.button)));
}

function field(label, id, input, note) {
  return h('div', { class: 'field', key: id }, h('label', { for: id }, label), input, h('p', { class: 'muted small', id: `${id}-note` }, note));
}

function finish(what, own, dialog, draw, answer) {
  // Shows the effect immediately instead of with the next tick.
  what.after?.();
  refresh();
  if (what.report) {
    Object.assign(own, { busy: false, answer });
    draw();
    dialog.querySelector('button')?.focus();
  } else {
    dialog.close();
    showToast(what.done);
  }
}

function answered(what, own, dialog, draw) {
  return h('div', { key: 'answer' }, h('h2', { id: 'dialog-title' }, 'Result'), what.report(own.answer, draw),
    h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close')));
}

/** Shows a message for a moment. */
export function showToast(text) {
  const toast = document.getElementById('toast');
  render(toast, h('p', null, text));
  clearTimeout(timer);
  timer = setTimeout(() => render(toast), TOAST_TIME);
}

/** Renders the report of a reload.
 * @param {ReloadReport} report */
export function report({ config, policies }) {
  const changed = policies.filter(({ change: what }) => what !== 'kept');
  const rejected = typeof config === 'object' ? config.rejected : null;
  return h('div', { class: 'report' },
    rejected ? failed('The configuration was rejected; the old one stays in force', { message: rejected })
      : h('p', null, 'The configuration is in force.'),
    h('p', null, changed.length ? '' : `All ${policies.length} policies are unchanged.`),
    h('ul', { class: 'rows' }, changed.map((policy) => h('li', { key: policy.name }, h('span', { class: 'name' }, policy.name),
      h('span', { class: policy.error ? 'bad-text' : undefined }, policy.change),
      policy.to && h('code', { class: 'digest' }, policy.to.slice(0, 12)),
      policy.error && h('p', { class: 'why' }, policy.error)))));
}
