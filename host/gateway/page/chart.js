// A chart over time, with changes marked on its axis.

import { describe, keyOf, summary } from './changes.js';
import { h } from './dom.js';
import { moment, timeOfAxis, time } from './format.js';
import { key } from './parts.js';
import { bars, between, line, lone, rounded, times } from './scale.js';

/** @import { AuditEvent } from '../../admin-api/admin-api.d.ts' */

const HEIGHT = 196;
/** Least width for the labels of the values, and the width of one of their characters. */
const LEFT = 52;
const CHARACTER = 6.6;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 40;
/** Marks that are closer than this, in pixels, are merged. */
const NEAR = 16;
/** Changes of one mark that the tooltip describes, the newest. */
const MAX_CHANGES = 3;
/** Width of the tooltip, in pixels. */
const TIP = 236;

/** Creates a chart. `redraw` is called when it needs to be drawn again. */
export function createChart(id, redraw) {
  const own = { width: 640, at: null, mark: null, open: false, tabbable: null };
  return (data) => draw(id, own, data, redraw);
}

/** `data`: `title`, `aside` (text beside the title), `buckets`, `series` (with `name`,
 * `colour`, `values`, `shape`: `bar` or `line`), `band` (names of two series), `format`,
 * `axis` (the same for round numbers), `changes`, `until`, `text` (what the chart shows, in a
 * sentence) and `isTextShown`. */
function draw(id, own, data, redraw) {
  const frame = frameOf(own, data);
  return h('figure', { class: 'chart', key: id, 'aria-labelledby': `${id}-title` },
    h('div', { class: 'chart-head' }, h('h2', { id: `${id}-title` }, data.title), h('span', { class: 'aside' }, data.aside)),
    h('div', {
      class: 'plot',
      mount: (element) => watch(element, own, redraw),
      onpointermove: (event) => point(event, own, frame, redraw),
      onpointerleave: () => { own.at = null; redraw(); },
    }, picture(frame, data, own), marks(frame, data, own, redraw), tip(frame, data, own)),
    h('ul', { class: 'legend' }, data.series.map((series) => h('li', { key: series.name }, key(series.colour), series.name))),
    h('figcaption', { class: data.isTextShown ? 'note' : 'hidden' }, data.text),
    asTable(id, own, data, redraw));
}

function watch(element, own, redraw) {
  const observer = new ResizeObserver(([{ contentRect: { width } }]) => {
    if (width > 0 && Math.round(width) !== own.width) {
      own.width = Math.round(width);
      redraw();
    }
  });
  observer.observe(element);
  return () => observer.disconnect();
}

function frameOf(own, { buckets, series, until, axis }) {
  const from = buckets[0].at;
  const stacks = buckets.map((_, at) => series.reduce((sum, { shape, values }) => sum + (shape === 'bar' ? values[at] ?? 0 : 0), 0));
  const lines = series.filter(({ shape }) => shape === 'line').flatMap(({ values }) => values);
  const y = rounded(Math.max(0, ...stacks, ...lines.map((value) => value ?? 0)));
  const left = Math.max(LEFT, 12 + CHARACTER * Math.max(...y.ticks.map((tick) => axis(tick).length)));
  const inner = own.width - left - RIGHT;
  return {
    width: own.width,
    left,
    y,
    x: (at) => left + (inner * (at - from)) / (until - from),
    place: (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / y.top),
    from,
    until,
    size: buckets[0].until - from,
  };
}

