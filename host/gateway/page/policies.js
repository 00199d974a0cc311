// Policies: versions, statistics and holds.

import { pin, release, reload, rollBack, unpin } from './actions.js';
import { decisionsAddress, modelAddress, policyAddress, routeAddress } from './address.js';
import { createDescription } from './description.js';
import { h } from './dom.js';
import { count, list, microseconds, moment, plural, short } from './format.js';
import { badge, digest, facts, heading, nothing, operation } from './parts.js';
import { createRecent, frequencies, recentPanels, shares } from './recent.js';
import { holdState } from './routes.js';
import { state } from './store.js';

/** @import { DecisionSummary, GatewayStatus, PolicyStatus, ReloadReport, VersionStats } from '../../admin-api/admin-api.d.ts' */

export function policies(redraw) {
  const description = createDescription(redraw);
  const recent = createRecent(redraw);
  return {
    title: 'Policies',
    draw(name) {
      const { now } = state;
      const shown = name ? now.policies.filter((policy) => policy.name === name) : now.policies;
      return [
        heading(name ?? 'Policies', name ? h('a', { href: '#/policies' }, 'All policies') : lastReload(now.last_reload),
          h('button', { type: 'button', class: 'last', ...operation(reload) }, 'Reload …')),
        shown.length ? h('div', { class: 'panels' }, shown.map((policy) => panel(policy, now)), name && [description.draw(shown[0]), detail(name, recent.take({ policy: name }))]) : nothing('There is no such policy', h('p', null, h('a', { href: '#/policies' }, 'All policies'))),
      ];
    },
  };
}

/** @param {ReloadReport | null} report */
function lastReload(report) {
  if (!report) return h('p', { class: 'muted' }, 'not reloaded since the start');
  const bad = report.policies.filter(({ error }) => error).length;
  const result = typeof report.config === 'object' ? 'the configuration was rejected' : bad ? `${plural(bad, 'policy', 'policies')} rejected` : 'everything is in force';
  return h('p', { class: 'muted' }, `last reload ${moment(report.at * 1000)} (${report.cause}): ${result}`);
}

/** Panels about the latest decisions of a policy.
 * @param {string} name
 * @param {DecisionSummary[] | null} decisions */
function detail(name, decisions) {
  if (!decisions) return null;
  return [
    shares('Labels given', frequencies(decisions, ({ label }) => label), () => decisionsAddress({ policy: name })),
    shares('Models chosen', frequencies(decisions, ({ model }) => model), modelAddress),
    recentPanels(decisions, { policy: name }),
  ];
}

/** @param {PolicyStatus} policy
 * @param {GatewayStatus} now */
function panel(policy, now) {
  const { name, holds = [], chosen, rejected, active_record: record } = policy;
  const id = `policy-${name}`;
  return h('section', { class: 'panel', key: name, 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, h('a', { class: 'plain', href: policyAddress(name) }, name)), chosen && badge('new', chosen.how),
      rejected && badge('bad', policy.loaded === false ? 'not loaded' : 'a version was rejected'),
      h('div', { class: 'buttons' },
        policy.previous && h('button', { type: 'button', key: 'back', ...operation(() => rollBack(policy)), 'aria-label': `Roll back ${name}` }, 'Roll back'),
        chosen ? h('button', { type: 'button', key: 'unpin', ...operation(() => unpin(policy)), 'aria-label': chosen.how === 'pinned' ? `Unpin ${name}` : `Back to the source of ${name}` }, chosen.how === 'pinned' ? 'Unpin' : 'Back to the source')
          : policy.loaded !== false && h('button', { type: 'button', key: 'pin', ...operation(() => pin(policy, policy.active)), 'aria-label': `Pin ${name}` }, 'Pin'))),
    h('div', { class: 'versions' },
      policy.loaded === false ? h('p', null, 'No version could be loaded yet. The routes of this policy follow on_failure.')
        : versionBox('Active', policy.active, record, `since ${moment(policy.loaded_at * 1000)}`, policy),
      policy.previous ? versionBox('Previous', policy.previous, policy.previous_record, 'kept for a rollback', policy) : null),
    facts(
      ['Decides at', policy.routes.length ? policy.routes.map((route, at) => [at > 0 && ', ', h('a', { key: route, href: routeAddress(route) }, route)]) : 'no route'],
      policy.on_trial.length ? ['On trial at', list(policy.on_trial)] : null,
      ['Decisions', h('a', { href: decisionsAddress({ policy: name }) }, `${count(policy.decisions)}, by all versions`)],
      ['Failures', policy.failures.length ? failures(policy.failures) : 'none'],
      ['Source', h('code', null, policy.source)],
      ['Grants', policy.grants.length ? list(policy.grants) : 'none'],
      ['Instances', policy.isolation === 'warm' ? 'kept warm' : 'fresh for each decision'],
      ['Swaps', policy.swaps ? count(policy.swaps) : null],
    ),
    rejected && h('div', { class: 'objection' }, h('h3', null, 'Rejected ', rejected.digest && digest(rejected.digest), ` ${moment(rejected.at * 1000)}`), h('p', null, rejected.error)),
    holds.length > 0 && h('div', { class: 'pad' }, h('h3', null, 'On hold'), h('ul', { class: 'rows' }, holds.map((hold) => h('li', { key: hold.digest },
      digest(hold.digest), holdState(hold, now.now_ms), h('span', { class: 'why grow' }, hold.why),
      h('button', { type: 'button', ...operation(() => release(name, hold)), 'aria-label': `Release ${short(hold.digest)} of ${name}` }, 'Release'))))));
}

/** @param {[string, number][]} counts */
const failures = (counts) => counts.map(([reason, number]) => `${count(number)} ${reason}`).join(', ');

/** @param {string} label
 * @param {string} hex
 * @param {VersionStats | null} record
 * @param {string} note
 * @param {PolicyStatus} policy */
function versionBox(label, hex, record, note, policy) {
  const p50 = record?.decision_us_p50;
  return h('div', { class: 'version-box', key: label },
    h('p', null, h('span', { class: 'muted' }, label), ' ', digest(hex), ' ', h('span', { class: 'muted small' }, note)),
    h('p', null, `${count(record?.decisions ?? 0)} decisions, ${record?.failures.length ? failures(record.failures) : 'no failures'}`),
    p50 === null || p50 === undefined ? null : h('p', null, `decides in ${microseconds(p50)} (p50), ${microseconds(record.decision_us_p99)} (p99)`),
    label !== 'Active' && !policy.chosen ? h('button', { type: 'button', class: 'quiet', ...operation(() => pin(policy, hex)), 'aria-label': `Pin this version, ${short(hex)} of ${policy.name}` }, 'Pin this version') : null);
}
