//! Bytes of a stored step.
//!
//! The length of the content, then its zstd frame. The content is columns, which compress better than
//! lines: three lists of names, each followed by the names of all lines as positions in it, then each
//! sum of all lines. All numbers are variable-length integers (LEB128).

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::usage_totals::{UsageSubject, UsageTotals};

use super::step::UsageStep;

/// Most bytes of a stored step.
pub(super) const MAX_STEP_BYTES: usize = 28_280;
/// Most lines of a stored step.
pub(super) const MAX_LINES: usize = 1_500;
/// Most bytes of the content of a step before its compression.
const MAX_CONTENT_BYTES: usize = 1 << 20;
/// Level of compression, at which a large step takes about a millisecond.
const LEVEL: i32 = 3;

/// Reason why bytes are no step.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnreadableStep;

/// Encodes a step. Lines beyond the bounds, the smallest, are folded into one.
///
/// # Errors
/// Fails if there is no memory for the compression.
pub(super) fn encode(step: &UsageStep) -> io::Result<Vec<u8>> {
    let lines = step.by_size();
    let mut kept = lines.len().min(MAX_LINES);
    loop {
        let (apart, rest) = lines.split_at(kept);
        let mut folded = step.folded;
        rest.iter().for_each(|(_, totals)| folded += **totals);
        let content = content(apart, &folded);
        if content.len() <= MAX_CONTENT_BYTES {
            let mut bytes = Vec::new();
            put(&mut bytes, content.len() as u64);
            bytes.extend(zstd::bulk::compress(&content, LEVEL)?);
            if bytes.len() <= MAX_STEP_BYTES || kept == 0 {
                return Ok(bytes);
            }
        }
        kept = kept.saturating_sub((kept / 16).max(1));
    }
}

/// Decodes a step.
pub(super) fn decode(bytes: &[u8]) -> Result<UsageStep, UnreadableStep> {
    let mut frame = bytes;
    let length = usize::try_from(take(&mut frame)?).map_err(|_| UnreadableStep)?;
    if length > MAX_CONTENT_BYTES {
        return Err(UnreadableStep);
    }
    let content = zstd::bulk::decompress(frame, length).map_err(|_| UnreadableStep)?;
    let mut content = content.as_slice();
    let columns = count(&mut content, UsageTotals::VALUES)?;
    let lines = count(&mut content, MAX_LINES)?;
    let routes: Vec<Option<Arc<str>>> = column_of_names(&mut content, lines)?;
    let models = column_of_names(&mut content, lines)?;
    let keys = column_of_names(&mut content, lines)?;
    let mut values = vec![[0; UsageTotals::VALUES]; lines];
    for column in 0..columns {
        for line in &mut values {
            line[column] = take(&mut content)?;
        }
    }
    let mut folded = [0; UsageTotals::VALUES];
    for value in folded.iter_mut().take(columns) {
        *value = take(&mut content)?;
    }
    let mut step =
        UsageStep { lines: HashMap::with_capacity(lines), folded: UsageTotals::from_values(folded) };
    for (((route, model), key), values) in routes.into_iter().zip(models).zip(keys).zip(values) {
        let subject = UsageSubject {
            route: route.ok_or(UnreadableStep)?,
            model: model.map(ModelId::new),
            key: key.map(KeyName::new),
        };
        *step.lines.entry(subject).or_default() += UsageTotals::from_values(values);
    }
    Ok(step)
}

fn content(lines: &[(&UsageSubject, &UsageTotals)], folded: &UsageTotals) -> Vec<u8> {
    let mut content = Vec::new();
    put(&mut content, UsageTotals::VALUES as u64);
    put(&mut content, lines.len() as u64);
    put_names(&mut content, lines.iter().map(|(subject, _)| Some(&*subject.route)));
    put_names(&mut content, lines.iter().map(|(subject, _)| subject.model.as_ref().map(ModelId::as_str)));
    put_names(&mut content, lines.iter().map(|(subject, _)| subject.key.as_ref().map(KeyName::as_str)));
    let values: Vec<_> = lines.iter().map(|(_, totals)| totals.values()).collect();
    for column in 0..UsageTotals::VALUES {
        values.iter().for_each(|line| put(&mut content, line[column]));
    }
    folded.values().iter().for_each(|value| put(&mut content, *value));
    content
}

/// Writes each name once, and then the position of each line's name, from 1; 0 is no name.
fn put_names<'a>(content: &mut Vec<u8>, names: impl Iterator<Item = Option<&'a str>>) {
    let (mut positions, mut known, mut list) = (Vec::new(), HashMap::new(), Vec::new());
    for name in names {
        positions.push(name.map_or(0, |name| {
            *known.entry(name).or_insert_with(|| {
                list.push(name);
                list.len() as u64
            })
        }));
    }
    put(content, list.len() as u64);
    for name in list {
        put(content, name.len() as u64);
        content.extend(name.as_bytes());
    }
    positions.into_iter().for_each(|position| put(content, position));
}

fn column_of_names(content: &mut &[u8], lines: usize) -> Result<Vec<Option<Arc<str>>>, UnreadableStep> {
    let number = count(content, lines)?;
    let mut names: Vec<Arc<str>> = Vec::with_capacity(number);
    for _ in 0..number {
        let length = count(content, MAX_CONTENT_BYTES)?;
        let (name, rest) = content.split_at_checked(length).ok_or(UnreadableStep)?;
        names.push(std::str::from_utf8(name).map_err(|_| UnreadableStep)?.into());
        *content = rest;
    }
    let mut column = Vec::with_capacity(lines);
    for _ in 0..lines {
        column.push(match count(content, number)? {
            0 => None,
            position => Some(Arc::clone(names.get(position - 1).ok_or(UnreadableStep)?)),
        });
    }
    Ok(column)
}

/// Reads a number that may be at most `most`.
fn count(content: &mut &[u8], most: usize) -> Result<usize, UnreadableStep> {
    usize::try_from(take(content)?).ok().filter(|number| *number <= most).ok_or(UnreadableStep)
}

fn put(content: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        content.push(value as u8 | 0x80);
        value >>= 7;
    }
    content.push(value as u8);
}

fn take(content: &mut &[u8]) -> Result<u64, UnreadableStep> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (first, rest) = content.split_first().ok_or(UnreadableStep)?;
        *content = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(UnreadableStep)
}

#[cfg(test)]
mod tests;
