//! The load gate: nothing serves that did not pass it.
//!
//! From the cheapest check to the dearest: size, format, complexity, compile,
//! imports, exports, link, and at last a trial: the policy judges its settings
//! and makes one decision, which must be valid.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::ids::Digest;
use pointsman_domain::text::printable;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::code::Code;
use crate::failure::PolicyFailure;
use crate::host::{add_contract, add_wasi};
use crate::instance::Exports;
use crate::policy::Policy;
use crate::runtime::Runtime;
use crate::spec::{Grants, PolicySpec};

pub(crate) mod complexity;
pub(crate) mod format;
mod imports;
mod trial;

/// Why a policy was not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is larger than the policy's limit.
    #[error("the policy is {bytes} bytes long, more than its limit of {limit} (`max_component_bytes`)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What it may be.
        limit: usize,
    },
    /// The memory limit is above what this process reserved for an instance.
    #[error("the memory limit of {limit} bytes is more than the {most} that one policy can be given")]
    MemoryLimit {
        /// What the configuration asks for.
        limit: usize,
        /// The most it could.
        most: usize,
    },
    /// Native code that wasmtime made: nobody can tell what is in it.
    #[error("the policy is precompiled by wasmtime; give the WebAssembly component it was made from")]
    Precompiled,
    /// Not WebAssembly, or cut short.
    #[error("the policy is not a WebAssembly component: {0}")]
    NotWebAssembly(String),
    /// A core module that cannot be made into a component.
    #[error(
        "the policy is a core module that cannot be made into a component: {0} \
         (build it against the policy package for wasm32-unknown-unknown, or run `wasm-tools component new`)"
    )]
    NotEncodable(String),
    /// Code that would take too long to compile.
    #[error("the policy is too complex to compile: {0}")]
    TooComplex(String),
    /// The compiler refused it.
    #[error("the policy does not compile: {0}")]
    Compile(String),
    /// The compiler took longer than it may.
    #[error(
        "compiling the policy takes longer than {}; if it is meant to be so large, raise `compile.timeout`",
        seconds(*.limit)
    )]
    CompileTime {
        /// How long it may take.
        limit: Duration,
    },
    /// The compiler took more memory than it may.
    #[error(
        "compiling the policy takes more memory than {}; if it is meant to be so large, raise `compile.memory`",
        mebibytes(*.limit)
    )]
    CompileMemory {
        /// How many bytes it may take.
        limit: usize,
    },
    /// The compiler ended without an answer. No limit helps.
    #[error("the compiler crashed on the policy ({0}); build it with another version of its tools")]
    CompileCrash(String),
    /// The compiler's process cannot be run.
    #[error("cannot run the compiler: {0}")]
    NoCompiler(std::io::Error),
    /// An import that no grant would give.
    #[error("the policy imports `{0}`, which Pointsman does not offer")]
    UnknownImport(String),
    /// An import that the configuration does not grant.
    #[error("the policy imports `{import}`, which it is not granted; to grant it: grants = [\"{grant}\"]")]
    UngrantedImport {
        /// The imported interface.
        import: String,
        /// The name of the grant.
        grant: &'static str,
    },
    /// Not a policy of this contract.
    #[error(
        "the policy exports neither pointsman:policy/orchestrator@0.1.0 nor {missing}, so it is no policy \
         (it exports: {exported})"
    )]
    MissingExport {
        /// The interface or function that every routing policy exports.
        missing: String,
        /// What it exports instead.
        exported: String,
    },
    /// Its imports do not fit what Pointsman offers under their names.
    #[error("the policy does not fit the contract: {0}")]
    Link(String),
    /// It failed before or while it judged its settings.
    #[error("the policy failed while it was started: {0}")]
    Start(PolicyFailure),
    /// It does not accept its settings.
    #[error("the policy refuses its settings: {0}")]
    Settings(String),
    /// It failed on a made-up request with three candidates.
    #[error("the policy failed on a trial request: {0}")]
    Trial(PolicyFailure),
    /// The machine has no thread left to try it.
    #[error("cannot try out the policy: {0}")]
    NoThread(std::io::Error),
}

