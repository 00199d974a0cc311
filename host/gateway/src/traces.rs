//! Spans on their way to a collector: where it is, and where models are.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use pointsman_backends::{InvalidBackend, PostClient, PostResponse, TransportConfig};
use pointsman_domain::ids::BackendName;
use pointsman_telemetry::Supervisor;
use pointsman_telemetry::traces::{self, Collector, Exporter, Refused, Server, Servers, Settings, Traces};
use tokio::sync::{oneshot, watch};

use crate::config::{self, Config};

const PROTOBUF: &str = "application/x-protobuf";

/// Providers that OpenTelemetry has a name for, by those of the catalogue of models.
const PROVIDERS: [(&str, &str); 10] = [
    ("amazon-bedrock", "aws.bedrock"),
    ("azure", "azure.ai.openai"),
    ("azure-cognitive-services", "azure.ai.inference"),
    ("google", "gcp.gemini"),
    ("google-vertex", "gcp.vertex_ai"),
    ("google-vertex-anthropic", "gcp.vertex_ai"),
    ("mistral", "mistral_ai"),
    ("moonshotai", "moonshot_ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("xai", "x_ai"),
];

/// Both ends of the way to the collector, if the configuration has one.
pub(crate) fn start(config: &Config) -> Result<Option<(Traces, Export)>, InvalidBackend> {
    let Some(config::Traces { collector, timeout, sample, content, service_name }) = &config.traces else {
        return Ok(None);
    };
    let endpoint = PostClient::new(collector, PROTOBUF, *timeout)?;
    let instance = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string();
    let settings = Settings { service: service_name.clone(), instance, sample: *sample, content: *content };
    let (traces, exporter) = traces::traces(settings);
    traces.models_are_at(servers(config));
    Ok(Some((traces, Export { exporter, endpoint: Posting(endpoint) })))
}

/// What sends spans.
#[derive(Debug)]
pub(crate) struct Export {
    exporter: Exporter,
    endpoint: Posting,
}

#[derive(Debug)]
struct Posting(PostClient);

impl Export {
    /// Sends until it is told to stop, and then what is still there. In a thread of
    /// its own, so that no request waits while a batch is handed to the system. What
    /// comes back resolves when all is sent.
    pub(crate) fn start(
        self,
        mut stop: watch::Receiver<bool>,
        supervisor: &Supervisor,
    ) -> io::Result<oneshot::Receiver<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let Self { mut exporter, endpoint } = self;
        let (ended, sent) = oneshot::channel();
        let mut ended = Some(ended);
        supervisor.spawn_thread("span-export", move || {
            runtime.block_on(exporter.run(&endpoint, &mut stop));
            // Whoever waits may have lost patience.
            let _ = ended.take().map(|ended| ended.send(()));
            ControlFlow::Break(())
        })?;
        Ok(sent)
    }
}

impl Collector for Posting {
    async fn send(&self, request: Bytes) -> Result<Bytes, Refused> {
        let refused = |why: String, may_be_sent_again: bool, after: Option<Duration>| Refused {
            why,
            may_be_sent_again,
            after,
        };
        match self.0.post(request).await {
            Ok(PostResponse { status: 200..300, body, .. }) => Ok(body),
            Ok(PostResponse { status, retry_after, .. }) => {
                // The statuses that OTLP calls retryable.
                let is_for_now = matches!(status, 429 | 502..=504);
                Err(refused(format!("{}: status {status}", self.0.address()), is_for_now, retry_after))
            }
            Err(failure) => Err(refused(format!("{}: {failure}", self.0.address()), true, None)),
        }
    }
}

/// Where the models of a configuration are called.
pub(crate) fn servers(config: &Config) -> Servers {
    let server = |backend: &config::Backend| -> (BackendName, Server) {
        let known = PROVIDERS.iter().find(|(ours, _)| *ours == backend.provider);
        let provider = known.map_or(backend.provider.as_str(), |(_, theirs)| theirs).to_owned();
        let address = match &backend.transport {
            TransportConfig::Http(http) => address(&http.base_url),
            TransportConfig::Simulated(_) => None,
        };
        (backend.name.clone(), Server { provider, address })
    };
    config.backends.iter().map(server).collect()
}

fn address(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), uri.port_u16().unwrap_or(usual)))
}
