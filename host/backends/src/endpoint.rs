//! A server that takes what the gateway tells, and is no backend.

use std::time::{Duration, SystemTime};

use ::http::HeaderValue;
use ::http::header::CONTENT_TYPE;
use bytes::Bytes;
use pointsman_domain::failure::{CallFailure, FailureKind, TimeLimit};

use crate::backend::ReplyBody;
use crate::http::transport::{Address, Transport};
use crate::http::{HttpConfig, InvalidBackend, own_headers};
use crate::retry_after::retry_after;

/// The largest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// One address to which things are posted.
pub struct Endpoint {
    transport: Transport,
    address: Address,
    headers: ::http::HeaderMap,
    timeout: Duration,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Posted {
    /// HTTP status.
    pub status: u16,
    /// When it asks to be called again.
    pub retry_after: Option<Duration>,
    /// What it says.
    pub body: Bytes,
}

impl Endpoint {
    /// Posts go to the configuration's base URL itself. Opens no connection yet.
    pub fn new(
        config: &HttpConfig,
        content_type: &'static str,
        timeout: Duration,
    ) -> Result<Self, InvalidBackend> {
        let address = Address::parse(&config.base_url)?;
        let mut headers = own_headers(config)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(Self { transport: Transport::new(config, &address)?, address, headers, timeout })
    }

    /// Where posts go. There are no secrets in it.
    pub fn address(&self) -> String {
        format!("{:?}", self.address)
    }

    /// Posts a body. The whole answer has to be there in time.
    pub async fn post(&self, body: Bytes) -> Result<Posted, CallFailure> {
        let posting = async {
            let answer = self.transport.post(&self.address, self.headers.clone(), vec![body]).await?;
            let retry_after = retry_after(&answer.headers, SystemTime::now());
            let body = ReplyBody::http(answer.body).whole(MAX_ANSWER).await?;
            Ok(Posted { status: answer.status, retry_after, body })
        };
        tokio::time::timeout(self.timeout, posting).await.unwrap_or_else(|_| {
            let (limit, waited) = (TimeLimit::Answer, self.timeout);
            Err(CallFailure { kind: FailureKind::Timeout { limit, waited }, retry_after: None })
        })
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Endpoint").field(&self.address).finish()
    }
}
