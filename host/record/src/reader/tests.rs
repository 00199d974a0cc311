use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use pointsman_domain::history::{DecisionAnswer, PlanRun, TaskRun};
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::plan::PlanLimits;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::content::{ContentRecord, MessageRecord};
use crate::sample;
use crate::writer::RecordWriter;

/// Logs of the first released form.
fn released_logs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/compatibility/0.1.0/decisions")
}

fn read(log: &str) -> Vec<Result<DecisionRecord<'static>, String>> {
    RecordReader::new(log.as_bytes()).map(|record| record.map_err(|error| error.to_string())).collect()
}

/// A line of a log that has the given version and further members.
fn line(id: &str, schema: u32, more: &str) -> String {
    let mut history = sample::history(1_000, "llama-7b", RequestEnd::Answered);
    history.outcome.id = id.to_owned();
    let record = DecisionRecord { schema, ..DecisionRecord::from_history(&history) };
    let line = serde_json::to_string(&record).expect("a record is JSON");
    format!("{{{more}{}\n", &line[1..])
}

/// Numbers that JSON represents exactly.
fn number() -> impl Strategy<Value = f64> {
    (0..1_000_000_u32).prop_map(|eighths| f64::from(eighths) / 8.0)
}

proptest! {
    #[test]
    fn records_are_read_as_they_were_written(
        texts in prop::array::uniform6(".{0,20}"),
        reason in option::of(".{0,20}"),
        numbers in prop::array::uniform4(number()),
        maybe in prop::array::uniform2(option::of(number())),
        tokens in any::<u64>(),
        ending in prop::sample::select(vec![RequestEnd::Answered, RequestEnd::Failed, RequestEnd::Cancelled]),
        kind in 0..4_usize,
        has_content in any::<bool>(),
    ) {
        let [id, label, session, task, role, text] = texts;
        let mut history = sample::history(1_000, "llama-7b", ending);
        (history.outcome.id, history.outcome.error) = (id, reason.clone());
        history.outcome.usage.cached_input_tokens = tokens;
        history.outcome.usage.audio_input_tokens = tokens;
        history.outcome.usage.cache_write_1h_tokens = tokens;
        history.calls[0].usage.reasoning_tokens = tokens;
        history.calls[0].usage.image_input_tokens = tokens;
        history.calls[0].usage.image_output_tokens = tokens;
        history.calls[0].usage.audio_output_tokens = tokens;
        match kind {
            0 => {}
            1 => history.decisions[0].answer = DecisionAnswer::Plan { label, reason: reason.clone(), tasks: 2 },
            2 => history.decisions[0].answer = DecisionAnswer::Finish { label, reason: reason.clone() },
            _ => history.decisions[0].answer = DecisionAnswer::Failure { reason: "trap", message: label },
        }
        history.plan = (kind == 1).then(|| PlanRun {
            steps: 1,
            limits: PlanLimits::default(),
            tasks: vec![TaskRun {
                name: task,
                operation: Operation::Chat,
                step: 1,
                after: vec![0, 7],
                begun: None,
                ended: None,
                model: None,
                output_bytes: None,
                error: reason,
            }],
        });
        let mut record = DecisionRecord::from_history(&history);
        record.sampling = maybe[0];
        record.request.session = Some(session.into());
        record.attempts[0].cost_usd = numbers[0];
        record.decisions[0].asked_ms = numbers[1];
        let candidate = &mut record.decisions[0].candidates[0];
        (candidate.error_rate, candidate.input_usd_per_million) = (numbers[2], numbers[3]);
        candidate.first_token_ms = maybe[1];
        let mut content = ContentRecord { messages: vec![MessageRecord { role, text }], left_out_bytes: 3, ..ContentRecord::default() };
        content.add_output(1, "seen", Some("stop"), 3);
        record.content = has_content.then_some(Cow::Owned(content));

        let mut writer = RecordWriter::new(Vec::new());
        writer.write(&record).expect("memory can be written");
        let log = writer.into_inner();
        let mut reader = RecordReader::new(log.as_slice());
        prop_assert_eq!(reader.next().map(|read| read.expect("a record")), Some(record));
        prop_assert!(reader.next().is_none());
    }
}

