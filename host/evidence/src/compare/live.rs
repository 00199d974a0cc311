//! A side of a comparison, measured at a running gateway.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use pointsman_author::files;
use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::Prompt;
use pointsman_evaluation::simulation::{QuantileSketch, SimulatedRequest};
use pointsman_evaluation::trade_off::ComplexityFacts;
use pointsman_terminal::{CommandError, Progress};
use serde_json::{Value, json};
use ureq::Agent;

use super::side::SideFigures;
use crate::figures::Latency;
use crate::workload::Workload;

/// Longest time for an answer.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Most requests to a running gateway.
const MAX_REQUESTS: u64 = 100_000;
/// Longest key, in bytes.
const MAX_KEY: u64 = 4_096;
/// Picture of one grey pixel (PNG), for parts that are images.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
/// Beginning of a recording (WAV), for parts that are audio.
const SOUND: &str = "UklGRg==";

/// Options of a comparison at a running gateway.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct LiveArgs {
    /// Send real requests to the gateway at this URL. They cost what the models charge
    #[arg(long, value_name = "URL")]
    live: Option<String>,
    /// Requests to the gateway at once; each worker sends the next when it has an answer
    #[arg(long, value_name = "N", default_value_t = 4, requires = "live", value_parser = clap::value_parser!(u64).range(1..=64))]
    concurrency: u64,
    /// File with the key of a client, if the gateway requires one
    #[arg(long, value_name = "FILE", requires = "live")]
    key_file: Option<PathBuf>,
}

impl LiveArgs {
    pub(super) fn url(&self) -> Option<&str> {
        self.live.as_deref()
    }

    fn key(&self) -> Result<Option<String>, CommandError> {
        let read = |path: &PathBuf| files::read_text(path, MAX_KEY).map(|key| key.trim().to_owned());
        self.key_file.as_ref().map(read).transpose()
    }
}

/// Sums over answers.
#[derive(Default)]
struct Measured {
    answered: u64,
    failed: u64,
    cost_usd: f64,
    latency: QuantileSketch,
    calls: u64,
    several: u64,
    models: BTreeMap<String, u64>,
    first_error: Option<String>,
}

/// Headers of an answer.
struct AnswerFacts {
    cost_usd: f64,
    calls: u64,
    model: Option<String>,
}

/// Sends the requests to a route, and measures.
///
/// # Errors
/// Fails with exit status 1 if no request is answered.
pub(super) fn measure(
    url: &str,
    route: &str,
    args: &LiveArgs,
    workload: &Workload,
) -> Result<SideFigures, CommandError> {
    if workload.count() > MAX_REQUESTS {
        return Err(CommandError::Input(format!(
            "error: --live sends at most {MAX_REQUESTS} requests\n  = hint: give a lower number with --requests"
        )));
    }
    let url = format!("{}/v1/chat/completions", url.trim_end_matches('/'));
    let (key, total) = (args.key()?, workload.count());
    let agent: Agent =
        Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build().into();
    let requests = Mutex::new(workload.requests(1.0));
    let measured = Mutex::new(Measured::default());
    let done = AtomicU64::new(0);
    let progress = Progress::step("sending requests");
    let lock = || measured.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for _ in 0..args.concurrency {
            scope.spawn(|| {
                loop {
                    let next = requests.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(request) = next else { break };
                    let begun = Instant::now();
                    let answer = send(&agent, &url, key.as_deref(), &body(route, &request));
                    lock().add(answer, begun.elapsed());
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress.show(&format!("{route}: {done}/{total} requests"));
                }
            });
        }
    });
    drop(progress);
    let measured = std::mem::take(&mut *lock());
    if let (0, Some(error)) = (measured.answered, &measured.first_error) {
        return Err(CommandError::Run(format!("error: no request to {route} was answered: {error}")));
    }
    Ok(measured.figures(route))
}

fn send(agent: &Agent, url: &str, key: Option<&str>, body: &Value) -> Result<AnswerFacts, String> {
    let mut request = agent.post(url).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let mut response = request.send(body.to_string()).map_err(|error| error.to_string())?;
    let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    if status != 200 {
        let message = serde_json::from_str::<Value>(&text).ok();
        let message = message.and_then(|body| body["error"]["message"].as_str().map(str::to_owned));
        return Err(format!("status {status}: {}", message.unwrap_or_default()));
    }
    let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let number = |name: &str| header(name)?.parse::<f64>().ok();
    Ok(AnswerFacts {
        cost_usd: number("x-pointsman-cost-usd").unwrap_or(0.0),
        calls: number("x-pointsman-attempts").unwrap_or(1.0) as u64,
        model: header("x-pointsman-model"),
    })
}

impl Measured {
    fn add(&mut self, answer: Result<AnswerFacts, String>, latency: Duration) {
        match answer {
            Ok(answer) => {
                self.answered += 1;
                self.cost_usd += answer.cost_usd;
                self.latency.add(latency);
                self.calls += answer.calls;
                self.several += u64::from(answer.calls > 1);
                if let Some(model) = answer.model {
                    *self.models.entry(model).or_default() += 1;
                }
            }
            Err(error) => {
                self.failed += 1;
                self.first_error.get_or_insert(error);
            }
        }
    }

    fn figures(self, route: &str) -> SideFigures {
        let answered = self.answered.max(1) as f64;
        let providers: std::collections::BTreeSet<&str> =
            self.models.keys().filter_map(|model| model.split('/').next()).collect();
        let complexity = ComplexityFacts {
            calls: self.calls as f64 / answered,
            // The headers do not state it; what is not known does not count.
            depth: 0.0,
            several_calls: self.several as f64 / answered,
            providers: providers.len() as u64,
            policy_lines: None,
            configuration_lines: None,
        };
        SideFigures {
            name: route.to_owned(),
            answered: self.answered,
            failed: self.failed,
            mean_cost_usd: Some(self.cost_usd / answered),
            latency: Latency::of(&self.latency),
            first_token: Latency::default(),
            quality: None,
            recorded_quality: (None, 0),
            complexity,
            largest_depth: 0,
            models: self.models.into_iter().collect(),
        }
    }
}

/// Returns the body of a request: its messages, with stand-ins for pictures and recordings.
fn body(route: &str, request: &SimulatedRequest) -> Value {
    let content = &*request.content;
    let messages = (0..content.message_count()).map(|message| {
        let parts = content.parts().iter().filter(|part| part.message == message);
        let parts: Vec<Value> =
            parts.filter_map(|part| json_part(content, part.message, part.part, part.kind)).collect();
        json!({ "role": content.role(message).unwrap_or("user"), "content": parts })
    });
    let limit = request.facts.max_output_tokens.unwrap_or(request.output_tokens).max(1);
    json!({ "model": route, "messages": messages.collect::<Vec<_>>(), "max_tokens": limit })
}

fn json_part(content: &dyn Prompt, message: usize, part: usize, kind: Modalities) -> Option<Value> {
    match kind {
        Modalities::TEXT => Some(json!({ "type": "text", "text": content.part_text(message, part)? })),
        Modalities::IMAGE => Some(json!({ "type": "image_url", "image_url": { "url": PIXEL } })),
        Modalities::AUDIO => {
            Some(json!({ "type": "input_audio", "input_audio": { "data": SOUND, "format": "wav" } }))
        }
        _ => None,
    }
}
