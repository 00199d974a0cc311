// Playground: one request, run by one policy or two, and explained. Nothing is sent to a model.

import { change, get } from './api.js';
import { h } from './dom.js';
import { bytes, count, microseconds, plural, time } from './format.js';
import { badge, digest, facts, failed, heading, operation, table } from './parts.js';
import { planChart } from './plan-chart.js';
import { mayOperate, state } from './store.js';

/** @import { DecisionSummary, ModelOverview, record } from '../../admin-api/admin-api.d.ts' */

/** The value of the option for a file. */
const UPLOAD = ' file';
const LARGEST_UPLOAD = 32 << 20;
const RECENT = 20;
/** Imports of a call that are shown at once. */
const FEW_IMPORTS = 12;

export function playground(redraw) {
  const own = {
    /** @type {string | null} */ text: null,
    note: 'Written from the models as they are now.',
    from: '',
    begun: false,
    /** @type {string[]} */ chosen: ['', ''],
    /** @type {({ name: string, code: string } | null)[]} */ files: [null, null],
    /** @type {({ name: string, run?: any, error?: Error })[]} */ results: [],
    busy: false,
    /** @type {Error | null} */ error: null,
  };

  async function run(event) {
    event.preventDefault();
    if (own.busy || !mayOperate()) return;
    Object.assign(own, { busy: true, error: null, results: [] });
    redraw();
    for (const [at, chosen] of own.chosen.entries()) {
      if (!chosen) continue;
      const file = own.files[at];
      const name = chosen === UPLOAD ? file?.name ?? 'the file' : chosen;
      try {
        if (chosen === UPLOAD && !file) throw new Error('Choose a WebAssembly file.');
        const policy = chosen === UPLOAD ? { code: file.code } : { policy: chosen };
        own.results.push({ name, run: await change('POST', '/admin/playground', { ...policy, case: own.text }) });
      } catch (error) {
        own.results.push({ name, error });
      }
      redraw();
    }
    own.busy = false;
    redraw();
  }

  async function load(file, at) {
    own.files[at] = null;
    if (file && file.size <= LARGEST_UPLOAD) own.files[at] = { name: file.name, code: base64(new Uint8Array(await file.arrayBuffer())) };
    own.error = file && file.size > LARGEST_UPLOAD ? new Error(`${file.name} is larger than ${bytes(LARGEST_UPLOAD)}`) : null;
    redraw();
  }

  async function start(id) {
    Object.assign(own, { error: null, from: id ?? '' });
    try {
      own.text = id ? pretty(caseOf(await get(`/admin/decisions/${encodeURIComponent(id)}`))) : pretty(freshCase(state.now.models));
      own.note = id ? `Written from the decision ${id}; its prompt is not recorded here.` : 'Written from the models as they are now.';
    } catch (error) {
      own.error = error;
    }
    redraw();
  }

  return {
    title: 'Playground',
    enter(id) {
      // A recorded decision has all facts of its candidates.
      if (id || !own.begun) start(id ?? newest());
      own.begun = true;
    },
    draw() {
      own.text ??= pretty(freshCase(state.now.models));
      own.chosen[0] ||= state.now.policies[0]?.name ?? UPLOAD;
      return [
        heading('Playground', h('p', { class: 'muted' }, 'A policy’s answer to one request, explained. No model is called, and nothing is kept.')),
        h('form', { class: 'playground', onsubmit: run },
          h('div', { class: 'filters' }, policyField('Policy', 0, own, load, redraw), policyField('Compare with', 1, own, load, redraw),
            h('label', { class: 'field' }, 'Start from', h('select', { value: own.from, onchange: (event) => start(event.target.value), 'aria-label': 'Start from' },
              h('option', { value: '' }, 'a short chat'), recentOnes(own.from).map(recent)))),
          h('div', { class: 'field' }, h('label', { for: 'case' }, 'Request, candidates and facts'),
            h('textarea', { id: 'case', class: 'code', rows: '18', spellcheck: 'false', value: own.text, 'aria-describedby': 'case-note', oninput: (event) => typed(event.target.value, own, redraw) }),
            h('p', { class: 'muted small', id: 'case-note' }, own.note, ' The format is that of policy cases; a chat completion’s body may be pasted too. A loaded policy has its own settings and grants, unless they are stated here.')),
          own.error && failed('This cannot be used', own.error),
          h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary', 'aria-disabled': own.busy ? 'true' : undefined, ...(mayOperate() ? {} : operation(() => {})) }, own.busy ? 'Running …' : 'Run'))),
        h('div', { class: 'panels', role: 'status', 'aria-live': 'polite' }, own.results.map((result, at) => outcome(result, at))),
        own.results.length === 2 && comparison(own.results),
      ];
    },
  };
}

/** Returns the newest decisions, with the one that is shown. */
function recentOnes(shown) {
  const sorted = [...state.decisions].sort((a, b) => b.at_ms - a.at_ms);
  const found = sorted.slice(0, RECENT);
  return !shown || found.some(({ id }) => id === shown) ? found : [...found, sorted.find(({ id }) => id === shown) ?? { id: shown, at_ms: null, route: shown, label: '' }];
}

const newest = () => recentOnes('')[0]?.id;

/** @param {DecisionSummary} decision */
const recent = ({ id, at_ms: at, route, label }) => h('option', { key: id, value: id }, at ? `${time(at)} ${route} ${label ?? ''}` : route);

function policyField(name, at, own, load, redraw) {
  const pick = (event) => { own.chosen[at] = event.target.value; redraw(); };
  return h('div', { class: 'field', key: name }, h('label', { for: `policy-${at}` }, name),
    h('select', { id: `policy-${at}`, value: own.chosen[at], onchange: pick },
      at > 0 && h('option', { value: '', key: 'none' }, 'nothing'),
      state.now.policies.map((policy) => h('option', { value: policy.name, key: policy.name }, policy.name)),
      h('option', { value: UPLOAD, key: 'file' }, 'a file …')),
    own.chosen[at] === UPLOAD && h('input', { type: 'file', accept: '.wasm', 'aria-label': `${name}: WebAssembly file`, onchange: (event) => load(event.target.files[0], at) }));
}

/** Takes what is typed or pasted; the body of a chat completion becomes a case. */
function typed(text, own, redraw) {
  own.text = text;
  const parsed = parse(text);
  if (!Array.isArray(parsed?.messages)) return;
  own.text = pretty({ ...freshCase(state.now.models), request: requestOf(parsed) });
  own.note = 'Written from the body of a chat completion.';
  redraw();
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The request of a case, from the body of a chat completion. */
function requestOf({ model, messages, tools, stream, max_tokens: limit, max_completion_tokens: most }) {
  const part = (item) => (item.type === 'text' ? { text: item.text } : { kind: { image_url: 'image', input_audio: 'audio', file: 'document' }[item.type] ?? 'image', bytes: JSON.stringify(item).length });
  const message = ({ role, content }) => (Array.isArray(content) ? { role, parts: content.map(part) } : { role, text: content ?? '' });
  const names = (tools ?? []).map((tool) => tool.function?.name).filter(Boolean);
  return defined({ model, messages: messages.map(message), tools: names.length ? names : undefined, streaming: stream || undefined, max_output_tokens: most ?? limit });
}

/** @param {ModelOverview[]} models */
function freshCase(models) {
  const candidate = (model) => defined({
    id: model.id, input_price: model.input_usd_per_million, output_price: model.output_usd_per_million, context_window: model.context_window, max_output_tokens: model.max_output_tokens,
    inputs: model.inputs, abilities: model.abilities, operations: model.operations, quality: model.quality, task_quality: model.quality_by_task, first_token_ms: model.first_token_ms, tokens_per_second: model.tokens_per_second, healthy: model.healthy, in_flight: model.in_flight, error_rate: model.error_rate,
  });
  return { request: { messages: 'Hello! How are you today?' }, candidates: models.map(candidate) };
}

/** A case from a recorded decision. @param {record.DecisionRecord} recorded */
function caseOf(recorded) {
  const { request, key, decisions } = recorded;
  const candidate = (it) => defined({
    id: it.model, input_price: it.input_usd_per_million, output_price: it.output_usd_per_million, context_window: it.context_window, max_output_tokens: it.max_output_tokens,
    inputs: it.inputs, abilities: it.abilities, operations: it.operations, quality: it.quality, task_quality: it.quality_by_task, attributes: it.attributes,
    healthy: it.healthy, in_flight: it.in_flight, first_token_ms: it.first_token_ms, tokens_per_second: it.tokens_per_second, error_rate: it.error_rate,
  });
  const whole = decisions[0]?.whole;
  return defined({
    request: defined({
      operation: request.operation, model: request.model, tenant: key, session: request.session, input_tokens: request.input_tokens, max_output_tokens: request.max_output_tokens,
      inputs: request.inputs, needs: request.needs, turns: request.turns, streaming: request.streaming, deadline_ms: request.deadline_ms, attributes: request.attributes,
    }),
    candidates: (decisions[0]?.candidates ?? []).filter((it) => it.model).map(candidate),
    whole,
  });
}

/** The members that have a value. */
const defined = (members) => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null && value !== ''));

