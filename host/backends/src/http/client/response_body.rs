//! Body of a response, decoded.

use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use ::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use pointsman_domain::failure::CallFailure;
use pointsman_wire::byte_order_mark::BomStripper;
use pointsman_wire::content_coding::{DecodeError, Decoder, UnsupportedCoding};
use tokio::task::coop::poll_proceed;

use super::RawBody;

/// Body without content codings and without a byte order mark.
#[derive(Debug)]
pub(crate) struct HttpBody {
    decoding: Decoding,
    mark: BomStripper,
}

#[derive(Debug)]
enum Decoding {
    Identity(RawBody),
    Encoded(Box<Encoded>),
    /// No decoder exists for its coding.
    Unsupported(UnsupportedCoding),
    Ended,
}

#[derive(Debug)]
struct Encoded {
    body: RawBody,
    decoder: Decoder,
    /// Bytes that are not decoded yet.
    chunk: Bytes,
}

impl HttpBody {
    /// Wraps a body, and removes its codings from the headers.
    pub(super) fn new(body: RawBody, headers: &mut HeaderMap) -> Self {
        let decoding = if headers.contains_key(CONTENT_ENCODING) {
            let codings = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.as_bytes());
            let decoder = Decoder::for_values(codings);
            headers.remove(CONTENT_ENCODING);
            match decoder {
                Ok(None) => Decoding::Identity(body),
                Ok(Some(decoder)) => {
                    Decoding::Encoded(Box::new(Encoded { body, decoder, chunk: Bytes::new() }))
                }
                Err(unsupported) => Decoding::Unsupported(unsupported),
            }
        } else {
            Decoding::Identity(body)
        };
        Self { decoding, mark: BomStripper::default() }
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        loop {
            let chunk = match ready!(self.decoding.poll_chunk(cx)) {
                Some(Ok(chunk)) => self.mark.strip(chunk),
                Some(Err(failure)) => {
                    self.decoding = Decoding::Ended;
                    return Poll::Ready(Some(Err(failure)));
                }
                None => {
                    let rest = self.mark.finish();
                    return Poll::Ready((!rest.is_empty()).then_some(Ok(rest)));
                }
            };
            if !chunk.is_empty() {
                return Poll::Ready(Some(Ok(chunk)));
            }
        }
    }
}

impl Decoding {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match self {
            Self::Identity(body) => body.poll_chunk(cx),
            Self::Encoded(encoded) => encoded.poll_piece(cx),
            Self::Unsupported(unsupported) => {
                Poll::Ready(Some(Err(CallFailure::broken(unsupported.to_string()))))
            }
            Self::Ended => Poll::Ready(None),
        }
    }
}

impl Encoded {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        // One chunk may decode to any number of pieces, so decoding takes part in the cooperative
        // budget of its task.
        let budget = ready!(poll_proceed(cx));
        let piece = loop {
            match self.decoder.decode(&mut self.chunk) {
                Ok(Some(piece)) => break Some(Ok(piece)),
                Ok(None) => {}
                Err(error) => break Some(Err(undecodable(&error))),
            }
            match ready!(self.body.poll_chunk(cx)) {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(failure)) => break Some(Err(failure)),
                None => break self.decoder.finish().err().map(|error| Err(undecodable(&error))),
            }
        };
        budget.made_progress();
        Poll::Ready(piece)
    }
}

fn undecodable(error: &DecodeError) -> CallFailure {
    CallFailure::broken(error.to_string())
}

impl RawBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match self {
            Self::Plain(rest) => rest.poll_chunk(cx),
            Self::Reqwest(rest) => rest.poll_chunk(cx),
        }
    }
}
