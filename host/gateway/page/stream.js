// The gateway's events, over fetch: EventSource cannot send a token.

import { ApiError, open } from './api.js';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** Milliseconds without data after which the connection is considered dead: there is a tick each second. */
const SILENCE = 8_000;
/** Limit on the length of an event, in characters. */
const LONGEST = 8 << 20;

/** Follows a stream and reconnects when it ends. `on` has `event(name, data)`, `opened()`,
 * `lost(error, retryAt)` and `refused(error)` for errors that a retry does not fix. Returns
 * `{ retry, stop }`. */
export function follow(path, on) {
  let pause = FIRST_PAUSE;
  let timer = null;
  let stopped = false;
  let aborter = null;

  async function connect() {
    timer = null;
    aborter = new AbortController();
    const { signal } = aborter;
    let watchdog = setTimeout(() => aborter.abort(), SILENCE);
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => aborter.abort(), SILENCE);
    };
    let failure = new Error('the gateway ended the stream');
    try {
      const body = await open(path, signal);
      alive();
      await on.opened();
      await read(body, alive, (name, data) => {
        pause = FIRST_PAUSE;
        on.event(name, data);
      });
    } catch (error) {
      failure = error;
    }
    clearTimeout(watchdog);
    aborter.abort();
    if (stopped) return;
    if (failure instanceof ApiError && (failure.status === 401 || failure.status === 403)) {
      on.refused(failure);
      return;
    }
    // Jitter, so that open pages do not all reconnect at the same moment.
    const wait = pause * (0.75 + Math.random() / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    timer = setTimeout(connect, wait);
    on.lost(failure, Date.now() + wait);
  }

  connect();
  return {
    retry() {
      if (timer === null) return;
      clearTimeout(timer);
      pause = FIRST_PAUSE;
      connect();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      aborter?.abort();
    },
  };
}

async function read(body, alive, each) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    rest += value;
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop();
    if (rest.length > LONGEST) throw new Error('an event is too long');
    for (const event of events) {
      const parsed = parse(event);
      if (parsed) each(parsed.name, JSON.parse(parsed.data));
    }
  }
}

/** Parses an event into its name and data; null for a comment. */
export function parse(text) {
  let name = 'message';
  const data = [];
  for (const line of text.split(/\r?\n/)) {
    const [, field, value] = line.match(/^([a-z]+): ?(.*)$/) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
  }
  return data.length ? { name, data: data.join('\n') } : null;
}
