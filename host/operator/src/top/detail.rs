//! The record of one decision: request, candidates, answer, calls, outcome and cost.

use pointsman_admin_api::{DecisionRecord, RecordedAnswer, RecordedDecision};
use ratatui::text::{Line, Span};

use super::figures::{count, money, or_dash, prices, share, short, time};
use super::grid::{Cell, Column, Grid, GridStyle, Row};
use super::palette::{Palette, Tone};
use super::tables::saving_tone;

/// Width of the names of fields.
const NAMES: usize = 12;

/// Renders a record in a width.
pub(super) fn lines(record: &DecisionRecord, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let mut page = RecordPage { lines: Vec::new(), width, palette };
    page.outcome(record);
    page.request(record);
    record.decisions.iter().for_each(|decision| page.decision(decision));
    page.attempts(record);
    page.plan(record);
    page.lines
}

struct RecordPage {
    lines: Vec<Line<'static>>,
    width: usize,
    palette: Palette,
}

impl RecordPage {
    fn title(&mut self, title: impl Into<String>) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(title.into(), self.palette.style(Tone::Title)));
    }

    /// Adds a field. A long value continues on further lines.
    fn field(&mut self, name: &'static str, text: &str, tone: Tone) {
        let width = self.width.saturating_sub(NAMES + 2).max(1);
        for (nth, part) in wrapped(text, width).into_iter().enumerate() {
            let name = if nth == 0 { name } else { "" };
            let name = Span::styled(format!("  {name:NAMES$}"), self.palette.style(Tone::Dim));
            self.lines.push(Line::from(vec![name, Span::styled(part, self.palette.style(tone))]));
        }
    }

    fn grid(&mut self, columns: Vec<Column>, rows: Vec<Row>) {
        let grid = Grid::new(columns, rows);
        let lines = grid.lines(self.width.saturating_sub(2), 0..usize::MAX, &GridStyle::plain(self.palette));
        self.lines.extend(lines.into_iter().map(|mut line| {
            line.spans.insert(0, Span::raw("  "));
            line
        }));
    }

    fn outcome(&mut self, record: &DecisionRecord) {
        let outcome = &record.outcome;
        let tone = if outcome.ending == "answered" { Tone::Good } else { Tone::Bad };
        let by = outcome.model.as_deref().map(|model| format!(" by {model}")).unwrap_or_default();
        self.lines.push(Line::from(vec![
            Span::styled(format!("{} {}", record.route, record.id), self.palette.style(Tone::Title)),
            Span::raw("  "),
            Span::styled(format!("{}{by}", outcome.ending), self.palette.style(tone)),
        ]));
        if let Some(error) = &outcome.error {
            self.field("error", error, Tone::Bad);
        }
        let first = or_dash(outcome.first_token_ms, time);
        let added = or_dash(outcome.added_ms, time);
        let latency =
            format!("{}, first token {first}, of which the gateway added {added}", time(outcome.latency_ms));
        self.field("latency", &latency, Tone::Plain);
        let tokens = format!("{} in, {} out", count(outcome.input_tokens), count(outcome.output_tokens));
        self.field("tokens", &tokens, Tone::Plain);
        self.field("cost", &money(outcome.cost_usd), Tone::Plain);
        if let (Some(model), Some(cost)) = (&outcome.baseline_model, outcome.baseline_cost_usd) {
            let saving = (cost > 0.0).then(|| 1.0 - outcome.cost_usd / cost);
            let comparison = match saving {
                Some(saving) if saving < 0.0 => format!("{} more than", share(-saving)),
                Some(saving) => format!("{} less than", share(saving)),
                None => "as much as".to_owned(),
            };
            self.field("", &format!("{comparison} the {} of {model}", money(cost)), saving_tone(saving));
        }
    }

    fn request(&mut self, record: &DecisionRecord) {
        let request = &record.request;
        self.title("Request");
        let mut facts = vec![format!("{} for \"{}\"", request.operation, request.model)];
        facts.extend(record.key.as_ref().map(|key| format!("key {key}")));
        facts.push(format!("about {} tokens", count(request.input_tokens)));
        facts.extend(request.max_output_tokens.map(|most| format!("at most {} out", count(most))));
        facts.push(format!("turns: {}", request.turns));
        facts.push(if request.streaming { "streamed" } else { "not streamed" }.to_owned());
        facts.extend(request.deadline_ms.map(|ms| format!("within {}", time(ms))));
        self.field("request", &facts.join(", "), Tone::Plain);
        self.field("inputs", &request.inputs.join(", "), Tone::Plain);
        if !request.needs.is_empty() {
            self.field("needs", &request.needs.join(", "), Tone::Plain);
        }
        let attributes = request.attributes.iter().map(|(name, value)| format!("{name} = {value}"));
        let attributes: Vec<String> = attributes.collect();
        if !attributes.is_empty() {
            self.field("attributes", &attributes.join(", "), Tone::Plain);
        }
    }

    fn decision(&mut self, decision: &RecordedDecision) {
        let answer = &decision.answer;
        let policy = match (&decision.policy, &decision.digest) {
            (Some(policy), Some(digest)) => format!("{policy}@{}", short(digest)),
            (Some(policy), None) => policy.clone(),
            (None, _) => "the gateway's own order".to_owned(),
        };
        self.title(format!("Decision of {policy}, in {}", time(decision.took_us / 1e3)));
        let (text, tone) = answer_text(answer);
        self.field("answer", &text, tone);
        if let Some(reason) = answer.reason.as_ref().or(answer.message.as_ref()) {
            self.field("reason", reason, Tone::Accent);
        }
        let columns = vec![
            Column::name("TRY", 0),
            Column::name("CANDIDATE", 1),
            Column::name("HEALTH", 3),
            Column::figure("IN FLIGHT", 6),
            Column::figure("FIRST TOKEN", 4),
            Column::figure("ERRORS", 7),
            Column::figure("$/M IN/OUT", 2),
            Column::figure("QUALITY", 5),
        ];
        // The chosen candidates come first, in order.
        let chosen = answer.targets.iter().map(|target| target.candidate);
        let others = (0..decision.candidates.len())
            .filter(|index| !answer.targets.iter().any(|target| target.candidate == *index));
        let rows = chosen.enumerate().map(|(nth, index)| (Some(nth + 1), index));
        let rows = rows.chain(others.map(|index| (None, index)));
        let rows = rows.filter_map(|(rank, index)| candidate_row(decision, rank, index)).collect();
        self.grid(columns, rows);
    }

    fn attempts(&mut self, record: &DecisionRecord) {
        if record.attempts.is_empty() {
            return;
        }
        self.title("Calls");
        let columns = vec![
            Column::name("MODEL", 0),
            Column::figure("TASK", 6),
            Column::name("RESULT", 1),
            Column::figure("BEGAN", 5),
            Column::figure("FIRST TOKEN", 7),
            Column::figure("ENDED", 2),
            Column::figure("TOKENS", 4),
            Column::figure("COST", 3),
            Column::text("ERROR", 1),
        ];
        let rows = record.attempts.iter().map(|attempt| {
            let tone = result_tone(&attempt.result);
            Row {
                key: String::new(),
                cells: vec![
                    Cell::text(attempt.model.clone()),
                    Cell::text(or_dash(attempt.task, |task| task.to_string())),
                    Cell::text(attempt.result.clone()).tone(tone),
                    Cell::text(time(attempt.begun_ms)),
                    Cell::text(or_dash(attempt.first_token_ms, time)),
                    Cell::text(time(attempt.ended_ms)),
                    Cell::text(format!("{}+{}", count(attempt.input_tokens), count(attempt.output_tokens))),
                    Cell::text(money(attempt.cost_usd)),
                    Cell::text(attempt.error.clone().unwrap_or_default()).tone(tone),
                ],
            }
        });
        self.grid(columns, rows.collect());
    }

    fn plan(&mut self, record: &DecisionRecord) {
        let Some(plan) = &record.plan else { return };
        let path = time(plan.critical_path_ms);
        self.title(format!(
            "Plan, tasks: {}, steps: {}, critical path: {path}",
            plan.tasks.len(),
            plan.steps
        ));
        let columns = vec![
            Column::figure("TASK", 0),
            Column::name("NAME", 1),
            Column::name("STATUS", 2),
            Column::name("MODEL", 3),
            Column::figure("BEGAN", 6),
            Column::figure("ENDED", 4),
            Column::figure("COST", 5),
            Column::text("ERROR", 3),
        ];
        let rows = plan.tasks.iter().map(|task| {
            let tone = result_tone(&task.status);
            Row {
                key: String::new(),
                cells: vec![
                    Cell::text(task.number.to_string()),
                    Cell::text(task.name.clone()),
                    Cell::text(task.status.clone()).tone(tone),
                    Cell::text(task.model.as_deref().unwrap_or("-")),
                    Cell::text(or_dash(task.begun_ms, time)),
                    Cell::text(or_dash(task.ended_ms, time)),
                    Cell::text(money(task.cost_usd)),
                    Cell::text(task.error.clone().unwrap_or_default()).tone(tone),
                ],
            }
        });
        self.grid(columns, rows.collect());
    }
}

