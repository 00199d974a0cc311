//! The configuration of the local gateway: one with simulated models, or the author's own.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman_author::build::{self, Manifest};
use pointsman_author::case::folder;
use pointsman_author::files;
use pointsman_author::subject::PolicyFile;
use pointsman_author::verb::run::settings_text;
use pointsman_terminal::CommandError;
use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use crate::{Args, DevTools};

/// Folder of the local gateway, in the build folder of the policy.
const DEV: &str = "dev";
/// Sections of the default configuration that the local gateway has.
const FLEET: [&str; 2] = ["backends", "models"];
/// Longest time of a call, as in cases: builds keep the machine busy.
const DEADLINE: &str = "1s";
/// Name of the policy and its route, where the folder has no name that can be one.
const NAME: &str = "policy";
/// Longest configuration of an author, in bytes.
const MAX_CONFIG_BYTES: u64 = 16 << 20;

/// The policy and the gateway that serves it.
#[derive(Debug)]
pub(crate) struct Served {
    /// Folder of the policy.
    pub(crate) folder: PathBuf,
    /// Name of the policy in the configuration.
    pub(crate) name: String,
    /// Settings as a JSON object.
    pub(crate) settings: Map<String, Json>,
    /// File of the configuration.
    pub(crate) config: PathBuf,
    /// Decision log of the gateway, if it has one.
    pub(crate) decisions: Option<PathBuf>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The gateway has simulated models, and everything of it is in this folder.
    Simulated(PathBuf),
    /// The configuration is the author's, and its policy has the built file as its source.
    Own,
}

impl Served {
    /// Reads the author's configuration, or prepares one.
    ///
    /// # Errors
    /// Fails with exit status 2 if a file cannot be read, or no policy has the built file as its source.
    pub(crate) fn new(args: &Args, tools: &DevTools) -> Result<Self, CommandError> {
        let folder = absolute(&args.folder)?;
        if let Some(config) = &args.config {
            let config = absolute(config)?;
            // The gateway could not start without the file, so this build has to succeed.
            let built = build::folder(&folder)?.path;
            return Self::own(folder, &built, &config);
        }
        Manifest::of(&folder)?;
        let home = folder.join("build").join(DEV);
        fs::create_dir_all(&home).map_err(|error| cannot("create", &home, &error))?;
        let settings = match &args.settings {
            Some(given) => serde_json::from_str(&settings_text(given)?).map_err(CommandError::run)?,
            None => shared_settings(&folder)?,
        };
        // The fleet is checked now, so that the first round cannot fail for it.
        let _ = fleet(tools.default_config)?;
        Ok(Self {
            name: name_of(&folder),
            settings,
            config: home.join("pointsman.toml"),
            decisions: Some(home.join("decisions")),
            kind: Kind::Simulated(home),
            folder,
        })
    }

    fn own(folder: PathBuf, built: &Path, config: &Path) -> Result<Self, CommandError> {
        let text = files::read_text(config, MAX_CONFIG_BYTES)?;
        let invalid = |reason: &str| CommandError::Input(format!("error: {}: {reason}", config.display()));
        let table: Table = text.parse().map_err(|error: toml::de::Error| invalid(&error.to_string()))?;
        let home = config.parent().unwrap_or(Path::new("."));
        let policies = table.get("policies").and_then(Value::as_table);
        let is_built = |policy: &Value| {
            let source = policy.get("source").and_then(Value::as_str);
            source.is_some_and(|source| normal(&home.join(source)) == normal(built))
        };
        let found = policies.into_iter().flatten().find(|(_, policy)| is_built(policy));
        let Some((name, policy)) = found else {
            return Err(invalid(&format!(
                "no policy has the built file as its source\n  = hint: add\n      [policies.{}]\n      source = \"{}\"",
                name_of(&folder),
                built.display()
            )));
        };
        let settings =
            policy.get("settings").map(serde_json::to_value).transpose().map_err(CommandError::run)?;
        let log = table.get("decision_log").and_then(|log| log.get("dir")).and_then(Value::as_str);
        Ok(Self {
            name: name.clone(),
            settings: settings.and_then(|it| it.as_object().cloned()).unwrap_or_default(),
            config: config.to_owned(),
            decisions: log.map(|dir| home.join(dir)),
            kind: Kind::Own,
            folder,
        })
    }

