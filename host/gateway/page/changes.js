// Changes of what serves, in words.

import { short } from './format.js';

/** Who did it. */
export function who({ who: by }) {
  if (typeof by === 'string') return by === 'gateway' ? 'the gateway itself' : 'the configuration';
  return by?.admin ? `${by.admin}` : 'an operator';
}

const version = (digest) => (digest ? ` ${short(digest)}` : '');

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
  'suspend-canary': (c) => [`canary ${c.policy} at ${c.route} suspended`, 'back'],
};

/** What happened: a title, what kind of thing it is, and the versions. */
export function told(change) {
  const words = WORDS[change.action];
  const about = [change.policy, change.route && `at ${change.route}`].filter(Boolean).join(' ');
  const [title, kind] = words ? words(change) : [`${change.action} ${about}`.trim(), 'plain'];
  const versions = change.from && change.digest ? `${short(change.from)} → ${short(change.digest)}`
    : short(change.digest ?? change.from ?? '');
  return { title, kind, versions: change.digest || change.from ? versions : '', by: who(change), why: change.why ?? '' };
}

/** A name for a change that stays the same. */
export const keyOf = (c) => [c.at, c.action, c.policy, c.route, c.digest].join(' ');

/** Several at about one time, in one line. */
export function summary(changes) {
  if (changes.length === 1) return told(changes[0]).title;
  const loads = changes.every(({ action }) => action === 'load');
  return loads ? `${changes.length} policies loaded` : `${changes.length} changes`;
}