function picture(frame, data, own) {
  const { width, x, place, y } = frame;
  const floor = place(0);
  const ticks = times(frame.from, frame.until, Math.max(2, Math.floor(width / 90)));
  const hovered = own.at !== null && data.buckets[own.at];
  return h('svg', { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, 'aria-hidden': 'true' },
    y.ticks.map((tick) => h('g', { key: `y${tick}` },
      h('line', { class: tick === 0 ? 'floor' : 'grid', x1: frame.left, x2: width - RIGHT, y1: place(tick), y2: place(tick) }),
      h('text', { class: 'tick', x: frame.left - 8, y: place(tick) + 4, 'text-anchor': 'end' }, data.axis(tick)))),
    ticks.map((at) => h('text', { class: 'tick', key: `x${at}`, x: x(at), y: floor + 18, 'text-anchor': x(at) > width - 22 ? 'end' : 'middle' }, timeOfAxis(at, frame.until - frame.from))),
    hovered && h('rect', { class: 'hovered', x: x(hovered.at), width: Math.max(1, x(hovered.until) - x(hovered.at)), y: TOP, height: floor - TOP }),
    grouped(data.changes, frame).map((group) => h('line', { class: `mark-line ${group.kind}`, key: `m${group.key}`, x1: group.x, x2: group.x, y1: TOP, y2: floor })),
    shapes(frame, data));
}

function shapes(frame, { buckets, series, band }) {
  const { x, place } = frame;
  const base = buckets.map(() => 0);
  const points = new Map(series.filter(({ shape }) => shape === 'line').map(({ name, values }) => [name,
    values.map((value, at) => value === null || value === undefined ? null
      : [x(Math.min(frame.until, (buckets[at].at + buckets[at].until) / 2)), place(value)])]));
  const drawn = series.map(({ name, colour, values, shape }) => {
    if (shape === 'line') {
      return h('g', { class: colour, key: name }, h('path', { class: 'line', d: line(points.get(name)) }),
        lone(points.get(name)).map(([cx, cy]) => h('circle', { class: 'lone', key: cx, cx, cy, r: 3 })));
    }
    const pieces = values.flatMap((value, at) => {
      if (!value) return [];
      const left = x(buckets[at].at);
      const room = Math.max(0.5, Math.min(x(buckets[at].until), x(frame.until)) - left);
      const bottom = base[at];
      base[at] += value;
      return [[left, Math.max(0.5, room - Math.min(2, room / 4)), place(base[at]), place(bottom)]];
    });
    return h('path', { class: `bar ${colour}`, key: name, d: bars(pieces) });
  });
  return [...(band ? areas(points.get(band[0]), points.get(band[1])) : []), ...drawn];
}

/** The areas between two lines: where the first is above the second, and where it is below. */
function areas(first, second) {
  const lower = first.map((point, at) => (point && second[at] ? (point[1] > second[at][1] ? point : second[at]) : null));
  return [['band', first], ['band over', second]].map(([name, line]) => h('path', { class: name, key: name, d: between(line, lower) }));
}

/** Changes in the chart's time, grouped where their marks would overlap.
 * @param {AuditEvent[]} changes */
function grouped(changes, frame) {
  const groups = [];
  for (const change of [...changes].reverse()) {
    const at = change.at * 1000;
    if (at < frame.from || at > frame.until) continue;
    const x = frame.x(at);
    const last = groups.at(-1);
    if (last && x - last.x < NEAR) last.changes.push(change);
    else groups.push({ x, changes: [change], key: keyOf(change), kind: 'plain' });
  }
  const rank = ['plain', 'new', 'good', 'back'];
  for (const group of groups) {
    group.kind = rank[Math.max(...group.changes.map((change) => rank.indexOf(describe(change).kind)))];
  }
  return groups;
}

function marks(frame, { changes, title }, own, redraw) {
  const groups = grouped(changes, frame);
  if (!groups.length) return null;
  const tabbable = groups.some((group) => group.key === own.tabbable) ? own.tabbable : groups.at(-1).key;
  const show = (key) => () => { own.mark = key; own.at = null; redraw(); };
  const hide = (key) => () => { if (own.mark === key) own.mark = null; redraw(); };
  return h('div', { class: 'marks', role: 'group', 'aria-label': `Changes on the time axis of ${title}` }, groups.map((group) =>
    h('button', {
      key: group.key,
      type: 'button',
      class: `mark ${group.kind}`,
      style: { left: `${group.x}px` },
      tabIndex: group.key === tabbable ? 0 : -1,
      'aria-label': group.changes.map(spoken).join('; '),
      onfocus: () => { own.tabbable = group.key; show(group.key)(); },
      onblur: hide(group.key),
      onpointerenter: show(group.key),
      onpointerleave: hide(group.key),
      onkeydown: (event) => step(event, own, redraw),
    })));
}

