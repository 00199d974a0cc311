//! Simulated pictures: coloured squares that depend on the prompt.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fastrand::Rng;
use pointsman_wire::openai::provider::MultipartForm;
use pointsman_wire::sse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::SimulatedBody;
use super::events::EventList;
use super::invalid_request::{Count, InvalidRequest, parse, parse_count};
use super::png;
use super::reply::SimulatedResponse;
use super::tokens::tokens;

/// Most pictures of an answer.
const MAX_PICTURES: u32 = 10;
/// Most pictures that a stream shows before the last one.
const MAX_PARTIAL: u32 = 3;
/// Pixels of the longer side.
const SIDE: u32 = 32;
/// Most squares on the longer side.
const SQUARES: u8 = 4;
/// Output tokens of a picture, and input tokens of one to edit.
const TOKENS_PER_PICTURE: usize = 272;

#[derive(Debug)]
pub(super) struct ImageRequest {
    pub(super) model: String,
    pub(super) prompt: String,
    count: u32,
    size: (u32, u32),
    /// True if pictures are given by a link, which has the picture itself.
    link: bool,
    /// Pictures to edit.
    originals: usize,
    /// Number of pictures before the last one, for a stream.
    stream: Option<u32>,
    now: u64,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct Members {
    model: Option<String>,
    prompt: Option<String>,
    n: Option<Count<u32>>,
    size: Option<String>,
    response_format: Option<String>,
    output_format: Option<String>,
    stream: Option<bool>,
    partial_images: Option<Count<u32>>,
}

impl ImageRequest {
    /// Parses the body of a request for new pictures.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(pieces: &[Bytes], now: u64) -> Result<Self, InvalidRequest> {
        Self::new(parse(pieces)?, 0, now)
    }

