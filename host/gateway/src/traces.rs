//! Spans on their way to a collector: where it is, and where models are.

use std::io;
use std::ops::ControlFlow;

use bytes::Bytes;
use http::Uri;
use pointsman_backends::{InvalidBackend, PostClient, PostResponse, TransportConfig};
use pointsman_domain::ids::BackendName;
use pointsman_telemetry::Supervisor;
use pointsman_telemetry::traces::{
    self, Collector, CollectorResponse, Exporter, REQUEST_TYPE, Server, Servers, Settings, Traces,
};
use tokio::sync::{oneshot, watch};

use pointsman_config::{self as config, Config};

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
    let client = PostClient::new(collector, REQUEST_TYPE, *timeout)?;
    let instance = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string();
    let settings = Settings { service: service_name.clone(), instance, sample: *sample, content: *content };
    let (traces, exporter) = traces::traces(settings);
    traces.models_are_at(servers(config));
    Ok(Some((traces, Export { exporter, collector: PostingCollector(client) })))
}

/// What sends spans.
#[derive(Debug)]
pub(crate) struct Export {
    exporter: Exporter,
    collector: PostingCollector,
}

#[derive(Debug)]
struct PostingCollector(PostClient);

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
        let Self { mut exporter, collector } = self;
        let (ended, sent) = oneshot::channel();
        let mut ended = Some(ended);
        supervisor.spawn_thread("span-export", move || {
            runtime.block_on(exporter.run(&collector, &mut stop));
            // Whoever waits may have lost patience.
            let _ = ended.take().map(|ended| ended.send(()));
            ControlFlow::Break(())
        })?;
        Ok(sent)
    }
}

impl Collector for PostingCollector {
    fn address(&self) -> String {
        self.0.address()
    }

    async fn post(&self, request: Bytes) -> Result<CollectorResponse, String> {
        match self.0.post(request).await {
            Ok(PostResponse { status, retry_after, body }) => {
                Ok(CollectorResponse { status, retry_after, body })
            }
            Err(failure) => Err(failure.to_string()),
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