const pretty = (value) => JSON.stringify(value, null, 2);

function base64(data) {
  let text = '';
  for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return btoa(text);
}

/** @param {{ name: string, run?: any, error?: Error }} result */
function outcome({ name, run, error }, at) {
  const id = `run-${at}`;
  return h('section', { class: 'panel', key: id, 'aria-labelledby': id },
    h('div', { class: 'panel-head' }, h('h2', { id }, name), run?.report && digest(run.report.policy.sha256)),
    error && failed('The gateway did not run it', error),
    run?.problem && h('div', { class: 'objection', role: 'alert' }, h('pre', null, run.problem.message)),
    run?.report && explained(run.report, name));
}

function explained({ calls, fuel, memory_bytes: memory, stopped }, name) {
  return [
    ...calls.map((one, at) => call(one, at, name)),
    stopped && h('p', { class: 'pad', key: 'stopped' }, badge('warn', 'stopped'), ` ${stopped}`),
    facts(['Instructions', typeof fuel === 'number' ? count(fuel) : null], ['Memory', bytes(memory)]),
  ];
}

function call({ answer, imports, more_imports: more, log, start_us: start, call_us: took }, at, policy) {
  const title = at === 0 ? 'First call' : `Call ${at + 1}, resumed`;
  return h('div', { key: at, class: 'pad' },
    h('h3', null, title),
    h('p', null, badge(answer.kind === 'failure' || answer.kind === 'refusal' || answer.kind === 'settings-rejected' ? 'bad' : 'plain', answer.kind), ' ', answer.label && h('strong', null, answer.label), answer.reason ? ` ${answer.reason}` : '',
      answer.problem ? ` ${answer.problem.kind}: ${answer.problem.text}` : ''),
    answer.targets?.length > 0 && h('ol', { class: 'order', 'aria-label': 'Models in order' }, answer.targets.map((target) => h('li', { key: target }, target))),
    answer.plan && planChart(answer.plan, `Plan of ${policy}, ${title}`),
    answer.answer && h('p', null, `Answer: ${answer.answer}`),
    h('p', { class: 'muted small' }, `created in ${microseconds(start)}, answered in ${microseconds(took)}`),
    imports.length > 0 && h('details', { open: imports.length <= FEW_IMPORTS }, h('summary', null, plural(imports.length, 'import'), ' called'), table({
      caption: `Imports of ${policy}, ${title}`, rows: imports.map((row, number) => ({ ...row, number })), keyOf: ({ number }) => number,
      columns: [
        { title: 'Import', cell: ({ interface: from, function: name, arguments: given }) => h('code', null, `${from}.${name}(${given ?? ''})`) },
        { title: 'Calls', end: true, cell: ({ times }) => count(times) },
        { title: 'Read', end: true, cell: ({ bytes: size }) => bytes(size) },
      ],
    })),
    more > 0 && h('p', { class: 'muted' }, `and ${plural(more, 'further call')}`),
    log.length > 0 && h('ul', { class: 'rows' }, log.map(({ level, text }, number) => h('li', { key: number }, badge(level === 'error' ? 'bad' : 'plain', level), ` ${text}`))));
}

/** What the two policies answer differently. */
function comparison(results) {
  const last = ({ run }) => run?.report?.calls.at(-1)?.answer;
  const [one, other] = results.map(last);
  if (!one || !other) return null;
  const rows = [
    ['Answer', one.kind, other.kind],
    ['First model', one.targets?.[0], other.targets?.[0]],
    ['Label', one.label, other.label],
    ['Tasks', one.plan?.tasks.length, other.plan?.tasks.length],
    ['Instructions', ...results.map(({ run }) => run.report.fuel && count(run.report.fuel))],
  ].filter(([, a, b]) => a !== undefined || b !== undefined);
  return h('section', { class: 'panel', key: 'comparison', 'aria-labelledby': 'comparison' },
    h('div', { class: 'panel-head' }, h('h2', { id: 'comparison' }, 'Comparison')),
    table({
      caption: 'Answers of both policies', rows, keyOf: ([title]) => title,
      columns: [
        { title: 'Part', cell: ([title]) => title },
        { title: results[0].name, cell: ([, value]) => value ?? '–' },
        { title: results[1].name, cell: ([, a, b]) => [b ?? '–', ' ', a !== b ? badge('new', 'differs') : null] },
      ],
    }));
}
