//! Helpers that load and call policies.

use std::sync::LazyLock;
use std::time::Duration;

use pointsman_domain::ids::PolicyName;
use pointsman_domain::plan::PlanStep;
use pointsman_policy::{
    Code, Limits, LoadError, Policy, PolicyAnswer, PolicyFailure, PolicySpec, Runtime, RuntimeConfig,
};

mod inputs;

pub use inputs::input;

/// The runtime of all tests, since each one reserves terabytes of address space.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new(RuntimeConfig::default()).unwrap());

pub fn runtime() -> &'static Runtime {
    &RUNTIME
}

/// Root of the workspace.
pub fn repository() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../..")
}

/// A specification with more time than any policy needs while other tests keep the machine busy.
pub fn spec() -> PolicySpec {
    let limits = Limits { deadline: Duration::from_secs(60), ..Limits::default() };
    PolicySpec { limits, ..PolicySpec::new(PolicyName::new("under-test")) }
}

/// Sets the default deadline, for policies that exceed it.
pub fn hasty(spec: PolicySpec) -> PolicySpec {
    PolicySpec { limits: Limits { deadline: Limits::default().deadline, ..spec.limits }, ..spec }
}

pub fn spec_with(settings: &str) -> PolicySpec {
    PolicySpec { settings: settings.to_owned(), ..spec() }
}

pub fn load(spec: PolicySpec, bytes: &[u8]) -> Result<Policy, LoadError> {
    runtime().load(spec, &Code::new(bytes.to_vec()))
}

/// The message of a refused policy.
pub fn load_error(spec: PolicySpec, bytes: &[u8]) -> String {
    load(spec, bytes).unwrap_err().to_string()
}

pub async fn decide(policy: &Policy) -> Result<PolicyAnswer, PolicyFailure> {
    policy.decide(input(3)).await
}

/// The label of a decision.
pub fn label(answer: Result<PolicyAnswer, PolicyFailure>) -> String {
    match answer.unwrap() {
        PolicyAnswer::Step(step) => step.label().to_owned(),
        PolicyAnswer::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// The reason of a decision.
pub fn reason(answer: Result<PolicyAnswer, PolicyFailure>) -> String {
    match answer.unwrap() {
        PolicyAnswer::Step(PlanStep::Route(decision)) => decision.reason().unwrap_or_default().to_owned(),
        PolicyAnswer::Step(other) => panic!("not a decision: {other:?}"),
        PolicyAnswer::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}
