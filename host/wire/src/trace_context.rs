//! W3C Trace Context: the headers `traceparent` and `tracestate`
//! (<https://www.w3.org/TR/trace-context/>), level 1.

use pointsman_domain::trace::RemoteSpan;

/// Length of a `traceparent` of version 00: `00-` trace `-` span `-` flags.
const LENGTH: usize = 55;
/// Flag of a trace that is recorded.
const SAMPLED: u8 = 1;
/// Limit of members of a `tracestate`.
const MAX_MEMBERS: usize = 32;

/// Parses a `traceparent`; `None` if it violates the standard. Of a version after 00, the known
/// beginning is parsed.
pub fn parse_traceparent(header: &[u8]) -> Option<RemoteSpan> {
    let (known, more) = header.split_at_checked(LENGTH)?;
    let [version, rest] = split(known, 2)?;
    let [trace, rest] = split(rest, 32)?;
    let [span, flags] = split(rest, 16)?;
    let ends_well = match hex(version)? {
        0 => more.is_empty(),
        0xff => false,
        _ => more.first().is_none_or(|&byte| byte == b'-'),
    };
    let (trace, span, flags) = (hex(trace)?, hex(span)? as u64, hex(flags)? as u8);
    let is_valid = ends_well && trace != 0 && span != 0;
    is_valid.then_some(RemoteSpan { trace, span, sampled: flags & SAMPLED != 0 })
}

/// Renders a `traceparent` of version 00.
pub fn traceparent(span: RemoteSpan) -> [u8; LENGTH] {
    let mut header = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(span.trace, &mut header[3..35]);
    write_hex(span.span.into(), &mut header[36..52]);
    header[54] = b'0' + u8::from(span.sampled);
    header
}

/// Returns whether a `tracestate`, several headers joined by commas, may be forwarded.
pub fn is_tracestate(header: &[u8]) -> bool {
    let members = header.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let mut keys: Vec<&[u8]> = Vec::new();
    for member in members.filter(|member| !member.is_empty()) {
        let Some(at) = member.iter().position(|&byte| byte == b'=') else { return false };
        let (key, value) = (&member[..at], &member[at + 1..]);
        if keys.len() == MAX_MEMBERS || keys.contains(&key) || !is_key(key) || !is_value(value) {
            return false;
        }
        keys.push(key);
    }
    !keys.is_empty()
}

/// Splits `at` bytes and a hyphen from the rest.
fn split(bytes: &[u8], at: usize) -> Option<[&[u8]; 2]> {
    let (first, rest) = bytes.split_at_checked(at)?;
    Some([first, rest.strip_prefix(b"-")?])
}

/// Parses hexadecimal digits, which must be in lower case.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

fn write_hex(number: u128, digits: &mut [u8]) {
    let mut left = number;
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(left & 0xf) as usize];
        left >>= 4;
    }
}

/// Returns whether this is `vendor` or `tenant@vendor`.
fn is_key(key: &[u8]) -> bool {
    let is_rest = |part: &[u8]| {
        let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
        part.iter().all(allowed)
    };
    let is_letter = |byte: &u8| byte.is_ascii_lowercase();
    match key.iter().position(|&byte| byte == b'@') {
        None => key.len() <= 256 && key.first().is_some_and(is_letter) && is_rest(key),
        Some(at) => {
            let (tenant, vendor) = (&key[..at], &key[at + 1..]);
            let starts_well = tenant.first().is_some_and(|byte| is_letter(byte) || byte.is_ascii_digit());
            tenant.len() <= 241
                && vendor.len() <= 14
                && starts_well
                && vendor.first().is_some_and(is_letter)
                && is_rest(tenant)
                && is_rest(vendor)
        }
    }
}

/// Returns whether these are up to 256 printable characters except comma and equals sign. The
/// value was trimmed, so it does not end with a space.
fn is_value(value: &[u8]) -> bool {
    let is_allowed = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    (1..=256).contains(&value.len()) && value.iter().all(is_allowed)
}

#[cfg(test)]
mod tests;
