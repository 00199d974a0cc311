//! Reasons for which a policy is not loaded.

use std::time::Duration;

use pointsman_domain::text::printable;
use pointsman_state::DurableError;

use crate::failure::PolicyFailure;
use crate::settings_misfit::SettingsMisfit;

/// Bytes of a component's own names that a message quotes.
pub(crate) const MAX_QUOTED_NAMES: usize = 1_024;
/// Bytes of a parser's or compiler's message that an error quotes.
const MAX_QUOTED_TEXT: usize = 4_096;

/// The load gate refused a policy, or could not examine it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is larger than the policy's limit.
    #[error("the policy is {bytes} bytes long, more than its limit of {limit} (`max_component_bytes`)")]
    TooLarge {
        /// Size of the file, in bytes.
        bytes: usize,
        /// Largest allowed size.
        limit: usize,
    },
    /// The memory limit is above the reservation of this process for one instance.
    #[error("the memory limit of {limit} bytes is more than the {most} that one policy can be given")]
    MemoryLimit {
        /// The configured limit, in bytes.
        limit: usize,
        /// The highest possible limit.
        most: usize,
    },
    /// Native code that wasmtime made, whose content cannot be checked.
    #[error("the policy is precompiled by wasmtime; give the WebAssembly component it was made from")]
    Precompiled,
    /// Not WebAssembly, or cut short.
    #[error("the policy is not a WebAssembly component: {0}")]
    NotWebAssembly(String),
    /// A core module that cannot be turned into a component.
    #[error(
        "the policy is a core module that cannot be made into a component: {0} \
         (build it against the policy package for wasm32-unknown-unknown, or run `wasm-tools component new`)"
    )]
    NotEncodable(String),
    /// Code that would take too long to compile.
    #[error("the policy is too complex to compile: {0}")]
    TooComplex(String),
    /// The compiler rejected the code.
    #[error("the policy does not compile: {0}")]
    Compile(String),
    /// The compiler exceeded its time limit.
    #[error(
        "compiling the policy takes longer than {}; if it is meant to be so large, raise `compile.timeout`",
        seconds(*.limit)
    )]
    CompileTime {
        /// The limit.
        limit: Duration,
    },
    /// The compiler exceeded its memory limit.
    #[error(
        "compiling the policy takes more memory than {}; if it is meant to be so large, raise `compile.memory`",
        mebibytes(*.limit)
    )]
    CompileMemory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The compiler ended without a result, within its limits.
    #[error("the compiler crashed on the policy ({0}); build it with another version of its tools")]
    CompileCrash(String),
    /// The compiler's process cannot be started.
    #[error("cannot run the compiler: {0}")]
    NoCompiler(std::io::Error),
    /// An import that Pointsman does not offer under any grant.
    #[error("the policy imports `{0}`, which Pointsman does not offer")]
    UnknownImport(String),
    /// An import that the configuration does not grant.
    #[error("the policy imports `{import}`, which it is not granted; to grant it: grants = [\"{grant}\"]")]
    UngrantedImport {
        /// The imported interface.
        import: String,
        /// Name of the grant in the configuration.
        grant: &'static str,
    },
    /// The component lacks an export of the contract.
    #[error(
        "the policy exports neither pointsman:policy/orchestrator@0.1.0 nor {missing}, so it is no policy \
         (it exports: {exported})"
    )]
    MissingExport {
        /// The interface or function that every routing policy exports.
        missing: String,
        /// The names of its exports.
        exported: String,
    },
    /// Imports have other types than the interfaces that Pointsman offers under their names.
    #[error("the policy does not fit the contract: {0}")]
    Link(String),
    /// The state that the policy keeps cannot be read.
    #[error("the state of the policy cannot be read: {0}")]
    State(DurableError),
    /// The policy failed before or during `validate`.
    #[error("the policy failed while it was started: {0}")]
    Start(PolicyFailure),
    /// The settings do not fit the schema in the policy's description.
    #[error("the settings do not fit the schema of the policy: {0}")]
    SettingsSchema(SettingsMisfit),
    /// The policy rejects its settings.
    #[error("the policy refuses its settings: {0}")]
    Settings(String),
    /// The policy failed on a made-up request with three candidates.
    #[error("the policy failed on a probe request: {0}")]
    Probe(PolicyFailure),
    /// No thread can be started for the probe.
    #[error("cannot probe the policy: {0}")]
    NoThread(std::io::Error),
}

impl LoadError {
    pub(crate) fn compile(error: wasmtime::Error) -> Self {
        Self::Compile(with_remedy(error_text(&error)))
    }
}

/// Words of the parser and the compiler for the asynchronous ABI.
pub(crate) const ASYNC_ABI: &str = "requires the component model async feature";
/// Remedy for a policy that uses it.
const SYNCHRONOUS: &str = "Pointsman does not offer the asynchronous ABI of components: build the policy for the \
                           synchronous one, with componentize-qjs by `--sync`";

/// Adds the remedy for the asynchronous ABI, which some toolchains use by default.
pub(crate) fn with_remedy(message: String) -> String {
    if message.contains(ASYNC_ABI) { format!("{message}; {SYNCHRONOUS}") } else { message }
}

/// Formats an error and its causes on one line.
pub(crate) fn error_text(error: &wasmtime::Error) -> String {
    one_line(&format!("{error:#}"))
}

/// Puts the message of a parser or compiler on one printable line. Such messages quote names that
/// the policy's author chose.
pub(crate) fn one_line(message: &str) -> String {
    printable(&message.split_whitespace().collect::<Vec<_>>().join(" "), MAX_QUOTED_TEXT)
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes as f64 / f64::from(1 << 20))
}
