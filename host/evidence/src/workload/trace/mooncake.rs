//! Traces of Mooncake: JSON lines with hashes of the blocks of prompts.

use std::io::BufRead;
use std::time::Duration;

use pointsman_terminal::CommandError;
use serde::Deserialize;

use super::{Lines, TraceEntry};

/// Most blocks of a prompt.
const MAX_BLOCKS: usize = 65_536;

#[derive(Deserialize)]
struct Request {
    /// Milliseconds from the start.
    timestamp: u64,
    input_length: u32,
    output_length: u32,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

/// Reads all lines.
pub(super) fn read(mut lines: Lines<'_, impl BufRead>) -> Result<Vec<TraceEntry>, CommandError> {
    let mut entries = Vec::new();
    while lines.advance()? {
        lines.check_room(&entries)?;
        let request: Request = serde_json::from_str(&lines.line).map_err(|error| {
            // The position is that of the byte after the fault.
            let before = lines.line.get(..error.column().saturating_sub(1)).unwrap_or_default();
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or_default();
            lines.fault(Some((before.chars().count(), 1)), &format!("not a request of a trace: {reason}"))
        })?;
        if request.hash_ids.len() > MAX_BLOCKS {
            return Err(lines.fault(None, &format!("the prompt has more than {MAX_BLOCKS} blocks")));
        }
        entries.push(TraceEntry {
            at: Duration::from_millis(request.timestamp),
            input_tokens: request.input_length,
            output_tokens: request.output_length,
            prefix: request.hash_ids.into(),
            facts: None,
        });
    }
    Ok(entries)
}
