//! Cost of parsing while forwarding: requests by size, streams by event.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use pointsman_wire::openai::client::{ChatRequest, RequestScan};
use pointsman_wire::openai::pass_through::{CallMembers, StreamRelay};
use pointsman_wire::openai::provider::read_chat_count;

const EVENTS: usize = 64;

fn main() {
    divan::main();
}

/// About 300 bytes, as a client library writes it.
fn small() -> Bytes {
    br#"{"model":"auto","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"Explain in two sentences how a railway pointsman chooses the track on which a train goes on."}],"temperature":0.7,"max_tokens":256,"stream":false,"user":"bench-client-1"}"#
        .as_slice()
        .into()
}

/// 100 KB of text in paragraphs.
fn long_text() -> Bytes {
    let line = r"It was the year when they finally immanentised the schedule, and every train ran.\n";
    let text = line.repeat(100_000 / line.len());
    format!(r#"{{"model":"auto","messages":[{{"role":"user","content":"{text}"}}]}}"#).into()
}

/// 100 KB of text in an alphabet of two bytes a letter.
fn cyrillic() -> Bytes {
    let line = r"Стрелочник переводит стрелку, и поезд идёт по другому пути.\n";
    let text = line.repeat(100_000 / line.len());
    format!(r#"{{"model":"auto","messages":[{{"role":"user","content":"{text}"}}]}}"#).into()
}

/// A picture of 4 MiB in base64.
fn image() -> Bytes {
    let base64 = "iVBORw0KGgoAAAANSUhEUgAA+/9z".repeat((4 << 20) / 28);
    format!(
        r#"{{"model":"auto","messages":[{{"role":"user","content":[{{"type":"text","text":"What is this?"}},{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{base64}"}}}}]}}]}}"#
    )
    .into()
}

fn scan(body: &Bytes, chunk: usize) -> ChatRequest {
    let mut scan = RequestScan::default();
    for start in (0..body.len()).step_by(chunk) {
        scan.push(body.slice(start..body.len().min(start + chunk))).unwrap();
    }
    scan.finish().unwrap()
}

fn bench_scan(bencher: Bencher<'_, '_>, body: Bytes, chunk: usize) {
    bencher.counter(BytesCount::new(body.len())).bench(|| scan(black_box(&body), chunk));
}

#[divan::bench]
fn scan_small(bencher: Bencher<'_, '_>) {
    bench_scan(bencher, small(), usize::MAX >> 1);
}

#[divan::bench]
fn scan_long_text(bencher: Bencher<'_, '_>) {
    bench_scan(bencher, long_text(), 64 << 10);
}

#[divan::bench]
fn scan_cyrillic(bencher: Bencher<'_, '_>) {
    bench_scan(bencher, cyrillic(), 64 << 10);
}

#[divan::bench(args = [64, 400])]
fn scan_image(bencher: Bencher<'_, '_>, chunk_kib: usize) {
    bench_scan(bencher, image(), chunk_kib << 10);
}

const CALL: CallMembers<'_> =
    CallMembers { upstream_name: "llama-3.1-70b-instruct", max_output_tokens: None, stream_usage: true };

#[divan::bench]
fn body_for_small(bencher: Bencher<'_, '_>) {
    let request = scan(&small(), 1024);
    bencher.bench(|| request.body_for(black_box(&CALL)));
}

#[divan::bench]
fn body_for_image(bencher: Bencher<'_, '_>) {
    let request = scan(&image(), 64 << 10);
    bencher.bench(|| request.body_for(black_box(&CALL)));
}

/// One content event, with what providers put around it.
fn event(i: usize, around: &str) -> Bytes {
    format!(
        "data: {{\"id\":\"chatcmpl-C4HqHBe4xca0k0EzsCnf1t6V3YFXp\",\"object\":\"chat.completion.chunk\",\"created\":1755137933,\"model\":\"gpt-5-nano-2025-08-07\",\"system_fingerprint\":null,\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word{i}\"}},\"logprobs\":null,\"finish_reason\":null}}]{around}}}\n\n"
    )
    .into()
}

fn relay(bencher: Bencher<'_, '_>, around: impl Fn(usize) -> String, hide_usage: bool) {
    let chunks: Vec<Bytes> = (0..EVENTS).map(|i| event(i, &around(i))).collect();
    let mut out = Vec::with_capacity(EVENTS);
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        out.clear();
        let mut relay = StreamRelay::new(hide_usage, 1);
        for chunk in &chunks {
            relay.push(black_box(chunk).clone(), &mut out);
        }
        relay.output_bytes()
    });
}

#[divan::bench]
fn relay_64_events(bencher: Bencher<'_, '_>) {
    relay(bencher, |_| String::new(), true);
}

#[divan::bench]
fn relay_64_events_hiding_usage(bencher: Bencher<'_, '_>) {
    relay(bencher, |_| r#","usage":null"#.to_owned(), true);
}

/// OpenAI pads each event with random characters, so none is like the last.
#[divan::bench]
fn relay_64_events_padded(bencher: Bencher<'_, '_>) {
    relay(bencher, |i| format!(r#","usage":null,"obfuscation":"x{}""#, i * 7919), true);
}

#[divan::bench]
fn usage_of_an_answer(bencher: Bencher<'_, '_>) {
    let text = "The pointsman sets the points. ".repeat(64);
    let answer = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":24,"completion_tokens":40,"total_tokens":64}}}}"#
    );
    bencher.bench(|| read_chat_count(black_box(answer.as_bytes())));
}
