// The explanation of a decision in plain English.

import { figure, list, milliseconds, money, percent, plural } from './format.js';
import { against } from './decisions.js';

/** @import { record } from '../../admin-api/admin-api.d.ts' */

/** Fallback models that are named. */
const NAMED = 2;

/** Explains a record in sentences.
 * @param {record.DecisionRecord} record */
export function explain(record) {
  return [arrival(record), ...record.decisions.map((decision, at) => decided(decision, at, record)), result(record), cost(record)]
    .filter(Boolean);
}

/** @param {record.DecisionRecord} record */
function arrival({ request, route, decisions }) {
  const needs = [...(request.needs ?? []), ...(request.inputs ?? []).filter((input) => input !== 'text')];
  const with_ = needs.length ? `, which needs ${list(needs)},` : '';
  const size = `about ${plural(request.input_tokens, 'token')}`;
  if (!decisions.length) return `A ${request.operation} request of ${size}${with_} named the model ${request.model}, so no policy was asked.`;
  return `A ${request.operation} request of ${size}${with_} arrived at the route ${route}.`;
}

/** @param {record.DecisionEntryRecord} decision
 * @param {number} at
 * @param {record.DecisionRecord} record */
function decided(decision, at, record) {
  const { answer, candidates } = decision;
  // After a plan, the same policy is asked again about the results of its tasks.
  const goesOn = at > 0 && record.decisions[at - 1].answer.kind === 'plan';
  const who = !decision.policy ? 'The gateway’s own order' : `${goesOn ? 'Asked again, the' : 'The'} policy ${decision.policy}`;
  const because = quoted(answer);
  switch (answer.kind) {
    case 'route': {
      const names = answer.targets.map(({ candidate }) => candidates[candidate]?.model ?? 'an unknown model');
      const next = names.length > 1 ? `, with ${few(names.slice(1))} as fallback` : '';
      return `${who} chose ${names[0]} of ${plural(candidates.length, 'candidate')}${next}${because}.${standing(answer, candidates)}`;
    }
    case 'plan':
      return `${who} split it into ${plural(answer.tasks, goesOn ? 'further task' : 'task', goesOn ? 'further tasks' : 'tasks')}${because}.`;
    case 'finish':
      return `${who} composed the answer${because}.`;
    case 'refusal':
      return `${who} refused the request (${answer.code}): ${answer.message}.`;
    default:
      return `${who} failed (${answer.reason}): ${answer.message}.${at + 1 < record.decisions.length ? ' The next one was asked instead.' : ''}`;
  }
}

/** @param {{ label?: string, reason?: string | null }} answer */
function quoted({ label, reason }) {
  if (!label) return '';
  return reason ? `, as “${label}”: ${reason.replace(/\.$/, '')}` : `, as “${label}”`;
}

/** A list of names, shortened if there are many. */
const few = (names) => list(names.length > NAMED + 1 ? [...names.slice(0, NAMED), `${names.length - NAMED} others`] : names);

/** Describes what the first choice is best at among the candidates.
 * @param {{ targets: record.TargetRecord[] }} answer
 * @param {record.CandidateRecord[]} candidates */
function standing({ targets }, candidates) {
  const first = candidates[targets[0]?.candidate];
  if (!first || candidates.length < 2) return '';
  const price = (model) => model.input_usd_per_million + model.output_usd_per_million;
  const words = [
    best(candidates, first, 'cheapest', (model) => -price(model)),
    best(candidates, first, 'best', (model) => model.quality),
    best(candidates, first, 'fastest', (model) => model.tokens_per_second),
    best(candidates, first, 'quickest to start', (model) => -(model.first_token_ms ?? Infinity)),
  ].filter(Boolean);
  return words.length ? ` Among them it is ${list(words)}.` : '';
}

/** `the cheapest`, or `one of the cheapest`; null if another one is better, or all are equal. */
function best(candidates, first, what, value) {
  const values = candidates.map(value).filter((number) => Number.isFinite(number));
  const own = value(first);
  if (!Number.isFinite(own) || own < Math.max(...values) || !values.some((number) => number < own)) return null;
  return values.filter((number) => number === own).length > 1 ? `one of the ${what}` : `the ${what}`;
}

/** @param {record.DecisionRecord} record */
function result({ request, attempts, plan, outcome }) {
  if (!outcome) return 'It was a dry run: no model was called.';
  const after = milliseconds(outcome.latency_ms);
  if (plan) {
    const done = plan.tasks.filter(({ status }) => status === 'done').length;
    const path = plan.critical_path.map((number) => plan.tasks.find((task) => task.number === number)?.name).filter(Boolean);
    const long = path.length ? `; the critical path was ${list(path.map((name) => `“${name}”`))}` : '';
    return `${done} of ${plural(plan.tasks.length, 'task')} were completed${long}. The request ${ended(outcome)} after ${after}.`;
  }
  const failed = attempts.filter(({ result }) => result === 'failed');
  const lost = failed.length ? `${list(failed.map(({ model, error }) => `${model} failed${error ? ` (${error})` : ''}`))}. ` : '';
  if (outcome.ending === 'answered') {
    const first = !request.streaming || typeof outcome.first_token_ms !== 'number' ? '' : `, its first token after ${milliseconds(outcome.first_token_ms)}`;
    return `${lost}${outcome.model ?? 'The policy'} answered after ${after}${first}.`;
  }
  if (outcome.ending === 'cancelled') return `${lost}The client disconnected after ${after}, and calls in flight were cancelled.`;
  return `${lost}No model answered; the request failed after ${after}${outcome.error ? `: ${outcome.error}` : ''}.`;
}

/** @param {record.OutcomeRecord} outcome */
const ended = ({ ending, error }) => (ending === 'answered' ? 'was answered' : ending === 'cancelled' ? 'was cancelled' : `failed${error ? ` (${error})` : ''}`);

/** @param {record.DecisionRecord} record */
function cost({ outcome }) {
  if (!outcome) return null;
  const tokens = `${plural(outcome.input_tokens, 'token')} in, ${plural(outcome.output_tokens, 'token')} out`;
  const compared = against(outcome);
  return `It cost ${money(outcome.cost_usd)} (${tokens}${outcome.estimated ? ', estimated' : ''})${compared ? `, ${compared}` : ''}.`;
}

/** Estimates the cost of a candidate for this request, from the actual output or its limit.
 * @param {record.CandidateRecord} candidate
 * @param {record.RequestRecord} request
 * @param {record.OutcomeRecord | null | undefined} outcome */
export function estimate(candidate, { input_tokens: input, max_output_tokens: limit }, outcome) {
  const output = outcome?.output_tokens || limit || 256;
  return (candidate.input_usd_per_million * (outcome?.input_tokens || input) + candidate.output_usd_per_million * output) / 1e6;
}

/** A candidate's qualities: the general one, and those by kind of task.
 * @param {record.CandidateRecord} candidate */
export function qualities({ quality, quality_by_task: byTask }) {
  const kinds = Object.entries(byTask ?? {}).map(([kind, value]) => `${kind} ${figure(value)}`);
  return { general: quality === undefined || quality === null ? '–' : figure(quality), all: kinds.join(', ') };
}

/** The time that the gateway added, and its share of the latency.
 * @param {record.OutcomeRecord} outcome */
export function overhead({ added_ms: added, latency_ms: latency }) {
  return added === undefined || added === null ? null : `${milliseconds(added)}${latency ? ` (${percent(added / latency)})` : ''}`;
}
