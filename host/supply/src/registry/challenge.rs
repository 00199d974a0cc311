//! What a server wants to be sent, as its `www-authenticate` header tells.

/// A way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With a token, which is issued somewhere.
    Bearer {
        /// Where.
        realm: String,
        /// What that place knows the server by.
        service: Option<String>,
    },
    /// With a user name and a password.
    Basic,
}

impl Challenge {
    /// Reads one header; `None` if it is for something else.
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

/// The first parameter and what follows it.
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

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn a_token_is_issued_where_the_realm_says() {
        let header =
            r#"Bearer realm="https://auth.example/token",service="registry",scope="repository:a:pull,push""#;
        assert_eq!(Challenge::parse(header), bearer("https://auth.example/token", Some("registry")));
        assert_eq!(Challenge::parse("bearer realm=here , service=\"a\\\"b\""), bearer("here", Some("a\"b")));
        assert_eq!(Challenge::parse(r#"Bearer scope="a,b", realm="here""#), bearer("here", None));
    }

    #[test]
    fn a_password_is_wanted_for_whatever_realm() {
        assert_eq!(Challenge::parse("Basic"), Some(Challenge::Basic));
        assert_eq!(Challenge::parse(r#"basic realm="Registry Realm""#), Some(Challenge::Basic));
    }

    #[test]
    fn what_cannot_be_met_is_no_challenge() {
        for header in
            ["", "Digest realm=\"a\"", "Bearer", "Bearer service=a", "Bearer realm=\"a", "Bearer realm=\"a\\"]
        {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }
}
