//! Makes lines of requests, faster than by serialising all of a record.
//!
//! Most of a record are its candidates, and most of a candidate stays the same for
//! as long as the configuration does; nearly all of it from one request to the next.
//! So the record is serialised without candidates, and they are put in afterwards,
//! each from the text that was made last, with the facts of the moment renewed where
//! they have changed. The line is that of [`Record`] to the byte.

use std::collections::HashMap;
use std::sync::Arc;

use memchr::memmem;
use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::History;
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::Model;
use serde::Serialize;

use crate::content::Content;
use crate::record::{self, Record};

/// Models whose text is kept. After so many all of it is made anew, since reloads
/// of the configuration leave models behind that are never seen again.
const KEPT: usize = 1_024;
/// Most bytes of a line whose memory is kept for the next. Content can be long.
const MOST_KEPT: usize = 64 << 10;

/// Makes lines.
#[derive(Debug, Default)]
pub struct Lines {
    models: HashMap<usize, Known>,
    /// A record without candidates.
    frame: Vec<u8>,
    line: Vec<u8>,
}

/// A candidate as it was last told. The model is kept too, so that no other one can
/// have its address.
#[derive(Debug)]
struct Known {
    _model: Arc<Model>,
    live: LiveSnapshot,
    text: Vec<u8>,
    /// Where the facts of the moment begin.
    fixed: usize,
}

/// The facts of the moment: the last members of a candidate.
#[derive(Serialize)]
struct Moment {
    healthy: bool,
    in_flight: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_per_second: Option<f64>,
    error_rate: f64,
}

impl Lines {
    /// The line of a request, with its end, in a log with this share of the requests
    /// in it, if that is not all.
    pub fn line(&mut self, history: &History, sampling: Option<f64>, content: Option<&Content>) -> &[u8] {
        self.frame.clear();
        self.frame.shrink_to(MOST_KEPT);
        self.line.clear();
        self.line.shrink_to(MOST_KEPT);
        let record = Record { sampling, content, ..Record::without_candidates(history) };
        write(&record, &mut self.frame);
        // Such a text is nowhere else: inside of a string the quotes would be escaped,
        // and where a client or an operator chooses names, what they name is a string.
        let mut rest = self.frame.as_slice();
        for asked in &history.decisions {
            let empty: &[u8] = b"\"candidates\":[]";
            let Some(place) = memmem::find(rest, empty) else { break };
            let (before, after) = rest.split_at(place + empty.len() - 1);
            self.line.extend_from_slice(before);
            for (number, candidate) in asked.candidates.iter().enumerate() {
                if number > 0 {
                    self.line.push(b',');
                }
                let address = Arc::as_ptr(&candidate.model) as usize;
                if self.models.len() == KEPT && !self.models.contains_key(&address) {
                    self.models.clear();
                }
                let known = self.models.entry(address).or_insert_with(|| Known::new(candidate));
                self.line.extend_from_slice(known.now(candidate.live));
            }
            rest = after;
        }
        self.line.extend_from_slice(rest);
        self.line.push(b'\n');
        &self.line
    }
}

impl Known {
    fn new(candidate: &Candidate) -> Self {
        let mut text = Vec::new();
        write(&record::Candidate::of(candidate), &mut text);
        // The last one: an attribute may have this name too.
        let fixed = memmem::rfind(&text, b",\"healthy\":").unwrap_or(text.len());
        Self { _model: Arc::clone(&candidate.model), live: candidate.live, text, fixed }
    }

    /// The candidate with the facts of another moment.
    fn now(&mut self, live: LiveSnapshot) -> &[u8] {
        if self.live != live {
            self.live = live;
            self.text.truncate(self.fixed);
            write(&Moment::of(&live), &mut self.text);
            if let Some(brace) = self.text.get_mut(self.fixed) {
                *brace = b',';
            }
        }
        &self.text
    }
}

impl Moment {
    fn of(live: &LiveSnapshot) -> Self {
        Self {
            healthy: live.healthy,
            in_flight: live.in_flight,
            first_token_ms: live.first_token_ms,
            tokens_per_second: live.tokens_per_second,
            error_rate: live.error_rate,
        }
    }
}

fn write(value: &impl Serialize, out: &mut Vec<u8>) {
    // Writing to memory does not fail, nor does anything in a record.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests;
