use std::fmt;
use std::time::{Duration, SystemTime};

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use pointsman_domain::failure::{CallFailure, FailureKind, TimeLimit};

use crate::backend::BackendBody;
use crate::http::{Address, HttpClient, HttpConfig, InvalidBackend, call_headers};
use crate::retry_after::retry_after;

/// Longest response body that is read, in bytes.
const MAX_RESPONSE: usize = 64 << 10;

/// HTTP client that posts bodies of one media type to one address, which is no backend.
pub struct PostClient {
    client: HttpClient,
    address: Address,
    headers: HeaderMap,
    timeout: Duration,
}

/// Response to a post, whatever its status.
#[derive(Debug)]
pub struct PostResponse {
    /// HTTP status.
    pub status: u16,
    /// Time after which the server asks to be called again.
    pub retry_after: Option<Duration>,
    /// Body.
    pub body: Bytes,
}

impl PostClient {
    /// Sets up a client that posts to the base URL itself. Opens no connection yet.
    pub fn new(
        config: &HttpConfig,
        content_type: &'static str,
        timeout: Duration,
    ) -> Result<Self, InvalidBackend> {
        let address = Address::parse(&config.base_url)?;
        let mut headers = call_headers(config);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Self { client: HttpClient::new(config, &address)?, address, headers, timeout })
    }

    /// Returns the address without secrets.
    pub fn address(&self) -> String {
        format!("{:?}", self.address)
    }

    /// Posts a body and reads the response, which has to be complete in time.
    pub async fn post(&self, body: Bytes) -> Result<PostResponse, CallFailure> {
        let posting = async {
            let response = self.client.post(&self.address, self.headers.clone(), body.into()).await?;
            let retry_after = retry_after(&response.headers, SystemTime::now());
            let body = BackendBody::from(response.body).whole(MAX_RESPONSE).await?;
            Ok(PostResponse { status: response.status, retry_after, body })
        };
        tokio::time::timeout(self.timeout, posting).await.unwrap_or_else(|_| {
            let (limit, waited) = (TimeLimit::Answer, self.timeout);
            Err(FailureKind::Timeout { limit, waited }.into())
        })
    }
}

impl fmt::Debug for PostClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostClient").field(&self.address).finish()
    }
}
