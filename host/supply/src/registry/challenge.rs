//! Parsing of the `WWW-Authenticate` header.

/// An authentication scheme that a server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AuthChallenge {
    /// A token.
    Bearer {
        /// URL of the token's issuer.
        realm: String,
        /// Name of the server at the issuer.
        service: Option<String>,
    },
    /// A user name and a password.
    Basic,
}

impl AuthChallenge {
    /// Parses one header. `None` for any other scheme and for malformed values.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, mut rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service) = (None, None);
        while let Some((name, value, after)) = parameter(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                _ => {}
            }
            rest = after;
        }
        Some(Self::Bearer { realm: realm?, service })
    }
}

/// Splits off the first parameter: its name, its value, and the rest of the text.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let (name, text) = text.split_once('=')?;
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        let (value, rest) = text.split_once(',').unwrap_or((text, ""));
        return Some((name.trim(), value.trim().to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (end, '"') => return Some((name.trim(), value, &quoted[end + 1..])),
            (_, '\\') => value.push(characters.next()?.1),
            (_, character) => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<AuthChallenge> {
        Some(AuthChallenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn a_bearer_challenge_has_the_issuer_as_its_realm() {
        let header =
            r#"Bearer realm="https://auth.example/token",service="registry",scope="repository:a:pull,push""#;
        assert_eq!(AuthChallenge::parse(header), bearer("https://auth.example/token", Some("registry")));
        assert_eq!(
            AuthChallenge::parse("bearer realm=here , service=\"a\\\"b\""),
            bearer("here", Some("a\"b"))
        );
        assert_eq!(AuthChallenge::parse(r#"Bearer scope="a,b", realm="here""#), bearer("here", None));
    }

    #[test]
    fn a_basic_challenge_needs_no_realm() {
        assert_eq!(AuthChallenge::parse("Basic"), Some(AuthChallenge::Basic));
        assert_eq!(AuthChallenge::parse(r#"basic realm="Registry Realm""#), Some(AuthChallenge::Basic));
    }

    #[test]
    fn unknown_schemes_and_malformed_values_are_no_challenge() {
        for header in
            ["", "Digest realm=\"a\"", "Bearer", "Bearer service=a", "Bearer realm=\"a", "Bearer realm=\"a\\"]
        {
            assert_eq!(AuthChallenge::parse(header), None, "{header}");
        }
    }
}
