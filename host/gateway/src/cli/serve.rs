//! `pointsman serve`: the lifecycle of the gateway.

mod shutdown;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args as ClapArgs;
use pointsman_config::{Config, Overrides};
use pointsman_policy::Runtime;
use pointsman_serving::app::App;
use pointsman_serving::auth::StoredKeys;
use pointsman_serving::policy_events;
use pointsman_serving::recorder::Recorder;
use pointsman_serving::reload::price_watch::PriceWatch;
use pointsman_serving::reload::rollback_watch::RollbackWatch;
use pointsman_serving::reload::{
    self, ConfigSource, PolicySources, ReloadTask, Reloader, Triggers, UnreachableSources,
};
use pointsman_serving::rollout::{Rollouts, shadow};
use pointsman_serving::traces;
use pointsman_serving::usage_history;
use pointsman_state::UsageHistory;
use pointsman_supply::Fetcher;
use pointsman_telemetry::{BackgroundTask, DecisionLog, Supervisor};
use pointsman_tls::ListenerTls;
use tokio::sync::watch;

use super::{CommandError, runtime, write_stdout};
use crate::admin::condition_log::ConditionLog;
use crate::admin::events::{EventSource, Events};
use crate::admin::loss_watch::LossWatch;
use crate::admin::{self, Admin, HistoryReader, Playground};
use crate::builtin;
use crate::client;
use crate::logging::Logging;
use crate::server::{ConnectionLimits, CurrentTls, Drained, Limits, Server, Timeouts};
use shutdown::{StopSignals, serve_until_stopped};

/// Least time to deliver the last spans, however long the drain took.
const MIN_FLUSH: Duration = Duration::from_secs(1);

/// Time for the remaining work after the listeners are closed.
const FINAL_GRACE: Duration = Duration::from_millis(200);

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The configuration file; without it, a simulated fleet is served
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address for clients, overrides `server.listen`; port 0 selects a free port
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Address for operators, overrides `admin.listen`
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<SocketAddr>,
    /// Serve clients of other machines without API keys, as `server.allow_anonymous` does
    #[arg(long)]
    allow_anonymous: bool,
}

/// Reads everything before binding, prints the bound addresses, serves, drains.
pub(super) fn run(args: Args) -> Result<(), CommandError> {
    let overrides = Overrides {
        listen: args.listen,
        admin_listen: args.admin_listen,
        allow_anonymous: args.allow_anonymous,
    };
    let source = ConfigSource { file: args.config, overrides };
    let read = SystemTime::now();
    let config = source.read().map_err(|error| CommandError::Input(error.to_string()))?;
    let supervisor = Supervisor::default();
    let logging = Logging::start(config.log, &supervisor).map_err(CommandError::run)?;
    let _flush = logging.flush_at_end();
    let rollouts = Rollouts::open(config.state.dir.as_deref()).map_err(CommandError::run)?;
    let keys = runtime::stored_keys(&config)?;
    let states = runtime::states(&config)?;
    let runtime = runtime::new(&config, states.clone())?;
    let history = runtime::usage_history(&config);
    let threads =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::run)?;
    let patience = config.server.drain_timeout.max(FINAL_GRACE);
    // Files are watched before they are read, so that no later change is missed.
    let triggers = {
        let _entered = threads.enter();
        Triggers::watch(source.watched(&config), read, &supervisor).map_err(CommandError::run)?
    };
    let process = Process { logging: logging.clone(), supervisor, history: history.clone() };
    let stored = StoredState { rollouts, keys };
    let served = threads.block_on(serve(source, config, runtime, stored, triggers, process));
    // Requests that were cut off end here. A policy that is still being compiled is not
    // awaited.
    threads.shutdown_timeout(FINAL_GRACE);
    let recorder = served?;
    recorder.telemetry.close();
    if let Some(log) = &recorder.telemetry.decision_log
        && !log.close(patience)
    {
        tracing::warn!("the last decisions were not logged: the disk took too long");
    }
    if !history.close(patience) {
        tracing::warn!("the last minute of the history of usage was not stored: the disk took too long");
    }
    if !states.close(patience) {
        tracing::warn!("the last changes of the state of policies were not stored: the disk took too long");
    }
    Ok(())
}

/// The parts of the process that observe the others.
struct Process {
    logging: Logging,
    supervisor: Supervisor,
    history: UsageHistory,
}

/// State that earlier processes left in the state directory.
struct StoredState {
    rollouts: Rollouts,
    keys: Arc<StoredKeys>,
}