impl Runtime {
    /// Checks, compiles and tries a policy: a component, or the core module
    /// with an embedded component type that cargo leaves. Blocks for as long as
    /// the compiler takes, up to seconds: call it off the async runtime.
    ///
    /// # Errors
    /// When the policy must not serve. Nothing is left behind then.
    pub fn load(&self, spec: PolicySpec, code: &Code) -> Result<Policy, LoadError> {
        check_size(&spec, code)?;
        self.check_memory(&spec)?;
        let component = self.component(code)?;
        self.let_in(spec, code.digest(), component)
    }

    /// The code of a loaded policy under another specification, without its bytes.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn respecify(&self, policy: &Policy, spec: PolicySpec) -> Result<Policy, LoadError> {
        self.check_memory(&spec)?;
        self.let_in(spec, policy.digest(), Arc::clone(policy.component()))
    }

    /// What is left to check of a component that compiled.
    fn let_in(
        &self,
        spec: PolicySpec,
        digest: Digest,
        component: Arc<Component>,
    ) -> Result<Policy, LoadError> {
        imports::check(&component, spec.grants)?;
        let exports = Exports::find(&component)
            .map_err(|missing| LoadError::MissingExport { missing, exported: exported(&component) })?;
        let template = linker(self.engine(), spec.grants)
            .and_then(|linker| linker.instantiate_pre(&component))
            .map_err(|error| LoadError::Link(text(&error)))?;
        let policy = Policy::new(self.clone(), spec, digest, component, template, exports);
        trial::run(self, &policy)?;
        Ok(policy)
    }

    fn check_memory(&self, spec: &PolicySpec) -> Result<(), LoadError> {
        let (limit, most) = (spec.limits.memory_bytes, self.config().max_memory_bytes);
        if limit > most {
            return Err(LoadError::MemoryLimit { limit, most });
        }
        Ok(())
    }
}

fn check_size(spec: &PolicySpec, code: &Code) -> Result<(), LoadError> {
    let (bytes, limit) = (code.bytes().len(), spec.limits.max_component_bytes);
    if bytes > limit {
        return Err(LoadError::TooLarge { bytes, limit });
    }
    Ok(())
}

impl LoadError {
    pub(crate) fn compile(error: wasmtime::Error) -> Self {
        Self::Compile(text(&error))
    }
}

/// The component in some bytes, checked as far as it can be before it is compiled.
pub(crate) fn component_of(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    format::check_kind(bytes)?;
    complexity::check(bytes)?;
    format::component_of(bytes)
}

fn linker(engine: &Engine, grants: Grants) -> wasmtime::Result<Linker<crate::host::Host>> {
    let mut linker = Linker::new(engine);
    add_contract(&mut linker)?;
    if grants.contains(Grants::WASI) {
        add_wasi(&mut linker, grants)?;
    }
    Ok(linker)
}

/// Bytes of a component's own names that a message tells.
const MAX_NAMES: usize = 1_024;
/// Bytes of a parser's or compiler's message that an error quotes.
const MAX_WORDS: usize = 4_096;

fn exported(component: &Component) -> String {
    let names: Vec<String> =
        component.component_type().exports(component.engine()).map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() { "nothing".to_owned() } else { printable(&names.join(", "), MAX_NAMES) }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes as f64 / f64::from(1 << 20))
}

/// An error and its causes on one line.
fn text(error: &wasmtime::Error) -> String {
    one_line(&format!("{error:#}"))
}

/// The words of a parser or compiler, which quote names of the policy, on one line that
/// may be shown.
pub(crate) fn one_line(words: &str) -> String {
    printable(&words.split_whitespace().collect::<Vec<_>>().join(" "), MAX_WORDS)
}
