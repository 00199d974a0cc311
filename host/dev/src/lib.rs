//! `pointsman dev`: the loop of an author who changes a policy.
//!
//! Each change of the source or the cases is a [`round`]: the policy is built, loaded, and written
//! where a local gateway watches for it; the cases and the recorded requests are run while the gateway
//! swaps it in. [`gateway`] starts that gateway, with the configuration that [`configuration`] makes or
//! checks; [`recorded`] asks the version before and the new one about the same requests.

mod configuration;
mod gateway;
mod recorded;
mod report;
mod round;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use pointsman_author::Toolbox;
use pointsman_author::subject::{Sandbox, SandboxConfig};
use pointsman_author::watch::SourceWatch;
use pointsman_policy::{CacheConfig, Compiler, FuelCounting, FunctionReuse};
use pointsman_terminal::CommandError;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use configuration::Served;
use round::Rounds;

const MORE: &str = "\
The gateway has simulated models, and sends every request to the policy; what it keeps is in
the folder `build/dev`. With --config it serves that file, one of whose policies has to have the
built file as its source. Recorded requests are the newest of the gateway's decision log.

Examples:
  pointsman dev
  pointsman dev my-policy --listen 127.0.0.1:9000
  pointsman dev my-policy --config pointsman.toml

Exit status: 0 ended by Ctrl-C, 1 the gateway ended, 2 usage.";

/// The arguments of `pointsman dev`.
#[derive(Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct Args {
    /// The policy's folder
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Serve this configuration instead of simulated models
    #[arg(long, value_name = "FILE", conflicts_with = "settings")]
    config: Option<PathBuf>,
    /// Settings of the policy: JSON, or the path of a JSON or TOML file; by default those that its
    /// cases share
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Address for clients; 127.0.0.1:8080, or as configured
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Address for operators; 127.0.0.1:8081, or as configured
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<SocketAddr>,
    /// Recorded requests that are run again after each change
    #[arg(long, value_name = "N", default_value_t = 20)]
    recorded: usize,
    /// Print a line of JSON for each event, for programs
    #[arg(long)]
    json: bool,
    /// Use no colours
    #[arg(long)]
    no_colour: bool,
}

/// Services of the program for the command.
#[derive(Clone, Debug)]
pub struct DevTools {
    /// Services for the commands of authors.
    pub toolbox: Toolbox,
    /// The program, for `pointsman serve`.
    pub program: PathBuf,
    /// Configuration with simulated models.
    pub default_config: &'static str,
    /// Returns the cache of compiled code of a gateway with this state directory.
    pub code_cache: fn(&Path) -> CacheConfig,
}

/// Runs the command until it is interrupted, or the gateway ends.
///
/// # Errors
/// Fails with exit status 1 if the gateway cannot start or ends, and 2 for wrong input.
pub fn run(args: &Args, tools: &DevTools) -> Result<(), CommandError> {
    let served = Served::new(args, tools)?;
    let executor = Builder::new_current_thread().enable_all().build().map_err(CommandError::run)?;
    // The author runs the build of this folder anyway, so its result is compiled in this process, where the
    // functions of the version before can be reused.
    let sandbox = Sandbox::with(SandboxConfig {
        compiler: Compiler::InProcess,
        fuel: FuelCounting::Off,
        functions: FunctionReuse::On,
        cache: served.state_folder().as_deref().map(tools.code_cache),
    })?;
    let mut stop = StopSignals::listen(&executor)?;
    let mut watch = SourceWatch::start(served.watched())?;
    let mut rounds = Rounds::new(args, tools, &served, &sandbox, &executor);
    loop {
        rounds.run_one()?;
        if !wait_for_change(&executor, &mut stop, &mut watch, &mut rounds)? {
            return Ok(());
        }
    }
}

/// Signals that end the command. One that arrives during a round ends it after the round.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn listen(executor: &Runtime) -> Result<Self, CommandError> {
        let _entered = executor.enter();
        let listen = |kind| signal(kind).map_err(CommandError::run);
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits until a source or a case changes. Returns false when the command is interrupted.
fn wait_for_change(
    executor: &Runtime,
    stop: &mut StopSignals,
    watch: &mut SourceWatch,
    rounds: &mut Rounds<'_>,
) -> Result<bool, CommandError> {
    let is_stopped = executor.block_on(async {
        tokio::select! {
            biased;
            () = stop.received() => true,
            () = std::future::ready(()) => false,
        }
    });
    if is_stopped {
        return Ok(false);
    }
    let mut ended = None;
    let changed = watch.wait_by(|changes| {
        executor.block_on(async {
            tokio::select! {
                biased;
                () = stop.received() => None,
                error = rounds.gateway_ended() => { ended = Some(error); None }
                changed = changes.changed() => changed,
            }
        })
    });
    match ended {
        Some(error) => Err(error),
        None => Ok(changed.is_continue()),
    }
}