    /// Returns the folders and files whose changes begin a round.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        vec![self.folder.clone()]
    }

    /// Returns the state directory of the gateway with simulated models.
    pub(crate) fn state_folder(&self) -> Option<PathBuf> {
        match &self.kind {
            Kind::Simulated(home) => Some(home.join("state")),
            Kind::Own => None,
        }
    }

    /// Puts a policy where the gateway watches for it. The author's own configuration names the built file,
    /// so it is there already.
    ///
    /// # Errors
    /// Fails if a file cannot be written.
    pub(crate) fn publish(&self, file: &PolicyFile, tools: &DevTools) -> Result<(), CommandError> {
        let Kind::Simulated(home) = &self.kind else { return Ok(()) };
        let text = self.simulated(file, home, tools)?;
        if fs::read_to_string(&self.config).ok().as_ref() != Some(&text) {
            files::replace(&self.config, text.as_bytes())?;
        }
        files::replace(&policy_path(home), file.code.bytes())
    }

    fn simulated(&self, file: &PolicyFile, home: &Path, tools: &DevTools) -> Result<String, CommandError> {
        let path = |path: PathBuf| Value::String(path.display().to_string());
        let list = |names: &[&str]| {
            Value::Array(names.iter().map(|name| Value::String((*name).to_owned())).collect())
        };
        let mut policy = Table::new();
        policy.insert("source".to_owned(), path(policy_path(home)));
        policy.insert("grants".to_owned(), list(&file.inspection.gate.grants));
        policy.insert("settings".to_owned(), Value::try_from(&self.settings).map_err(CommandError::run)?);
        let limits = Table::from_iter([("deadline".to_owned(), Value::String(DEADLINE.to_owned()))]);
        policy.insert("limits".to_owned(), Value::Table(limits));
        let mut route = Table::new();
        route.insert(
            "description".to_owned(),
            Value::String("Every request, to the policy of this folder".to_owned()),
        );
        route.insert("policy".to_owned(), Value::String(self.name.clone()));
        route.insert("aliases".to_owned(), list(&["*"]));
        let one = |table: Table| Value::Table(Table::from_iter([(self.name.clone(), Value::Table(table))]));
        let mut log = Table::new();
        log.insert("dir".to_owned(), path(home.join("decisions")));
        // Cases from the log need all that the policy can see.
        log.insert("content".to_owned(), Value::Boolean(true));
        log.insert("outputs".to_owned(), Value::Boolean(true));
        let state = Table::from_iter([("dir".to_owned(), path(home.join("state")))]);
        let mut config = fleet(tools.default_config)?;
        config.insert("policies".to_owned(), one(policy));
        config.insert("routes".to_owned(), one(route));
        config.insert("decision_log".to_owned(), Value::Table(log));
        config.insert("state".to_owned(), Value::Table(state));
        let text = toml::to_string(&config).map_err(CommandError::run)?;
        Ok(format!("# Written by `pointsman dev` for each version of the policy.\n\n{text}"))
    }
}

fn policy_path(home: &Path) -> PathBuf {
    home.join("policy.wasm")
}

/// Returns the simulated models of the default configuration.
fn fleet(default_config: &str) -> Result<Table, CommandError> {
    let mut config: Table = default_config.parse().map_err(CommandError::run)?;
    config.retain(|section, _| FLEET.contains(&section));
    Ok(config)
}

/// Returns the settings that the cases of the folder share.
fn shared_settings(folder: &Path) -> Result<Map<String, Json>, CommandError> {
    for end in ["toml", "json"] {
        let path = folder.join("cases").join(format!("defaults.{end}"));
        if path.is_file() {
            let shared = folder::shared(&path).map_err(|error| CommandError::Input(error.to_string()))?;
            return Ok(shared.settings.unwrap_or_default());
        }
    }
    Ok(Map::new())
}

/// Returns the name of a folder if it can be that of a policy.
fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_name = (1..=64).contains(&name.len()) && name.bytes().all(is_character);
    if is_name { name } else { NAME.to_owned() }
}

fn absolute(path: &Path) -> Result<PathBuf, CommandError> {
    path.canonicalize().map_err(|error| cannot("read", path, &error))
}

/// Resolves links in the existing part of a path. The last part may not exist yet.
fn normal(path: &Path) -> PathBuf {
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (path.canonicalize(), parent, path.file_name()) {
        (Ok(path), ..) => path,
        (_, Some(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Input(format!("error: cannot {what} {}: {error}", path.display()))
}
