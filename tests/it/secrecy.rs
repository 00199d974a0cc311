//! Memory of policies: it contains no prompts, keys and headers without a grant. Policies search
//! it themselves.

use pointsman_guests::{READER, SCANNER, searching};
use pointsman_tests::client::Answer;
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fleet::{ask_with, backend, model};
use crate::policy_failures::inline;
use crate::policy_file::PolicyFile;

const CLIENT_KEY: &str = "pm-needle-client-key";
const BACKEND_KEY: &str = "sk-needle-backend-key";
const ECHO: &str = "needle-that-the-model-says";

/// Positions of the secrets in a request, in the order of the search.
const SECRETS: [&str; 12] = [
    "needle-system",
    "needle-user",
    "needle-assistant",
    "needle-role",
    "needle_tool",
    "needle-description",
    "needle-image",
    "needle-member",
    "needle-header",
    CLIENT_KEY,
    BACKEND_KEY,
    ECHO,
];

fn request() -> Value {
    json!({
        "model": "main",
        "metadata": { "note": "needle-member" },
        "messages": [
            { "role": "system", "content": "needle-system" },
            { "role": "assistant", "content": "needle-assistant" },
            { "role": "needle-role", "content": "hm" },
            { "role": "user", "content": [
                { "type": "text", "text": "needle-user" },
                { "type": "image_url", "image_url": { "url": "https://example.com/needle-image.png" } },
            ] },
        ],
        "tools": [{ "type": "function", "function": {
            "name": "needle_tool", "description": "needle-description", "parameters": { "type": "object" },
        } }],
    })
}

struct Setup {
    gateway: Gateway,
    _policy: PolicyFile,
}

/// Starts a gateway with a policy that searches for all secrets, on a route of one model; `more`
/// are further keys of the policy.
async fn setup(fake: &FakeModel, code: &[u8], more: &str) -> Setup {
    let policy = PolicyFile::new(code);
    let hash: String = Sha256::digest(CLIENT_KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    let abilities = "inputs = [\"text\", \"image\"]\nabilities = [\"tools\"]\n";
    let config = backend("a", fake, "api_key_env = \"NEEDLE\"\n")
        + &model("a/chat", 1, abilities)
        + &format!(
            "[policies.search]\nsource = \"{}\"\nsettings = {}\nlimits = {{ deadline = \"10s\" }}\n{more}\n\
             [routes.main]\npolicy = \"search\"\n\
             [keys.app]\nhash = \"sha256:{hash}\"\nroutes = [\"*\"]\n",
            policy.path().display(),
            inline(&searching(&SECRETS)),
        );
    let gateway = Gateway::start_with(&config, &[("NEEDLE", BACKEND_KEY)]).await;
    Setup { gateway, _policy: policy }
}

async fn ask(setup: &Setup) -> Answer {
    ask_with_key(setup, "authorization", &format!("Bearer {CLIENT_KEY}")).await
}

/// Sends a request with the key in a header.
async fn ask_with_key(setup: &Setup, header: &str, key: &str) -> Answer {
    ask_with(&setup.gateway, &[(header, key), ("x-note", "needle-header")], &request()).await
}

#[tokio::test]
async fn no_prompt_key_or_header_is_in_the_memory_of_a_policy_without_the_grant() {
    for isolation in ["isolation = \"fresh\"", "isolation = \"warm\""] {
        let fake = FakeModel::saying(ECHO).await;
        let setup = setup(&fake, SCANNER, isolation).await;
        let bearer = format!("Bearer {CLIENT_KEY}");
        let keys = [("authorization", bearer.as_str()), ("x-api-key", CLIENT_KEY), ("api-key", CLIENT_KEY)];
        for (header, key) in keys {
            let answer = ask_with_key(&setup, header, key).await;
            assert_eq!(answer.text(), ECHO);
            let label = answer.header("x-pointsman-route").expect("a decided request");
            assert!(label.starts_with("clean/"), "{label}");
        }
        let sent = format!("Bearer {BACKEND_KEY}");
        assert_eq!(fake.request(1).await.header("authorization"), Some(sent.as_str()));
    }
}

#[tokio::test]
async fn an_outcome_does_not_contain_the_answer_of_the_model() {
    /// Waits for an outcome. Outcomes are delivered beside the requests, so the next request may
    /// be faster.
    const PATIENCE: usize = 1_000;
    let fake = FakeModel::always(Step::stream(&[ECHO, "needle-user"]).die_after(1)).await;
    let setup = setup(&fake, SCANNER, "isolation = \"warm\"").await;
    for _ in 0..PATIENCE {
        let answer = ask(&setup).await;
        let label = answer.header("x-pointsman-route").expect("a decided request");
        assert!(label.starts_with("clean/"), "{label}");
        if label != "clean/outcomes-0" {
            return;
        }
    }
    panic!("no outcome arrived");
}

/// Control: the same search finds content that the policy has read.
#[tokio::test]
async fn a_policy_with_the_grant_has_only_the_granted_content_in_memory() {
    let fake = FakeModel::saying(ECHO).await;
    let setup = setup(&fake, READER, "grants = [\"prompt\"]").await;
    // The text of the newest user message, and the names of the tools.
    assert_eq!(ask(&setup).await.header("x-pointsman-route"), Some("found:1:4"));
}
