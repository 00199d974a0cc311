//! Names of new policies: names in the configuration, of a package, and of a folder.

use pointsman_terminal::CommandError;

use crate::build::Language;

/// Longest name, in bytes: that of names in the configuration.
const LONGEST: usize = 64;
/// Names that a crate cannot have, or that would hide one which policies use.
const CRATES: [&str; 9] =
    ["alloc", "core", "pointsman-sdk", "proc-macro", "serde", "std", "test", "wit-bindgen", "pointsman"];
/// Words of Rust that are valid names otherwise.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "unsafe", "use", "virtual", "where", "while",
];

/// Checks a name.
///
/// # Errors
/// Fails with a name that would do, where there is one.
pub(super) fn check(name: &str, language: Language) -> Result<(), CommandError> {
    if !is_valid(name) {
        let rule = format!(
            "a name is 1 to {LONGEST} lower-case letters, digits and single hyphens, and begins with a letter"
        );
        return Err(CommandError::Input(format!(
            "error: `{}` cannot be the name of a policy: {rule}{}",
            name.escape_debug(),
            suggestion(name).map_or_else(String::new, |it| format!("\n  = hint: try `{it}`"))
        )));
    }
    if language == Language::Rust && (CRATES.contains(&name) || KEYWORDS.contains(&name)) {
        return Err(CommandError::Input(format!(
            "error: `{name}` cannot be the name of a crate in Rust\n  = hint: try `{name}-policy`, and --path for the \
             name of the folder"
        )));
    }
    Ok(())
}

fn is_valid(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(is_word)
}

/// Returns a similar name that is valid.
fn suggestion(name: &str) -> Option<String> {
    let words = name.split(|it: char| !it.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let suggestion = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    is_valid(&suggestion).then_some(suggestion)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(name: &str, language: Language) -> String {
        check(name, language).unwrap_err().to_string()
    }

    #[test]
    fn a_name_is_one_in_the_configuration_and_of_a_package() {
        for name in ["a", "by-length", "tier2-cost", &"a".repeat(64)] {
            assert!(check(name, Language::Rust).is_ok(), "{name}");
        }
        for name in ["", "-a", "a-", "a--b", "2fast", "a/b", "../a", "a b", &"a".repeat(65)] {
            assert!(problem(name, Language::C).contains("cannot be the name of a policy"), "{name}");
        }
        assert!(problem("By Length", Language::C).ends_with("hint: try `by-length`"));
        assert!(!problem("2fast", Language::C).contains("hint"));
        assert!(problem("a\u{1b}[2J", Language::C).starts_with("error: `a\\u{1b}[2J` cannot"));
    }

    #[test]
    fn words_of_rust_are_no_names_of_crates() {
        assert!(problem("match", Language::Rust).contains("try `match-policy`"));
        assert!(problem("serde", Language::Rust).contains("cannot be the name of a crate"));
        assert!(check("match", Language::Javascript).is_ok());
    }
}
