//! `pointsman serve`: the life of the gateway.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use pointsman_policy::Runtime;
use pointsman_policy::watch::{Changes, WatchConfig, Watcher};
use pointsman_supply::Fetcher;
use pointsman_telemetry::DecisionLog;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{Failure, logging, print, runtime};
use crate::admin::events::{self, Events};
use crate::admin::{self, Admin};
use crate::app::App;
use crate::client;
use crate::config::{Config, Overrides};
use crate::feedback;
use crate::recorder::Recorder;
use crate::reload::{self, Reloader, Source};
use crate::rollout::{Rollouts, guard, shadow};
use crate::server::{Drained, Limits, Server};
use crate::traces;

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
    let config = source.read().map_err(|error| Failure::Input(error.to_string()))?;
    logging::start(config.log);
    let runtime = runtime::new(&config)?;
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::run)?;
    let patience = config.server.drain_timeout.max(LAST_MOMENTS);
    let served = threads.block_on(serve(source, config, runtime));
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

/// Serves until it is told to stop. Gives those who are told of requests, so that
/// they can be told of the last ones.
async fn serve(source: Source, config: Config, runtime: Runtime) -> Result<Arc<Recorder>, Failure> {
    let listeners = Listeners::bind(&config).await?;
    // Before the policies are read, so that no later change of theirs is missed.
    let causes = Causes::watch(source.watched(&config)).map_err(Failure::run)?;
    let token = config.admin.token.clone();
    let drain = config.server.drain_timeout;
    let (traces, export) =
        traces::start(&config).map_err(|error| Failure::Input(format!("error: [traces]: {error}")))?.unzip();
    let rollouts = Rollouts::open(config.state.dir.as_deref()).map_err(Failure::run)?;
    let fetcher = Fetcher::new();
    let log = config.decision_log.clone().map(DecisionLog::open).transpose().map_err(Failure::run)?;
    let recorder = Arc::new(Recorder::new(traces, log));
    recorder.start().map_err(Failure::run)?;
    let snapshot = reload::start(config, &runtime, &rollouts, &fetcher)
        .await
        .map_err(|error| Failure::Input(error.to_string()))?;
    let (queue, delivery) = feedback::queue();
    let (shadows, asking) = shadow::queue();
    let app = Arc::new(App::new(snapshot, Arc::clone(&recorder), queue, shadows));
    let alarm = runtime.alarm().clone();
    let reloader = Arc::new(Reloader::new(source, runtime, fetcher, Arc::clone(&app), rollouts));
    let (stop, stopped) = watch::channel(false);

    // Whoever reads the addresses may send a signal at once.
    let signals = StopSignals::listen().map_err(Failure::run)?;
    listeners.print()?;
    let admin = Arc::new(Admin {
        app: Arc::clone(&app),
        reloader: Arc::clone(&reloader),
        token,
        events: Events::default(),
        stop: stopped.clone(),
    });
    let helpers = [
        spawn(delivery.run(Arc::clone(&recorder))),
        spawn(asking.run(Arc::clone(&recorder))),
        spawn(guard::run(Arc::clone(&reloader), alarm)),
        spawn(causes.follow(Arc::clone(&reloader))),
        spawn(events::run(Arc::clone(&admin))),
    ];
    let (flush, flushed) = watch::channel(false);
    let exporting = export.map(|export| export.start(flushed)).transpose().map_err(Failure::run)?;
    let clients = listeners.clients.run(client::router(Arc::clone(&app)), stopped.clone());
    let admins = listeners.admins.run(admin::router(admin), stopped);
    let stopping = async {
        signals.asked().await;
        tracing::info!("stopping: requests under way are finished");
        let _ = stop.send(true);
        Instant::now()
    };
    let (drained, _, asked) = tokio::join!(clients, admins, stopping);
    if let Some(exporting) = exporting {
        // Spans of the last requests have what is left of the time to stop.
        recorder.telemetry.catch_up();
        let _ = flush.send(true);
        let left = drain.saturating_sub(asked.elapsed()).max(LEAST_FLUSH);
        if tokio::time::timeout(left, exporting).await.is_err() {
            tracing::warn!("some spans were not delivered: the collector of [traces] is slow");
        }
    }
    helpers.iter().for_each(tokio::task::JoinHandle::abort);
    reloader.settle();
    if drained == Drained::CutShort {
        tracing::warn!("some requests were cut off: they took longer than `server.drain_timeout`");
    }
    Ok(recorder)
}

struct Listeners {
    clients: Server,
    admins: Server,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, Failure> {
        let limits = Limits {
            connections: config.server.max_connections,
            header_bytes: config.server.max_header_bytes,
            header_timeout: config.server.header_timeout,
            drain: config.server.drain_timeout,
        };
        let bind = async |address: SocketAddr, key: &str| {
            Server::bind(address, limits).await.map_err(|error| {
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
        print(format_args!("listening on http://{clients}\nadmin on http://{admins}"))
    }
}

/// What calls for a reload: files that change, SIGHUP, and the time to ask where
/// tags lead. Files and signals are noticed from the moment that this is made.
struct Causes {
    watcher: Watcher,
    changes: Changes,
    hangups: Signal,
}

impl Causes {
    fn watch(files: Vec<PathBuf>) -> io::Result<Self> {
        let (watcher, changes) = Watcher::new(files, WatchConfig::default())?;
        Ok(Self { watcher, changes, hangups: signal(SignalKind::hangup())? })
    }

    /// Reloads whenever there is cause.
    async fn follow(mut self, reloader: Arc<Reloader>) {
        loop {
            let cause = tokio::select! {
                Some(()) = self.changes.changed() => "file",
                Some(()) = self.hangups.recv() => "signal",
                () = due(reloader.poll()) => "poll",
                else => return,
            };
            reloader.reload(cause).await;
            self.watcher.set_paths(reloader.watched());
        }
    }
}

/// Waits for a time, or for ever.
async fn due(after: Option<Duration>) {
    match after {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// SIGTERM and SIGINT, which no longer end the process once this is made.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    async fn asked(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the handles are kept, and aborted at the end")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::spawn(work)
}
