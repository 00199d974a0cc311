//! Names as segments of paths.

/// Percent-encodes a name as one segment of a path (RFC 3986, section 2.3: unreserved characters
/// stay).
pub(crate) fn path_segment(name: &str) -> String {
    // A segment of dots alone would be resolved away.
    if matches!(name, "." | "..") {
        return name.replacen('.', "%2E", 1);
    }
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_the_path() {
        assert_eq!(path_segment("gpt-4o_mini.v1"), "gpt-4o_mini.v1");
        assert_eq!(path_segment("../a b?c#ü"), "..%2Fa%20b%3Fc%23%C3%BC");
        assert_eq!((&*path_segment("."), &*path_segment("..")), ("%2E", "%2E."));
    }
}