#[test]
fn logs_of_the_first_release_are_read_without_loss() {
    let mut lines = 0;
    for entry in fs::read_dir(released_logs()).expect("the fixture").flatten() {
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => {
                let text = fs::read_to_string(&path).expect("a plain log");
                for (line, record) in text.lines().zip(RecordReader::open(&path).expect("a log")) {
                    let written: serde_json::Value = serde_json::from_str(line).expect("JSON");
                    assert_eq!(serde_json::to_value(record.expect("a record")).expect("JSON"), written);
                    lines += 1;
                }
            }
            #[cfg(feature = "zstd")]
            Some("zst") => {
                for record in RecordReader::open(&path).expect("a log") {
                    record.expect("a record");
                    lines += 1;
                }
            }
            _ => {}
        }
    }
    assert!(lines >= 2, "{lines} lines");
}

#[test]
fn a_bad_line_is_reported_with_its_number_and_skipped() {
    let log = [&line("a", 1, ""), "\n", "{\"schema\":1,\"id\":\n", "nonsense\n", &line("b", 1, "")].concat();
    let records = read(&log);
    let ids: Vec<_> = records.iter().flatten().map(|record| record.id.as_ref()).collect();
    assert_eq!((records.len(), ids), (4, vec!["a", "b"]));
    let errors: Vec<_> = records.iter().filter_map(|record| record.as_ref().err()).collect();
    assert!(errors[0].starts_with("line 3: not a decision record: "), "{errors:?}");
    assert!(errors[1].starts_with("line 4: not a decision record: "), "{errors:?}");
}

#[test]
fn members_of_later_versions_are_skipped_and_later_formats_are_not_read() {
    assert!(read(&line("a", 1, "\"new\":{\"id\":[1,null]},"))[0].is_ok());
    let unsupported = "line 1: the record has schema 2, and this version reads schemas up to 1";
    assert_eq!(read(&line("a", 2, ""))[0].as_ref().err().map(String::as_str), Some(unsupported));
    assert_eq!(read("{\"schema\":2,\"id\":7}")[0].as_ref().err().map(String::as_str), Some(unsupported));
}

#[test]
fn the_last_line_may_lack_its_line_feed() {
    let log = [line("a", 1, ""), line("b", 1, "").trim_end().to_owned()].concat();
    assert_eq!(read(&log).into_iter().filter(Result::is_ok).count(), 2);
    assert!(read("").is_empty());
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let long = std::io::repeat(b'x').take(3 * MAX_LINE_BYTES as u64);
    let rest = format!("\n{}", line("a", 1, ""));
    let log = long.chain(rest.as_bytes());
    let mut reader = RecordReader::new(BufReader::with_capacity(1 << 20, log));
    assert!(matches!(reader.next(), Some(Err(ReadError { line: 1, kind: ReadErrorKind::TooLong }))));
    assert!(reader.lines.buffer.capacity() <= 2 * MAX_LINE_BYTES);
    assert!(matches!(reader.next(), Some(Ok(_))));
}

#[cfg(feature = "zstd")]
#[test]
fn a_compressed_log_is_recognised_by_its_content() {
    let mut file = tempfile::tempfile().expect("a file");
    let log = [line("a", 1, ""), line("b", 1, "")].concat();
    let compressed = zstd::encode_all(log.as_bytes(), 1).expect("memory can be written");
    file.write_all(&compressed).expect("the file can be written");
    std::io::Seek::rewind(&mut file).expect("a file can be rewound");
    let ids: Vec<_> = RecordReader::from_file(file)
        .expect("a log")
        .map(|record| record.expect("a record").id.into_owned())
        .collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn ratings_are_read_and_joined_with_their_decisions() {
    use pointsman_domain::ids::ModelId;
    use pointsman_domain::rating::Rating;

    use crate::feedback::{FeedbackByDecision, FeedbackRecord};

    let rating = Rating {
        decision: "decision-1".to_owned(),
        label: "cheap".to_owned(),
        model: ModelId::new("a/m"),
        score: 0.5,
        name: Some("helpful".to_owned()),
    };
    let feedback = FeedbackRecord::new(&rating, None, std::time::UNIX_EPOCH);
    let mut log = feedback.to_line();
    log.extend(line("decision-1", SCHEMA, "").into_bytes());
    // A reader of decisions skips it.
    let decisions: Vec<_> = RecordReader::new(&*log).collect::<Result<_, _>>().unwrap();
    assert_eq!(decisions.len(), 1);

    let (mut reader, mut ratings) = (RecordReader::new(&*log), FeedbackByDecision::default());
    while let Some(line) = reader.next_log_line() {
        if let LogLine::Feedback(feedback) = line.unwrap() {
            ratings.add(feedback);
        }
    }
    assert_eq!(ratings.of(&decisions[0]), [feedback]);
    let broken = RecordReader::new(&br#"{"kind":"feedback","score":"x"}"#[..]).next();
    assert!(broken.unwrap().is_err());
}
