//! Uploads to a repository: blobs in one piece each, then the manifest that refers to them.
//!
//! A tag refers to a manifest only after all of its blobs are there, so an upload that is interrupted
//! changes nothing that a gateway reads.

use http::Method;
use pointsman_domain::ids::Digest;
use pointsman_domain::text::printable;
use serde::Deserialize;

use super::artifact::Blob;
use super::manifest::MANIFEST_TYPE;
use super::{Repository, reported_digest};
use crate::error::SupplyError;
use crate::http::{HttpRequest, HttpResponse, RequestContent};

const BLOB_TYPE: &str = "application/octet-stream";
/// Largest size of an error's document in bytes.
const MAX_ERROR_BYTES: usize = 8 << 10;
/// Bytes of an error's message that are quoted.
const MAX_QUOTED: usize = 200;
const LENGTH_HEADER: &str = "content-length";

/// Errors as the distribution API defines them.
#[derive(Deserialize)]
struct ErrorResponse {
    errors: Vec<RegistryError>,
}

#[derive(Deserialize)]
struct RegistryError {
    code: String,
    #[serde(default)]
    message: String,
}

impl Repository<'_> {
    /// Uploads a blob unless the repository has it. Returns whether it was sent.
    pub(crate) async fn upload_blob(&self, blob: &Blob) -> Result<bool, SupplyError> {
        if self.has_blob(blob).await? {
            return Ok(false);
        }
        let begin = HttpRequest { method: Method::POST, ..HttpRequest::get(self.url("blobs/uploads/")?) };
        let requested = begin.url.clone();
        let response = self.accepted(self.send(begin).await?).await?;
        if response.status() != 202 || response.header("location").next().is_none() {
            let reason = format!(
                "it answers the start of an upload with status {} instead of 202 and an address for the upload",
                response.status()
            );
            return Err(SupplyError::NotRegistry { at: response.at().to_owned(), reason });
        }
        let mut url = response.redirect_target(&requested)?;
        url.query_pairs_mut().append_pair("digest", &blob.name());
        let content = RequestContent { media_type: BLOB_TYPE, bytes: blob.bytes.clone() };
        let upload = HttpRequest { method: Method::PUT, content: Some(content), ..HttpRequest::get(url) };
        let response = if upload.url.origin() == requested.origin() {
            self.send(upload).await?
        } else {
            // Credentials are only for the origin that the reference names.
            self.http.send(upload).await?
        };
        self.accepted(response).await?;
        Ok(true)
    }

    /// Puts a manifest under a tag.
    pub(crate) async fn put_manifest(&self, tag: &str, manifest: &Blob) -> Result<(), SupplyError> {
        let content = RequestContent { media_type: MANIFEST_TYPE, bytes: manifest.bytes.clone() };
        let url = self.url(&format!("manifests/{tag}"))?;
        let put = HttpRequest { method: Method::PUT, content: Some(content), ..HttpRequest::get(url) };
        let response = self.accepted(self.send(put).await?).await?;
        let at = response.at().to_owned();
        if response.status() != 201 {
            let reason = format!("it answers a manifest with status {} instead of 201", response.status());
            return Err(SupplyError::NotRegistry { at, reason });
        }
        match reported_digest(&response).filter(|digest| *digest != manifest.digest) {
            Some(found) => Err(SupplyError::WrongDigest { at, expected: manifest.digest, found }),
            None => Ok(()),
        }
    }

    /// Returns whether the repository has a blob. A registry that does not answer the question is sent
    /// the blob.
    async fn has_blob(&self, blob: &Blob) -> Result<bool, SupplyError> {
        let response = self.request(Method::HEAD, &format!("blobs/{}", blob.name()), "*/*").await?;
        // A web server that is no registry may answer every path with a page.
        let length = response.header(LENGTH_HEADER).next().and_then(|length| length.parse().ok());
        let is_other = length.is_some_and(|length: usize| length != blob.bytes.len());
        let is_other =
            is_other || reported_digest(&response).is_some_and(|digest: Digest| digest != blob.digest);
        Ok(response.status() == 200 && !is_other)
    }

    /// Returns the response if its status is a success, or else the error with the registry's words.
    async fn accepted(&self, response: HttpResponse) -> Result<HttpResponse, SupplyError> {
        let (at, status) = (response.at().to_owned(), response.status());
        match status {
            200..300 => Ok(response),
            401 => Err(self.unauthorized(&at)),
            403 => {
                let SupplyError::Unauthorized { at, reason } = self.unauthorized(&at) else {
                    return Err(SupplyError::Status { at, status });
                };
                let words = words_of(response).await;
                Err(SupplyError::Unauthorized { at, reason: format!("{reason}{words}") })
            }
            _ => Err(SupplyError::Rejected { at, status, words: words_of(response).await }),
        }
    }
}

/// Returns the first error of a registry's response, as the end of a sentence; empty if there is none.
async fn words_of(response: HttpResponse) -> String {
    let Ok(body) = response.body(MAX_ERROR_BYTES).await else { return String::new() };
    let errors = serde_json::from_slice::<ErrorResponse>(&body).map(|response| response.errors);
    match errors.ok().and_then(|errors| errors.into_iter().next()) {
        Some(RegistryError { code, message }) => {
            format!(" (the registry: {} {})", printable(&code, MAX_QUOTED), printable(&message, MAX_QUOTED))
        }
        None => String::new(),
    }
}
