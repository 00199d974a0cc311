use std::path::Path;

use super::{Config, Input, InvalidConfig, Overrides};

mod accepted;
mod examples;
mod meaning;
mod secrets;
mod shape;

/// What a configuration needs at least; appended to what a test is about.
const REST: &str = r#"

[backends.sim]
kind = "simulated"
[models."sim/small"]
[policies.plain]
source = "builtin:cost"
[routes.usual]
policy = "plain"
"#;

/// Compiles a text alone, in a world with two environment variables.
fn compile(text: &str) -> Result<Config, InvalidConfig> {
    let env = |name: &str| match name {
        "API_KEY" => Some("sk-secret".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    Config::parse(Input {
        file: "pointsman.toml",
        text,
        base_dir: Path::new("/nowhere"),
        env: &env,
        overrides: Overrides::default(),
    })
}

fn accepted(text: &str) -> Config {
    compile(&format!("{text}{REST}")).unwrap_or_else(|error| panic!("{error}"))
}

fn rejected(text: &str) -> String {
    compile(&format!("{text}{REST}")).unwrap_err().to_string()
}
