//! Decision logs of any length, of a world whose truth is known.

use std::fmt::Write as _;

/// Models of the world: name, US dollars per million input tokens, mean output tokens, milliseconds per output token,
/// mean score of ratings, and probability with which the logged policy draws it.
const MODELS: [(&str, f64, f64, f64, f64, f64); 3] = [
    ("fleet/small", 1.0, 150.0, 4.0, 0.6, 0.6),
    ("fleet/medium", 2.0, 200.0, 8.0, 0.7, 0.3),
    ("fleet/large", 4.0, 250.0, 12.0, 0.8, 0.1),
];
/// Price of an output token, as a multiple of that of an input token.
const OUTPUT_FACTOR: f64 = 4.0;
/// Arrival of the first request, in milliseconds since 1970.
const BEGIN_MS: u64 = 1_795_730_930_139;

/// A log of requests for which a policy drew one of three models.
#[derive(Clone, Debug)]
pub struct SyntheticLog {
    /// Seed of everything random.
    pub seed: u64,
    /// True if the log states 1/3 as each probability, which is wrong.
    pub states_uniform: bool,
    /// Share of the requests that have a rating.
    pub rated: f64,
}

impl Default for SyntheticLog {
    fn default() -> Self {
        Self { seed: 1, states_uniform: false, rated: 0.0 }
    }
}

/// Random numbers of one request (SplitMix64).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number of the exponential distribution.
    fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}

/// A request before a model is chosen.
struct Arrival {
    random: Random,
    input_tokens: u32,
    is_code: bool,
    key: usize,
}

/// Outcomes of a request on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Cost in US dollars.
    pub cost_usd: f64,
    /// Latency in milliseconds.
    pub latency_ms: f64,
}

impl SyntheticLog {
    fn arrival(&self, number: u64) -> Arrival {
        let mut random = Random(self.seed.wrapping_mul(0x0001_0000_0001) ^ number.wrapping_mul(0x9e37_79b9));
        random.unit();
        let input_tokens = (40.0 * (5.0 * random.unit()).exp()) as u32;
        let (is_code, key) = (random.unit() < 0.3, (random.unit() * 10.0) as usize);
        Arrival { random, input_tokens, is_code, key }
    }

    fn drawn(arrival: &mut Arrival) -> usize {
        let point = arrival.random.unit();
        let mut sum = 0.0;
        let found = MODELS.iter().position(|(.., probability)| {
            sum += probability;
            point < sum
        });
        found.unwrap_or(MODELS.len() - 1)
    }

    /// Returns what a request costs and takes on average at a model.
    fn expected_at(arrival: &Arrival, model: usize) -> Expected {
        let (_, price, output_tokens, token_ms, ..) = MODELS[model];
        let output_tokens = output_tokens * if arrival.is_code { 2.0 } else { 1.0 };
        let tokens = f64::from(arrival.input_tokens) + OUTPUT_FACTOR * output_tokens;
        let first_token = 20.0 + f64::from(arrival.input_tokens) / 50.0;
        Expected { cost_usd: tokens * price / 1e6, latency_ms: first_token + output_tokens * token_ms }
    }

    /// Returns the true mean difference, over the first requests, between sending all of them to the model with this
    /// number and the draws of the log.
    pub fn true_difference(&self, requests: u64, model: usize) -> Expected {
        let mut sum = Expected::default();
        for number in 0..requests {
            let arrival = self.arrival(number);
            let target = Self::expected_at(&arrival, model);
            for (logged, (.., probability)) in MODELS.iter().enumerate() {
                let logged = Self::expected_at(&arrival, logged);
                sum.cost_usd += probability * (target.cost_usd - logged.cost_usd);
                sum.latency_ms += probability * (target.latency_ms - logged.latency_ms);
            }
        }
        Expected { cost_usd: sum.cost_usd / requests as f64, latency_ms: sum.latency_ms / requests as f64 }
    }