    /// Parses the form of a request to edit pictures.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read_edit(content_type: &str, body: &[u8], now: u64) -> Result<Self, InvalidRequest> {
        let form = MultipartForm::read(content_type, body).map_err(|error| error.to_string())?;
        let originals = form.files("image").chain(form.files("image[]")).count();
        if originals == 0 {
            return Err(InvalidRequest::missing("image"));
        }
        let text = |name| form.text(name).map(str::to_owned);
        let number = |name| form.text(name).map(|value| parse_count(name, value).map(Count)).transpose();
        let members = Members {
            model: text("model"),
            prompt: text("prompt"),
            n: number("n")?,
            size: text("size"),
            response_format: text("response_format"),
            output_format: text("output_format"),
            stream: form.text("stream").map(|value| value == "true"),
            partial_images: number("partial_images")?,
        };
        Self::new(members, originals, now)
    }

    fn new(members: Members, originals: usize, now: u64) -> Result<Self, InvalidRequest> {
        let count = members.n.map_or(1, |Count(n)| n);
        if !(1..=MAX_PICTURES).contains(&count) {
            let message = format!("n is {count}; a number from 1 to {MAX_PICTURES} is expected");
            return Err(InvalidRequest::value("n", message));
        }
        let partial = members.partial_images.map_or(0, |Count(partial)| partial);
        if partial > MAX_PARTIAL {
            let message =
                format!("partial_images is {partial}; a number from 0 to {MAX_PARTIAL} is expected");
            return Err(InvalidRequest::value("partial_images", message));
        }
        let size = members.size.as_deref().unwrap_or("auto");
        let link = match members.response_format.as_deref() {
            None | Some("b64_json") => false,
            Some("url") => true,
            Some(other) => {
                let message = format!("response_format is {other:?}; use b64_json or url");
                return Err(InvalidRequest::value("response_format", message));
            }
        };
        if let Some(other) = members.output_format.as_deref().filter(|format| *format != "png") {
            let message = format!("output_format {other:?} is none that this fleet knows; use png");
            return Err(InvalidRequest::value("output_format", message));
        }
        Ok(Self {
            model: members.model.ok_or_else(|| InvalidRequest::missing("model"))?,
            prompt: members.prompt.ok_or_else(|| InvalidRequest::missing("prompt"))?,
            count,
            size: dimensions(size).ok_or_else(|| {
                InvalidRequest::value("size", format!("size is {size:?}; auto or WIDTHxHEIGHT is expected"))
            })?,
            link,
            originals,
            stream: members.stream.unwrap_or(false).then_some(partial),
            now,
        })
    }

    /// Returns the number of tokens of the answer.
    pub(super) const fn tokens(&self) -> u32 {
        self.count * TOKENS_PER_PICTURE as u32
    }

    pub(super) const fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    pub(super) fn answer(&self, seed: u64, per_token: std::time::Duration) -> SimulatedResponse {
        if let Some(partial) = self.stream {
            let per_picture = per_token * TOKENS_PER_PICTURE as u32;
            let events = EventList::new(self.events(partial, seed));
            return SimulatedResponse::ok(sse::MEDIA_TYPE, SimulatedBody::stream(events, per_picture));
        }
        let picture = |number: u32| {
            let data = self.picture(seed.wrapping_add(u64::from(number)));
            if self.link {
                json!({ "url": format!("data:image/png;base64,{data}") })
            } else {
                json!({ "b64_json": data })
            }
        };
        let data: Vec<Value> = (0..self.count).map(picture).collect();
        let answer =
            json!({ "created": self.now, "data": data, "output_format": "png", "usage": self.usage() });
        SimulatedResponse::json(answer.to_string())
    }

    fn events(&self, partial: u32, seed: u64) -> Vec<Value> {
        let kind = if self.originals > 0 { "image_edit" } else { "image_generation" };
        let size = format!("{}x{}", self.size.0, self.size.1);
        let event = |name: &str, data: String| {
            json!({
                "type": format!("{kind}.{name}"), "b64_json": data, "created_at": self.now, "size": size,
                "quality": "low", "background": "opaque", "output_format": "png",
            })
        };
        let mut events: Vec<Value> = Vec::new();
        for number in 0..partial {
            let mut part = event("partial_image", self.picture(seed ^ u64::from(number + 1)));
            part["partial_image_index"] = number.into();
            events.push(part);
        }
        for number in 0..self.count {
            let mut last = event("completed", self.picture(seed.wrapping_add(u64::from(number))));
            last["usage"] = self.usage();
            events.push(last);
        }
        events
    }

    fn usage(&self) -> Value {
        let text_tokens = tokens(&self.prompt).count();
        let image_tokens = self.originals * TOKENS_PER_PICTURE;
        let output_tokens = self.tokens() as usize;
        let input_tokens = text_tokens + image_tokens;
        json!({
            "input_tokens": input_tokens,
            "input_tokens_details": { "text_tokens": text_tokens, "image_tokens": image_tokens },
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        })
    }

    /// Returns a small picture of the requested proportions, encoded in base64.
    fn picture(&self, seed: u64) -> String {
        let (width, height) = self.size;
        let longer = width.max(height);
        let side = |pixels: u32| (u64::from(pixels) * u64::from(SIDE)).div_ceil(u64::from(longer)) as u8;
        let mut choices = Rng::with_seed(seed);
        let colours: Vec<[u8; 3]> =
            (0..SQUARES * SQUARES).map(|_| [choices.u8(..), choices.u8(..), choices.u8(..)]).collect();
        let square = |pixel: u8| usize::from(pixel / (SIDE as u8 / SQUARES));
        let png = png::encode(side(width), side(height), |column, row| {
            let number = square(row) * usize::from(SQUARES) + square(column);
            colours.get(number).copied().unwrap_or_default()
        });
        STANDARD.encode(png)
    }
}

fn dimensions(size: &str) -> Option<(u32, u32)> {
    const MAX_PIXELS: u32 = 1 << 14;
    if size == "auto" {
        return Some((1024, 1024));
    }
    let (width, height) = size.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|pixels| (1..=MAX_PIXELS).contains(pixels));
    Some((side(width)?, side(height)?))
}
