//! Inspection of a policy's file: its role, interfaces and requirements, read from its bytes. No code
//! is compiled or run, so a stranger's file can be inspected safely.

use std::borrow::Cow;

use serde::Serialize;
use wasmparser::{Validator, WasmFeatures};

use crate::binary::{complexity, format};
use crate::code::sha256;
use crate::contract::interface;
use crate::description::{PolicyDescription, SelfDescription};
use crate::load_error::{ASYNC_ABI, LoadError, one_line, with_remedy};
use crate::sandbox::capability;
use crate::spec::Limits;

mod interfaces;
mod metadata;

use interfaces::{ComponentInterface, ComponentInterfaces};
use metadata::Metadata;

/// Contents of a policy's file. `pointsman policy inspect --json` prints its serialised form: members
/// may be added, but none is removed or changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Format of the file.
    pub format: Format,
    /// Size of the file, in bytes.
    pub bytes: usize,
    /// SHA-256 of the file in hex, which identifies a version.
    pub sha256: String,
    /// Role of the policy.
    pub role: Role,
    /// Contract that it was built against, as `package@version`.
    pub contract: String,
    /// Description by its author, if it has a valid one.
    pub description: Option<PolicyDescription>,
    /// Faults of its description.
    pub description_problems: Vec<String>,
    /// Kit that it was built with, if recorded.
    pub sdk: Option<Sdk>,
    /// Source languages, as recorded by its tools.
    pub languages: Vec<Tool>,
    /// Compilers and other tools, as recorded by themselves.
    pub tools: Vec<Tool>,
    /// Exported interfaces and functions.
    pub exports: Vec<Export>,
    /// Imported interfaces and functions.
    pub imports: Vec<Import>,
    /// Counts of items that take time to compile or memory to run.
    pub counts: Counts,
    /// Verdict of the load gate.
    pub gate: Gate,
}

/// Format of a policy's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A component.
    Component,
    /// A core module with an embedded component type, as built by cargo.
    CoreModule,
}

/// Role of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A policy that chooses among models.
    Router,
    /// A policy that may also answer with a plan of several tasks.
    Orchestrator,
}

/// The kit that a policy was built with, as recorded in the custom section `pointsman:sdk`.
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

/// An exported interface or function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// The interface with its version, or the function.
    pub name: String,
    /// The interface's functions.
    pub functions: Vec<String>,
    /// Use that the gateway makes of it, if any.
    pub purpose: Option<&'static str>,
}

/// An imported interface or function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The interface with its version, or the function.
    pub name: String,
    /// The imported functions of the interface.
    pub functions: Vec<String>,
    /// Effect of the import in plain English, continuing "lets it". `None` if Pointsman does not
    /// offer it.
    pub allows: Option<&'static str>,
    /// Name of the required grant in the configuration.
    pub grant: Option<&'static str>,
}

/// Counts of items in a policy's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Core modules and components, including nested ones.
    pub modules: usize,
    /// Instances of core modules.
    pub core_instances: usize,
    /// Functions of all modules.
    pub functions: usize,
    /// Bytes of code of the largest function.
    pub largest_function_bytes: usize,
    /// Local variables of the function with the most.
    pub most_locals: u64,
    /// Initial bytes of all memories.
    pub memory_bytes: u64,
}

/// Verdict of the load gate, as far as it follows from the bytes. Only loading shows whether the
/// policy compiles, matches the contract's types, accepts its settings and decides a probe request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// True if it would be loaded without any grant.
    pub without_grants: bool,
    /// Grants that its imports require, in the order of the imports.
    pub grants: Vec<&'static str>,
    /// Reasons to refuse it under the default limits, whatever it is granted. Empty if there are
    /// none.
    pub refusals: Vec<String>,
}

/// Bounds of the load gate, in the units of [`Counts`].
pub const BOUNDS: Bounds = Bounds {
    modules: complexity::MAX_MODULES,
    core_instances: complexity::MAX_INSTANCES,
    functions: complexity::MAX_FUNCTIONS,
    largest_function_bytes: complexity::MAX_FUNCTION_BYTES,
    most_locals: complexity::MAX_LOCALS,
};

