//! `pointsman models`: the models of the catalogue, or of a configuration, with their prices.

mod description;
mod text;

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use pointsman_config::{Config, Overrides, catalogue};
use pointsman_domain::model::Operation;
use pointsman_domain::names::nearest_name;
use pointsman_serving::clock::unix_seconds;

use super::{CommandError, TextTable, print};
use description::ModelDescription;

/// Most models that `search` prints by default.
const FOUND: usize = 20;

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(
    after_help = "Without --config, these are the models of the built-in catalogue, which supplies the facts and \
                  prices that a configuration does not state."
)]
enum Command {
    /// List models with their prices
    List(ListArgs),
    /// Search models by words of their names, best first
    Search(SearchArgs),
    /// Show everything that is known about a model
    Show(ShowArgs),
}

/// Options of all subcommands.
#[derive(Debug, ClapArgs)]
struct CommonArgs {
    /// Use the models of this configuration, with the prices that are in force there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Options that select models.
#[derive(Debug, ClapArgs)]
struct FilterArgs {
    /// Only models of this provider; with --config, of this backend
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only models with this operation, such as `chat` or `embedding`
    #[arg(long, value_parser = operation)]
    operation: Option<Operation>,
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, ClapArgs)]
struct SearchArgs {
    /// Words that the id has to contain, such as `sonnet 4-5`
    #[arg(required = true)]
    words: Vec<String>,
    /// Most models to print
    #[arg(long, default_value_t = FOUND)]
    limit: usize,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, ClapArgs)]
struct ShowArgs {
    /// The model, such as `openai/gpt-4o`
    id: String,
    #[command(flatten)]
    common: CommonArgs,
}

pub(super) fn run(args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::List(args) => list(&args),
        Command::Search(args) => search(&args),
        Command::Show(args) => show(&args),
    }
}

fn list(args: &ListArgs) -> Result<(), CommandError> {
    let models = args.filter.select(args.common.models()?)?;
    args.common.print(&models, Vec::new())
}

fn search(args: &SearchArgs) -> Result<(), CommandError> {
    let models = args.filter.select(args.common.models()?)?;
    let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let found = catalogue::search(&words, &ids);
    if found.is_empty() {
        return Err(unknown(
            &format!("no model has a name with `{}`", words.join(" ")),
            &words.join("-"),
            &ids,
        ));
    }
    let rest = found.len().saturating_sub(args.limit);
    let note = (rest > 0).then(|| format!("{rest} more: search for more words, or use --limit"));
    let by_id = |id: &str| models.iter().find(|model| model.id == id).cloned();
    let found: Vec<ModelDescription> = found.into_iter().take(args.limit).filter_map(by_id).collect();
    args.common.print(&found, note.into_iter().collect())
}

fn show(args: &ShowArgs) -> Result<(), CommandError> {
    let models = args.common.models()?;
    let Some(model) = models.iter().find(|model| model.id == args.id) else {
        let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        return Err(unknown(&format!("there is no model `{}`", args.id), &args.id, &ids));
    };
    if args.common.json {
        return print(serde_json::to_string_pretty(model).map_err(CommandError::run)?);
    }
    print(text::describe(model))
}

impl CommonArgs {
    fn models(&self) -> Result<Vec<ModelDescription>, CommandError> {
        match &self.config {
            Some(file) => configured(file),
            None => {
                let now = unix_seconds();
                let models = catalogue::entries();
                Ok(models.map(|(id, facts)| ModelDescription::listed(id, &facts, now)).collect())
            }
        }
    }

    fn print(&self, models: &[ModelDescription], notes: Vec<String>) -> Result<(), CommandError> {
        if self.json {
            return print(serde_json::to_string_pretty(models).map_err(CommandError::run)?);
        }
        print(text::table(models, notes))
    }
}

/// Reads the models of a configuration.
fn configured(file: &Path) -> Result<Vec<ModelDescription>, CommandError> {
    let config =
        Config::load(file, Overrides::default()).map_err(|error| CommandError::Input(error.to_string()))?;
    let now = unix_seconds();
    let models = config.models.iter().zip(&config.origins).zip(&config.price_schedules);
    Ok(models
        .map(|((model, origin), prices)| ModelDescription::configured(model, origin, prices, now))
        .collect())
}

impl FilterArgs {
    fn select(&self, models: Vec<ModelDescription>) -> Result<Vec<ModelDescription>, CommandError> {
        if let Some(provider) = &self.provider {
            let mut known: Vec<&str> = models.iter().map(|model| catalogue::provider_of(&model.id)).collect();
            known.dedup();
            if !known.contains(&provider.as_str()) {
                return Err(unknown(&format!("no model has the provider `{provider}`"), provider, &known));
            }
        }
        let is_of_provider = |model: &ModelDescription| match &self.provider {
            Some(provider) => catalogue::provider_of(&model.id) == provider,
            None => true,
        };
        let has_operation = |model: &ModelDescription| {
            self.operation.is_none_or(|operation| model.operations.contains(&operation.name()))
        };
        Ok(models.into_iter().filter(|model| is_of_provider(model) && has_operation(model)).collect())
    }
}

fn operation(name: &str) -> Result<Operation, String> {
    Operation::from_name(name)
        .ok_or_else(|| format!("it is one of {}", Operation::ALL.map(Operation::name).join(", ")))
}

/// Makes the error for a name that nothing has, with the nearest one that exists.
fn unknown(message: &str, name: &str, known: &[&str]) -> CommandError {
    let without_provider = || {
        let names = known.iter().filter_map(|id| Some(id.split_once('/')?.1));
        catalogue::search(&[nearest_name(name, names)?], known).into_iter().next()
    };
    let hint = match nearest_name(name, known.iter().copied()).or_else(without_provider) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "search for a part of the name: `pointsman models search WORDS`".to_owned(),
    };
    CommandError::Input(format!("error: {message}\n  = hint: {hint}"))
}
