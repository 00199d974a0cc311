//! Makes lines of requests, faster than by serialising all of a record.
//!
//! Most of a record are its candidates, and most of a candidate stays the same for
//! as long as the configuration does. So the record is serialised without
//! candidates, and they are put in afterwards, each from text that was made once
//! and the few facts of the moment. The line is that of [`Record`] to the byte.

use std::collections::HashMap;
use std::sync::Arc;

use memchr::memmem;
use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::History;
use pointsman_domain::model::Model;
use serde::Serialize;

use crate::content::Content;
use crate::record::{self, Record};

/// Models whose text is kept. After so many all of it is made anew, since reloads
/// of the configuration leave models behind that are never seen again.
const KEPT: usize = 1_024;

/// Makes lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// The share of requests that is logged, if not all are.
    sampling: Option<f64>,
    models: HashMap<usize, Known>,
    /// A record without candidates.
    frame: Vec<u8>,
}

/// What is always the same of a model. The model is kept too, so that no other one
/// can have its address.
#[derive(Debug)]
struct Known {
    _model: Arc<Model>,
    /// The beginning of a candidate, up to the facts of the moment.
    text: Box<[u8]>,
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
    /// For a log with this share of the requests in it, if that is not all.
    pub fn new(sampling: Option<f64>) -> Self {
        Self { sampling, ..Self::default() }
    }

    /// Adds the line of a request.
    pub fn add(&mut self, history: &History, content: Option<&Content>, out: &mut Vec<u8>) {
        let mut record = Record::without_candidates(history);
        record.sampling = self.sampling;
        record.content = content;
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        write(&record, &mut frame);
        // Such a text is nowhere else: inside of a string the quotes would be escaped,
        // and where a client or an operator chooses names, what they name is a string.
        let mut rest = frame.as_slice();
        for asked in &history.asked {
            let empty: &[u8] = b"\"candidates\":[]";
            let Some(place) = memmem::find(rest, empty) else { break };
            let (before, after) = rest.split_at(place + empty.len() - 1);
            out.extend_from_slice(before);
            for (number, candidate) in asked.candidates.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                self.candidate(candidate, out);
            }
            rest = after;
        }
        out.extend_from_slice(rest);
        out.push(b'\n');
        self.frame = frame;
    }

    fn candidate(&mut self, candidate: &Candidate, out: &mut Vec<u8>) {
        let address = Arc::as_ptr(&candidate.model) as usize;
        if !self.models.contains_key(&address) && self.models.len() == KEPT {
            self.models.clear();
        }
        let known = self.models.entry(address).or_insert_with(|| Known::new(candidate));
        out.extend_from_slice(&known.text);
        let live = &candidate.live;
        let moment = Moment {
            healthy: live.healthy,
            in_flight: live.in_flight,
            first_token_ms: live.first_token_ms,
            tokens_per_second: live.tokens_per_second,
            error_rate: live.error_rate,
        };
        let brace = out.len();
        write(&moment, out);
        if let Some(brace) = out.get_mut(brace) {
            *brace = b',';
        }
    }
}

impl Known {
    fn new(candidate: &Candidate) -> Self {
        let mut text = Vec::new();
        write(&record::Candidate::of(candidate), &mut text);
        // The last one: an attribute may have this name too.
        if let Some(end) = memmem::rfind(&text, b",\"healthy\":") {
            text.truncate(end);
        }
        Self { _model: Arc::clone(&candidate.model), text: text.into() }
    }
}

fn write(value: &impl Serialize, out: &mut Vec<u8>) {
    // Writing to memory does not fail, nor does anything in a record.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests;
