use super::*;

#[derive(Debug, Deserialize)]
struct Both {
    time: Option<Duration>,
    size: Option<Size>,
}

fn time(text: &str) -> Option<std::time::Duration> {
    toml::from_str::<Both>(&format!("time = {text}")).ok()?.time.map(Duration::get)
}

fn size(text: &str) -> Option<usize> {
    toml::from_str::<Both>(&format!("size = {text}")).ok()?.size.map(Size::get)
}

#[test]
fn durations_have_a_unit() {
    assert_eq!(time("'20ms'"), Some(std::time::Duration::from_millis(20)));
    assert_eq!(time("'1.5 s'"), Some(std::time::Duration::from_millis(1500)));
    assert_eq!(time("'5m'"), Some(std::time::Duration::from_secs(300)));
    assert_eq!(time("'1h'"), Some(std::time::Duration::from_secs(3600)));
    for nonsense in ["20", "'20'", "'ms'", "'-2s'", "'2 fortnights'", "''", "'1..5s'", "'99999999h'"] {
        assert_eq!(time(nonsense), None, "{nonsense}");
    }
}

#[test]
fn sizes_are_bytes_or_have_a_unit() {
    assert_eq!(size("4096"), Some(4096));
    assert_eq!(size("'16 MiB'"), Some(16 << 20));
    assert_eq!(size("'64kib'"), Some(64 << 10));
    assert_eq!(size("'1 GB'"), Some(1_000_000_000));
    assert_eq!(size("'12 B'"), Some(12));
    for nonsense in ["-1", "'16'", "'16 MiBs'", "1.5"] {
        assert_eq!(size(nonsense), None, "{nonsense}");
    }
}

#[test]
fn quantities_print_as_they_are_written() {
    for text in ["20ms", "2s", "1500ms", "5m", "90s", "0s"] {
        assert_eq!(Duration(time(&format!("'{text}'")).unwrap()).to_string(), text);
    }
    for text in ["16 MiB", "64 KiB", "1000 B"] {
        assert_eq!(Size(size(&format!("'{text}'")).unwrap() as u64).to_string(), text);
    }
}
