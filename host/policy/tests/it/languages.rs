//! The example policies in other languages, in the usual sandbox.
//!
//! `cargo xtask test` builds them and passes their directory. Without it these tests are skipped,
//! except on CI.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::decision::Refusal;
use pointsman_domain::money::Price;
use pointsman_domain::plan::PlanStep;
use pointsman_policy::{DecisionInput, Grants, Isolation, Limits, Policy, PolicyAnswer, PolicySpec};

use crate::support::{input, load, load_error, spec_with};

const WARM: Isolation = Isolation::Warm { recycle_after: 10_000, instances: 1 };
/// Setting of the policies in these tests.
const MIN_QUALITY: f64 = 0.6;

/// One of the example policies.
struct Example {
    bytes: Vec<u8>,
    grants: Grants,
}

impl Example {
    /// File of the build without imports of WASI.
    fn stubbed(language: &str) -> Option<Self> {
        Some(Self { bytes: built(language)?, grants: Grants::empty() })
    }

    /// File of the build with them.
    fn with_wasi(language: &str) -> Option<Self> {
        Some(Self { bytes: built(&format!("{language}-wasi"))?, grants: Grants::WASI })
    }

    /// Limits, with a longer deadline than usual because other tests keep the machine busy.
    fn spec(&self, settings: &str, isolation: Isolation) -> PolicySpec {
        let limits = Limits { deadline: Duration::from_secs(60), ..Limits::default() };
        PolicySpec { grants: self.grants, limits, isolation, ..spec_with(settings) }
    }

    fn load(&self, isolation: Isolation) -> Policy {
        let settings = format!(r#"{{"min_quality": {MIN_QUALITY}}}"#);
        load(self.spec(&settings, isolation), &self.bytes).unwrap()
    }
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the test runner passes paths in the environment, and reads skipped tests from the output"
)]
fn built(name: &str) -> Option<Vec<u8>> {
    const VARIABLE: &str = "POINTSMAN_TEST_POLICIES";
    let Ok(directory) = std::env::var(VARIABLE) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{VARIABLE} is not set");
        println!("skipped: {VARIABLE} is not set; cargo xtask test sets it");
        return None;
    };
    Some(std::fs::read(Path::new(&directory).join(name).with_extension("wasm")).unwrap())
}

/// Requests that differ in every fact that the policies use.
fn inputs() -> impl Iterator<Item = DecisionInput> {
    let mut state = 1_u64;
    let mut below = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    std::iter::repeat_with(move || {
        let mut input = input(1 + below(12) as usize);
        let request = Arc::get_mut(&mut input.request).unwrap();
        request.input_tokens = below(10_000) as u32;
        request.max_output_tokens = [None, Some(100), Some(1_000)][below(3) as usize];
        for candidate in Arc::get_mut(&mut input.candidates).unwrap() {
            candidate.live.healthy = below(4) > 0;
            let model = Arc::get_mut(&mut candidate.model).unwrap();
            model.price = Price::per_million(below(5) as f64 / 4.0, below(20) as f64 / 4.0);
            model.quality.general = (below(5) > 0).then(|| below(11) as f64 / 10.0);
        }
        input
    })
}

/// The expected targets: candidates of sufficient quality, healthy ones first, from the cheapest to
/// the most expensive.
fn expected(input: &DecisionInput) -> Vec<usize> {
    let output = f64::from(input.request.max_output_tokens.unwrap_or(256).min(256));
    let cost = |index: &usize| {
        let price = &input.candidates[*index].model.price;
        f64::from(input.request.input_tokens) * price.input_per_million()
            + output * price.output_per_million()
    };
    let good = |index: &usize| {
        input.candidates[*index].model.quality.general.is_some_and(|quality| quality >= MIN_QUALITY)
    };
    let mut order: Vec<usize> = (0..input.candidates.len()).filter(good).collect();
    order.sort_by(|a, b| {
        let unhealthy = |index: usize| !input.candidates[index].live.healthy;
        unhealthy(*a).cmp(&unhealthy(*b)).then(cost(a).total_cmp(&cost(b)))
    });
    order
}

async fn decides_as_expected(policy: &Policy, inputs: impl Iterator<Item = DecisionInput>) {
    for input in inputs {
        let expected = expected(&input);
        match policy.decide(input).await.unwrap() {
            PolicyAnswer::Step(PlanStep::Route(decision)) => {
                let targets: Vec<usize> = decision.targets().iter().map(|target| target.candidate).collect();
                assert_eq!(targets, expected);
                assert_eq!(decision.label(), "cheapest");
            }
            PolicyAnswer::Refusal(Refusal::NoCandidate(_)) => assert!(expected.is_empty(), "{expected:?}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Loads an example once, which is the expensive part, and tests all of its behaviour.
async fn works(example: Option<Example>) {
    let Some(example) = example else { return };
    let fresh = example.load(Isolation::Fresh);
    decides_as_expected(&fresh, inputs().take(50)).await;
    decides_as_expected(&example.load(WARM), inputs().take(1_000)).await;

    let refused = |settings| load_error(example.spec(settings, Isolation::Fresh), &example.bytes);
    for settings in [r#"{"min_quality": 1.5}"#, r#"{"min_quality": "high"}"#, r#"{"max_quality": 1}"#] {
        let error = refused(settings);
        assert!(error.starts_with("the policy refuses its settings: "), "{error}");
        assert!(error.contains("`min_quality`"), "{error}");
    }
    if example.grants.contains(Grants::WASI) {
        let ungranted = PolicySpec { grants: Grants::empty(), ..fresh.spec().clone() };
        let error = load_error(ungranted, &example.bytes);
        assert!(error.starts_with("the policy imports `wasi:"), "{error}");
        assert!(error.ends_with("to grant it: grants = [\"wasi\"]"), "{error}");
    }
}

#[tokio::test]
async fn a_policy_in_c_works() {
    works(Example::stubbed("c")).await;
}

#[tokio::test]
async fn a_policy_in_javascript_works() {
    works(Example::stubbed("javascript")).await;
}

#[tokio::test]
async fn a_policy_in_javascript_with_wasi_works() {
    works(Example::with_wasi("javascript")).await;
}

#[tokio::test]
async fn a_policy_in_python_works() {
    works(Example::stubbed("python")).await;
}

#[tokio::test]
async fn a_policy_in_python_with_wasi_works() {
    works(Example::with_wasi("python")).await;
}
