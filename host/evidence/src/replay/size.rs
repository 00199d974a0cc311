//! Sizes of requests.

/// Class of a request by its estimated input tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SizeClass(u8);

/// Upper bounds of the classes in tokens, and their names.
const CLASSES: [(u32, &str); 7] = [
    (256, "under 256 tokens"),
    (1_024, "256 to 1,023 tokens"),
    (4_096, "1,024 to 4,095 tokens"),
    (16_384, "4,096 to 16,383 tokens"),
    (65_536, "16,384 to 65,535 tokens"),
    (262_144, "65,536 to 262,143 tokens"),
    (u32::MAX, "262,144 tokens and more"),
];

impl SizeClass {
    pub(super) fn of(input_tokens: u32) -> Self {
        let place = CLASSES.iter().position(|(bound, _)| input_tokens < *bound);
        Self(place.unwrap_or(CLASSES.len() - 1) as u8)
    }

    pub(super) fn number(self) -> u32 {
        self.0.into()
    }

    pub(super) fn name(self) -> &'static str {
        CLASSES.get(usize::from(self.0)).map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_by_their_bounds() {
        for (tokens, name) in [
            (0, "under 256 tokens"),
            (255, "under 256 tokens"),
            (256, "256 to 1,023 tokens"),
            (70_000, "65,536 to 262,143 tokens"),
            (u32::MAX, "262,144 tokens and more"),
        ] {
            assert_eq!(SizeClass::of(tokens).name(), name);
        }
    }
}
