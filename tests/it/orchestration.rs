//! Requests that a policy splits into tasks, over models on backends of their own.

mod assembled;
mod built_in;
mod failures;
mod handover;
mod limits;
mod load;
mod money;
mod scenarios;
mod shapes;
mod tool_loops;
mod traces;

use pointsman_guests::{Blunder, PLANNER, Planned, blundering, planned};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::Value;

use crate::fleet::{backend, model};
use crate::policy_file::PolicyFile;

/// Deadline that holds on a busy machine.
const AMPLE: &str = "60s";

/// Gateway whose route `main` has the planner, over the models `a/chat`, `b/chat` … in this
/// order, each more expensive than the one before.
struct Setup {
    gateway: Gateway,
    _policy: PolicyFile,
}

impl Setup {
    async fn planning(settings: &Planned, models: &[&FakeModel], more: &str) -> Self {
        Self::with(&planned(settings), AMPLE, models, more).await
    }

    async fn blundering(blunder: Blunder, models: &[&FakeModel], more: &str) -> Self {
        let deadline = if blunder == Blunder::LoopInResume { "100ms" } else { AMPLE };
        Self::with(&blundering(blunder), deadline, models, more).await
    }

    /// Starts a gateway. `more` goes below the route: keys of its own, then further tables.
    async fn with(settings: &str, deadline: &str, models: &[&FakeModel], more: &str) -> Self {
        let policy = PolicyFile::new(PLANNER);
        let mut config = String::new();
        for ((name, fake), price) in ["a", "b", "c", "d"].iter().zip(models).zip(1..) {
            config += &backend(name, fake, "");
            config += &model(&format!("{name}/chat"), price, "");
        }
        config += &format!(
            "[policies.planner]\nlimits = {{ deadline = \"{deadline}\", host_calls = 100000 }}\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {}\n",
            policy.path().display(),
            inline(settings),
        );
        config += &format!("[routes.main]\npolicy = \"planner\"\nbackoff = \"1ms\"\n{more}\n");
        Self { gateway: Gateway::start(&config).await, _policy: policy }
    }
}

/// Returns JSON as a TOML inline table; null members are omitted.
pub fn inline(settings: &str) -> String {
    let settings: Value = serde_json::from_str(settings).expect("settings are JSON");
    let members = settings.as_object().expect("settings are an object");
    let said = members.iter().filter(|(_, value)| !value.is_null());
    let pairs: Vec<String> = said.map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// Returns the text of a request's last message.
fn last_text(body: &Value) -> String {
    let last = body["messages"].as_array().and_then(|messages| messages.last()).expect("a message");
    last["content"].as_str().unwrap_or_else(|| panic!("not a text: {last}")).to_owned()
}
