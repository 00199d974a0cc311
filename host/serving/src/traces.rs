//! Export of spans: the connection to the collector, and the servers of models.

use std::io;
use std::ops::ControlFlow;

use bytes::Bytes;
use http::Uri;
use pointsman_backends::{InvalidBackend, PostClient, PostResponse, TransportConfig};
use pointsman_domain::ids::BackendName;
use pointsman_telemetry::Supervisor;
use pointsman_telemetry::traces::{
    self, CollectorResponse, Exporter, ModelServer, ModelServers, REQUEST_TYPE, SpanCollector, TraceSettings,
    Traces,
};
use tokio::sync::{oneshot, watch};

use pointsman_config::{self as config, Config};

/// Names of providers: in the catalogue of models, and in OpenTelemetry if it has another one.
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

/// Creates the recorder of spans and their export, if a collector is configured.
///
/// # Errors
/// Fails when the connection to the collector cannot be configured.
pub fn start(config: &Config) -> Result<Option<(Traces, SpanExport)>, InvalidBackend> {
    let Some(config::Traces { collector, timeout, sample, content, service_name }) = &config.traces else {
        return Ok(None);
    };
    let client = PostClient::new(collector, REQUEST_TYPE, *timeout)?;
    let instance = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string();
    let settings =
        TraceSettings { service: service_name.clone(), instance, sample: *sample, content: *content };
    let (traces, exporter) = traces::traces(settings);
    traces.set_servers(model_servers(config));
    Ok(Some((traces, SpanExport { exporter, collector: PostingCollector(client) })))
}

/// Export of spans to a collector.
#[derive(Debug)]
pub struct SpanExport {
    exporter: Exporter,
    collector: PostingCollector,
}

#[derive(Debug)]
struct PostingCollector(PostClient);

impl SpanExport {
    /// Sends spans until `stop` is true, and then the remaining ones. Runs in a dedicated thread, so
    /// that no request waits while a batch is handed to the system. The returned channel resolves when
    /// everything has been sent.
    ///
    /// # Errors
    /// Fails when the system cannot start the thread or its runtime.
    pub fn start(
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
            // The receiver may have timed out.
            let _ = ended.take().map(|ended| ended.send(()));
            ControlFlow::Break(())
        })?;
        Ok(sent)
    }
}

impl SpanCollector for PostingCollector {
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

/// Returns the servers of the models of a configuration.
pub fn model_servers(config: &Config) -> ModelServers {
    let server = |backend: &config::Backend| -> (BackendName, ModelServer) {
        let known = PROVIDERS.iter().find(|(ours, _)| *ours == backend.provider);
        let provider = known.map_or(backend.provider.as_str(), |(_, theirs)| theirs).to_owned();
        let address = match &backend.transport {
            TransportConfig::Http(http) => address(&http.base_url),
            TransportConfig::Simulated(_) => None,
        };
        (backend.name.clone(), ModelServer { provider, address })
    };
    config.backends.iter().map(server).collect()
}

fn address(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), uri.port_u16().unwrap_or(default_port)))
}
