//! The local gateway, as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use pointsman_admin_api::{PolicyList, RejectedVersion};
use pointsman_operator::AdminClient;
use pointsman_terminal::CommandError;
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Runtime;

/// Beginning of the line with the address for clients.
const CLIENTS: &str = "listening on ";
/// Beginning of the line with the address for operators.
const ADMIN: &str = "admin on ";
/// Longest wait for a version: the gateway may compile it.
const PATIENCE: Duration = Duration::from_secs(600);
/// Interval at which the gateway is asked for the version that decides.
const INTERVAL: Duration = Duration::from_millis(25);
/// Interval at which the process is looked at.
const ALIVE: Duration = Duration::from_millis(500);
/// Time for one call of the admin API.
const CALL: Duration = Duration::from_secs(10);

/// A gateway that ends with this value.
#[derive(Debug)]
pub(crate) struct LocalGateway {
    process: Child,
    /// Address for clients.
    pub(crate) clients: String,
    /// Address for operators.
    pub(crate) admin: String,
    client: AdminClient,
}

/// The end of the wait for a version.
#[derive(Debug)]
pub(crate) enum Swap {
    /// The version decides.
    Serving,
    /// The gateway rejected the version.
    Rejected(RejectedVersion),
}

impl LocalGateway {
    /// Starts `pointsman serve` and waits until it listens. Its log goes to standard error.
    ///
    /// # Errors
    /// Fails if it ends instead. Its log has the reason.
    pub(crate) fn start(
        program: &Path,
        config: &Path,
        listen: Option<SocketAddr>,
        admin_listen: Option<SocketAddr>,
    ) -> Result<Self, CommandError> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::piped());
        for (option, address) in [("--listen", listen), ("--admin-listen", admin_listen)] {
            if let Some(address) = address {
                command.arg(option).arg(address.to_string());
            }
        }
        let mut process = command.spawn().map_err(CommandError::run)?;
        let addresses = process.stdout.take().map(addresses).unwrap_or_default();
        let Some((clients, admin)) = addresses else {
            let status = process.wait().map_err(CommandError::run)?;
            return Err(CommandError::Run(format!(
                "error: the gateway did not start ({status}); see its log above"
            )));
        };
        let client = AdminClient::at(&admin, CALL);
        Ok(Self { process, clients, admin, client })
    }

    /// Waits until a version of a policy decides, or the gateway rejects it.
    ///
    /// # Errors
    /// Fails if the gateway has ended, or does not answer.
    pub(crate) fn wait_for(
        &mut self,
        executor: &Runtime,
        policy: &str,
        digest: &str,
    ) -> Result<Swap, CommandError> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let list: PolicyList = self.client.get("/admin/policies").map_err(CommandError::from)?;
            if let Some(status) = list.policies.into_iter().find(|it| it.name == policy) {
                if status.active == digest {
                    return Ok(Swap::Serving);
                }
                match status.rejected {
                    Some(rejected) if rejected.digest.as_deref() == Some(digest) => {
                        return Ok(Swap::Rejected(rejected));
                    }
                    _ => {}
                }
            }
            executor.block_on(async { tokio::time::sleep(INTERVAL).await });
        }
        let seconds = PATIENCE.as_secs();
        Err(CommandError::Run(format!(
            "error: the gateway does not serve version {digest} after {seconds} s"
        )))
    }

    /// Waits for the end of the process.
    pub(crate) async fn ended(&mut self) -> CommandError {
        loop {
            match self.process.try_wait() {
                Ok(None) => tokio::time::sleep(ALIVE).await,
                Ok(Some(status)) => {
                    return CommandError::Run(format!(
                        "error: the gateway ended ({status}); see its log above"
                    ));
                }
                Err(error) => return CommandError::run(error),
            }
        }
    }
}

impl Drop for LocalGateway {
    fn drop(&mut self) {
        // SIGTERM lets it write the end of its logs. It ends within its `server.drain_timeout`, and another
        // signal ends it at once.
        let process = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let is_asked = process.is_some_and(|process| kill_process(process, Signal::TERM).is_ok());
        let _ = if is_asked { self.process.wait().map(drop) } else { self.process.kill() };
    }
}

/// Reads the addresses that the gateway prints. `None` if it ends before.
fn addresses(output: impl std::io::Read + Send + 'static) -> Option<(String, String)> {
    let (found, wait) = mpsc::channel();
    // The rest is read too, so that the gateway can always write.
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = found.send(line);
        }
    });
    let mut clients = None;
    while let Ok(line) = wait.recv() {
        if let Some(address) = line.strip_prefix(CLIENTS) {
            clients = Some(address.to_owned());
        }
        if let (Some(clients), Some(admin)) = (&clients, line.strip_prefix(ADMIN)) {
            return Some((clients.clone(), admin.to_owned()));
        }
    }
    None
}
