// Formatting of numbers, money and times.

const grouped = new Intl.NumberFormat('en-GB');
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const NONE = '–';

/** A whole number: 12,345. */
export const count = (number) => (number === null || number === undefined ? NONE : grouped.format(Math.round(number)));

/** A number with about three digits: 0.042, 3.14, 42.0, 1,234. */
export function figure(number) {
  if (number === null || number === undefined || Number.isNaN(number)) return NONE;
  if (number === 0) return '0';
  if (Math.abs(number) >= 100) return grouped.format(Math.round(number));
  return number.toPrecision(Math.abs(number) < 0.01 ? 2 : 3).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

/** US dollars: $1,234, $3.14, $0.0042. */
export function money(dollars) {
  if (dollars === null || dollars === undefined) return NONE;
  const [sign, size] = [dollars < 0 ? '−' : '', Math.abs(dollars)];
  if (size === 0) return '$0';
  if (size >= 1000) return `${sign}$${grouped.format(Math.round(size))}`;
  if (size >= 1) return `${sign}$${size.toFixed(2)}`;
  if (size < 1e-7) return `${sign}$${size.toExponential(1)}`;
  const digits = Math.min(10, 2 - Math.floor(Math.log10(size)));
  return `${sign}$${size.toFixed(digits)}`;
}

/** Milliseconds: 0.42 ms, 184 ms, 2.41 s. */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms >= 60_000) return duration(ms / 1000);
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms >= 10_000 ? 1 : 2)} s`;
  return `${ms >= 100 ? Math.round(ms) : figure(ms)} ms`;
}

/** Milliseconds of an axis: 0, 250 ms, 1.5 s. */
export const roundTime = (ms) => (ms === 0 ? '0' : ms >= 1000 ? `${figure(ms / 1000)} s` : `${figure(ms)} ms`);

/** Microseconds: 14 µs, 1.2 ms. */
export function microseconds(us) {
  if (us === null || us === undefined) return NONE;
  return us >= 1000 ? milliseconds(us / 1000) : `${figure(us)} µs`;
}

/** Seconds as a length of time: 40 s, 12 min, 3 h 20 min. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 5400) return `${Math.round(whole / 60)} min`;
  const hours = Math.floor(whole / 3600);
  const rest = Math.round((whole - hours * 3600) / 60);
  if (hours < 48) return rest ? `${hours} h ${rest} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** A share: 46 %, 0.3 %. */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return NONE;
  const value = share * 100;
  const size = Math.abs(value);
  const text = size === 0 || size >= 10 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(size < 1 ? 2 : 1);
  return `${text.replace('-', '−')} %`;
}

/** Bytes: 512 KiB. */
export function bytes(size) {
  if (size === null || size === undefined) return NONE;
  if (size < 1024) return `${size} B`;
  return size < 1 << 20 ? `${figure(size / 1024)} KiB` : `${figure(size / (1 << 20))} MiB`;
}

/** A time of the day, from milliseconds since 1970. */
export const time = (ms) => clock.format(ms);

/** A time on an axis: midnight is the day that begins, if the axis is longer than two days. */
export const timeOfAxis = (ms, length) => (length > 172_800_000 && new Date(ms).getHours() === 0 ? day : minutes).format(ms);

/** A time, with its day where that is not today. */
export function moment(ms) {
  const today = new Date(ms).toDateString() === new Date().toDateString();
  return today ? clock.format(ms) : dayAndTime.format(ms);
}

/** The start of a digest, which distinguishes versions. */
export const short = (digest) => (digest ? digest.slice(0, 12) : NONE);

/** One thing, several things. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** a, b and c. */
export function list(words, last = 'and') {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** Describes a saving, which may be negative: `46 % saved`, `8 times the cost`. */
export function savedOrNot(share) {
  if (share === null) return NONE;
  if (share >= 0) return `${percent(share)} saved`;
  return share > -1 ? `${percent(-share)} more expensive` : `${figure(1 - share)} times the cost`;
}

/** Describes a difference of cost: `$1.20 less`, `$0.30 more`.
 * @param {number} saved */
export const lessOrMore = (saved) => (saved < 0 ? `${money(-saved)} more` : `${money(saved)} less`);

/** The share of the baseline's cost that was saved, or null if there is nothing to compare.
 * @param {{ compared_cost_usd: number, baseline_cost_usd: number }} sums */
export function saving({ compared_cost_usd: paid, baseline_cost_usd: baseline }) {
  return baseline > 0 ? 1 - paid / baseline : null;
}

/** Failed requests by the party that caused them.
 * @param {number} failed
 * @param {import('../../admin-api/admin-api.d.ts').FailureCauses | undefined} causes */
export function failuresBy(failed, causes) {
  if (!failed) return '0';
  const parts = Object.entries(causes ?? {}).filter(([, number]) => number).map(([cause, number]) => `${count(number)} by ${cause}`);
  return `${count(failed)}${parts.length ? ` (${parts.join(', ')})` : ''}`;
}
