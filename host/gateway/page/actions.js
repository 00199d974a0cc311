// What an operator can do, each with what it says beforehand.

import { ask, report } from './dialog.js';
import { h } from './dom.js';
import { list, short } from './format.js';

const p = (...text) => h('p', null, ...text);
const b = (text) => h('strong', null, text);
const at = (kind, name, action) => `/admin/${kind}/${encodeURIComponent(name)}/${action}`;
const routesOf = ({ routes }) => (routes.length ? `at ${list(routes.map((name) => `“${name}”`))}` : 'at no route now');

export function promote({ name, policy, trial }) {
  ask({
    title: `Promote ${trial.policy} at ${name}?`,
    text: [p(b(trial.policy), trial.version && ` (${short(trial.version)})`, ' will decide every new request at the route ', b(name), ', instead of ', b(policy), '. Requests under way end as they began.'),
      p('It is watched from then on, and undone by itself if it does worse.')],
    button: 'Promote',
    method: 'POST',
    path: at('routes', name, 'promote'),
    done: `${trial.policy} decides at ${name}.`,
  });
}

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

export function endTrial({ name, trial }) {
  ask({
    title: `End the trial at ${name}?`,
    text: [p(b(trial.policy), trial.mode === 'canary' ? ' will decide no requests at the route ' : ' will no longer be asked at the route ', b(name), '. What was compared so far is forgotten.')],
    button: 'End the trial',
    method: 'DELETE',
    path: at('routes', name, 'trial'),
    done: `The trial of ${trial.policy} at ${name} is over.`,
  });
}

export function rollBack(policy) {
  ask({
    title: `Roll back ${policy.name}?`,
    text: [p('Version ', b(short(policy.previous)), ' will decide again ', routesOf(policy), '.'),
      p('Version ', b(short(policy.active)), ' goes into ', b('quarantine'), ': neither its file nor an upload brings it back until somebody releases it.')],
    button: 'Roll back',
    danger: true,
    method: 'POST',
    path: at('policies', policy.name, 'rollback'),
    done: `${policy.name} is back at ${short(policy.previous)}.`,
  });
}

export function release(name, { digest, why }) {
  ask({
    title: `Release a version of ${name}?`,
    text: [p('Version ', b(short(digest)), ' may serve again, at once if its source still has it. It is on hold because: ', why)],
    button: 'Release',
    method: 'POST',
    path: at('policies', name, 'release'),
    body: { digest },
    report,
  });
}

export function pin(policy, digest) {
  ask({
    title: `Pin ${policy.name} to ${short(digest)}?`,
    text: [p('Version ', b(short(digest)), ' will decide ', routesOf(policy), ', whatever the policy’s source says, and is not undone by itself, until it is unpinned.')],
    button: 'Pin',
    method: 'PUT',
    path: at('policies', policy.name, 'pin'),
    body: { digest },
    done: `${policy.name} is pinned to ${short(digest)}.`,
  });
}

export function unpin(policy) {
  ask({
    title: `Let the source of ${policy.name} decide?`,
    text: [p('The version that ', h('code', null, policy.source), ' has will decide ', routesOf(policy), ', instead of ', b(short(policy.chosen.digest)), ', once it has passed the load gate.')],
    button: policy.chosen.how === 'pinned' ? 'Unpin' : 'Back to the source',
    method: 'DELETE',
    path: at('policies', policy.name, 'pin'),
    report,
  });
}

export function reload() {
  ask({
    title: 'Reload everything?',
    text: [p('The configuration and all policies are read again. What is new and passes its checks takes over between two requests; what does not changes nothing.')],
    button: 'Reload',
    method: 'POST',
    path: '/admin/reload',
    noReason: true,
    report,
  });
}
