//! Reasons for which a policy is not loaded.

use std::io;

use pointsman_domain::ids::PolicyName;
use pointsman_policy::LoadError;
use pointsman_policy::description::SettingsMisfit;
use pointsman_supply::SupplyError;

use pointsman_config::transient::is_transient;
use pointsman_config::{self as config, ConfigText, InvalidConfig, PolicySource};

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
}

/// A policy that does not load.
#[derive(Debug)]
pub struct UnloadablePolicy {
    pub(super) name: PolicyName,
    source: PolicySource,
    pub(super) error: LoadFailure,
    /// The error with its places in the configuration, if it is about settings there.
    located: Option<Box<InvalidConfig>>,
}

impl LoadFailure {
    pub(in crate::reload) fn into_message(self) -> String {
        self.message
    }
}

impl UnloadablePolicy {
    pub(super) fn new(policy: &config::Policy, error: LoadFailure) -> Self {
        Self { name: policy.spec.name.clone(), source: policy.source.clone(), error, located: None }
    }

    /// Adds the places of its settings in the configuration, if they are at fault.
    pub(super) fn located_in(mut self, text: &ConfigText) -> Self {
        let misfit = self.error.misfit.as_ref();
        self.located = misfit.and_then(|misfit| text.settings_problems(&self.name, misfit)).map(Box::new);
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
        Self { message, is_transient: false, is_unreachable: false, misfit: None }
    }
}

impl From<LoadError> for LoadFailure {
    fn from(error: LoadError) -> Self {
        let is_transient = match &error {
            LoadError::NoCompiler(error) | LoadError::NoThread(error) => is_transient(error),
            _ => false,
        };
        let message = error.to_string();
        let misfit = match error {
            LoadError::SettingsSchema(misfit) => Some(Box::new(misfit)),
            _ => None,
        };
        Self { message, is_transient, is_unreachable: false, misfit }
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
        Self { is_transient, ..Self::from(error.to_string()) }
    }
}

/// Renders one line for each policy that does not load, and places for settings in the configuration.
pub(in crate::reload) fn list(unloadable: &[UnloadablePolicy]) -> String {
    let line = |policy: &UnloadablePolicy| match policy {
        UnloadablePolicy { located: Some(located), .. } => located.to_string().trim_end().to_owned(),
        UnloadablePolicy { name, source, error, .. } => {
            format!("error: cannot load the policy `{name}` from {source}: {}", error.message)
        }
    };
    unloadable.iter().map(line).collect::<Vec<_>>().join("\n")
}
