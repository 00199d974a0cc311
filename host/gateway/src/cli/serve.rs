//! `pointsman serve`: the life of the gateway.

mod shutdown;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args as ClapArgs;
use pointsman_policy::Runtime;
use pointsman_supply::Fetcher;
use pointsman_telemetry::{BackgroundTask, DecisionLog, Supervisor};
use tokio::sync::watch;

use super::{Failure, runtime, write_stdout};
use crate::admin::events::{EventSource, Events};
use crate::admin::{self, Admin};
use crate::app::App;
use crate::client;
use crate::feedback;
use crate::logging::Logging;
use crate::recorder::Recorder;
use crate::reload::rollback_watch::RollbackWatch;
use crate::reload::{self, ReloadTask, Reloader, Source, Triggers, UnreachableSources};
use crate::rollout::{Rollouts, shadow};
use crate::server::{ConnectionLimits, Drained, Limits, Server, Timeouts};
use crate::traces;
use pointsman_config::{Config, Overrides};
use shutdown::{StopSignals, serve_until_stopped};

/// The last spans have this long to be delivered, however long the requests took to end.
const LEAST_FLUSH: Duration = Duration::from_secs(1);

/// For what is left to be done when nobody is served any more.
const LAST_MOMENTS: Duration = Duration::from_millis(200);

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The configuration; without it, a simulated fleet is served
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where clients connect, over the configuration's `server.listen`; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where operators connect, over the configuration's `admin.listen`
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<SocketAddr>,
}

/// Reads everything before binding, prints the bound addresses, serves, drains.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let overrides = Overrides { listen: args.listen, admin_listen: args.admin_listen };
    let source = Source { file: args.config, overrides };
    let read = SystemTime::now();
    let config = source.read().map_err(|error| Failure::Input(error.to_string()))?;
    let supervisor = Supervisor::default();
    let logging = Logging::start(config.log, &supervisor).map_err(Failure::run)?;
    let _flush = logging.flush_at_end();
    let runtime = runtime::new(&config)?;
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::run)?;
    let patience = config.server.drain_timeout.max(LAST_MOMENTS);
    // Before the policies are read, so that no later change of theirs is missed.
    let triggers = {
        let _entered = threads.enter();
        Triggers::watch(source.watched(&config), read, &supervisor).map_err(Failure::run)?
    };
    let process = Process { logging: logging.clone(), supervisor };
    let served = threads.block_on(serve(source, config, runtime, triggers, process));
    // Requests that were cut off end here. A policy that is still being compiled is
    // not waited for.
    threads.shutdown_timeout(LAST_MOMENTS);
    let recorder = served?;
    recorder.telemetry.close();
    if let Some(log) = &recorder.telemetry.decision_log
        && !log.close(patience)
    {
        tracing::warn!("the last decisions were not logged: the disk took too long");
    }
    Ok(())
}

/// The parts of the process that watch over the others.
struct Process {
    logging: Logging,
    supervisor: Supervisor,
}

