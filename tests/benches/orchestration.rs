//! Cost and gain of splitting a request into tasks.
//!
//! `cargo bench --workspace --bench orchestration`, with `POINTSMAN_BIN` naming a release build.
//! Model, clients and gateway share the machine's cores. It measures the time of a plan beyond
//! that of the tasks on its critical path, as its trace states it; the same tasks in parallel and
//! in sequence, on the simulated fleet and, if `cargo xtask test` has installed them and
//! `POINTSMAN_TEST_PYTHON`, `POINTSMAN_TEST_MODEL` and `POINTSMAN_TEST_WHISPER` name them, on
//! real models; plans a second with models that answer at once; and the memory of a thousand
//! plans that wait for their models. Arguments after `--` select parts: `overhead`,
//! `side-by-side`, `real-models`, `throughput`, `waiting`.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to measure"
)]

use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use pointsman_guests::{PLANNER, Planned, Shape, planned};
use pointsman_tests::real_models::{Server, SmallServer, free_address, medium};
use pointsman_tests::{Connection, FakeModel, Gate, Gateway, Step, client};
use serde_json::{Value, json};

mod process;

use process::{cpu_seconds, median, memory};

const ROUNDS: usize = 5;
const PLANS: usize = 200;
const CLIENTS: usize = 64;
const PLANS_EACH: usize = 100;
const WAITING: usize = 1_000;
const REAL_ROUNDS: usize = 11;

/// Returns a configuration with a route whose planner has these settings, over these models;
/// `more` are keys of the route.
fn config(settings: &Planned, models: &str, more: &str) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planner.wasm");
    std::fs::write(&file, PLANNER).expect("the policy can be written");
    let settings: Value = serde_json::from_str(&planned(settings)).expect("settings are JSON");
    let members = settings.as_object().expect("settings are an object");
    let said = members.iter().filter(|(_, value)| !value.is_null());
    let settings: Vec<String> = said.map(|(key, value)| format!("{key} = {value}")).collect();
    format!(
        "[log]\nlevel = \"error\"\n[server]\nmax_connections = 8192\n{models}[policies.planner]\n\
         source = \"{}\"\ngrants = [\"outputs\"]\nsettings = {{ {} }}\n[routes.main]\npolicy = \"planner\"\n{more}",
        file.display(),
        settings.join(", ")
    )
}

fn at(model: &FakeModel) -> String {
    format!(
        "[backends.mock]\nbase_url = \"{}\"\n[models.\"mock/one\"]\ninput_price = 1\noutput_price = 1\n",
        model.base_url()
    )
}

/// Configuration of one simulated model: the first token after 20 ms, then 500 tokens a second.
const SIMULATED: &str = "[backends.fleet]\nkind = \"simulated\"\n[models.\"fleet/one\"]\ninput_price = 1\n\
                         output_price = 1\nexpected = { first_token_ms = 20, tokens_per_second = 500 }\n";

fn shaped(shape: Shape, tasks: usize) -> Planned {
    Planned { shape, tasks, ..Planned::default() }
}

fn body() -> Bytes {
    let message = json!({ "role": "user", "content": "why should a gateway add little?" });
    Bytes::from(json!({ "model": "main", "messages": [message] }).to_string())
}

/// Returns the milliseconds of plans from end to end, and beyond their critical paths.
async fn plans(gateway: &Gateway, count: usize) -> (Vec<f64>, Vec<f64>) {
    let mut connection = Connection::open(&gateway.base_url).await;
    for _ in 0..count {
        assert_eq!(connection.ask(&body()).await.status, 200);
    }
    let list = client::get(&gateway.admin(&format!("/admin/plans?limit={count}"))).await.json();
    let list = list.as_array().expect("a list of plans");
    let ms = |plan: &Value, key: &str| plan[key].as_f64().expect("a time");
    let total = |plan: &Value| ms(plan, "latency_ms");
    let beyond = |plan: &Value| ms(plan, "latency_ms") - ms(plan, "critical_path_ms");
    (list.iter().map(total).collect(), list.iter().map(beyond).collect())
}

