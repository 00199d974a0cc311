//! The policy that a command works on: its bytes, and instances of it under different settings.

use std::path::Path;
use std::sync::Arc;

use pointsman_domain::ids::PolicyName;
use pointsman_domain::names::nearest_name;
use pointsman_policy::{
    CacheConfig, Code, Compiler, FuelCounting, FunctionReuse, Grants, Inspection, Isolation, Limits,
    LoadError, Policy, PolicySpec, Runtime, RuntimeConfig, RuntimeError, inspect,
};
use pointsman_terminal::{CommandError, TextTable};

use crate::Toolbox;
use crate::case::words::{self, GrantName, IsolationName};
use crate::case::{Case, input};
use crate::files;

/// Prefix of the names of built-in policies.
const BUILTIN: &str = "builtin:";
/// Longest policy that is read, in bytes. The load gate's limit is lower and names the setting.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// Concurrent calls of a command.
const CONCURRENT_CALLS: u32 = 2;

/// Limits of a sandbox.
#[derive(Clone, Copy, Debug)]
pub struct SandboxLimits {
    /// Most executed instructions of one call, if they are counted.
    pub fuel: u64,
    /// Calls that may be under way.
    pub concurrent_calls: u32,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self { fuel: u64::MAX, concurrent_calls: CONCURRENT_CALLS }
    }
}

/// The sandbox of the gateway, and a thread that waits for calls in it.
pub struct Sandbox {
    runtime: Runtime,
    executor: tokio::runtime::Runtime,
}

/// Compilation of the policies of a sandbox.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Process that compiles.
    pub compiler: Compiler,
    /// Counting of executed instructions.
    pub fuel: FuelCounting,
    /// Reuse of functions of the policies that were loaded before.
    pub functions: FunctionReuse,
    /// Directory of compiled code, if any.
    pub cache: Option<CacheConfig>,
}

impl SandboxConfig {
    /// Compiles each policy as a whole, unless its code is in the directory of compiled code.
    pub fn new(toolbox: &Toolbox, fuel: FuelCounting) -> Self {
        Self {
            compiler: toolbox.compiler.clone(),
            fuel,
            functions: FunctionReuse::Off,
            cache: toolbox.code_cache.clone(),
        }
    }
}

impl Sandbox {
    /// Starts a sandbox that compiles each policy as a whole.
    ///
    /// # Errors
    /// Fails when address space or threads are missing.
    pub fn new(toolbox: &Toolbox, fuel: FuelCounting) -> Result<Self, CommandError> {
        Self::with(SandboxConfig::new(toolbox, fuel))
    }

    /// Starts a sandbox. If the directory of compiled code cannot be used, there is none.
    ///
    /// # Errors
    /// Fails when address space or threads are missing.
    pub fn with(config: SandboxConfig) -> Result<Self, CommandError> {
        Self::with_limits(config, SandboxLimits::default())
    }

    /// Starts a sandbox with other limits.
    ///
    /// # Errors
    /// Fails as [`with`](Self::with) does.
    pub fn with_limits(config: SandboxConfig, limits: SandboxLimits) -> Result<Self, CommandError> {
        let SandboxConfig { compiler, fuel, functions, cache } = config;
        let config = RuntimeConfig {
            concurrent_decisions: limits.concurrent_calls,
            idle_instances: limits.concurrent_calls,
            compiler,
            cache,
            fuel,
            fuel_limit: limits.fuel,
            functions,
            ..RuntimeConfig::default()
        };
        let runtime = match Runtime::new(config.clone()) {
            // A cache saves time, and nothing depends on it.
            Err(RuntimeError::Cache { .. }) => Runtime::new(RuntimeConfig { cache: None, ..config }),
            started => started,
        };
        let executor =
            tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(CommandError::run)?;
        Ok(Self { runtime: runtime.map_err(CommandError::run)?, executor })
    }

    /// Waits for a call.
    pub fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        self.executor.block_on(call)
    }
}

/// Bytes of a policy, with what is known from reading them.
#[derive(Debug)]
pub struct PolicyFile {
    /// Path or name, as given.
    pub source: String,
    /// The bytes.
    pub code: Code,
    /// Imports, exports and sizes.
    pub inspection: Inspection,
}

impl PolicyFile {
    /// Reads a WebAssembly file, or finds a built-in policy by `builtin:NAME`.
    ///
    /// # Errors
    /// Fails with exit status 2 if there is no such file or policy, and 3 if it is no policy.
    pub fn read(source: &str, toolbox: &Toolbox) -> Result<Self, CommandError> {
        let code = match source.strip_prefix(BUILTIN) {
            Some(name) => builtin(name, toolbox)?,
            None => Code::new(files::read(Path::new(source), MAX_FILE_BYTES)?),
        };
        Self::of_code(source, code)
    }

    /// Inspects bytes.
    ///
    /// # Errors
    /// Fails with exit status 3 if they are no policy.
    pub fn of_code(source: &str, code: Code) -> Result<Self, CommandError> {
        let inspection = inspect(code.bytes()).map_err(|error| not_loadable(source, &error))?;
        Ok(Self { source: source.to_owned(), code, inspection })
    }

    /// Returns the grants that its imports need.
    pub fn needed_grants(&self) -> Grants {
        let is_needed = |grant: &&GrantName| {
            let name = serde_json::to_value(grant).unwrap_or_default();
            self.inspection.gate.grants.iter().any(|needed| name == *needed)
        };
        GrantName::ALL.iter().filter(is_needed).map(|grant| grant.value()).collect()
    }

