//! What a policy is and what it asks for, read from its bytes: nothing of it is
//! compiled or run, so a stranger's file can be looked at first.

use std::borrow::Cow;

use serde::Serialize;

use crate::capability::Capability;
use crate::code::sha256;
use crate::contract::interface;
use crate::load::{LoadError, complexity, format};
use crate::spec::Limits;

mod interfaces;
mod metadata;

use interfaces::{Interface, Interfaces};
use metadata::Metadata;

/// What a policy's file says of itself. Serialised, it is what
/// `pointsman policy inspect --json` prints: members are added to it, but none
/// is taken away or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Whether it is a component already.
    pub format: Format,
    /// Size of the file, in bytes.
    pub bytes: usize,
    /// SHA-256 of the file, in hex: what versions are known by.
    pub sha256: String,
    /// What it does with a request.
    pub role: Role,
    /// The contract that it was built against, as `package@version`.
    pub contract: String,
    /// What it was built with, if it says so.
    pub sdk: Option<Sdk>,
    /// Languages that it was written in, as its tools recorded them.
    pub languages: Vec<Tool>,
    /// Compilers and other tools that made it, as they recorded themselves.
    pub tools: Vec<Tool>,
    /// What it offers.
    pub exports: Vec<Export>,
    /// What it asks for.
    pub imports: Vec<Import>,
    /// How much there is of what takes time to compile, and of memory.
    pub counts: Counts,
    /// What the load gate would say.
    pub gate: Gate,
}

/// The two kinds of file that a policy comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A component.
    Component,
    /// A core module with an embedded component type, as cargo leaves it.
    CoreModule,
}

/// What a policy does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It chooses among models.
    Router,
    /// It may also cut the request into tasks.
    Orchestrator,
}

/// The kit that a policy was built with, as the kit recorded it in the custom
/// section `pointsman:sdk`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sdk {
    /// The kit's language, such as `rust`.
    pub language: String,
    /// The kit's version.
    pub version: Option<String>,
}

/// A language or a tool, from a custom section `producers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version, if there is one.
    pub version: Option<String>,
}

/// Something that the policy offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// The interface with its version, or the function.
    pub name: String,
    /// The interface's functions.
    pub functions: Vec<String>,
    /// What the gateway calls it for; nothing when it never does.
    pub purpose: Option<&'static str>,
}

/// Something that the policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The interface with its version, or the function.
    pub name: String,
    /// Which of the interface's functions it asks for.
    pub functions: Vec<String>,
    /// What it could do with them, in plain English, after "lets it";
    /// nothing when Pointsman does not offer it.
    pub allows: Option<&'static str>,
    /// The grant that it needs, as the configuration names it.
    pub grant: Option<&'static str>,
}

/// How much of what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Core modules and components, nested ones too.
    pub modules: usize,
    /// Instances that are made of core modules.
    pub core_instances: usize,
    /// Functions of all modules.
    pub functions: usize,
    /// Bytes of code of the largest function.
    pub largest_function_bytes: usize,
    /// Local variables of the function that has most.
    pub most_locals: u64,
    /// Bytes that its memories begin with.
    pub memory_bytes: u64,
}

/// What the load gate would say, as far as reading can tell. Whether the policy
/// compiles, fits the contract's types, takes its settings and decides a trial
/// request is left to loading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Whether it would be let in without any grant.
    pub without_grants: bool,
    /// The grants that its imports need, in the order of the imports.
    pub grants: Vec<&'static str>,
    /// Why it would be refused, whatever it is granted, under the default
    /// limits. Empty: it would not.
    pub refusals: Vec<String>,
}

/// The most that the load gate lets in, in the units of [`Counts`].
pub const BOUNDS: Bounds = Bounds {
    modules: complexity::MAX_MODULES,
    core_instances: complexity::MAX_INSTANCES,
    functions: complexity::MAX_FUNCTIONS,
    largest_function_bytes: complexity::MAX_FUNCTION_BYTES,
    most_locals: complexity::MAX_LOCALS,
};

/// See [`BOUNDS`] and [`Counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Counts`")]
pub struct Bounds {
    pub modules: usize,
    pub core_instances: usize,
    pub functions: usize,
    pub largest_function_bytes: usize,
    pub most_locals: u64,
}

