//! Reading of forms with files, which are stored as they arrive.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use pointsman_config::Uploads;
use pointsman_dialects::protocol::ForwardedApi;
use pointsman_dialects::request::ClientRequest;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_serving::memory::MemoryLease;
use pointsman_serving::uploads::{StoredUploads, UploadWriter};
use pointsman_wire::form::{FormFragment, FormPart, FormScan, PartHead, UploadedForm};

use super::decoded_body::DecodedBody;
use super::{announced_length, larger_than};

/// Time in which a client has to send a form: a recording of 25 MiB over 1 Mbit/s takes 210 s.
const FORM_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest wait for the next chunk.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest text of a field, in bytes. Prompts are the longest texts.
const MAX_TEXT: u64 = 1 << 20;

/// Storage of the files of a form.
#[derive(Clone, Copy)]
pub(super) struct FormUploads<'a> {
    pub(super) stored: &'a Arc<StoredUploads>,
    pub(super) limits: &'a Uploads,
}

/// Reads a form with a boundary.
pub(super) async fn read(
    api: ForwardedApi,
    boundary: &str,
    headers: &HeaderMap,
    body: &mut Body,
    uploads: FormUploads<'_>,
    memory: &mut MemoryLease,
) -> Result<ClientRequest, ServingError> {
    let limit = uploads.limits.max_bytes;
    if announced_length(headers).is_some_and(|length| length > limit) {
        return Err(larger_than(limit));
    }
    let body = DecodedBody::new(headers, body, usize::try_from(limit).unwrap_or(usize::MAX))?;
    let reader = FormReader {
        scan: FormScan::new(boundary).map_err(invalid)?,
        form: UploadedForm::new(boundary.to_owned()).map_err(invalid)?,
        part: None,
        uploads,
        memory,
    };
    match tokio::time::timeout(FORM_TIMEOUT, Box::pin(reader.read(body))).await {
        Ok(form) => ClientRequest::of_form(api, form?),
        Err(_) => Err(too_slow(FORM_TIMEOUT)),
    }
}

/// Form that is arriving.
struct FormReader<'a> {
    scan: FormScan,
    form: UploadedForm,
    /// Part whose content is arriving.
    part: Option<ArrivingPart>,
    uploads: FormUploads<'a>,
    memory: &'a mut MemoryLease,
}

struct ArrivingPart {
    head: PartHead,
    size: u64,
    writer: UploadWriter,
}

impl FormReader<'_> {
    async fn read(mut self, mut body: DecodedBody<'_>) -> Result<UploadedForm, ServingError> {
        let mut received = 0;
        loop {
            let chunk = tokio::time::timeout(CHUNK_TIMEOUT, body.chunk()).await;
            let Some(chunk) = chunk.map_err(|_| too_slow(CHUNK_TIMEOUT))?? else { break };
            received += chunk.len() as u64;
            if received > self.uploads.limits.max_bytes {
                return Err(larger_than(self.uploads.limits.max_bytes));
            }
            self.scan.push(&chunk);
            while let Some(fragment) = self.scan.next_fragment().map_err(invalid)? {
                self.add(fragment).await?;
            }
        }
        self.scan.finish().map_err(invalid)?;
        self.end_part().await?;
        Ok(self.form)
    }

    async fn add(&mut self, fragment: FormFragment) -> Result<(), ServingError> {
        match fragment {
            FormFragment::Head(head) => {
                self.end_part().await?;
                self.memory.grow(head.headers.len())?;
                let writer = self.uploads.stored.writer(self.uploads.limits);
                self.part = Some(ArrivingPart { head, size: 0, writer });
            }
            FormFragment::Content(content) => {
                let Some(part) = &mut self.part else { return Ok(()) };
                part.size += content.len() as u64;
                if part.head.file_name.is_none() && part.size > MAX_TEXT {
                    let name = &part.head.name;
                    let message =
                        format!("the field `{name}` has more than {MAX_TEXT} bytes and no file name");
                    return Err(
                        ServingError::new(ErrorKind::InvalidForm, message).with_parameter(name.clone())
                    );
                }
                self.memory.grow(part.writer.memory_for(&content))?;
                part.writer.write(&content).await?;
            }
        }
        Ok(())
    }

    async fn end_part(&mut self) -> Result<(), ServingError> {
        if let Some(ArrivingPart { head, writer, .. }) = self.part.take() {
            self.form.push(FormPart { head, content: vec![writer.finish().await?] });
        }
        Ok(())
    }
}

fn invalid(error: impl std::fmt::Display) -> ServingError {
    ServingError::new(ErrorKind::InvalidForm, format!("the request body is not a form: {error}"))
}

fn too_slow(limit: Duration) -> ServingError {
    let message = format!("the form did not arrive within {} s", limit.as_secs());
    ServingError::new(ErrorKind::RequestTimeout, message)
}
