// Why a request went where it went, in plain English.

import { figure, list, milliseconds, money, percent, plural } from './format.js';
import { against } from './decisions.js';

/** Models that are named as what comes next. */
const NAMED = 2;

/** Sentences about a whole record; the first says what was decided. */
export function explain(record) {
  return [asked(record), ...record.decisions.map((decision, at) => decided(decision, at, record)), tried(record), paid(record)]
    .filter(Boolean);
}

function asked({ request, route, decisions }) {
  const needs = [...(request.needs ?? []), ...(request.inputs ?? []).filter((input) => input !== 'text')];
  const with_ = needs.length ? `, which needs ${list(needs)},` : '';
  const size = `about ${plural(request.input_tokens, 'token')}`;
  if (!decisions.length) return `A ${request.operation} request of ${size}${with_} asked for the model ${request.model} itself, so no policy was asked.`;
  return `A ${request.operation} request of ${size}${with_} came to the route ${route}.`;
}

/** Whether what the policy is asked after the first time is how tasks went on. */
function decided(decision, at, record) {
  const { answer, candidates } = decision;
  const goesOn = at > 0 && record.decisions[at - 1].answer.kind === 'plan';
  const who = !decision.policy ? 'The gateway’s own order' : `${goesOn ? 'Asked again, the' : 'The'} policy ${decision.policy}`;
  const because = quoted(answer);
  switch (answer.kind) {
    case 'route': {
      const names = answer.targets.map(({ candidate }) => candidates[candidate]?.model ?? 'an unknown model');
      const next = names.length > 1 ? `, then ${few(names.slice(1))} should it fail` : '';
      return `${who} put ${names[0]} first of ${plural(candidates.length, 'candidate')}${next}${because}.${standing(answer, candidates)}`;
    }
    case 'plan':
      return `${who} cut it into ${plural(answer.tasks, goesOn ? 'further task' : 'task', goesOn ? 'further tasks' : 'tasks')}${because}.`;
    case 'finish':
      return `${who} had all that it wanted, and finished${because}.`;
    case 'refusal':
      return `${who} turned the request down (${answer.code}): ${answer.message}.`;
    default:
      return `${who} failed (${answer.reason}): ${answer.message}.${at + 1 < record.decisions.length ? ' So somebody else was asked.' : ''}`;
  }
}

function quoted({ label, reason }) {
  if (!label) return '';
  return reason ? `, as “${label}”: ${reason.replace(/\.$/, '')}` : `, as “${label}”`;
}

/** Names, but not all of many. */
const few = (names) => list(names.length > NAMED + 1 ? [...names.slice(0, NAMED), `${names.length - NAMED} others`] : names);

/** What the first choice is best at, among the candidates. */
export function standing({ targets }, candidates) {
  const first = candidates[targets[0]?.candidate];
  if (!first || candidates.length < 2) return '';
  const price = (model) => model.input_usd_per_million + model.output_usd_per_million;
  const words = [
    best(candidates, first, 'cheapest', (model) => -price(model)),
    best(candidates, first, 'best', (model) => model.quality),
    best(candidates, first, 'fastest', (model) => model.tokens_per_second),
    best(candidates, first, 'quickest to begin', (model) => -(model.first_token_ms ?? Infinity)),
  ].filter(Boolean);
  return words.length ? ` Among them it is ${list(words)}.` : '';
}

/** `the cheapest`, or `one of the cheapest`; nothing where another one is better, or all are as good. */
function best(candidates, first, what, value) {
  const values = candidates.map(value).filter((number) => Number.isFinite(number));
  const mine = value(first);
  if (!Number.isFinite(mine) || mine < Math.max(...values) || !values.some((number) => number < mine)) return null;
  return values.filter((number) => number === mine).length > 1 ? `one of the ${what}` : `the ${what}`;
}

function tried({ request, attempts, plan, outcome }) {
  if (!outcome) return 'It was a dry run: no model was called.';
  const after = milliseconds(outcome.latency_ms);
  if (plan) {
    const done = plan.tasks.filter(({ status }) => status === 'done').length;
    const path = plan.critical_path.map((number) => plan.tasks.find((task) => task.number === number)?.name).filter(Boolean);
    const long = path.length ? `; the longest chain was ${list(path.map((name) => `“${name}”`))}` : '';
    return `${done} of ${plural(plan.tasks.length, 'task')} were done${long}. The request ${ended(outcome)} after ${after}.`;
  }
  const failed = attempts.filter(({ result }) => result === 'failed');
  const lost = failed.length ? `${list(failed.map(({ model, error }) => `${model} failed${error ? ` (${error})` : ''}`))}. ` : '';
  if (outcome.ending === 'answered') {
    const first = !request.streaming || typeof outcome.first_token_ms !== 'number' ? '' : `, its first token after ${milliseconds(outcome.first_token_ms)}`;
    return `${lost}${outcome.model ?? 'The policy'} answered after ${after}${first}.`;
  }
  if (outcome.ending === 'cancelled') return `${lost}The client went away after ${after}, and what was under way was ended.`;
  return `${lost}No model answered; it failed after ${after}${outcome.error ? `: ${outcome.error}` : ''}.`;
}

const ended = ({ ending, error }) => (ending === 'answered' ? 'was answered' : ending === 'cancelled' ? 'was cancelled' : `failed${error ? ` (${error})` : ''}`);

function paid({ outcome }) {
  if (!outcome) return null;
  const tokens = `${plural(outcome.input_tokens, 'token')} in, ${plural(outcome.output_tokens, 'token')} out`;
  const compared = against(outcome);
  return `It cost ${money(outcome.cost_usd)} (${tokens}${outcome.estimated ? ', estimated' : ''})${compared ? `, ${compared}` : ''}.`;
}

/** What a candidate would probably cost for this request, as far as its limit tells. */
export function estimate(candidate, { input_tokens: input, max_output_tokens: limit }, outcome) {
  const output = outcome?.output_tokens || limit || 256;
  return (candidate.input_usd_per_million * (outcome?.input_tokens || input) + candidate.output_usd_per_million * output) / 1e6;
}

/** A candidate's qualities: the general one, and those by kind of task. */
export function qualities({ quality, quality_by_task: byTask }) {
  const kinds = Object.entries(byTask ?? {}).map(([kind, value]) => `${kind} ${figure(value)}`);
  return { general: quality === undefined || quality === null ? '–' : figure(quality), all: kinds.join(', ') };
}

/** The share of the time that was the gateway's own. */
export function overhead({ added_ms: added, latency_ms: latency }) {
  return added === undefined || added === null ? null : `${milliseconds(added)}${latency ? ` (${percent(added / latency)})` : ''}`;
}