    /// Returns the file unless the load gate refuses it whatever it is granted.
    ///
    /// # Errors
    /// Fails with exit status 3 and the reasons.
    pub fn without_refusals(self) -> Result<Self, CommandError> {
        match self.inspection.gate.refusals.as_slice() {
            [] => Ok(self),
            refusals => Err(CommandError::Load(format!("error: {}: {}", self.source, refusals.join("; ")))),
        }
    }

    /// Adds the grants that it needs to a table, with what each allows.
    pub fn add_grants(&self, table: &mut TextTable) {
        let grants = &self.inspection.gate.grants;
        let grants = if grants.is_empty() { "none needed".to_owned() } else { grants.join(", ") };
        table.add(vec!["grants".to_owned(), grants]);
        for import in self.inspection.imports.iter().filter(|import| import.grant.is_some()) {
            let (grant, allows) = (import.grant.unwrap_or_default(), import.allows.unwrap_or_default());
            table.add(vec![String::new(), format!("{grant}: {} lets it {allows}", import.name)]);
        }
    }

    /// Returns a name for messages of the sandbox.
    fn name(&self) -> PolicyName {
        let stem = Path::new(self.source.trim_start_matches(BUILTIN)).file_stem();
        PolicyName::new(stem.map_or_else(|| self.source.clone(), |stem| stem.to_string_lossy().into_owned()))
    }
}

/// Creates the error of a policy that cannot be loaded.
pub fn not_loadable(source: &str, error: &LoadError) -> CommandError {
    CommandError::Load(format!("error: {source}: {error}"))
}

fn builtin(name: &str, toolbox: &Toolbox) -> Result<Code, CommandError> {
    if let Some(bytes) = (toolbox.builtin)(name) {
        return Ok(Code::embedded(bytes));
    }
    let hint = match nearest_name(name, toolbox.builtin_names.iter().copied()) {
        Some(near) => format!("did you mean `{BUILTIN}{near}`?"),
        None => format!("built-in policies: {}", toolbox.builtin_names.join(", ")),
    };
    Err(CommandError::Input(format!("error: there is no built-in policy `{name}`\n  = hint: {hint}")))
}

/// Settings, grants and limits under which a policy is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// Settings as a JSON object.
    pub settings: String,
    /// Grants; `None` for all that the imports need.
    pub grants: Option<Grants>,
    /// Limits.
    pub limits: Limits,
    /// Sharing of instances.
    pub isolation: Isolation,
}

impl LoadOptions {
    /// Returns the options of a case.
    pub fn of_case(case: &Case) -> Self {
        Self {
            settings: case
                .settings
                .as_ref()
                .map_or_else(|| "{}".to_owned(), |settings| serde_json::json!(settings).to_string()),
            grants: case.grants.as_deref().map(words::grants),
            limits: input::limits(case.limits),
            isolation: case.isolation.map(IsolationName::value).unwrap_or_default(),
        }
    }
}

/// Policies of one file, compiled once and loaded once for each set of options.
pub struct Subject<'s> {
    sandbox: &'s Sandbox,
    file: &'s PolicyFile,
    name: PolicyName,
    loaded: Vec<(LoadOptions, Arc<Policy>)>,
}

/// Most sets of options for which loaded policies are kept.
const MAX_LOADED: usize = 16;

impl<'s> Subject<'s> {
    /// Wraps a file. Nothing is loaded yet.
    pub fn new(sandbox: &'s Sandbox, file: &'s PolicyFile) -> Self {
        Self { sandbox, file, name: file.name(), loaded: Vec::new() }
    }

    /// Wraps a file for one of several threads. Policies that keep state have one for each number.
    pub fn numbered(sandbox: &'s Sandbox, file: &'s PolicyFile, number: usize) -> Self {
        let name = PolicyName::new(format!("{}-{number}", file.name()));
        Self { name, ..Self::new(sandbox, file) }
    }

    /// Loads the policy with these options, through the gateway's load gate.
    ///
    /// # Errors
    /// Fails as the load gate does.
    pub fn load(&mut self, options: &LoadOptions) -> Result<Arc<Policy>, LoadError> {
        if let Some((_, policy)) = self.loaded.iter().find(|(known, _)| known == options) {
            return Ok(Arc::clone(policy));
        }
        let spec = PolicySpec {
            settings: options.settings.clone(),
            grants: options.grants.unwrap_or_else(|| self.file.needed_grants()),
            limits: options.limits,
            isolation: options.isolation,
            ..PolicySpec::new(self.name.clone())
        };
        let policy = Arc::new(match self.loaded.first() {
            Some((_, compiled)) => self.sandbox.runtime.respecify(compiled, spec)?,
            None => self.sandbox.runtime.load(spec, &self.file.code)?,
        });
        if self.loaded.len() == MAX_LOADED {
            self.loaded.remove(1);
        }
        self.loaded.push((options.clone(), Arc::clone(&policy)));
        Ok(policy)
    }

    /// Returns the sandbox.
    pub fn sandbox(&self) -> &'s Sandbox {
        self.sandbox
    }

    /// Returns the file.
    pub fn file(&self) -> &'s PolicyFile {
        self.file
    }
}
