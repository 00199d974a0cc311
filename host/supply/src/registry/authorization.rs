//! Authorization at a registry: challenges, tokens, user names and passwords.

use http::HeaderValue;
use reqwest::Url;
use serde::Deserialize;

use super::Repository;
use super::challenge::AuthChallenge;
use crate::error::SupplyError;
use crate::http::{HttpRequest, HttpResponse, basic_authorization, sensitive_value};
use crate::source::is_loopback;

/// Largest size of a token response in bytes.
const MAX_TOKEN_BYTES: usize = 64 << 10;
const CHALLENGE_HEADER: &str = "www-authenticate";

/// Access to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading.
    Pull,
    /// Writing, and reading to find out what is there already.
    Push,
}

#[derive(Deserialize)]
struct TokenResponse {
    #[serde(alias = "access_token")]
    token: String,
}

impl Access {
    /// Returns the actions of a token's scope.
    fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Pull => "read",
            Self::Push => "write to",
        }
    }
}

impl Repository<'_> {
    /// Meets the challenge of a response with status 401. Returns the `Authorization` header to send.
    pub(super) async fn authorize(&self, response: &HttpResponse) -> Result<HeaderValue, SupplyError> {
        let mut challenges: Vec<_> =
            response.header(CHALLENGE_HEADER).filter_map(AuthChallenge::parse).collect();
        // Tokens come first: credentials are then sent only to obtain one.
        challenges.sort_by_key(|challenge| matches!(challenge, AuthChallenge::Basic));
        match challenges.first() {
            Some(AuthChallenge::Bearer { realm, service }) => {
                self.token(response.at(), realm, service.as_deref()).await
            }
            Some(AuthChallenge::Basic) => {
                self.credentials.and_then(basic_authorization).ok_or_else(|| self.unauthorized(response.at()))
            }
            None => Err(SupplyError::Unauthorized {
                at: response.at().to_owned(),
                reason: "it asks for credentials by an unknown scheme".to_owned(),
            }),
        }
    }

    /// Gets a token for this repository. The registry chooses the issuer, but not the scope.
    async fn token(&self, at: &str, realm: &str, service: Option<&str>) -> Result<HeaderValue, SupplyError> {
        let refused = |reason: &str| SupplyError::Unauthorized {
            at: at.to_owned(),
            reason: format!("it issues tokens at {realm:?}, {reason}"),
        };
        let mut url = Url::parse(realm).map_err(|_| refused("which is not a URL"))?;
        let is_here = is_loopback(url.host_str().unwrap_or_default()) && self.api.starts_with("http://");
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(refused("where credentials would not be safe"));
        }
        let scope = format!("repository:{}:{}", self.reference.repository(), self.access.actions());
        url.query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", &scope);
        let authorization = self.credentials.and_then(basic_authorization);
        let request = HttpRequest { authorization, ..HttpRequest::get(url) };
        let response = self.http.send(request).await?;
        if matches!(response.status(), 401 | 403) {
            return Err(self.unauthorized(response.at()));
        }
        let body = response.error_for_status()?.body(MAX_TOKEN_BYTES).await?;
        let response: TokenResponse =
            serde_json::from_slice(&body).map_err(|_| refused("but the response is not a token"))?;
        sensitive_value(&format!("Bearer {}", response.token))
            .ok_or_else(|| refused("but the response is not a token"))
    }

    /// Returns the error of missing or insufficient credentials.
    pub(super) fn unauthorized(&self, at: &str) -> SupplyError {
        let reason = match self.credentials {
            None => "it requires a user name and a password or token".to_owned(),
            Some(credentials) => format!(
                "the credentials of `{}` are wrong, or do not allow to {} `{}`",
                credentials.username,
                self.access.verb(),
                self.reference.repository()
            ),
        };
        SupplyError::Unauthorized { at: at.to_owned(), reason }
    }
}