/// Serves until a signal stops it. Returns the recorder, which has to be closed after the last
/// request has ended.
async fn serve(
    source: ConfigSource,
    config: Config,
    runtime: Runtime,
    StoredState { rollouts, keys }: StoredState,
    triggers: Triggers,
    Process { logging, supervisor, history }: Process,
) -> Result<Arc<Recorder>, CommandError> {
    let listeners = Listeners::bind(&config).await?;
    let (server, admin_settings) = (config.server.clone(), config.admin.clone());
    let drain = server.drain_timeout;
    let (traces, export) = traces::start(&config)
        .map_err(|error| CommandError::Input(format!("error: [traces]: {error}")))?
        .unzip();
    let sources = PolicySources { fetcher: Fetcher::new(), builtin: builtin::code };
    let log = config.decision_log.clone().map(|settings| DecisionLog::open(settings, &supervisor));
    let recorder = Arc::new(Recorder::new(traces, log.transpose().map_err(CommandError::run)?));
    recorder.start(&supervisor).map_err(CommandError::run)?;
    usage_history::start(history.clone(), Arc::clone(&recorder), &supervisor).map_err(CommandError::run)?;
    let snapshot = reload::start(config, &runtime, &rollouts, &sources, UnreachableSources::Tolerate)
        .await
        .map_err(|error| CommandError::Input(error.to_string()))?;
    let (queue, delivery) = policy_events::queue(Arc::clone(&recorder));
    let (shadows, asking) = shadow::queue(Arc::clone(&recorder));
    let app = Arc::new(App::new(snapshot, Arc::clone(&recorder), queue, shadows, keys));
    let change_notifier = runtime.change_notifier().clone();
    let activity = triggers.activity();
    let reloader = Reloader::new(source, runtime, sources, Arc::clone(&app), rollouts, activity);
    let reloader = Arc::new(reloader);
    let (stop, stopped) = watch::channel(false);

    // Signals are handled before the addresses are printed: their reader may send one immediately.
    let mut signals = StopSignals::listen().map_err(CommandError::run)?;
    listeners.print(server.tls.is_some(), admin_settings.tls.is_some())?;
    let tasks = TaskSpawner(supervisor.clone());
    let admin = Arc::new(Admin {
        app: Arc::clone(&app),
        reloader: Arc::clone(&reloader),
        first_tokens: admin_settings.tokens.clone(),
        events: Events::default(),
        condition_log: ConditionLog::default(),
        loss_watch: LossWatch::default(),
        playground: Playground::default(),
        history: HistoryReader::new(history),
        logging,
        supervisor: supervisor.clone(),
        handshake_failures: [
            ("client", listeners.clients.handshake_failures()),
            ("admin", listeners.admins.handshake_failures()),
        ],
        stop: stopped.clone(),
    });
    let helpers = [
        tasks.spawn(delivery),
        tasks.spawn(asking),
        tasks.spawn(RollbackWatch::new(Arc::clone(&reloader), change_notifier)),
        tasks.spawn(PriceWatch::new(Arc::clone(&reloader))),
        tasks.spawn(ReloadTask { triggers, reloader: Arc::clone(&reloader) }),
        tasks.spawn(EventSource(Arc::clone(&admin))),
    ];
    let (flush, flushed) = watch::channel(false);
    let exporting = export.map(|export| export.start(flushed, &supervisor));
    let exporting = exporting.transpose().map_err(CommandError::run)?;
    let clients_tls = current_tls(&app, server.tls.clone(), |config| config.server.tls.as_ref());
    let admins_tls = current_tls(&app, admin_settings.tls.clone(), |config| config.admin.tls.as_ref());
    let clients = client::router(Arc::clone(&app), &server);
    let clients = listeners.clients.run(clients, clients_tls, stopped.clone());
    let admins = listeners.admins.run(admin::router(admin), admins_tls, stopped);
    let listeners = async { tokio::join!(clients, admins).0 };
    let stopped = serve_until_stopped(listeners, &mut signals, &app, server.shutdown_delay, &stop).await;
    if let Some(exporting) = exporting.filter(|_| stopped.drained.is_some()) {
        // The last spans are delivered in the rest of the drain time.
        recorder.telemetry.record_pending();
        let _ = flush.send(true);
        let left = drain.saturating_sub(stopped.at.elapsed()).max(MIN_FLUSH);
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
    async fn bind(config: &Config) -> Result<Self, CommandError> {
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
                CommandError::Run(format!("error: cannot listen on {address}: {error}\n  = hint: change `{key}`; port 0 selects a free one"))
            })
        };
        Ok(Self {
            clients: bind(config.server.listen, "server.listen").await?,
            admins: bind(config.admin.listen, "admin.listen").await?,
        })
    }

    fn print(&self, has_client_tls: bool, has_admin_tls: bool) -> Result<(), CommandError> {
        let scheme = |has_tls| if has_tls { "https" } else { "http" };
        let (of_clients, of_admins) = (scheme(has_client_tls), scheme(has_admin_tls));
        let clients = self.clients.address().map_err(CommandError::run)?;
        let admins = self.admins.address().map_err(CommandError::run)?;
        // A closed standard output does not prevent serving.
        let addresses = format!("listening on {of_clients}://{clients}\nadmin on {of_admins}://{admins}");
        if write_stdout(addresses).is_err() {
            tracing::warn!(%clients, %admins, "cannot print the addresses to standard output");
        }
        Ok(())
    }
}

/// Returns the source of TLS for new connections of a listener that began with TLS. A reload may replace its files
/// and never turns it off.
fn current_tls(
    app: &Arc<App>,
    first: Option<ListenerTls>,
    of: fn(&Config) -> Option<&ListenerTls>,
) -> Option<CurrentTls> {
    let (first, app) = (first?, Arc::clone(app));
    Some(Arc::new(move || of(&app.snapshot().config).cloned().unwrap_or_else(|| first.clone())))
}

/// Spawns background tasks that are restarted when they fail.
struct TaskSpawner(Supervisor);

impl TaskSpawner {
    #[expect(clippy::disallowed_methods, reason = "the handles are kept, and aborted at the end")]
    fn spawn(&self, task: impl BackgroundTask + 'static) -> tokio::task::JoinHandle<()> {
        tokio::spawn(self.0.run(task))
    }
}
