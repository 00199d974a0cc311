//! Reasons for which a policy is not loaded.

use std::io;

use pointsman_domain::ids::PolicyName;
use pointsman_policy::LoadError;
use pointsman_policy::description::SettingsMisfit;
use pointsman_supply::SupplyError;

use pointsman_config::transient::is_transient;
use pointsman_config::{self as config, ConfigText, EntryProblem, InvalidConfig, PolicySource};

/// Reason why a version does not load.
#[derive(Clone, Debug)]
pub(in crate::reload) struct LoadFailure {
    pub(super) message: String,
    /// True if the same version may load in a later attempt.
    pub(super) is_transient: bool,
    /// True if the source is on the network and could not be reached.
    pub(super) is_unreachable: bool,
    /// Settings that do not fit the schema of the policy.
    pub(super) misfit: Option<Box<SettingsMisfit>>,
    /// Keys of the policy's table of which the first that is there is at fault.
    pub(super) keys: &'static [&'static str],
    /// The error with its place in the configuration.
    pub(super) located: Option<Box<InvalidConfig>>,
}

/// Key of the directory whose files are policies without a table of their own.
const POLICY_DIR: &str = "policy_dir";
/// Keys at fault if the code is.
const SOURCE: &[&str] = &["source"];

/// A policy that does not load.
#[derive(Debug)]
pub struct UnloadablePolicy {
    pub(super) name: PolicyName,
    source: PolicySource,
    pub(super) error: LoadFailure,
}

impl LoadFailure {
    pub(in crate::reload) fn into_message(self) -> String {
        self.message
    }

    pub(in crate::reload) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the message for the log, with the place in the configuration if there is one.
    pub(in crate::reload) fn log_message(&self) -> String {
        match &self.located {
            Some(located) => format!("\n{}", located.to_string().trim_end()),
            None => self.message.clone(),
        }
    }

    /// Adds the place of the entry of the configuration that is at fault. `policy` has this source there.
    pub(super) fn locate(&mut self, name: &PolicyName, source: &PolicySource, text: &ConfigText) {
        let misfit = self.misfit.as_ref().and_then(|misfit| text.settings_problems(name, misfit));
        let located = misfit.or_else(|| {
            text.locate(&[EntryProblem {
                entry: vec!["policies".to_owned(), name.to_string()],
                keys: self.keys,
                instead: source.file().map(|_| POLICY_DIR),
                message: format!("cannot load the policy `{name}` from {source}: {}", self.message),
                hint: None,
            }])
        });
        self.located = located.map(Box::new);
    }
}

impl UnloadablePolicy {
    pub(super) fn new(policy: &config::Policy, error: LoadFailure) -> Self {
        Self { name: policy.spec.name.clone(), source: policy.source.clone(), error }
    }

    /// Adds the place of the entry of the configuration that is at fault.
    pub(super) fn located_in(mut self, text: &ConfigText) -> Self {
        self.error.locate(&self.name, &self.source, text);
        self
    }

    pub(in crate::reload) fn is_transient(&self) -> bool {
        self.error.is_transient
    }

    /// Returns whether the source is on the network and could not be reached.
    pub(in crate::reload) fn is_unreachable(&self) -> bool {
        self.error.is_unreachable
    }

    pub(in crate::reload) fn name(&self) -> &PolicyName {
        &self.name
    }

    pub(in crate::reload) fn source(&self) -> &PolicySource {
        &self.source
    }
}

impl From<String> for LoadFailure {
    fn from(message: String) -> Self {
        Self {
            message,
            is_transient: false,
            is_unreachable: false,
            misfit: None,
            keys: SOURCE,
            located: None,
        }
    }
}

impl From<LoadError> for LoadFailure {
    fn from(error: LoadError) -> Self {
        let is_transient = match &error {
            LoadError::NoCompiler(error) | LoadError::NoThread(error) => is_transient(error),
            _ => false,
        };
        let keys = keys_at_fault(&error);
        let message = error.to_string();
        let misfit = match error {
            LoadError::SettingsSchema(misfit) => Some(Box::new(misfit)),
            _ => None,
        };
        Self { is_transient, misfit, keys, ..Self::from(message) }
    }
}

impl From<SupplyError> for LoadFailure {
    fn from(error: SupplyError) -> Self {
        // Sources over the network are polled, so only files are read again.
        let is_transient = match &error {
            SupplyError::Unreadable { code: Some(code), .. } => {
                is_transient(&io::Error::from_raw_os_error(*code))
            }
            _ => false,
        };
        let keys = match &error {
            SupplyError::WrongDigest { .. } => &["sha256", "source"],
            SupplyError::TooLarge { .. } => &["limits", "source"],
            _ => SOURCE,
        };
        Self { is_transient, keys, ..Self::from(error.to_string()) }
    }
}

/// Returns the keys of a policy's table of which the first that is there is at fault.
fn keys_at_fault(error: &LoadError) -> &'static [&'static str] {
    match error {
        LoadError::UngrantedImport { .. } => &["grants", "source"],
        LoadError::SettingsSchema(_) | LoadError::Settings(_) => &["settings", "source"],
        LoadError::TooLarge { .. } | LoadError::MemoryLimit { .. } => &["limits", "source"],
        LoadError::State(_) => &["state_of", "source"],
        LoadError::Precompiled
        | LoadError::NotWebAssembly(_)
        | LoadError::NotEncodable(_)
        | LoadError::TooComplex(_)
        | LoadError::Compile(_)
        | LoadError::CompileTime { .. }
        | LoadError::CompileMemory { .. }
        | LoadError::CompileCrash(_)
        | LoadError::NoCompiler(_)
        | LoadError::UnknownImport(_)
        | LoadError::MissingExport { .. }
        | LoadError::Link(_)
        | LoadError::Start(_)
        | LoadError::Probe(_)
        | LoadError::NoThread(_) => SOURCE,
    }
}

/// Renders the policies that do not load, with their places in the configuration.
pub(in crate::reload) fn list(unloadable: &[UnloadablePolicy]) -> String {
    let located = unloadable.iter().filter_map(|policy| policy.error.located.as_deref());
    if let Some(all) = InvalidConfig::join(located.cloned()) {
        return all.to_string().trim_end().to_owned();
    }
    let line = |UnloadablePolicy { name, source, error }: &UnloadablePolicy| {
        format!("error: cannot load the policy `{name}` from {source}: {}", error.message)
    };
    unloadable.iter().map(line).collect::<Vec<_>>().join("\n")
}
