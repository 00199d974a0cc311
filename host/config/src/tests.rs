use std::path::{Path, PathBuf};

use super::{Config, ConfigSource, InvalidConfig, Overrides};

mod accepted;
mod backends;
mod examples;
mod models;
mod prices;
mod reference;
mod routes;
mod secrets;
mod settings;
mod shape;
mod sources;
mod tls;
mod traces;
mod whole;

/// Minimal valid configuration, appended to the text under test.
const REST: &str = r#"

[backends.sim]
kind = "simulated"
[models."sim/small"]
[policies.plain]
source = "builtin:cost"
[routes.usual]
policy = "plain"
"#;

/// Time at which tests compile: 2026-12-01, noon.
const NOW: u64 = 1_796_126_400;

/// Compiles a text alone, in a world with two environment variables.
fn compile(text: &str) -> Result<Config, InvalidConfig> {
    let env = |name: &str| match name {
        "API_KEY" => Some("sk-secret".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    Config::parse(ConfigSource {
        file: "pointsman.toml",
        text,
        base_dir: Path::new("/nowhere"),
        env: &env,
        overrides: Overrides::default(),
        now: NOW,
    })
}

fn accepted(text: &str) -> Config {
    compile(&format!("{text}{REST}")).unwrap_or_else(|error| panic!("{error}"))
}

fn rejected(text: &str) -> String {
    compile(&format!("{text}{REST}")).unwrap_err().to_string()
}

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// Compares a file of the repository with what the code makes of it now.
fn expect_file(path: &str, expected: &str) {
    let full = repository(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&full, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&full).unwrap_or_default();
    assert!(
        committed == expected,
        "{path} is out of date; write it again with \
         UPDATE_EXPECT=1 cargo test -p pointsman-config --lib"
    );
}
