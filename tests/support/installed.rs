//! Tools that tests need besides Rust.

/// Returns the path of an installed tool, if there is one. On CI there must be.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
pub fn installed(variable: &str) -> Option<String> {
    let path = std::env::var(variable).ok();
    if path.is_none() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{variable} is not set");
        println!("skipped: {variable} is not set; cargo xtask test sets it");
    }
    path
}

/// Returns the folder of recorded data, if `POINTSMAN_DATA` names one. It is not part of the repository, so CI may be
/// without it.
#[expect(clippy::print_stdout, reason = "a skipped test says why")]
pub fn recorded_data() -> Option<String> {
    let folder = std::env::var("POINTSMAN_DATA").ok();
    if folder.is_none() {
        println!("skipped: POINTSMAN_DATA does not name a folder of recorded data");
    }
    folder
}
