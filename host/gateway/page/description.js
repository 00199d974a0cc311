// What the file of a policy says about it. Nothing of it is checked, and all of it is text.

import { get } from './api.js';
import { h } from './dom.js';
import { facts } from './parts.js';

/** @import { DeclaredAnswer, DescriptionStatus, PolicyStatus } from '../../admin-api/admin-api.d.ts' */

/** Reads the description of the policy that is shown, once for each version. */
export function createDescription(redraw) {
  let read = '';
  /** @type {DescriptionStatus | undefined} */
  let shown;
  const versionOf = (policy) => `${policy.name}@${policy.active}`;
  return {
    /** @param {PolicyStatus} policy */
    draw(policy) {
      if (read !== versionOf(policy)) {
        [read, shown] = [versionOf(policy), undefined];
        get(`/admin/policies/${encodeURIComponent(policy.name)}`).then((/** @type {PolicyStatus} */ status) => {
          if (read === versionOf(status)) shown = status.description;
          redraw();
        }, () => {
          // The status, which is shown anyway, reports a gateway that does not respond.
        });
      }
      return shown && section(policy.name, shown);
    },
  };
}

/** @param {string} name
 * @param {DescriptionStatus} description */
function section(name, { title, description, homepage, license, labels, refusals, settings, problems }) {
  const id = `description-${name}`;
  return h('section', { class: 'panel wide', key: id, 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, title || 'Description')),
    h('p', { class: 'pad muted' }, 'By its author, and not checked.'),
    description && h('p', { class: 'pad' }, description),
    facts(
      license && ['Licence', license],
      homepage && ['Homepage', h('a', { href: homepage, rel: 'noopener noreferrer nofollow' }, homepage)],
    ),
    problems.length > 0 && h('div', { class: 'objection' }, h('h3', null, 'Faults, which are left out'), problems.map((problem, at) => h('p', { key: at }, problem))),
    answers('Labels', labels), answers('Refusals', refusals),
    settings.length > 0 && plain('Settings', ['Setting', 'Expected', 'Default', 'Meaning'], settings.map((setting) =>
      [h('code', null, setting.name), setting.expected, setting.default === undefined || setting.default === null ? (setting.required ? 'required' : '–') : h('code', null, setting.default), setting.description])));
}

/** @param {string} title
 * @param {DeclaredAnswer[]} list */
function answers(title, list) {
  return list.length > 0 && plain(title, ['Name', 'When'], list.map(({ name, meaning }) => [h('code', null, name), meaning]));
}

function plain(title, heads, rows) {
  return h('div', { class: 'pad', key: title }, h('h3', null, title),
    h('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': title }, h('table', { class: 'compare' },
      h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col', key: head }, head)))),
      h('tbody', null, rows.map((cells, at) => h('tr', { key: at }, cells.map((cell, place) => h(place === 0 ? 'th' : 'td', { key: place, scope: place === 0 ? 'row' : undefined }, cell))))))));
}
