//! Imports are capabilities: what a policy may reach is what it imports. Here is
//! what each import lets it do, and which grant it takes.

use crate::contract::interface;
use crate::spec::Grants;

/// An interface that a policy may import, or a package of such interfaces.
pub(crate) struct Capability {
    /// Package and interface without their version; for WASI, the package and a
    /// slash.
    name: &'static str,
    /// The version up to its last point: wasmtime matches any that begins so.
    line: &'static str,
    /// What it has; empty where only linking finds out.
    functions: &'static [&'static str],
    /// What a policy that has it can do, in plain English: continues "lets it".
    pub(crate) allows: &'static str,
    /// What the configuration has to grant.
    pub(crate) grant: Option<Grant>,
}

/// A grant and its name in the configuration.
#[derive(Clone, Copy)]
pub(crate) struct Grant {
    pub(crate) flag: Grants,
    pub(crate) name: &'static str,
}

const PROMPT: Option<Grant> = Some(Grant { flag: Grants::PROMPT, name: "prompt" });
const OUTPUTS: Option<Grant> = Some(Grant { flag: Grants::OUTPUTS, name: "outputs" });
const WASI: Option<Grant> = Some(Grant { flag: Grants::WASI, name: "wasi" });

static ALL: [Capability; 14] = [
    contract("pointsman:policy/types", &[], None, "name types of requests, models and decisions"),
    contract("pointsman:policy/plans", &[], None, "name types of plans and tasks"),
    contract("pointsman:policy/settings", &["json"], None, "read its own settings"),
    contract("pointsman:policy/log", &["write"], None, "write lines to the gateway's log, few and short"),
    contract(
        "pointsman:policy/details",
        &["request-attribute", "candidate-attribute", "task-quality", "candidate-operations"],
        None,
        "look up named facts of the request and of the models",
    ),
    contract(
        "pointsman:policy/outline",
        &["parts", "whole"],
        None,
        "see kind, place and size of the request's parts, not what they say",
    ),
    contract(
        "pointsman:policy/prompt",
        &["message-count", "role", "text", "last-user-text", "tool-names"],
        PROMPT,
        "read what the request says, and the names of its tools",
    ),
    contract("pointsman:policy/outputs", &["text"], OUTPUTS, "read what models answered in its tasks"),
    wasi("wasi:io/", "wait for clocks and empty streams, within its deadline"),
    wasi(
        "wasi:clocks/",
        "read a clock that counts its own readings, or the real one where `clocks` is granted",
    ),
    wasi(
        "wasi:random/",
        "draw numbers that are the same each time, or random ones where `random` is granted",
    ),
    wasi("wasi:cli/", "see an empty environment, and print lines to the gateway's log, few and short"),
    wasi("wasi:filesystem/", "ask for files, of which there are none"),
    wasi("wasi:sockets/", "ask for connections, which are all refused"),
];

const fn contract(
    name: &'static str,
    functions: &'static [&'static str],
    grant: Option<Grant>,
    allows: &'static str,
) -> Capability {
    Capability { name, line: interface::LINE, functions, allows, grant }
}

const fn wasi(name: &'static str, allows: &'static str) -> Capability {
    Capability { name, line: "0.2.", functions: &[], allows, grant: WASI }
}

impl Capability {
    /// What an import lets a policy do; nothing when Pointsman does not offer it.
    pub(crate) fn of(import: &str) -> Option<&'static Self> {
        let (name, version) = import.split_once('@')?;
        ALL.iter().find(|capability| capability.is(name) && in_line(version, capability.line))
    }

    fn is(&self, name: &str) -> bool {
        if self.name.ends_with('/') { name.starts_with(self.name) } else { name == self.name }
    }

    /// Whether it has a function of this name, as far as this table tells.
    pub(crate) fn has(&self, function: &str) -> bool {
        self.grant.is_some_and(|grant| grant.flag == Grants::WASI) || self.functions.contains(&function)
    }
}

/// Whether a version differs from the others of its line in the last number only.
pub(crate) fn in_line(version: &str, line: &str) -> bool {
    let last = version.strip_prefix(line);
    last.is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
