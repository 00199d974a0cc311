//! The world in WIT that a policy implements.

use std::path::Path;

use pointsman_terminal::CommandError;
use wit_bindgen_core::wit_parser::{Resolve, WorldId, WorldKey};

/// Interface by which a policy can report its exceptions.
const LOG: &str = "pointsman:policy/log@";

/// A world, and everything that it refers to.
pub(super) struct World {
    pub(super) resolve: Resolve,
    pub(super) id: WorldId,
}

impl World {
    /// Reads the world of a folder: the named one, or the only one.
    ///
    /// # Errors
    /// Fails if the folder is no WIT package, or has no such world.
    pub(super) fn read(wit: &Path, name: Option<&str>) -> Result<Self, CommandError> {
        let invalid = |reason: String| {
            CommandError::Input(format!(
                "error: {}: {reason}\n  = hint: a policy's folder has its world in `wit`, with the contract in \
                 `wit/deps`; name another folder or world in policy.toml",
                wit.display()
            ))
        };
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(wit).map_err(|error| invalid(format!("{error:#}")))?;
        let id = resolve.select_world(&[package], name).map_err(|error| invalid(format!("{error:#}")))?;
        Ok(Self { resolve, id })
    }

    /// Returns the name.
    pub(super) fn name(&self) -> Option<&str> {
        Some(&self.resolve.worlds.get(self.id)?.name)
    }

    /// Returns the import of the contract's log, as source code refers to it, if the world has it.
    pub(super) fn log(&self) -> Option<String> {
        let world = self.resolve.worlds.get(self.id)?;
        let name = |key: &WorldKey| match key {
            WorldKey::Interface(id) => self.resolve.id_of(*id),
            WorldKey::Name(_) => None,
        };
        world.imports.keys().filter_map(name).find(|name| name.starts_with(LOG))
    }
}
