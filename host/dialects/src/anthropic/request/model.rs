//! Differences between the models of this API, derived from their names.

/// Version of a model of Anthropic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ModelVersion {
    major: u32,
    minor: u32,
}

impl ModelVersion {
    /// Returns the version in a name such as `claude-opus-4-7`, `claude-3-5-haiku-20241022` or
    /// `anthropic.claude-sonnet-4-5-20250929-v1:0`; `None` for a model of another maker that speaks
    /// this protocol.
    pub fn of(name: &str) -> Option<Self> {
        let (_, name) = name.split_once("claude-")?;
        let mut numbers = name.split(['-', '.', '@', ':']).map(str::parse::<u32>);
        // Numbers above are dates.
        let is_version = |number: &u32| *number < 100;
        let major = numbers.find_map(Result::ok).filter(is_version)?;
        let minor = numbers.next().and_then(Result::ok).filter(is_version).unwrap_or(0);
        Some(Self { major, minor })
    }

    const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

/// Abilities of a model that determine how a request is written. A model of another maker is taken
/// for an early one: those are the forms that compatible servers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModelTraits {
    /// True if the model decides how much it reasons, guided by an effort. Others have a budget.
    pub reasons_adaptively: bool,
    /// True if it accepts a budget of reasoning.
    pub accepts_budget: bool,
    /// True if it knows the effort `xhigh`.
    pub has_extra_high_effort: bool,
    /// True if it accepts parameters of sampling.
    pub accepts_sampling: bool,
    /// True if it accepts only one of `temperature` and `top_p`.
    pub accepts_one_of_temperature_and_top_p: bool,
    /// True if messages of the system may follow those of the user.
    pub accepts_system_messages: bool,
}

impl ModelTraits {
    /// Returns the abilities of the model with a name.
    pub fn of(name: &str) -> Self {
        let version = ModelVersion::of(name);
        let is_from = |major, minor| version.is_some_and(|own| own >= ModelVersion::new(major, minor));
        Self {
            reasons_adaptively: is_from(4, 6),
            accepts_budget: !is_from(4, 7),
            has_extra_high_effort: is_from(4, 7),
            accepts_sampling: !is_from(4, 7),
            accepts_one_of_temperature_and_top_p: is_from(4, 1),
            accepts_system_messages: is_from(4, 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_name() {
        let names = [
            ("claude-3-opus-20240229", Some((3, 0))),
            ("claude-3-5-haiku-20241022", Some((3, 5))),
            ("claude-opus-4-20250514", Some((4, 0))),
            ("claude-sonnet-4-5-20250929", Some((4, 5))),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some((4, 5))),
            ("claude-opus-4-7", Some((4, 7))),
            ("anthropic/claude-opus-4.8", Some((4, 8))),
            ("claude-sonnet-5", Some((5, 0))),
            ("claude-2.1", Some((2, 1))),
            ("claude-latest", None),
            ("glm-5.2", None),
        ];
        for (name, version) in names {
            let version = version.map(|(major, minor)| ModelVersion::new(major, minor));
            assert_eq!(ModelVersion::of(name), version, "{name}");
        }
    }
}
