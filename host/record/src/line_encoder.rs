//! Serialises histories to lines of the decision log.
//!
//! Most bytes of a record are its candidates. Most facts of a candidate change only with the
//! configuration, and the live ones rarely change from one request to the next. The encoder
//! therefore serialises the record without candidates and inserts each candidate from a cache of
//! serialised text, in which it replaces the live facts if they have changed. Name and digests of a
//! policy are inserted from a cache too. The line equals the serialised [`DecisionRecord`] byte for
//! byte.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use memchr::memmem;
use pointsman_domain::candidate::Candidate;
use pointsman_domain::history::{History, PolicyVersion};
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::Model;
use serde::Serialize;

use crate::candidate::{CandidateRecord, LiveFacts};
use crate::content::ContentRecord;
use crate::entry::VersionMembers;
use crate::record::DecisionRecord;

/// Most models in the cache. When it is full it is emptied: reloads of the configuration leave
/// models behind that are never used again.
const MAX_CACHED_MODELS: usize = 1_024;
/// Most versions of policies in the cache.
const MAX_CACHED_VERSIONS: usize = 32;
/// Most bytes of a line whose memory is kept for the next one. Content can be long.
const MAX_KEPT_CAPACITY: usize = 64 << 10;
/// Text at which candidates are inserted.
const NO_CANDIDATES: &[u8] = b"\"candidates\":[]";

/// Serialises histories to lines of the decision log.
#[derive(Debug, Default)]
pub struct LineEncoder {
    /// By the address of the model.
    models: HashMap<usize, CachedCandidate>,
    versions: Vec<CachedVersion>,
    /// Record without policies and candidates.
    frame: Vec<u8>,
    line: Vec<u8>,
}

/// A candidate as it was serialised last.
#[derive(Debug)]
struct CachedCandidate {
    /// Keeps the model alive, so that no other model can have the same address.
    _model: Arc<Model>,
    live: LiveSnapshot,
    text: Vec<u8>,
    /// Offset of the live facts in the text.
    live_offset: usize,
}

/// Serialised members of an entry about the version of a policy, with a comma at the end.
#[derive(Debug)]
struct CachedVersion {
    version: PolicyVersion,
    members: Vec<u8>,
}

impl LineEncoder {
    /// Serialises the record of a request and ends it with a line feed. `sampling` is the share of
    /// requests that is logged, if not all.
    pub fn encode(
        &mut self,
        history: &History,
        sampling: Option<f64>,
        content: Option<&ContentRecord>,
    ) -> &[u8] {
        self.frame.clear();
        self.frame.shrink_to(MAX_KEPT_CAPACITY);
        self.line.clear();
        self.line.shrink_to(MAX_KEPT_CAPACITY);
        let content = content.map(Cow::Borrowed);
        let record = DecisionRecord { sampling, content, ..DecisionRecord::frame(history) };
        serialize(&record, &mut self.frame);
        // The marker cannot occur elsewhere: quotes in strings are escaped, and every name that a
        // client or an operator chooses has a string as its value.
        let mut rest = self.frame.as_slice();
        for entry in &history.decisions {
            let Some(place) = memmem::find(rest, NO_CANDIDATES) else { break };
            let (before, after) = rest.split_at(place + NO_CANDIDATES.len() - 1);
            // Before the candidates, an entry has only numbers, so the last brace opens it.
            let start = memchr::memrchr(b'{', before).map_or(0, |brace| brace + 1);
            let (before, members) = before.split_at(start);
            self.line.extend_from_slice(before);
            if let Some(version) = &entry.policy {
                self.line.extend_from_slice(version_members(&mut self.versions, version));
            }
            self.line.extend_from_slice(members);
            for (number, candidate) in entry.candidates.iter().enumerate() {
                if number > 0 {
                    self.line.push(b',');
                }
                let address = Arc::as_ptr(&candidate.model) as usize;
                if self.models.len() == MAX_CACHED_MODELS && !self.models.contains_key(&address) {
                    self.models.clear();
                }
                let cached = self.models.entry(address).or_insert_with(|| CachedCandidate::new(candidate));
                self.line.extend_from_slice(cached.update(candidate.live));
            }
            rest = after;
        }
        self.line.extend_from_slice(rest);
        self.line.push(b'\n');
        &self.line
    }
}

/// Returns the serialised members about a version.
fn version_members<'v>(cache: &'v mut Vec<CachedVersion>, version: &PolicyVersion) -> &'v [u8] {
    let index = cache.iter().position(|cached| cached.version == *version).unwrap_or_else(|| {
        if cache.len() == MAX_CACHED_VERSIONS {
            cache.clear();
        }
        cache.push(CachedVersion::new(version));
        cache.len() - 1
    });
    cache.get(index).map(|cached| cached.members.as_slice()).unwrap_or_default()
}

impl CachedVersion {
    fn new(version: &PolicyVersion) -> Self {
        let mut members = Vec::new();
        serialize(&VersionMembers::new(version), &mut members);
        // The members move into another object: the opening brace goes, the closing one becomes a
        // comma.
        members.drain(..members.len().min(1));
        if let Some(brace) = members.last_mut() {
            *brace = b',';
        }
        Self { version: version.clone(), members }
    }
}

impl CachedCandidate {
    fn new(candidate: &Candidate) -> Self {
        let mut text = Vec::new();
        serialize(&CandidateRecord::new(candidate), &mut text);
        // The last occurrence: an attribute may have this name too.
        let live_offset = memmem::rfind(&text, b",\"healthy\":").unwrap_or(text.len());
        Self { _model: Arc::clone(&candidate.model), live: candidate.live, text, live_offset }
    }

    /// Replaces the live facts if they differ, and returns the serialised candidate.
    fn update(&mut self, live: LiveSnapshot) -> &[u8] {
        if self.live != live {
            self.live = live;
            self.text.truncate(self.live_offset);
            serialize(&LiveFacts::new(&live), &mut self.text);
            // The brace that opens the live facts becomes the comma before them.
            if let Some(brace) = self.text.get_mut(self.live_offset) {
                *brace = b',';
            }
        }
        &self.text
    }
}

fn serialize(value: &impl Serialize, out: &mut Vec<u8>) {
    // Neither writing to memory nor serialising these types can fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests;