/// Returns the row of a candidate with its rank in the answer, if there is such a candidate.
fn candidate_row(decision: &RecordedDecision, rank: Option<usize>, index: usize) -> Option<Row> {
    let candidate = decision.candidates.get(index)?;
    let health = if candidate.healthy { ("ok", Tone::Good) } else { ("DOWN", Tone::Bad) };
    let name = Cell::text(candidate.model.as_str());
    Some(Row {
        key: String::new(),
        cells: vec![
            Cell::text(or_dash(rank, |rank| format!("{rank}."))),
            name.tone(if rank.is_some() { Tone::Plain } else { Tone::Dim }),
            Cell::text(health.0).tone(health.1),
            Cell::text(count(candidate.in_flight)),
            Cell::text(or_dash(candidate.first_token_ms, time)),
            Cell::text(share(candidate.error_rate)),
            Cell::text(prices(candidate.input_usd_per_million, candidate.output_usd_per_million)),
            Cell::text(or_dash(candidate.quality, |quality| format!("{quality}"))),
        ],
    })
}

fn answer_text(answer: &RecordedAnswer) -> (String, Tone) {
    let label = answer.label.as_deref().unwrap_or("-");
    match answer.kind.as_str() {
        "route" => {
            let hedge = answer.hedge_after_ms.map(|ms| format!(", a hedged call after {}", time(ms)));
            let chance = answer.propensity.map(|chance| format!(", chosen with probability {chance:.2}"));
            let more = [hedge, chance].into_iter().flatten().collect::<String>();
            (format!("route, {label}{more}"), Tone::Plain)
        }
        "plan" => (format!("plan of {} tasks, {label}", answer.tasks.unwrap_or_default()), Tone::Plain),
        "refusal" => (format!("refusal, {}", answer.code.as_deref().unwrap_or("-")), Tone::Warn),
        "failure" => ("failure".to_owned(), Tone::Bad),
        other => (format!("{other}, {label}"), Tone::Plain),
    }
}

fn result_tone(result: &str) -> Tone {
    match result {
        "answered" | "done" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Dim,
    }
}

/// Wraps a text between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word.to_owned();
        let wide = Span::raw(word.as_str()).width();
        if used > 0 && used + 1 + wide > width {
            lines.push(String::new());
            used = 0;
        }
        // A word that is longer than a line is cut, which happens only in very narrow terminals.
        if wide > width {
            word = super::grid::cut(&word, width);
        }
        let Some(line) = lines.last_mut() else { break };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += Span::raw(word.as_str()).width();
        line.push_str(&word);
    }
    lines
}
