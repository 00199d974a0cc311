//! Hashed words and pairs of words.

/// Number of buckets that words and pairs of words are hashed to.
pub(crate) const BUCKETS: usize = 1024;

/// Set of the buckets that occur in a text.
pub(crate) struct Buckets {
    occurs: [bool; BUCKETS],
    count: usize,
}

impl Buckets {
    /// Collects the words of a text, in lower case, and the pairs of neighbouring words. Numbers are one
    /// word, and so is each mark.
    pub(crate) fn of(text: &str) -> Self {
        let mut buckets = Self { occurs: [false; BUCKETS], count: 0 };
        let mut word = Hash::START;
        let mut letters = 0_u32;
        let mut previous = None;
        let mut in_number = false;
        for byte in text.bytes().chain(std::iter::once(b' ')) {
            if byte.is_ascii_alphabetic() || byte >= 0x80 {
                word = word.with(byte.to_ascii_lowercase());
                letters += 1;
            } else if byte.is_ascii_digit() {
                // All numbers are alike.
                word = if in_number { word } else { word.with(b'0') };
                letters += 1;
            } else {
                if letters > 0 {
                    buckets.add(word);
                    if let Some(previous) = previous.replace(word) {
                        buckets.add(word.after(previous));
                    }
                    (word, letters) = (Hash::START, 0);
                }
                if byte.is_ascii_punctuation() {
                    buckets.add(Hash::START.with(byte));
                }
            }
            in_number = byte.is_ascii_digit();
        }
        buckets
    }

    fn add(&mut self, hash: Hash) {
        if let Some(occurs) = self.occurs.get_mut(hash.bucket()) {
            self.count += usize::from(!*occurs);
            *occurs = true;
        }
    }

    /// Returns the buckets in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.occurs.iter().enumerate().filter(|(_, occurs)| **occurs).map(|(bucket, _)| bucket)
    }

    /// Returns the number of different buckets.
    pub(crate) fn len(&self) -> usize {
        self.count
    }
}

/// FNV-1a of 32 bits.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Hash {
    const START: Self = Self(0x811c_9dc5);

    const fn with(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u32).wrapping_mul(0x0100_0193))
    }

    /// Returns the hash of a pair of words.
    const fn after(self, previous: Self) -> Self {
        Self(previous.0.rotate_left(5) ^ self.0.wrapping_mul(0x9e37_79b1))
    }

    const fn bucket(self) -> usize {
        // Mixes high bits into the low ones (MurmurHash3's finaliser, one round).
        let mixed = (self.0 ^ (self.0 >> 16)).wrapping_mul(0x85eb_ca6b);
        (mixed ^ (mixed >> 13)) as usize % BUCKETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(text: &str) -> Vec<usize> {
        Buckets::of(text).iter().collect()
    }

    #[test]
    fn case_and_numbers_make_no_difference_and_order_does() {
        assert_eq!(buckets("The 12 Apples"), buckets("the 3456 apples"));
        assert_ne!(buckets("dog bites man"), buckets("man bites dog"));
        assert_eq!(buckets("a b").len(), 3);
        assert_eq!(Buckets::of("a a a").len(), buckets("a a").len());
        assert!(buckets("").is_empty());
    }

    #[test]
    fn words_spread_over_all_buckets() {
        let text: String = (0..4000_u32)
            .map(|n| {
                format!(
                    "{} ",
                    (0..6).map(|i| char::from(b'a' + (n.pow(2) >> (3 * i)) as u8 % 26)).collect::<String>()
                )
            })
            .collect();
        assert!(buckets(&text).len() > BUCKETS * 9 / 10);
    }
}
