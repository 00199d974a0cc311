// The state of the page, and its updates from the gateway.

import { get } from './api.js';
import { follow } from './stream.js';

/** @import { AccessStatus, AuditEvent, DecisionSummary, GatewayStatus, Overview, Role, Tick, TimelinePoint } from '../../admin-api/admin-api.d.ts' */

/** Limits on the decisions and changes that the page keeps. */
const DECISIONS = 200;
const CHANGES = 100;
/** Longest time between two ticks that leaves no gap in the timeline, in milliseconds. */
const GAP = 2_500;
/** Intervals at which the longer windows are read again, in milliseconds. */
const AGAIN = { 3600: 10_000, 86400: 60_000 };

export const WINDOWS = [
  { seconds: 300, name: '5 min', words: 'the last 5 minutes', bucket: 5_000 },
  { seconds: 3600, name: '1 h', words: 'the last hour', bucket: 60_000 },
  { seconds: 86400, name: '24 h', words: 'the last 24 hours', bucket: 900_000 },
];

export const state = {
  /** `loading`, `live`, `lost` or `refused`. */
  link: 'loading',
  /** The error, if it is lost or refused.
   * @type {import('./api.js').ApiError | null} */
  error: null,
  lostAt: null,
  retryAt: null,
  window: WINDOWS[0],
  /** The latest status.
   * @type {GatewayStatus | null} */
  now: null,
  /** Steps of the window, oldest first.
   * @type {TimelinePoint[]} */
  points: [],
  /** The role of this page's token: `operator`, `read-only`, or one of a later gateway.
   * @type {Role} */
  role: 'operator',
  /** The newest first.
   * @type {AuditEvent[]} */
  changes: [],
  /** The newest first.
   * @type {DecisionSummary[]} */
  decisions: [],
};

/** @type {(what: string) => void} */
let notify = () => {};
let stream = null;
let readAt = 0;

/** Starts the updates; `changed(what)` is called with `tick`, `decisions`, `change`, `link` or `window`. */
export function start(changed) {
  notify = changed;
  connect();
}

/** Reconnects immediately. */
export function retry() {
  if (state.link === 'refused') connect();
  else stream?.retry();
}

/** Connects anew, as with another token. */
export const reconnect = () => connect();

/** Returns whether this page may change something. */
export const mayOperate = () => state.role === 'operator';

/** Reads the status again, after a change. */
export const refresh = () => readOverview().catch(() => {});

/** Selects another window. */
export async function choose(window) {
  state.window = window;
  state.points = [];
  notify('window');
  await refresh();
}

function connect() {
  stream?.stop();
  state.link = 'loading';
  state.error = null;
  notify('link');
  stream = follow('/admin/events', {
    async opened() {
      await readOverview();
      state.role = (/** @type {AccessStatus} */ (await get('/admin/access'))).role;
      // Decisions from before, or from while the page was disconnected.
      merge((await get(`/admin/decisions?limit=${DECISIONS}`)).reverse());
      state.link = 'live';
      state.error = state.lostAt = state.retryAt = null;
      notify('link');
    },
    event,
    lost(error, retryAt) {
      state.link = 'lost';
      state.error = error;
      state.lostAt ??= Date.now();
      state.retryAt = retryAt;
      notify('link');
    },
    refused(error) {
      state.link = 'refused';
      state.error = error;
      notify('link');
    },
  });
}

async function readOverview() {
  const wanted = state.window;
  readAt = Date.now();
  /** @type {Overview} */
  const overview = await get(`/admin/overview?window=${wanted.seconds}`);
  const { timeline, changes, ...now } = overview;
  if (wanted !== state.window) return;
  Object.assign(state, { now, changes, points: timeline.points });
  notify('tick');
}

function event(name, data) {
  if (name === 'tick') {
    const { points, ...now } = /** @type {Tick} */ (data);
    const since = now.now_ms - (state.now?.now_ms ?? now.now_ms);
    state.now = now;
    // A tick has the newest points only. After a gap, earlier ones are missing.
    if (since > GAP) readOverview().catch(() => {});
    else if (state.window.seconds === 300) mergePoints(points ?? []);
    else if (Date.now() - readAt > AGAIN[state.window.seconds]) readOverview().catch(() => {});
  } else if (name === 'decisions') {
    merge(data);
  } else if (name === 'change') {
    state.changes = [data, ...state.changes].slice(0, CHANGES);
  } else {
    return;
  }
  notify(name);
}

/** @param {TimelinePoint[]} points */
function mergePoints(points) {
  const first = points[0]?.at_ms ?? Infinity;
  const oldest = state.now.now_ms - state.window.seconds * 1000;
  const before = state.points.filter((point) => point.at_ms < first && point.at_ms >= oldest);
  state.points = [...before, ...points];
}

/** Adds summaries, oldest first, that are not known yet.
 * @param {DecisionSummary[]} summaries */
function merge(summaries) {
  const known = new Set(state.decisions.map(({ id }) => id));
  const fresh = summaries.filter(({ id }) => !known.has(id));
  state.decisions = [...fresh.reverse(), ...state.decisions].slice(0, DECISIONS);
}
