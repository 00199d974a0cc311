// Descriptions of changes.

import { short } from './format.js';

/** @import { AuditEvent } from '../../admin-api/admin-api.d.ts' */

/** Who made a change.
 * @param {AuditEvent} change */
function actor({ who: by, role }) {
  if (typeof by === 'string') return by === 'gateway' ? 'the gateway' : 'the configuration';
  if (!by?.admin) return `an ${role ?? 'operator'}`;
  return role ? `${by.admin} (${role})` : by.admin;
}

const version = (digest) => (digest ? ` ${short(digest)}` : '');

/** Title and kind of a change, by its action.
 * @type {Record<string, (c: AuditEvent) => [string, string]>} */
const WORDS = {
  load: (c) => [`${c.policy} loaded`, 'plain'],
  swap: (c) => [`${c.policy} swapped`, 'new'],
  upload: (c) => [`${c.policy} uploaded`, 'new'],
  pin: (c) => [`${c.policy} pinned to${version(c.digest)}`, 'plain'],
  unpin: (c) => [`${c.policy} no longer pinned`, 'plain'],
  release: (c) => [`${c.policy}${version(c.digest)} released`, 'plain'],
  rollback: (c) => [`${c.policy} rolled back`, 'back'],
  shadow: (c) => [`${c.policy} on trial at ${c.route}, as a shadow`, 'plain'],
  canary: (c) => [`${c.policy} on trial at ${c.route}, as a canary`, 'new'],
  'end-trial': (c) => [`trial of ${c.policy} at ${c.route} ended`, 'plain'],
  promote: (c) => [`${c.policy} promoted at ${c.route}`, 'good'],
  demote: (c) => [`${c.policy} rolled back at ${c.route}`, 'back'],
  'model-down': (c) => [`${c.model} is down`, 'back'],
  'model-up': (c) => [`${c.model} answers again`, 'good'],
  'configuration-applied': () => ['configuration applied', 'new'],
  'configuration-rejected': () => ['configuration rejected', 'back'],
  'key-create': (c) => [`key ${c.key} created`, 'new'],
  'key-rotate': (c) => [`key ${c.key} rotated`, 'new'],
  'key-disable': (c) => [`key ${c.key} disabled`, 'back'],
  'key-enable': (c) => [`key ${c.key} enabled`, 'good'],
  'key-expire': (c) => [`expiry of key ${c.key} set`, 'plain'],
  'key-routes': (c) => [`routes of key ${c.key} set`, 'plain'],
  'key-delete': (c) => [`key ${c.key} deleted`, 'back'],
  'suspend-canary': (c) => [`canary ${c.policy} at ${c.route} suspended`, 'back'],
};

/** Describes a change: its title and kind, the versions, the actor and the reason.
 * @param {AuditEvent} change */
export function describe(change) {
  const words = WORDS[change.action];
  const about = [change.policy, change.key && `key ${change.key}`, change.route && `at ${change.route}`].filter(Boolean).join(' ');
  const [title, kind] = words ? words(change) : [`${change.action} ${about}`.trim(), 'plain'];
  const versions = change.from && change.digest ? `${short(change.from)} → ${short(change.digest)}`
    : short(change.digest ?? change.from ?? '');
  return { title, kind, versions: change.digest || change.from ? versions : '', by: actor(change), why: change.why ?? '' };
}

/** The identity of a change.
 * @param {AuditEvent} c */
export const keyOf = (c) => [c.at, c.action, c.policy, c.route, c.key, c.model, c.digest].join(' ');

/** Describes several changes at about the same time in one line.
 * @param {AuditEvent[]} changes */
export function summary(changes) {
  if (changes.length === 1) return describe(changes[0]).title;
  const loads = changes.every(({ action }) => action === 'load');
  return loads ? `${changes.length} policies loaded` : `${changes.length} changes`;
}
