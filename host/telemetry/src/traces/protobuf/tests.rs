use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

use super::*;

fn written(write: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
    let mut buffer = Vec::new();
    write(&mut MessageWriter::append_to(&mut buffer));
    buffer
}

#[test]
fn values_of_every_size_are_read_by_the_official_types() {
    for length in [0, 1, 127, 128, 16_383, 16_384, 3_000_000] {
        let text = "x".repeat(length);
        let attribute = written(|message| {
            message.bytes(1, b"key");
            message.message(2, |value| value.bytes(1, text.as_bytes()));
        });
        let read = KeyValue::decode(attribute.as_slice()).expect("a message");
        assert_eq!(read.key, "key");
        assert!(read.value == Some(AnyValue { value: Some(Value::StringValue(text)) }), "{length}");
    }
    for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
        let value = written(|message| message.varint(3, number));
        let read = AnyValue::decode(value.as_slice()).expect("a message");
        assert_eq!(read.value, Some(Value::IntValue(number as i64)));
    }
    let value = written(|message| message.double(4, -0.25));
    assert_eq!(AnyValue::decode(value.as_slice()).expect("a message").value, Some(Value::DoubleValue(-0.25)));
}

#[test]
fn rejected_spans_of_a_response_are_read() {
    let answer = |partial_success| ExportTraceServiceResponse { partial_success }.encode_to_vec();
    assert_eq!(rejected_spans(&answer(None)), 0);
    for rejected_spans in [0, 7, 70_000] {
        let partial = ExportTracePartialSuccess { rejected_spans, error_message: "too old".repeat(99) };
        assert_eq!(super::rejected_spans(&answer(Some(partial))), rejected_spans as u64);
    }
}

#[test]
fn an_unreadable_response_rejects_nothing() {
    let partial = ExportTracePartialSuccess { rejected_spans: 300, error_message: "no".to_owned() };
    let answer = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    for end in 0..answer.len() {
        assert_eq!(rejected_spans(&answer[..end]), 0, "cut off after {end} bytes");
    }
    for nonsense in [&b"{}"[..], b"<html>", &[0xff; 40], &[0x0b, 1, 2]] {
        assert_eq!(rejected_spans(nonsense), 0, "{nonsense:?}");
    }
}
