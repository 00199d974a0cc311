use ::http::header::AUTHORIZATION;
use ::http::{HeaderMap, HeaderName, HeaderValue};
use pointsman_domain::secret::Secret;

/// Credentials of a backend, and the way in which its calls carry them.
#[derive(Clone, Debug, PartialEq)]
pub enum ProviderAuth {
    /// Token in `authorization: Bearer …`.
    Bearer(Secret),
    /// Key as it is in a header of the provider's own, such as `api-key`.
    Header {
        /// Name of the header.
        name: HeaderName,
        /// Value of the header.
        key: Secret,
    },
}

/// Credentials with characters that a header cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnsendableKey;

impl ProviderAuth {
    /// Returns the credentials for a key in a header: `authorization` carries it as a bearer
    /// token, any other header as it is.
    pub fn in_header(name: HeaderName, key: Secret) -> Self {
        if name == AUTHORIZATION { Self::Bearer(key) } else { Self::Header { name, key } }
    }

    /// Adds the credentials to the headers of a call.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) -> Result<(), UnsendableKey> {
        let (name, value) = match self {
            Self::Bearer(token) => {
                (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", token.expose())))
            }
            Self::Header { name, key } => (name.clone(), HeaderValue::from_str(key.expose())),
        };
        let mut value = value.map_err(|_| UnsendableKey)?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(auth: &ProviderAuth) -> HeaderMap {
        let mut headers = HeaderMap::new();
        auth.apply(&mut headers).unwrap();
        headers
    }

    #[test]
    fn a_key_is_a_bearer_token_in_authorization_and_plain_in_any_other_header() {
        let bearer = ProviderAuth::in_header(AUTHORIZATION, Secret::new("sk-1"));
        assert_eq!(applied(&bearer)[AUTHORIZATION], "Bearer sk-1");
        let named = ProviderAuth::in_header(HeaderName::from_static("api-key"), Secret::new("sk-1"));
        assert_eq!(applied(&named)["api-key"], "sk-1");
        assert!(applied(&named)["api-key"].is_sensitive());
    }

    #[test]
    fn a_key_with_a_line_end_is_rejected() {
        let auth = ProviderAuth::Bearer(Secret::new("sk-1\n"));
        assert_eq!(auth.apply(&mut HeaderMap::new()), Err(UnsendableKey));
    }
}
