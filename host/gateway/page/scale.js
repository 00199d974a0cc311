// Axes: round numbers and round times.

/** The least round number that is not below `most`, and the ticks up to it. */
export function rounded(most, lines = 3) {
  if (!(most > 0)) return { top: 1, ticks: [0, 1] };
  const rough = most / lines;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((candidate) => candidate >= rough * 0.999);
  const number = Math.ceil(most / step - 1e-9);
  return { top: number * step, ticks: Array.from({ length: number + 1 }, (_, at) => at * step) };
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 5760, 10080].map((minutes) => minutes * 60_000);

/** At most `most` round local times between two times. */
export function times(from, to, most) {
  const step = TIME_STEPS.find((candidate) => (to - from) / candidate <= most) ?? TIME_STEPS.at(-1);
  const offset = new Date(to).getTimezoneOffset() * 60_000;
  const list = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) list.push(at);
  return list;
}

/** Bars as one path: `pieces` are `[x, width, top, bottom]`. */
export const bars = (pieces) =>
  pieces.map(([x, width, top, bottom]) => `M${x.toFixed(1)} ${bottom.toFixed(1)}V${top.toFixed(1)}h${width.toFixed(1)}V${bottom.toFixed(1)}z`).join('');

/** Points without a neighbour, which a line does not show. */
export const lone = (points) => points.filter((point, at) => point && !points[at - 1] && !points[at + 1]);

/** A line through points `[x, y]`, with a gap where one is null. */
export function line(points) {
  let path = '';
  points.forEach((point, at) => {
    if (!point) return;
    const [x, y] = [point[0].toFixed(1), point[1].toFixed(1)];
    path += points[at - 1] ? `L${x} ${y}` : `M${x} ${y}`;
  });
  return path;
}

/** The area between two lines, where both have points. */
export function between(upper, lower) {
  let [path, run] = ['', []];
  const close = () => {
    if (run.length > 1) {
      const back = [...run].reverse();
      path += `M${run.map(([a]) => a.map((v) => v.toFixed(1)).join(' ')).join('L')}L${back.map(([, b]) => b.map((v) => v.toFixed(1)).join(' ')).join('L')}z`;
    }
    run = [];
  };
  upper.forEach((point, at) => {
    if (point && lower[at]) run.push([point, lower[at]]);
    else close();
  });
  close();
  return path;
}
