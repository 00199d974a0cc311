// Conditions that need an operator: the strip of the overview, and the state in the header.

import { address, decisionsAddress, modelAddress, policyAddress } from './address.js';
import { h } from './dom.js';
import { duration, moment, plural } from './format.js';
import { badge } from './parts.js';

/** @import { AttentionEntry, GatewayStatus } from '../../admin-api/admin-api.d.ts' */

const LEVELS = { red: ['bad', 'urgent'], amber: ['warn', 'warning'] };

/** The strip: one entry for each condition, with a link to its detail.
 * @param {GatewayStatus} now */
export function strip(now) {
  const entries = now.attention ?? [];
  if (!entries.length) return null;
  return h('section', { class: 'panel attention', 'aria-labelledby': 'attention', key: 'attention' },
    h('h2', { id: 'attention' }, 'Needs attention'),
    h('ul', { class: 'rows' }, entries.map((entry) => item(entry, now))));
}

/** @param {AttentionEntry} entry
 * @param {GatewayStatus} now */
function item(entry, now) {
  const { kind, subject, level, since_ms: since, message, detail: more } = entry;
  const [style, word] = LEVELS[level] ?? LEVELS.amber;
  return h('li', { key: `${kind} ${JSON.stringify(subject ?? '')} ${message}` },
    badge(style, word), h('a', { class: 'grow name', href: place(entry), title: more }, message),
    since && h('span', { class: 'small end muted', title: moment(since) }, `for ${duration((now.now_ms - since) / 1000)}`));
}

/** The address of the detail of a condition.
 * @param {AttentionEntry} entry */
function place({ kind, subject }) {
  if (subject && 'model' in subject) return modelAddress(subject.model);
  if (subject && 'policy' in subject) return policyAddress(subject.policy);
  return kind === 'failures' ? decisionsAddress({ ending: 'failed' }) : address('gateway');
}

/** The state of the gateway in a word, with its style.
 * @param {GatewayStatus} now
 * @returns {[string, string]} */
export function gatewayState({ attention: entries = [] }) {
  const red = entries.filter(({ level }) => level === 'red').length;
  if (red) return ['bad', `${red} urgent`];
  return entries.length ? ['warn', plural(entries.length, 'warning')] : ['good', 'All well'];
}