async fn overhead() {
    println!(
        "time of a plan beyond its critical path, simulated models of 20 ms and more; medians of {PLANS}"
    );
    for tasks in [3, 32] {
        let gateway = Gateway::start(&config(&shaped(Shape::FanOut, tasks - 1), SIMULATED, "")).await;
        let (total, beyond) = plans(&gateway, PLANS).await;
        println!("  {tasks:>2} tasks   {:>7.2} ms in all   {:>6.3} ms beyond", median(total), median(beyond));
    }
}

async fn side_by_side() {
    println!("the same tasks in a row and side by side, simulated models; medians of {}", PLANS / 4);
    for tasks in [2, 3, 5] {
        let mut time = Vec::new();
        for limit in ["plan = { max_parallel = 1 }\n", ""] {
            let gateway = Gateway::start(&config(&shaped(Shape::FanOut, tasks), SIMULATED, limit)).await;
            time.push(median(plans(&gateway, PLANS / 4).await.0));
        }
        let less = 100.0 * (1.0 - time[1] / time[0]);
        println!(
            "  {tasks} tasks and an answer   {:>7.1} ms in a row   {:>7.1} ms side by side   {less:.0} % less",
            time[0], time[1]
        );
    }
}

/// Measures a plan on real models: a picture for a vision model, a recording for a speech model,
/// and a language model that answers in eight tokens. Each of the first two has a core to itself
/// if there are two: tasks in parallel are not to share one.
async fn on_real_models() {
    let named = |name: &str| std::env::var(name).ok();
    let (Some(python), Some(weights), Some(whisper)) =
        (named("POINTSMAN_TEST_PYTHON"), named("POINTSMAN_TEST_MODEL"), named("POINTSMAN_TEST_WHISPER"))
    else {
        println!("real models: not measured, since none are named");
        return;
    };
    let (eye, ear) = tokio::join!(SmallServer::vision(&python), SmallServer::speech(&python, &whisper));
    let address = free_address();
    let _tongue = Server::language(Path::new(&python), Path::new(&weights), address);
    let models = format!(
        "[backends.eye]\nbase_url = \"{}\"\n[backends.ear]\nbase_url = \"{}\"\n[backends.tongue]\n\
         base_url = \"http://{address}/v1\"\n[models.\"eye/ocr\"]\ninput_price = 1\noutput_price = 1\n\
         inputs = [\"text\", \"image\"]\nquality = {{ general = 0.1, vision = 0.8 }}\n[models.\"ear/whisper\"]\n\
         input_price = 1\noutput_price = 1\ninputs = [\"audio\"]\noperations = [\"transcription\"]\n\
         [models.\"tongue/gemma\"]\nupstream_name = \"gemma.gguf\"\ninput_price = 1\noutput_price = 1\n\
         quality = 0.5\n[policies.multimodal]\nsource = \"builtin:multimodal\"\n",
        eye.base_url, ear.base_url
    );
    let picture = json!({ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{}", medium("notice.png")) } });
    let recording =
        json!({ "type": "input_audio", "input_audio": { "data": medium("sentence.mp3"), "format": "mp3" } });
    let parts = json!([{ "type": "text", "text": "What does the notice say?" }, picture, recording]);
    let body =
        json!({ "model": "main", "max_tokens": 8, "messages": [{ "role": "user", "content": parts }] });
    let (mut time, mut shorter) = (Vec::new(), Vec::new());
    for limit in ["plan = { max_parallel = 1 }", ""] {
        let config = format!(
            "[log]\nlevel = \"error\"\n{models}[routes.main]\npolicy = \"multimodal\"\nmax_attempts = 50\n{limit}\n"
        );
        let gateway = Gateway::start(&config).await;
        let mut times = Vec::new();
        for round in 0..=REAL_ROUNDS {
            let answer = client::post(&gateway.url("/v1/chat/completions"), &body).await;
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            let latency = answer.header("x-pointsman-latency-ms").and_then(|text| text.parse::<f64>().ok());
            // The first one warms the models up.
            times.extend(latency.filter(|_| round > 0));
            if time.is_empty() {
                shorter.push(shorter_of_two(&gateway, &answer).await);
            }
        }
        time.push(median(times));
    }
    let less = 100.0 * (1.0 - time[1] / time[0]);
    let most = 100.0 * median(shorter) / time[0];
    println!(
        "a picture, a recording and an answer on real models (OCR, Whisper base, Gemma 270M); medians of {REAL_ROUNDS}"
    );
    println!(
        "  {:>7.0} ms in a row   {:>7.0} ms side by side   {less:.0} % less, of {most:.0} % that the critical path allows",
        time[0], time[1]
    );
}

/// Returns the milliseconds of the shorter one of a plan's first two tasks: the limit of the time
/// that running them in parallel can save.
async fn shorter_of_two(gateway: &Gateway, answer: &client::Answer) -> f64 {
    let id = answer.header("x-pointsman-decision-id").expect("an id");
    let trace = client::get(&gateway.admin(&format!("/admin/plans/{id}"))).await.json();
    let took = |task: usize| {
        let time = |key: &str| trace["tasks"][task][key].as_f64().expect("a time");
        time("ended_ms") - time("begun_ms")
    };
    took(0).min(took(1))
}

async fn throughput() {
    let model = FakeModel::builder().forgetful().otherwise(|_| Step::answer("hello there")).start().await;
    let gateway = Gateway::start(&config(&shaped(Shape::FanOut, 2), &at(&model), "")).await;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (cpu, started) = (cpu_seconds(gateway.process()), Instant::now());
        let client = |_| {
            let base = gateway.base_url.clone();
            tokio::spawn(async move {
                let mut connection = Connection::open(&base).await;
                for _ in 0..PLANS_EACH {
                    assert_eq!(connection.ask(&body()).await.status, 200);
                }
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        for client in clients {
            client.await.expect("all plans are answered");
        }
        let plans = (CLIENTS * PLANS_EACH) as f64;
        let cpu = (cpu_seconds(gateway.process()) - cpu) / plans * 1e6;
        rounds.push((plans / started.elapsed().as_secs_f64(), cpu));
    }
    let rate = median(rounds.iter().map(|(rate, _)| *rate).collect());
    let cpu = median(rounds.iter().map(|(_, cpu)| *cpu).collect());
    println!("plans of three tasks, models that answer at once; medians of {ROUNDS} rounds");
    println!("  {CLIENTS} clients   {rate:>6.0} plans/s   {cpu:>6.0} µs of the gateway's CPU a plan");
}

async fn waiting() {
    let gate = Gate::new();
    let at_gate = gate.clone();
    let model = FakeModel::builder()
        .forgetful()
        .otherwise(move |_| Step::answer("hello there").after(&at_gate))
        .start()
        .await;
    let gateway = Gateway::start(&config(&shaped(Shape::FanOut, 2), &at(&model), "")).await;
    let (idle, _) = memory(gateway.process());
    let url = gateway.url("/v1/chat/completions");
    let ask = |_| {
        let url = url.clone();
        tokio::spawn(async move {
            let body: Value = serde_json::from_slice(&body()).expect("JSON");
            assert_eq!(client::post(&url, &body).await.status, 200);
        })
    };
    let asked: Vec<_> = (0..WAITING).map(ask).collect();
    gate.reached_by(2 * WAITING).await;
    let (busy, threads) = memory(gateway.process());
    println!("{WAITING} plans whose {} calls wait for their models", 2 * WAITING);
    println!(
        "  {idle:.1} MiB idle   {busy:.1} MiB then: {:.1} KiB a plan   {threads} threads",
        (busy - idle) * 1024.0 / WAITING as f64
    );
    gate.open();
    for asked in asked {
        asked.await.expect("all plans are answered");
    }
}

#[tokio::main]
async fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|word| word == name);
    if wanted("overhead") {
        overhead().await;
    }
    if wanted("side-by-side") {
        side_by_side().await;
    }
    if wanted("real-models") {
        on_real_models().await;
    }
    if wanted("throughput") {
        throughput().await;
    }
    if wanted("waiting") {
        waiting().await;
    }
}
