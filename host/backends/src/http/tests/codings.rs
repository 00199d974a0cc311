use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Returns the response, and the server that sends it.
async fn answered(step: Step) -> (BackendResponse, FakeModel) {
    let server = FakeModel::always(step).await;
    (call(&backend(&server)).await.unwrap(), server)
}

#[tokio::test]
async fn an_encoded_answer_is_decoded_whatever_its_status() {
    for status in [200, 400, 503] {
        let body = Bytes::from(gzip(b"{\"a\":1}"));
        let step =
            Step::bytes("application/json", body).with_status(status).header("content-encoding", "GZip");
        let (reply, _server) = answered(step).await;
        assert_eq!((reply.status, reply.headers.get("content-encoding")), (status, None));
        assert_eq!(reply.body.whole(100).await.unwrap(), "{\"a\":1}");
    }
    let (plain, _server) =
        answered(Step::bytes("application/json", "{}").header("content-encoding", "identity")).await;
    assert_eq!(plain.body.whole(100).await.unwrap(), "{}");
}

#[tokio::test]
async fn an_event_of_an_encoded_stream_arrives_when_it_was_flushed() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut flushed = |event: &str| {
        encoder.write_all(event.as_bytes()).and_then(|()| encoder.flush()).unwrap();
        std::mem::take(encoder.get_mut())
    };
    let chunks = [flushed("data: 1\n\n"), flushed("data: 2\n\n")];
    let gate = Gate::new();
    let step = Step::chunks("text/event-stream", chunks).header("content-encoding", "gzip");
    let (reply, _server) = answered(step.wait_after(1, &gate)).await;
    let mut body = reply.body;
    assert_eq!(body.chunk().await.unwrap().unwrap(), "data: 1\n\n");
    gate.open();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "data: 2\n\n");
    // The server never wrote the end of the data.
    let failure = body.chunk().await.unwrap().unwrap_err().to_string();
    assert_eq!(failure, "unusable answer: its gzip data cannot be decoded: it ends too early");
    assert!(body.chunk().await.is_none());
}

#[tokio::test]
async fn a_small_answer_that_becomes_large_is_not_held() {
    let body = Bytes::from(gzip(&vec![b' '; 50 << 20]));
    assert!(body.len() < 64 << 10);
    let (reply, _server) =
        answered(Step::bytes("application/json", body).header("content-encoding", "gzip")).await;
    let failure = reply.body.whole(100_000).await.unwrap_err();
    assert_eq!(failure.to_string(), "unusable answer: longer than 100000 bytes");
}

#[tokio::test]
async fn an_answer_in_a_coding_that_is_unknown_or_wrong_fails_by_its_name() {
    for (coding, reason) in [
        ("compress", "unusable answer: the content coding \"compress\" is not supported"),
        ("gzip", "unusable answer: its gzip data cannot be decoded: "),
        ("gzip, br", "unusable answer: its br data cannot be decoded: "),
        ("zstd", "unusable answer: its zstd data cannot be decoded: "),
    ] {
        let step = Step::bytes("application/json", "{\"choices\":[]}").header("content-encoding", coding);
        let (reply, _server) = answered(step).await;
        let failure = reply.body.whole(1_000).await.unwrap_err().to_string();
        assert!(failure.starts_with(reason), "{failure}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_not_part_of_an_answer() {
    for chunks in [vec!["\u{feff}{}"], vec!["\u{feff}", "{}"]] {
        let (reply, _server) = answered(Step::chunks("application/json", chunks)).await;
        assert_eq!(reply.body.whole(100).await.unwrap(), "{}");
    }
    let body = Bytes::from(gzip("\u{feff}{}".as_bytes()));
    let (reply, _server) =
        answered(Step::bytes("application/json", body).header("content-encoding", "gzip")).await;
    assert_eq!(reply.body.whole(100).await.unwrap(), "{}");
}
