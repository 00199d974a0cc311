//! Policies on web servers.

use bytes::Bytes;
use reqwest::Url;

use crate::error::SupplyError;
use crate::fetch_spec::Credentials;
use crate::http::{HttpClient, HttpRequest, basic_authorization};

/// Gets a resource of at most `limit` bytes.
pub(crate) async fn get(
    http: &HttpClient,
    url: &Url,
    credentials: Option<&Credentials>,
    limit: usize,
) -> Result<Bytes, SupplyError> {
    let authorization = credentials.and_then(basic_authorization);
    let request = HttpRequest { authorization, ..HttpRequest::get(url.clone()) };
    http.send(request).await?.error_for_status()?.body(limit).await
}

/// Gets a resource of at most `limit` bytes; `None` if the server answers with 404.
pub(crate) async fn get_if_exists(
    http: &HttpClient,
    url: &Url,
    credentials: Option<&Credentials>,
    limit: usize,
) -> Result<Option<Bytes>, SupplyError> {
    match get(http, url, credentials, limit).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(SupplyError::Status { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
