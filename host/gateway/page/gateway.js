// The gateway itself: version, configuration, and losses of records.

import { h } from './dom.js';
import { bytes, count, duration, moment, plural } from './format.js';
import { badge, facts, heading } from './parts.js';
import { state } from './store.js';

/** @import { AttentionEntry, GatewayStatus, ReloadReport } from '../../admin-api/admin-api.d.ts' */

export function gateway() {
  return {
    title: 'Gateway',
    draw() {
      const { now } = state;
      return [
        heading('Gateway', h('p', { class: 'muted' }, `version ${now.version}, up for ${duration((now.now_ms - now.started_ms) / 1000)}, since ${moment(now.started_ms)}`)),
        h('div', { class: 'panels' }, configuration(now.last_reload), losses(now)),
      ];
    },
  };
}

/** @param {ReloadReport | null} report */
function configuration(report) {
  const rejected = report && typeof report.config === 'object' ? report.config.rejected : null;
  return h('section', { class: 'panel wide', key: 'configuration', 'aria-labelledby': 'configuration' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'configuration' }, 'Configuration'),
      rejected ? badge('bad', 'the last change was rejected') : badge('good', 'in force')),
    facts(report ? ['Last reload', `${moment(report.at * 1000)} (${report.cause})`] : ['Last reload', 'none since the start'],
      report && ['Policies', report.policies.length ? policies(report) : 'none']),
    rejected && h('div', { class: 'objection' }, h('h3', null, 'The configuration before it is in force'), h('pre', { tabindex: '0' }, rejected)));
}

/** @param {ReloadReport} report */
function policies({ policies: all }) {
  const bad = all.filter(({ error }) => error);
  return bad.length ? bad.map(({ name, error }) => h('p', { key: name }, h('a', { href: `#/policies/${encodeURIComponent(name)}` }, name), `: ${error}`)) : `${plural(all.length, 'policy', 'policies')} in force`;
}

/** @param {GatewayStatus} now */
function losses({ decision_log: log, traces, attention = [] }) {
  const lost = attention.filter(({ kind }) => kind === 'dropped' || kind === 'panic');
  return h('section', { class: 'panel wide', key: 'losses', 'aria-labelledby': 'losses' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'losses' }, 'Records'), lost.length ? badge('warn', 'lost in the last 5 minutes') : badge('good', 'nothing lost in the last 5 minutes')),
    facts(
      ['Decision log', log ? `${count(log.written)} records, ${bytes(log.bytes)}` : 'not configured'],
      log && ['Dropped by its full queue', count(log.dropped_queue)],
      log && ['Dropped by its disk', count(log.dropped_disk)],
      ['Spans', traces ? `${count(traces.exported)} exported, ${count(traces.dropped)} dropped` : 'not configured'],
    ),
    lost.length > 0 && h('ul', { class: 'rows' }, lost.map((entry) => h('li', { key: entry.message }, h('span', { class: 'grow' }, entry.message), h('span', { class: 'small end muted' }, `last ${moment(entry.since_ms)}`)))));
}
