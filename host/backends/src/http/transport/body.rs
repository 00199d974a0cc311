//! The body of an answer, without what belongs to its way here.

use std::task::{Context, Poll, ready};

use ::http::HeaderMap;
use ::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use pointsman_domain::failure::CallFailure;
use pointsman_wire::byte_order_mark::BomStripper;
use pointsman_wire::content_coding::{DecodeError, Decoder, UnsupportedCoding};
use tokio::task::coop::poll_proceed;

use super::{TransportBody, broken};

/// A body without content codings and without a byte order mark.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    source: Source,
    mark: BomStripper,
}

#[derive(Debug)]
enum Source {
    Plain(TransportBody),
    Encoded(Box<Encoded>),
    /// No decoder exists for it.
    Unsupported(UnsupportedCoding),
    Ended,
}

#[derive(Debug)]
struct Encoded {
    body: TransportBody,
    decoder: Decoder,
    /// Bytes that arrived and are not decoded yet.
    chunk: Bytes,
}

impl AnswerBody {
    /// Takes the codings out of the headers.
    pub(super) fn new(body: TransportBody, headers: &mut HeaderMap) -> Self {
        let source = if headers.contains_key(CONTENT_ENCODING) {
            let codings = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.as_bytes());
            let decoder = Decoder::for_values(codings);
            headers.remove(CONTENT_ENCODING);
            match decoder {
                Ok(None) => Source::Plain(body),
                Ok(Some(decoder)) => {
                    Source::Encoded(Box::new(Encoded { body, decoder, chunk: Bytes::new() }))
                }
                Err(unsupported) => Source::Unsupported(unsupported),
            }
        } else {
            Source::Plain(body)
        };
        Self { source, mark: BomStripper::default() }
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        loop {
            let chunk = match ready!(self.source.poll_chunk(cx)) {
                Some(Ok(chunk)) => self.mark.strip(chunk),
                Some(Err(failure)) => {
                    self.source = Source::Ended;
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

impl Source {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match self {
            Self::Plain(body) => body.poll_chunk(cx),
            Self::Encoded(encoded) => encoded.poll_piece(cx),
            Self::Unsupported(unsupported) => Poll::Ready(Some(Err(broken(unsupported.to_string())))),
            Self::Ended => Poll::Ready(None),
        }
    }
}

impl Encoded {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        // One chunk may become any number of pieces, which must not keep a thread from others.
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
    broken(error.to_string())
}

impl TransportBody {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, CallFailure>>> {
        match self {
            Self::Plain(rest) => rest.poll_chunk(cx),
            Self::Reqwest(rest) => rest.poll_chunk(cx),
        }
    }
}
