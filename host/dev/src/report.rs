//! The output of a session: text, or a line of JSON for each event.

use std::fmt::Write;
use std::time::Duration;

use pointsman_author::subject::PolicyFile;
use pointsman_author::verb::test::{CaseResult, failed_cases};
use pointsman_terminal::{Colour, CommandError, Paint, print, printable};
use serde_json::{Value, json};

use crate::gateway::{LocalGateway, Swap};
use crate::recorded::Comparison;

/// Changed answers that are shown.
const MOST_CHANGES: usize = 10;

/// Writes the report of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reporter {
    is_json: bool,
    paint: Paint,
}

/// Times of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The language's tool.
    pub(crate) build: Duration,
    /// Compilation to native code, and a probe decision.
    pub(crate) load: Duration,
    /// From the begin of the round to the first decision that the version can make.
    pub(crate) serving: Duration,
}

/// A round that led to a version.
pub(crate) struct Round<'a> {
    pub(crate) file: &'a PolicyFile,
    /// Digest of the version before, shortened.
    pub(crate) before: Option<&'a str>,
    /// True if the bytes differ from those of the version before.
    pub(crate) is_new: bool,
    pub(crate) times: Times,
    pub(crate) cases: &'a Result<Vec<CaseResult>, CommandError>,
    pub(crate) recorded: &'a Comparison,
    pub(crate) swap: &'a Swap,
}

impl Reporter {
    pub(crate) fn new(is_json: bool, no_colour: bool) -> Self {
        Self { is_json, paint: Paint::stdout(no_colour) }
    }

    /// Reports that the gateway listens.
    pub(crate) fn listening(self, gateway: &LocalGateway, policy: &str) -> Result<(), CommandError> {
        let LocalGateway { clients, admin, .. } = gateway;
        if self.is_json {
            return print(
                json!({ "event": "listening", "clients": clients, "admin": admin, "policy": policy }),
            );
        }
        print(format!(
            "gateway  {clients} for clients, {admin} for its page\n         curl -i {clients}/v1/chat/completions \
             -H 'content-type: application/json' \\\n           -d '{{\"model\": \"{policy}\", \"messages\": \
             [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'"
        ))
    }

    /// Reports a policy that does not build or load.
    pub(crate) fn failed(self, error: &CommandError) -> Result<(), CommandError> {
        if self.is_json {
            return print(json!({ "event": "failed", "error": error.to_string() }));
        }
        print(error)
    }

    /// Reports that changes are awaited.
    pub(crate) fn waiting(self) -> Result<(), CommandError> {
        if self.is_json {
            return Ok(());
        }
        print("waiting for changes; Ctrl-C ends")
    }

    /// Reports a round.
    pub(crate) fn round(self, round: &Round<'_>) -> Result<(), CommandError> {
        if self.is_json { print(as_json(round)) } else { print(self.text(round).trim_end()) }
    }

    fn text(self, round: &Round<'_>) -> String {
        let Times { build, load, serving } = round.times;
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        let digest = round.file.code.digest().short().to_string();
        let mut text = match (round.before, round.is_new) {
            (Some(before), true) => format!("version  {before} → {digest}"),
            (Some(_), false) => format!("version  {digest}, unchanged"),
            (None, _) => format!("version  {digest}"),
        };
        let _ = match round.swap {
            Swap::Serving => writeln!(
                text,
                "; {} after {}: built in {}, loaded in {}",
                self.paint.word(Colour::Green, "serving"),
                seconds(serving),
                seconds(build),
                seconds(load)
            ),
            Swap::Rejected(rejected) => writeln!(
                text,
                "; {} by the gateway: {}",
                self.paint.word(Colour::Red, "rejected"),
                printable::text(&rejected.error)
            ),
        };
        text += &self.cases(round.cases);
        text += &self.recorded(round.recorded);
        text
    }

    fn cases(self, cases: &Result<Vec<CaseResult>, CommandError>) -> String {
        match cases {
            Err(error) => format!("{error}\n"),
            Ok(results) if results.is_empty() => "cases    none\n".to_owned(),
            Ok(results) => {
                let failed = results.iter().filter(|result| !result.passed()).count();
                let verdict = match failed {
                    0 => self.paint.word(Colour::Green, format!("{} passed", results.len())),
                    _ => self
                        .paint
                        .word(Colour::Red, format!("{failed} failed, {} passed", results.len() - failed)),
                };
                format!("cases    {verdict}\n{}", failed_cases(results, self.paint))
            }
        }
    }

    fn recorded(self, recorded: &Comparison) -> String {
        let Comparison { asked, changed, left_out } = recorded;
        let mut text = String::new();
        if *asked > 0 {
            let count = match changed.len() {
                0 => self.paint.word(Colour::Green, "none changed".to_owned()),
                count => self.paint.word(Colour::Yellow, format!("{count} changed")),
            };
            let _ = writeln!(text, "recorded {asked} asked again, {count}");
        }
        for change in changed.iter().take(MOST_CHANGES) {
            let _ = writeln!(
                text,
                "  {}\n    before  {}\n    after   {}",
                change.request, change.before, change.after
            );
        }
        if changed.len() > MOST_CHANGES {
            let _ = writeln!(text, "  and {} more", changed.len() - MOST_CHANGES);
        }
        for (reason, count) in left_out {
            let _ = writeln!(text, "  left out: {count} records: {reason}");
        }
        text
    }
}

fn as_json(round: &Round<'_>) -> Value {
    let ms = |time: Duration| time.as_millis() as u64;
    let cases = match round.cases {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(results) => json!({
            "passed": results.iter().filter(|result| result.passed()).count(),
            "failed": results.iter().filter(|result| !result.passed()).map(|it| json!({
                "name": it.name,
                "differences": it.differences,
            })).collect::<Vec<_>>(),
        }),
    };
    let rejected = match round.swap {
        Swap::Serving => None,
        Swap::Rejected(rejected) => Some(&rejected.error),
    };
    json!({
        "event": "version",
        "sha256": round.file.code.digest().to_string(),
        "changed": round.is_new,
        "rejected": rejected,
        "build_ms": ms(round.times.build),
        "load_ms": ms(round.times.load),
        "serving_ms": ms(round.times.serving),
        "cases": cases,
        "recorded": round.recorded,
    })
}
