//! Placeholders for WASI in native builds, which never run them.

pub fn world() -> String {
    String::new()
}

pub fn print(_: &str) {}

pub fn print_error(_: &str) {}

pub fn monotonic() -> u64 {
    0
}

pub fn wall() -> (u64, u32) {
    (0, 0)
}

pub fn random() -> [u64; 4] {
    [0; 4]
}

pub fn sleep(_: u64) {}

pub fn exit() -> ! {
    std::process::exit(1)
}
