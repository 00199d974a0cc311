//! Annotations of a manifest.

use std::collections::BTreeMap;

use pointsman_supply::{Reference, SIGNATURE_ANNOTATION};
use pointsman_terminal::CommandError;

/// Annotations by name.
pub(super) type Annotations = BTreeMap<String, String>;

/// Prefix of the names that the image specification defines, which may be left out.
const PREFIX: &str = "org.opencontainers.image.";
/// Longest value, in bytes.
const MAX_VALUE: usize = 16 << 10;

/// Returns the annotations of the arguments, with a title from the repository, and a version from the
/// tag if it is one.
///
/// # Errors
/// Fails with exit status 2 if an argument is no annotation.
pub(super) fn all(given: &[String], reference: &Reference, tag: &str) -> Result<Annotations, CommandError> {
    let mut all = BTreeMap::new();
    let title = reference.repository().rsplit('/').next().unwrap_or_default();
    all.insert(format!("{PREFIX}title"), title.to_owned());
    if is_version(tag) {
        all.insert(format!("{PREFIX}version"), tag.trim_start_matches('v').to_owned());
    }
    for argument in given {
        let (name, value) = parse(argument)
            .map_err(|reason| CommandError::Input(format!("error: --annotation {argument:?}: {reason}")))?;
        all.insert(name, value);
    }
    Ok(all)
}

fn parse(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').ok_or("it is not NAME=VALUE")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err("a name consists of a-z A-Z 0-9 . - _ /".to_owned());
    }
    if name == SIGNATURE_ANNOTATION {
        return Err("the signature is published by --sign or --signature".to_owned());
    }
    if value.len() > MAX_VALUE {
        return Err(format!("the value has more than {} KiB", MAX_VALUE >> 10));
    }
    let name = if name.contains('.') { name.to_owned() } else { format!("{PREFIX}{name}") };
    Ok((name, value.to_owned()))
}

/// Returns whether a tag is a version such as `1.2.0` or `v1.2.0-rc.1`.
fn is_version(tag: &str) -> bool {
    let text = tag.strip_prefix('v').unwrap_or(tag);
    text.contains('.') && text.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(tag: &str, given: &[&str]) -> Result<Annotations, CommandError> {
        let reference = Reference::parse(&format!("ghcr.io/acme/router:{tag}")).unwrap();
        let given: Vec<String> = given.iter().map(|it| (*it).to_owned()).collect();
        all(&given, &reference, tag)
    }

    fn pairs(tag: &str, given: &[&str]) -> Vec<String> {
        annotations(tag, given).unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn a_title_and_a_version_follow_from_the_reference() {
        let title = "org.opencontainers.image.title=router";
        assert_eq!(pairs("stable", &[]), [title]);
        assert_eq!(pairs("v1", &[]), [title]);
        for tag in ["1.2.0", "v1.2.0"] {
            assert_eq!(pairs(tag, &[]), [title, "org.opencontainers.image.version=1.2.0"]);
        }
    }

    #[test]
    fn short_names_are_those_of_the_image_specification() {
        assert_eq!(
            pairs("stable", &["description=by price=low", "title=Router", "com.acme.team=core"]),
            [
                "com.acme.team=core",
                "org.opencontainers.image.description=by price=low",
                "org.opencontainers.image.title=Router",
            ]
        );
    }

    #[test]
    fn wrong_annotations_are_refused_with_the_reason() {
        let long = format!("description={}", "a".repeat(MAX_VALUE + 1));
        for (given, expected) in [
            ("description", "it is not NAME=VALUE"),
            ("=x", "a name consists of"),
            ("a b=x", "a name consists of"),
            ("dev.pointsman.policy.minisig=x", "the signature is published by --sign"),
            (&*long, "the value has more than 16 KiB"),
        ] {
            let error = annotations("stable", &[given]).unwrap_err();
            assert!(error.exit_status() == 2 && error.to_string().contains(expected), "{error}");
        }
    }
}