/// Serves until it is told to stop. Gives those who are told of requests, so that
/// they can be told of the last ones.
async fn serve(
    source: Source,
    config: Config,
    runtime: Runtime,
    triggers: Triggers,
    Process { logging, supervisor }: Process,
) -> Result<Arc<Recorder>, Failure> {
    let listeners = Listeners::bind(&config).await?;
    let (server, token) = (config.server.clone(), config.admin.token.clone());
    let drain = server.drain_timeout;
    let (traces, export) =
        traces::start(&config).map_err(|error| Failure::Input(format!("error: [traces]: {error}")))?.unzip();
    let rollouts = Rollouts::open(config.state.dir.as_deref()).map_err(Failure::run)?;
    let fetcher = Fetcher::new();
    let log = config.decision_log.clone().map(|settings| DecisionLog::open(settings, &supervisor));
    let recorder = Arc::new(Recorder::new(traces, log.transpose().map_err(Failure::run)?));
    recorder.start(&supervisor).map_err(Failure::run)?;
    let snapshot = reload::start(config, &runtime, &rollouts, &fetcher, UnreachableSources::Tolerate)
        .await
        .map_err(|error| Failure::Input(error.to_string()))?;
    let (queue, delivery) = feedback::queue(Arc::clone(&recorder));
    let (shadows, asking) = shadow::queue(Arc::clone(&recorder));
    let app = Arc::new(App::new(snapshot, Arc::clone(&recorder), queue, shadows));
    let change_notifier = runtime.change_notifier().clone();
    let activity = triggers.activity();
    let reloader = Reloader::new(source, runtime, fetcher, Arc::clone(&app), rollouts, activity);
    let reloader = Arc::new(reloader);
    let (stop, stopped) = watch::channel(false);

    // Whoever reads the addresses may send a signal at once.
    let mut signals = StopSignals::listen().map_err(Failure::run)?;
    listeners.print()?;
    let keep_running = KeepRunning(supervisor.clone());
    let admin = Arc::new(Admin {
        app: Arc::clone(&app),
        reloader: Arc::clone(&reloader),
        first_token: token,
        events: Events::default(),
        logging,
        supervisor: supervisor.clone(),
        stop: stopped.clone(),
    });
    let helpers = [
        keep_running.spawn(delivery),
        keep_running.spawn(asking),
        keep_running.spawn(RollbackWatch::new(Arc::clone(&reloader), change_notifier)),
        keep_running.spawn(ReloadTask { triggers, reloader: Arc::clone(&reloader) }),
        keep_running.spawn(EventSource(Arc::clone(&admin))),
    ];
    let (flush, flushed) = watch::channel(false);
    let exporting = export.map(|export| export.start(flushed, &supervisor));
    let exporting = exporting.transpose().map_err(Failure::run)?;
    let clients = listeners.clients.run(client::router(Arc::clone(&app), &server), stopped.clone());
    let admins = listeners.admins.run(admin::router(admin), stopped);
    let listeners = async { tokio::join!(clients, admins).0 };
    let stopped = serve_until_stopped(listeners, &mut signals, &app, server.shutdown_delay, &stop).await;
    if let Some(exporting) = exporting.filter(|_| stopped.drained.is_some()) {
        // Spans of the last requests have what is left of the time to stop.
        recorder.telemetry.record_pending();
        let _ = flush.send(true);
        let left = drain.saturating_sub(stopped.at.elapsed()).max(LEAST_FLUSH);
        let is_delivered = tokio::select! {
            exported = tokio::time::timeout(left, exporting) => exported.is_ok(),
            () = signals.interrupted() => false,
        };
        if !is_delivered {
            tracing::warn!("some spans were not delivered: the collector of [traces] is slow");
        }
    }
    helpers.iter().for_each(tokio::task::JoinHandle::abort);
    reloader.settle();
    match stopped.drained {
        Some(Drained::Completely) => {}
        Some(Drained::CutShort) => {
            tracing::warn!("some requests were cut off: they took longer than `server.drain_timeout`");
        }
        None => tracing::warn!("SIGINT ended the wait: requests under way were cut off"),
    }
    Ok(recorder)
}

struct Listeners {
    clients: Server,
    admins: Server,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, Failure> {
        let server = &config.server;
        let limits = Limits {
            connections: ConnectionLimits {
                total: server.max_connections,
                per_peer: server.max_connections_per_peer.unwrap_or((server.max_connections / 2).max(1)),
                counts_loopback: server.max_connections_per_peer.is_some(),
            },
            streams: server.max_concurrent_streams,
            header_bytes: server.max_header_bytes,
            max_discarded_bytes: server.max_body_bytes,
            timeouts: Timeouts {
                head: server.header_timeout,
                idle: server.idle_timeout,
                write: server.write_timeout,
            },
            proxies: server.trusted_proxies.iter().copied().collect(),
            drain: server.drain_timeout,
            render_error: client::render_error,
        };
        let bind = async |address: SocketAddr, key: &str| {
            Server::bind(address, limits.clone()).await.map_err(|error| {
                Failure::Run(format!("error: cannot listen on {address}: {error}\n  = hint: change `{key}`; port 0 takes a free one"))
            })
        };
        Ok(Self {
            clients: bind(config.server.listen, "server.listen").await?,
            admins: bind(config.admin.listen, "admin.listen").await?,
        })
    }

    fn print(&self) -> Result<(), Failure> {
        let clients = self.clients.address().map_err(Failure::run)?;
        let admins = self.admins.address().map_err(Failure::run)?;
        // A closed standard output is no reason not to serve.
        if write_stdout(format_args!("listening on http://{clients}\nadmin on http://{admins}")).is_err() {
            tracing::warn!(%clients, %admins, "cannot print the addresses to standard output");
        }
        Ok(())
    }
}

/// Spawns background work that is restarted when it fails.
struct KeepRunning(Supervisor);

impl KeepRunning {
    #[expect(clippy::disallowed_methods, reason = "the handles are kept, and aborted at the end")]
    fn spawn(&self, task: impl BackgroundTask + 'static) -> tokio::task::JoinHandle<()> {
        tokio::spawn(self.0.run(task))
    }
}
