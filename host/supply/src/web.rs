//! Policies on web servers.

use bytes::Bytes;
use reqwest::Url;

use crate::error::SupplyError;
use crate::http::{Ask, Http, basic};
use crate::order::Credentials;

/// Gets what is at an address, if it has no more bytes than this.
pub(crate) async fn get(
    http: &Http,
    url: &Url,
    credentials: Option<&Credentials>,
    limit: usize,
) -> Result<Bytes, SupplyError> {
    let authorization = credentials.and_then(basic);
    let answer = http.send(Ask { authorization, ..Ask::get(url.clone()) }).await?;
    answer.success()?.body(limit).await
}

/// The same, or `None` where nothing is.
pub(crate) async fn get_if_there(
    http: &Http,
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
