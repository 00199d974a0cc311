//! `pointsman init`

mod document;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_config::providers::{self, PROVIDERS, Provider};
use pointsman_config::{Config, ConfigSource, DEFAULT_TOML, Overrides, environment};
use pointsman_domain::names::nearest_name;

use super::{CommandError, output_file, print};
use document::{LocalServer, document};

/// Provider whose base URL is another one for each customer.
const AZURE: &str = "azure";
/// Variable with the base URL of a customer's resource at Azure.
const AZURE_URL: &str = "AZURE_OPENAI_ENDPOINT";

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Without options, the file has the providers whose API keys are in the environment, such as
OPENAI_API_KEY or ANTHROPIC_API_KEY. Keys are not written: the file names their variables.

Examples:
  pointsman init
  pointsman init --provider openai --provider anthropic
  pointsman init --local http://127.0.0.1:11434/v1 --model qwen3:8b -o -
  pointsman init --print-default

Exit status: 0 written, 2 usage, or no provider was found, or the file exists.")]
pub(super) struct Args {
    /// The file to write, which must not exist; `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "pointsman.toml")]
    output: PathBuf,
    /// A provider, instead of those whose keys are in the environment
    #[arg(long, value_name = "NAME")]
    provider: Vec<String>,
    /// Base URL of a server with OpenAI's API that needs no key, such as Ollama or vLLM
    #[arg(long, value_name = "URL", requires = "model")]
    local: Option<String>,
    /// A model of that server
    #[arg(long, value_name = "NAME", requires = "local")]
    model: Vec<String>,
    /// Print the configuration that `pointsman serve` has without a file: simulated models
    #[arg(long, exclusive = true)]
    print_default: bool,
}

pub(super) fn run(args: &Args) -> Result<(), CommandError> {
    if args.print_default {
        return print(DEFAULT_TOML.trim_end());
    }
    let providers = if args.provider.is_empty() { found() } else { named(&args.provider)? };
    let local = args.local.as_ref().map(|url| LocalServer { base_url: url, models: &args.model });
    if providers.is_empty() && local.is_none() {
        return Err(nothing_found());
    }
    let azure_url = environment(AZURE_URL);
    let text = document(&providers, local.as_ref(), azure_url.as_deref());
    check(&text)?;
    if args.output == Path::new("-") {
        return print(text.trim_end());
    }
    output_file::create(&args.output, &text, "--output")?;
    print(next_steps(&args.output, &providers))
}

/// Returns the providers whose keys are in the environment.
fn found() -> Vec<&'static Provider> {
    let has_key = |provider: &&Provider| {
        let has = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
        provider.key_variable.is_some_and(has) && (provider.section != AZURE || has(AZURE_URL))
    };
    PROVIDERS.iter().filter(has_key).collect()
}

fn named(names: &[String]) -> Result<Vec<&'static Provider>, CommandError> {
    let mut providers: Vec<&'static Provider> = Vec::new();
    for name in names {
        let Some(provider) = providers::find(name) else {
            let known = || PROVIDERS.iter().map(|provider| provider.section);
            let hint = match nearest_name(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("providers: {}", known().collect::<Vec<_>>().join(", ")),
            };
            return Err(CommandError::Input(format!("error: unknown provider `{name}`\n  = hint: {hint}")));
        };
        if !providers.contains(&provider) {
            providers.push(provider);
        }
    }
    Ok(providers)
}

fn nothing_found() -> CommandError {
    let variables = PROVIDERS.iter().filter_map(|provider| provider.key_variable);
    let variables: Vec<&str> = variables.collect();
    CommandError::Input(format!(
        "error: no API key of a provider is in the environment\n  = hint: set one of {}; or name a provider with \
         --provider, or a server of your own with --local and --model; `pointsman serve` needs no provider and serves \
         simulated models",
        variables.join(", ")
    ))
}

/// Checks the file as `pointsman check` does, as if all environment variables were set.
fn check(text: &str) -> Result<(), CommandError> {
    let source = ConfigSource {
        file: "the new configuration",
        text,
        base_dir: Path::new(""),
        env: &|_| Some("set".to_owned()),
        overrides: Overrides::default(),
        now: 0,
    };
    // The values of the options are part of the text.
    Config::parse(source).map(drop).map_err(|invalid| CommandError::Input(invalid.to_string()))
}

fn next_steps(file: &Path, providers: &[&Provider]) -> String {
    let file = file.display();
    let names: Vec<&str> = providers.iter().map(|provider| provider.section).collect();
    let of = if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) };
    format!(
        "wrote {file}{of}\n  pointsman check {file}             # load everything, report all errors at once\n  \
         pointsman serve --config {file}    # clients: http://127.0.0.1:8080/v1, model `auto`"
    )
}
