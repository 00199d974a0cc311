//! A search for texts in the whole memory of an instance.

/// The mask of each byte of a needle in the settings, so that the settings themselves do not
/// match.
const MASK: u8 = 0xa5;

/// Masked texts to search for.
pub struct Needles(Vec<Vec<u8>>);

impl Needles {
    /// Reads hexadecimal digits of masked bytes.
    pub fn parse(needles: &[String]) -> Result<Self, String> {
        let byte = |pair: &[u8]| {
            let digits = std::str::from_utf8(pair).unwrap_or_default();
            u8::from_str_radix(digits, 16).map_err(|error| format!("setting `needles`: {digits:?}: {error}"))
        };
        let needle = |text: &String| text.as_bytes().chunks(2).map(byte).collect();
        needles.iter().map(needle).collect::<Result<_, _>>().map(Self)
    }

    /// Returns a label: `clean`, or `found` with the numbers of the texts found.
    pub fn label(&self) -> String {
        let found = (0..self.0.len()).filter(|&number| is_anywhere(&self.0[number]));
        let numbers: Vec<String> = found.map(|number| number.to_string()).collect();
        if numbers.is_empty() { "clean".to_owned() } else { format!("found:{}", numbers.join(":")) }
    }
}

/// Unmasks byte by byte, so that the search itself does not put the text into memory.
fn is_anywhere(masked: &[u8]) -> bool {
    let end = memory_bytes().saturating_sub(masked.len());
    (1..=end).any(|at| masked.iter().enumerate().all(|(offset, byte)| peek(at + offset) == byte ^ MASK))
}

#[cfg(target_family = "wasm")]
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) << 16
}

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "it reads what it does not own: all there is")]
fn peek(at: usize) -> u8 {
    // SAFETY: the address is within the memory, and the instance has one thread.
    unsafe { core::ptr::with_exposed_provenance::<u8>(at).read_volatile() }
}

#[cfg(not(target_family = "wasm"))]
fn memory_bytes() -> usize {
    0
}

#[cfg(not(target_family = "wasm"))]
fn peek(_: usize) -> u8 {
    0
}
