// Operations, each with the text of its confirmation dialog.

import { ask, report } from './dialog.js';
import { h } from './dom.js';
import { list, short } from './format.js';

/** @import { HoldStatus, PolicyStatus, RouteOverview } from '../../admin-api/admin-api.d.ts' */

const p = (...text) => h('p', null, ...text);
const b = (text) => h('strong', null, text);
const at = (kind, name, action) => `/admin/${kind}/${encodeURIComponent(name)}/${action}`;
/** @param {PolicyStatus} policy */
const routesOf = ({ routes }) => (routes.length ? `at ${list(routes.map((name) => `“${name}”`))}` : 'at no route now');

/** @param {RouteOverview} route */
export function promote({ name, policy, trial }) {
  ask({
    title: `Promote ${trial.policy} at ${name}?`,
    text: [p(b(trial.policy), trial.version && ` (${short(trial.version)})`, ' will decide every new request at the route ', b(name), ', instead of ', b(policy), '. Requests in flight are not affected.'),
      p('Pointsman watches it from then on, and rolls it back automatically if it performs worse.')],
    button: 'Promote',
    method: 'POST',
    path: at('routes', name, 'promote'),
    done: `${trial.policy} decides at ${name}.`,
  });
}

/** @param {RouteOverview} route */
export function demote({ name, policy, promoted }) {
  ask({
    title: `Roll back ${name}?`,
    text: [p(b(promoted.instead_of), ', as configured, will decide every new request at the route ', b(name), ' again, instead of ', b(policy), '.')],
    button: 'Roll back',
    danger: true,
    method: 'POST',
    path: at('routes', name, 'rollback'),
    done: `${promoted.instead_of} decides at ${name} again.`,
  });
}

/** @param {RouteOverview} route */
export function endTrial({ name, trial }) {
  ask({
    title: `End the trial at ${name}?`,
    text: [p(b(trial.policy), trial.mode === 'canary' ? ' will decide no requests at the route ' : ' will no longer be asked at the route ', b(name), '. The comparison so far is discarded.')],
    button: 'End the trial',
    method: 'DELETE',
    path: at('routes', name, 'trial'),
    done: `The trial of ${trial.policy} at ${name} is over.`,
  });
}

/** @param {PolicyStatus} policy */
export function rollBack(policy) {
  ask({
    title: `Roll back ${policy.name}?`,
    text: [p('Version ', b(short(policy.previous)), ' will decide again ', routesOf(policy), '.'),
      p('Version ', b(short(policy.active)), ' goes into ', b('quarantine'), ': neither its file nor an upload can activate it until an operator releases it.')],
    button: 'Roll back',
    danger: true,
    method: 'POST',
    path: at('policies', policy.name, 'rollback'),
    done: `${policy.name} is back at ${short(policy.previous)}.`,
  });
}

/** @param {string} name
 * @param {HoldStatus} hold */
export function release(name, { digest, why }) {
  ask({
    title: `Release a version of ${name}?`,
    text: [p('Version ', b(short(digest)), ' may be used again, immediately if its source still provides it. Reason for the hold: ', why)],
    button: 'Release',
    method: 'POST',
    path: at('policies', name, 'release'),
    body: { digest },
    report,
  });
}

/** @param {PolicyStatus} policy
 * @param {string} digest */
export function pin(policy, digest) {
  ask({
    title: `Pin ${policy.name} to ${short(digest)}?`,
    text: [p('Version ', b(short(digest)), ' will decide ', routesOf(policy), ', whatever the policy’s source provides, until it is unpinned. It is not rolled back automatically.')],
    button: 'Pin',
    method: 'PUT',
    path: at('policies', policy.name, 'pin'),
    body: { digest },
    done: `${policy.name} is pinned to ${short(digest)}.`,
  });
}

/** @param {PolicyStatus} policy */
export function unpin(policy) {
  ask({
    title: `Return to the source of ${policy.name}?`,
    text: [p('The version that ', h('code', null, policy.source), ' provides will decide ', routesOf(policy), ', instead of ', b(short(policy.chosen.digest)), ', after it has passed the load gate.')],
    button: policy.chosen.how === 'pinned' ? 'Unpin' : 'Back to the source',
    method: 'DELETE',
    path: at('policies', policy.name, 'pin'),
    report,
  });
}

export function reload() {
  ask({
    title: 'Reload everything?',
    text: [p('The configuration and all policies are read again. New versions that pass validation take over between two requests; a failed reload changes nothing.')],
    button: 'Reload',
    method: 'POST',
    path: '/admin/reload',
    noReason: true,
    report,
  });
}