/// Bounds on [`Counts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Counts`")]
pub struct Bounds {
    pub modules: usize,
    pub core_instances: usize,
    pub functions: usize,
    pub largest_function_bytes: usize,
    pub most_locals: u64,
}

/// Inspects a policy's file. Takes milliseconds for a megabyte.
///
/// # Errors
/// Fails as the load gate does when the bytes are not a policy: not WebAssembly, native code,
/// invalid, or without the contract's exports. Other reasons to refuse a policy are in
/// [`Gate::refusals`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    format::check_kind(bytes)?;
    let counts = complexity::summarize(bytes)?;
    let component = format::component_of(bytes)?;
    let ComponentInterfaces { imports, exports } = interfaces::read(&component)?;
    let (role, contract) = role(&exports)?;
    let metadata = Metadata::read(bytes);
    let description = SelfDescription::read(bytes);
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
        description: description.content,
        description_problems: description.problems.iter().map(ToString::to_string).collect(),
        sdk: metadata.sdk,
        languages: metadata.languages,
        tools: metadata.tools,
        exports: exports.into_iter().map(Export::from).collect(),
        gate: Gate::of(bytes, &imports),
        imports,
        counts: counts.into(),
    })
}

/// Finds the exports that the load gate requires, in the same order.
fn role(exports: &[ComponentInterface]) -> Result<(Role, String), LoadError> {
    let find = |contract: &str, functions: &[&str]| {
        let name = interface::short_name(contract)?;
        let exported = exports.iter().find(|export| interface::short_name(&export.name) == Some(name))?;
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
        match complexity::check(bytes) {
            Err(error) => refusals.push(error.to_string()),
            // Only code that is not too complex is given to a validator.
            Ok(_) => refusals.extend(asynchronous_abi(bytes).map(|error| error.to_string())),
        }
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

/// Returns the compiler's error for a component that uses the asynchronous ABI.
fn asynchronous_abi(bytes: &[u8]) -> Option<LoadError> {
    let features = WasmFeatures::default().difference(WasmFeatures::CM_ASYNC);
    let error = Validator::new_with_features(features).validate_all(bytes).err()?;
    let message = one_line(&error.to_string());
    message.contains(ASYNC_ABI).then(|| LoadError::Compile(with_remedy(message)))
}

impl Import {
    /// Returns the reason to refuse it under any grant.
    fn refusal(&self) -> Option<String> {
        let Some(offer) = capability::find(&self.name) else {
            return Some(LoadError::UnknownImport(self.name.clone()).to_string());
        };
        let unknown = self.functions.iter().find(|function| !offer.interface.may_have(function))?;
        let why = format!("`{}` has no function `{unknown}` here", self.name);
        Some(LoadError::Link(why).to_string())
    }
}

impl From<ComponentInterface> for Import {
    fn from(interface: ComponentInterface) -> Self {
        let offer = capability::find(&interface.name);
        Self {
            name: interface.name,
            functions: interface.functions,
            allows: offer.map(|offer| offer.interface.allows),
            grant: offer.and_then(|offer| offer.grant).map(|grant| grant.name),
        }
    }
}

impl From<ComponentInterface> for Export {
    fn from(interface: ComponentInterface) -> Self {
        let purpose = match interface::short_name(&interface.name) {
            Some("router") => Some("chooses the model for a request"),
            Some("orchestrator") => Some("cuts a request into tasks"),
            Some("configuration") => Some("judges its settings before it serves"),
            Some("observer") => Some("learns the outcomes of requests"),
            Some("feedback") => Some("learns ratings of its answers"),
            _ => None,
        };
        Self { name: interface.name, functions: interface.functions, purpose }
    }
}

impl From<complexity::ComplexitySummary> for Counts {
    fn from(counts: complexity::ComplexitySummary) -> Self {
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
