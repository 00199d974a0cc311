//! The commands of `pointsman policy` for authors of policies. They need no running gateway.
//!
//! Policies run in the gateway's own sandbox, with its load gate, limits and validation; what a case
//! does not state is a stand-in that is the same each time.
//!
//! - [`case`] has the format of cases, and turns a case into a policy's input.
//! - [`subject`] reads and loads the policy, [`execution`] runs a request through it, [`observed`]
//!   describes the answers, and [`check`] compares them with what a case expects.
//! - [`description`] reads what the author of a policy says about it, and attaches it to the built file.
//! - [`template`] has the files of new policies, and [`build`] calls the tools of languages.
//! - [`comparison`] compares two policies.
//! - [`fuzz`] makes random cases and finds faults with them.
//! - [`registry`] and [`signing_key`] have the arguments of commands that publish: references, credentials
//!   and keys. [`secrets`] and [`files`] read what they name.
//! - [`verb`] has a module for each command: its arguments, its flow and its output.
//!
//! A new command is a module of [`verb`] with an `Args` for clap and `run(&Args, &Toolbox)`, and a
//! variant of [`AuthorCommand`]. It takes its policy from [`verb::source`], which builds folders, prints
//! data with [`pointsman_terminal::print`], and returns a [`CommandError`] for its exit status: 1 a
//! check failed, 2 usage, 3 not loadable.

pub mod build;
pub mod case;
pub mod check;
pub mod comparison;
pub mod description;
pub mod execution;
pub mod files;
pub mod fuzz;
pub mod interrupt;
pub mod observed;
pub mod registry;
mod schema;
pub mod secrets;
pub mod signing_key;
pub mod subject;
pub mod template;
pub mod verb;
pub mod watch;

use clap::Subcommand;
use pointsman_policy::{CacheConfig, Compiler};
use pointsman_supply::Proxies;
use pointsman_terminal::CommandError;

pub use schema::schema_json;

/// Services of the program for the commands.
#[derive(Clone, Debug)]
pub struct Toolbox {
    /// Process that compiles policies.
    pub compiler: Compiler,
    /// Directory of compiled code, so that a policy is compiled once; `None` to compile it every time.
    pub code_cache: Option<CacheConfig>,
    /// Returns a built-in policy by its name.
    pub builtin: fn(&str) -> Option<&'static [u8]>,
    /// Returns the lines of a built-in policy's source that are neither empty nor comments; `None` if
    /// they are not known.
    pub builtin_lines: fn(&str) -> Option<u64>,
    /// Names of the built-in policies.
    pub builtin_names: &'static [&'static str],
    /// Returns the value of an environment variable.
    pub variable: fn(&str) -> Option<String>,
    /// Returns the proxies of the environment, or the reason for which they are invalid.
    pub proxies: fn() -> Result<Proxies, String>,
}

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum AuthorCommand {
    /// Create the folder of a new policy, with cases, editor setup and instructions
    New(verb::new::Args),
    /// Build the policy of a folder, and check that the gateway can load it
    Build(verb::build::Args),
    /// Run the cases of a policy
    Test(verb::test::Args),
    /// Run one request and show what the policy does
    Run(verb::run::Args),
    /// Measure a policy: time, memory, and executed instructions
    Bench(verb::bench::Args),
    /// Write a page that lists the policies of folders and registries
    Index(verb::index::Args),
    /// Compare two policies: their files, and their decisions over the same requests
    Diff(verb::diff::Args),
    /// Find faults of a policy with random requests
    Fuzz(verb::fuzz::Args),
    /// Publish a policy in an OCI registry
    Push(Box<verb::push::Args>),
    /// Fetch a policy from an OCI registry into a file
    Pull(verb::pull::Args),
    /// Make a key pair for signatures
    Keygen(verb::keygen::Args),
    /// Sign a policy
    Sign(verb::sign::Args),
    /// Verify the signature of a policy
    Verify(verb::verify::Args),
}

impl AuthorCommand {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// The error determines the exit status.
    pub fn run(&self, toolbox: &Toolbox) -> Result<(), CommandError> {
        match self {
            Self::New(args) => verb::new::run(args),
            Self::Build(args) => verb::build::run(args, toolbox),
            Self::Test(args) => verb::test::run(args, toolbox),
            Self::Run(args) => verb::run::run(args, toolbox),
            Self::Bench(args) => verb::bench::run(args, toolbox),
            Self::Index(args) => verb::index::run(args, toolbox),
            Self::Diff(args) => verb::diff::run(args, toolbox),
            Self::Fuzz(args) => verb::fuzz::run(args, toolbox),
            Self::Push(args) => verb::push::run(args, toolbox),
            Self::Pull(args) => verb::pull::run(args, toolbox),
            Self::Keygen(args) => verb::keygen::run(args, toolbox),
            Self::Sign(args) => verb::sign::run(args, toolbox),
            Self::Verify(args) => verb::verify::run(args),
        }
    }
}