    /// Appends the line of a request, and that of its rating if it has one.
    pub fn append(&self, number: u64, text: &mut String) {
        let mut arrival = self.arrival(number);
        let model = Self::drawn(&mut arrival);
        let (name, price, .., score, probability) = MODELS[model];
        let mean = Self::expected_at(&arrival, model);
        let input_cost = f64::from(arrival.input_tokens) * price / 1e6;
        // Output tokens, and with them cost and latency, vary by a factor with mean 1.
        let factor = arrival.random.exponential();
        let output_tokens = ((mean.cost_usd - input_cost) * 1e6 / price / OUTPUT_FACTOR * factor).round();
        let cost = input_cost + output_tokens * OUTPUT_FACTOR * price / 1e6;
        let first_token = 20.0 + f64::from(arrival.input_tokens) / 50.0;
        let latency = first_token + (mean.latency_ms - first_token) * factor;
        let propensity = if self.states_uniform { 1.0 / MODELS.len() as f64 } else { probability };
        let id = format!("01a219e7-{:04x}-7{:03x}-8000-{number:012x}", number >> 12 & 0xffff, number & 0xfff);
        let (route, key, at) =
            (if arrival.is_code { "code" } else { "auto" }, arrival.key, BEGIN_MS + 100 * number);
        let candidates: Vec<String> = MODELS.iter().map(candidate).collect();
        let others = (0..MODELS.len()).filter(|other| *other != model);
        let targets: Vec<String> = [model]
            .into_iter()
            .chain(others)
            .map(|candidate| format!("{{\"candidate\":{candidate}}}"))
            .collect();
        let input_tokens = arrival.input_tokens;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{{\"schema\":1,\"id\":\"{id}\",\"at_ms\":{at},\"route\":\"{route}\",\"key\":\"team-{key}\",\"request\":{{\"operation\":\"chat\",\
             \"model\":\"{route}\",\"input_tokens\":{input_tokens},\"max_output_tokens\":1000,\"inputs\":[\"text\"],\"needs\":[],\
             \"turns\":1,\"streaming\":false,\"deadline_ms\":299999,\"attributes\":{{}}}},\"decisions\":[{{\"policy\":\"drawn\",\
             \"digest\":\"b05385d819eddfce9ccba3a3e41782c9053485d3ea0a582cdabdc8ee7901215d\",\"asked_ms\":0.056,\"took_us\":97.4,\
             \"whole\":3,\"candidates\":[{}],\"answer\":{{\"kind\":\"route\",\"targets\":[{}],\"label\":\"drawn\",\
             \"propensity\":{propensity}}}}}],\"attempts\":[{{\"model\":\"{name}\",\"begun_ms\":1.1,\"first_token_ms\":{first_token:.3},\
             \"ended_ms\":{latency:.3},\"result\":\"answered\",\"input_tokens\":{input_tokens},\"output_tokens\":{output_tokens},\
             \"estimated\":false,\"cost_usd\":{cost}}}],\"outcome\":{{\"ending\":\"answered\",\"label\":\"drawn\",\"model\":\"{name}\",\
             \"first_token_ms\":{first_token:.3},\"latency_ms\":{latency:.3},\"added_ms\":1.0,\"input_tokens\":{input_tokens},\
             \"output_tokens\":{output_tokens},\"estimated\":false,\"cost_usd\":{cost}}}}}",
            candidates.join(","),
            targets.join(","),
        );
        if arrival.random.unit() < self.rated {
            let score = (score + 0.4 * (arrival.random.unit() - 0.5)).clamp(0.0, 1.0);
            let _ = writeln!(
                text,
                "{{\"kind\":\"feedback\",\"schema\":1,\"decision\":\"{id}\",\"at_ms\":{},\"key\":\"team-{key}\",\"label\":\"drawn\",\
                 \"model\":\"{name}\",\"score\":{score:.3}}}",
                at + 5_000
            );
        }
    }

    /// Returns the lines of the first requests.
    pub fn lines(&self, requests: u64) -> String {
        let mut text = String::new();
        (0..requests).for_each(|number| self.append(number, &mut text));
        text
    }
}

fn candidate((name, price, _, token_ms, score, _): &(&str, f64, f64, f64, f64, f64)) -> String {
    format!(
        "{{\"model\":\"{name}\",\"input_usd_per_million\":{price},\"output_usd_per_million\":{},\"context_window\":131072,\
         \"max_output_tokens\":8192,\"inputs\":[\"text\"],\"abilities\":[\"tools\",\"streaming\"],\"operations\":[\"chat\"],\
         \"quality\":{score},\"attributes\":{{\"parameters\":\"7B\"}},\"healthy\":true,\"in_flight\":3,\"first_token_ms\":25.0,\
         \"tokens_per_second\":{},\"error_rate\":0.0}}",
        price * OUTPUT_FACTOR,
        1_000.0 / token_ms
    )
}
