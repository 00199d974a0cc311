// Gantt charts: a bar for each task or call over time.

import { h } from './dom.js';
import { roundTime } from './format.js';
import { rounded } from './scale.js';

const NARROW = 600;
const BAR = 18;
const TOP = 6;
const BOTTOM = 26;
/** Height of the labels of steps. */
const STEP = 18;
/** Widths for names, and for labels beside the longest bar. */
const NAMES = 172;
const BESIDE = 176;
/** Approximate width of a character in pixels. */
const CHARACTER = 6.6;

/** Creates a chart; `redraw` is called when its width changes. */
export function createGantt(redraw) {
  let width = 900;
  const mount = (element) => {
    const observer = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width > 0 && Math.round(contentRect.width) !== width) {
        width = Math.round(contentRect.width);
        redraw();
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  };
  return (rows, total, steps = []) => h('div', { class: 'gantt', mount }, picture(rows, total, width, steps));
}

/** `rows` have `id`, `name`, `beside`, `begun`, `ended` (milliseconds, or null), perhaps `first`
 * (the first token), `kind`, `isCritical`, `after` (ids) and `tooltip`; `steps` are times at
 * which a policy was asked again, with their labels. */
function picture(rows, total, width, steps) {
  const narrow = width < NARROW;
  const [left, right, row] = narrow ? [8, 8, 46] : [NAMES, BESIDE, 30];
  const top = steps.length ? TOP + STEP : TOP;
  const inner = Math.max(40, width - left - right);
  const frame = {
    narrow, row, width, left,
    x: (ms) => left + (inner * Math.min(Math.max(ms, 0), total)) / (total || 1),
    y: (at) => top + at * row + (narrow ? 20 : (row - BAR) / 2),
  };
  const height = top + rows.length * row + BOTTOM;
  const ticks = rounded(total, narrow ? 3 : 6).ticks.filter((tick) => tick <= total);
  return h('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    ticks.map((tick) => h('g', { key: `tick ${tick}` },
      h('line', { class: 'grid', x1: frame.x(tick), x2: frame.x(tick), y1: top, y2: height - BOTTOM }),
      h('text', { class: 'tick', x: frame.x(tick), y: height - 8, 'text-anchor': tick === 0 && narrow ? 'start' : 'middle' }, roundTime(tick)))),
    steps.map(({ at, text }) => h('g', { key: `step ${text}` },
      h('line', { class: 'step-line', x1: frame.x(at) - 3, x2: frame.x(at) - 3, y1: top - 4, y2: height - BOTTOM }),
      h('text', { class: 'tick', x: frame.x(at) - 3, y: top - 8, 'text-anchor': 'middle' }, text))),
    links(rows, frame),
    rows.map((task, at) => bar(task, at, frame)));
}

function bar(task, at, frame) {
  const y = frame.y(at);
  const began = task.begun !== null && task.begun !== undefined;
  const from = frame.x(began ? task.begun : 0);
  const to = began ? Math.max(from + 2, frame.x(task.ended)) : from;
  const names = frame.narrow ? { x: frame.left, y: y - 6 } : { x: 0, y: y + BAR - 5 };
  const beside = frame.narrow ? { x: frame.width - 8, y: y - 6, 'text-anchor': 'end' } : { x: to + 8, y: y + BAR - 5 };
  const most = frame.narrow ? Math.floor((frame.width - 16) / CHARACTER / 2) : Math.floor((NAMES - 12) / CHARACTER);
  return h('g', { key: task.id, class: `task ${task.kind ?? ''} ${task.isCritical ? 'critical' : ''}` },
    h('title', null, task.tooltip),
    h('text', { class: 'task-name', ...names }, fit(task.name, most)),
    began && h('rect', { class: 'span', x: from, y, width: to - from, height: BAR, rx: 3 }),
    began && task.first !== undefined && task.first !== null && h('line', { class: 'first', x1: frame.x(task.first), x2: frame.x(task.first), y1: y + 3, y2: y + BAR - 3 }),
    h('text', { class: 'tick', ...beside }, fit(task.beside, frame.narrow ? most : Math.floor(BESIDE / CHARACTER))));
}

/** Lines from each task to those that waited for it. */
function links(rows, frame) {
  const place = new Map(rows.map((task, at) => [task.id, at]));
  return rows.flatMap((task, at) => (task.after ?? []).map((before) => {
    const from = rows[place.get(before)];
    if (!from || from.ended === null || from.ended === undefined || task.begun === null || task.begun === undefined) return null;
    const [x1, y1] = [frame.x(from.ended), frame.y(place.get(before)) + BAR / 2];
    const [x2, y2] = [frame.x(task.begun), frame.y(at) + BAR / 2];
    // Down beside the bar, then along the row of the waiting task, where there is no text.
    const turn = Math.min(x1 + 4, x2 - 6);
    const isCritical = task.isCritical && from.isCritical && task.criticalAfter === before;
    return h('g', { key: `${before} ${task.id}`, class: `link ${isCritical ? 'critical' : ''}` },
      h('path', { d: `M${x1} ${y1}H${turn}V${y2}H${x2}` }),
      h('path', { class: 'tip-of-link', d: `M${x2 - 4} ${y2 - 3.5}L${x2} ${y2}L${x2 - 4} ${y2 + 3.5}z` }));
  }));
}

const fit = (text, most) => (text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text);