/** @param {AuditEvent} change */
function spoken(change) {
  const { title, versions, by, why } = describe(change);
  return [time(change.at * 1000), title, versions, `by ${by}`, why].filter(Boolean).join(', ');
}

/** Arrow keys move from mark to mark, Escape hides the tooltip. */
function step(event, own, redraw) {
  const next = { ArrowLeft: 'previousElementSibling', ArrowRight: 'nextElementSibling' }[event.key];
  if (next) {
    event.preventDefault();
    event.currentTarget[next]?.focus();
  } else if (event.key === 'Escape') {
    own.mark = null;
    redraw();
  }
}

function point(event, own, { width, left, from, until, size }, redraw) {
  if (event.target.closest('.mark')) return;
  const box = event.currentTarget.getBoundingClientRect();
  const share = (event.clientX - box.left - left) / (width - left - RIGHT);
  const at = share < 0 || share > 1 ? null : Math.floor((share * (until - from)) / size);
  if (at === own.at) return;
  own.at = at;
  redraw();
}

function tip(frame, data, own) {
  const group = own.mark !== null && grouped(data.changes, frame).find(({ key }) => key === own.mark);
  const side = (x) => ({ left: `${Math.max(0, Math.min(frame.width - TIP, x - TIP / 2))}px` });
  if (group) {
    return h('div', { class: 'tip below', style: side(group.x), key: 'mark' },
      group.changes.length > MAX_CHANGES && h('strong', null, summary(group.changes)),
      group.changes.slice(-MAX_CHANGES).reverse().map((change) => {
        const { title, versions, by, why } = describe(change);
        return h('div', { class: 'tip-change', key: keyOf(change) }, h('strong', null, title), versions && h('code', null, versions),
          h('span', { class: 'muted' }, `${moment(change.at * 1000)}, by ${by}`), why && h('span', null, why));
      }),
      group.changes.length > MAX_CHANGES && h('span', { class: 'muted' }, `and ${group.changes.length - MAX_CHANGES} earlier`));
  }
  const bucket = own.at === null ? null : data.buckets[own.at];
  if (!bucket) return null;
  return h('div', { class: 'tip', style: side(frame.x(bucket.at)), key: 'values' },
    h('span', { class: 'muted' }, moment(bucket.at)),
    [...data.series].reverse().filter(({ values }) => values[own.at] !== null && (values[own.at] !== 0 || data.series.length < 4)).map((series) =>
      h('div', { class: 'tip-value', key: series.name }, key(series.colour), h('span', null, series.name), h('b', null, data.format(series.values[own.at])))));
}

/** The data as a table. It is not updated while it is open, so that it can be read. */
function asTable(id, own, data, redraw) {
  const toggle = (event) => {
    if (event.currentTarget.open === own.open) return;
    own.open = event.currentTarget.open;
    own.table = own.open ? rowsOf(data) : null;
    redraw();
  };
  return h('details', { class: 'numbers', ontoggle: toggle }, h('summary', null, 'As a table'),
    own.open && own.table && h('div', { class: 'table-box', tabindex: '0', role: 'region', 'aria-label': `${data.title}, as a table` },
      h('table', null, h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'From'),
        own.table.names.map((name) => h('th', { scope: 'col', class: 'end', key: name }, name)))),
      h('tbody', null, own.table.rows.map(([at, ...cells]) => h('tr', { key: at }, h('th', { scope: 'row' }, at),
        cells.map((cell, column) => h('td', { class: 'end', key: column }, cell))))))));
}

function rowsOf({ buckets, series, format }) {
  const rows = buckets.map((bucket, at) => [bucket.at, at]).filter(([, at]) => series.some(({ values }) => values[at]));
  return {
    names: series.map(({ name }) => name),
    rows: rows.reverse().map(([from, at]) => [moment(from), ...series.map(({ values }) => values[at] === null ? '–' : format(values[at]))]),
  };
}