/// Reads what a policy says of itself. Takes milliseconds for a megabyte.
///
/// # Errors
/// What the load gate says of bytes that are no policy: not WebAssembly, native
/// code, invalid, or without the contract's exports. A policy that is refused
/// for another reason is told of in [`Gate::refusals`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    format::check_kind(bytes)?;
    let counts = complexity::count(bytes)?;
    let component = format::component_of(bytes)?;
    let Interfaces { imports, exports } = interfaces::read(&component)?;
    let (role, contract) = role(&exports)?;
    let metadata = Metadata::read(bytes);
    let imports: Vec<Import> = imports.into_iter().map(Import::from).collect();
    Ok(Inspection {
        format: match component {
            Cow::Borrowed(_) => Format::Component,
            Cow::Owned(_) => Format::CoreModule,
        },
        bytes: bytes.len(),
        sha256: sha256(bytes).to_string(),
        role,
        contract,
        sdk: metadata.sdk,
        languages: metadata.languages,
        tools: metadata.tools,
        exports: exports.into_iter().map(Export::from).collect(),
        gate: Gate::of(bytes, &imports),
        imports,
        counts: counts.into(),
    })
}

/// What the load gate looks for, in its order.
fn role(exports: &[Interface]) -> Result<(Role, String), LoadError> {
    let find = |contract: &str, functions: &[&str]| {
        let name = interface::short(contract)?;
        let exported = exports.iter().find(|export| interface::short(&export.name) == Some(name))?;
        functions.iter().all(|function| exported.functions.iter().any(|f| f == function)).then_some(exported)
    };
    let missing = |contract: &str, function: &str| {
        let names: Vec<&str> = exports.iter().map(|export| export.name.as_str()).collect();
        LoadError::MissingExport {
            missing: format!("{contract} with function {function}"),
            exported: if names.is_empty() { "nothing".to_owned() } else { names.join(", ") },
        }
    };
    let (role, decides) = match find(interface::ORCHESTRATOR, &["plan", "resume"]) {
        Some(orchestrator) => (Role::Orchestrator, orchestrator),
        None => {
            let router = find(interface::ROUTER, &["route"]);
            (Role::Router, router.ok_or_else(|| missing(interface::ROUTER, "route"))?)
        }
    };
    find(interface::CONFIGURATION, &["validate"])
        .ok_or_else(|| missing(interface::CONFIGURATION, "validate"))?;
    let version = decides.name.split_once('@').map_or("", |(_, version)| version);
    Ok((role, format!("{}@{version}", interface::PACKAGE.trim_end_matches('/'))))
}

impl Gate {
    fn of(bytes: &[u8], imports: &[Import]) -> Self {
        let mut refusals = Vec::new();
        let limit = Limits::default().max_component_bytes;
        if bytes.len() > limit {
            refusals.push(LoadError::TooLarge { bytes: bytes.len(), limit }.to_string());
        }
        refusals.extend(complexity::check(bytes).err().map(|error| error.to_string()));
        refusals.extend(imports.iter().filter_map(Import::refusal));
        let mut grants = Vec::new();
        for grant in imports.iter().filter_map(|import| import.grant) {
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        Self { without_grants: refusals.is_empty() && grants.is_empty(), grants, refusals }
    }
}

impl Import {
    /// Why nobody could have it.
    fn refusal(&self) -> Option<String> {
        let Some(capability) = Capability::of(&self.name) else {
            return Some(LoadError::UnknownImport(self.name.clone()).to_string());
        };
        let unknown = self.functions.iter().find(|function| !capability.has(function))?;
        let why = format!("`{}` has no function `{unknown}` here", self.name);
        Some(LoadError::Link(why).to_string())
    }
}

impl From<Interface> for Import {
    fn from(interface: Interface) -> Self {
        let capability = Capability::of(&interface.name);
        Self {
            name: interface.name,
            functions: interface.functions,
            allows: capability.map(|capability| capability.allows),
            grant: capability.and_then(|capability| capability.grant).map(|grant| grant.name),
        }
    }
}

impl From<Interface> for Export {
    fn from(interface: Interface) -> Self {
        let purpose = match interface::short(&interface.name) {
            Some("router") => Some("chooses the model for a request"),
            Some("orchestrator") => Some("cuts a request into tasks"),
            Some("configuration") => Some("judges its settings before it serves"),
            Some("observer") => Some("is told what became of requests"),
            _ => None,
        };
        Self { name: interface.name, functions: interface.functions, purpose }
    }
}

impl From<complexity::Counts> for Counts {
    fn from(counts: complexity::Counts) -> Self {
        Self {
            modules: counts.modules,
            core_instances: counts.instances,
            functions: counts.functions,
            largest_function_bytes: counts.largest_function,
            most_locals: counts.most_locals,
            memory_bytes: counts.memory,
        }
    }
}
