use std::fmt;

use ::http::Uri;
use ::http::uri::InvalidUri;
use reqwest::Url;

use super::InvalidBackend;

/// Web address, parsed once into the type of each client library.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
    uri: Uri,
}

impl Address {
    /// Parses a base URL. Rejects user names and passwords in it.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidBackend> {
        let url = parse_url(text)?;
        let invalid = |reason: String| InvalidBackend::Url { url: text.to_owned(), reason };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("its scheme is {}, not http or https", url.scheme())));
        }
        if url.fragment().is_some() {
            return Err(invalid("it has a fragment".to_owned()));
        }
        Self::new(url)
    }

    /// Returns an address below this one. The query of the base is kept; a query of the path
    /// comes before it.
    pub(crate) fn join(&self, path: &str) -> Result<Self, InvalidBackend> {
        let (path, own_query) = path.split_once('?').unwrap_or((path, ""));
        let below = format!("{}/{}", self.url.path().trim_end_matches('/'), path.trim_start_matches('/'));
        let queries = [own_query, self.url.query().unwrap_or_default()];
        let query = queries.into_iter().filter(|query| !query.is_empty()).collect::<Vec<_>>().join("&");
        let mut url = self.url.clone();
        url.set_path(&below);
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        Self::new(url)
    }

    /// Returns the address with further parameters in its query.
    pub(crate) fn with_query<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, InvalidBackend> {
        let mut parameters = parameters.into_iter().peekable();
        if parameters.peek().is_none() {
            return Ok(self.clone());
        }
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        Self::new(url)
    }

    /// Resolves a `location` header relative to this address; `None` if it is not an address.
    pub(super) fn resolve(&self, location: &str) -> Option<Url> {
        self.url.join(location).ok()
    }

    /// Returns an address if it has the same origin; `None` if it is another server's.
    pub(super) fn of_same_origin(&self, mut url: Url) -> Option<Self> {
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        url.set_fragment(None);
        if has_credentials || url.origin() != self.url.origin() {
            return None;
        }
        Self::new(url).ok()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the host name, in lower case.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn new(url: Url) -> Result<Self, InvalidBackend> {
        // The query may contain a key.
        let shown = || url.as_str().split('?').next().unwrap_or_default().to_owned();
        let invalid = |error: InvalidUri| InvalidBackend::Url { url: shown(), reason: error.to_string() };
        let uri = url.as_str().parse().map_err(invalid)?;
        Ok(Self { url, uri })
    }
}

impl fmt::Debug for Address {
    /// Writes the address without its query, in which some servers expect keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().split('?').next().unwrap_or_default())
    }
}

fn parse_url(text: &str) -> Result<Url, InvalidBackend> {
    let invalid = |reason: String| InvalidBackend::Url { url: text.to_owned(), reason };
    let url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidBackend::Credentials);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &str) -> String {
        Address::parse(base).unwrap().join(path).unwrap().url().to_string()
    }

    #[test]
    fn a_path_is_added_before_the_query() {
        assert_eq!(joined("http://h/v1", "models"), "http://h/v1/models");
        assert_eq!(joined("http://h/v1/", "/models"), "http://h/v1/models");
        assert_eq!(joined("http://h", "models"), "http://h/models");
        assert_eq!(joined("http://h/v1?a=b%20c&d", "chat/x"), "http://h/v1/chat/x?a=b%20c&d");
        assert_eq!(joined("http://h/v1/?a=b", "models?limit=1"), "http://h/v1/models?limit=1&a=b");
        assert_eq!(joined("http://h/v1?", "models"), "http://h/v1/models");
    }

    #[test]
    fn parameters_are_added_to_the_query_of_the_base() {
        let with = |base: &str, parameters: &[(&'static str, &'static str)]| {
            let base = Address::parse(base).unwrap().with_query(parameters.iter().copied()).unwrap();
            base.join("chat?stream=true").unwrap().url().to_string()
        };
        assert_eq!(with("http://h/v1", &[]), "http://h/v1/chat?stream=true");
        assert_eq!(
            with("http://h/v1", &[("key", "a b&c=d")]),
            "http://h/v1/chat?stream=true&key=a+b%26c%3Dd"
        );
        assert_eq!(
            with("http://h/v1?a=b%20c", &[("x", "1"), ("y", "2")]),
            "http://h/v1/chat?stream=true&a=b%20c&x=1&y=2"
        );
        let long: &'static str = "secret".repeat(20_000).leak();
        let error = Address::parse("http://h/v1").unwrap().with_query([("key", long)]).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_query_is_not_shown() {
        assert_eq!(format!("{:?}", Address::parse("http://h/v1?sig=secret").unwrap()), "http://h/v1");
    }
}
