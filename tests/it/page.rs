//! The live page in a browser.
//!
//! `cargo xtask test` installs a browser and sets its path. Without it most of these tests are
//! skipped, except on CI.

use std::process::{Command, Stdio};

use pointsman_guests::version;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Step, installed};

use crate::fleet::{backend, built_in, error, model};
use crate::keys::key;
use crate::policy_file::{PolicyFile, described};

const TOKEN: &str = "let-this-page-in";

/// A description with markup and a faulty schema.
const HOSTILE_DESCRIPTION: &str = r#"{"title":"<img src=x onerror=alert(1)>","homepage":"javascript:alert(1)",
    "labels":[{"name":"other","meaning":"<b>always</b>"}],"settings":{"type":"tabel"}}"#;

/// Gateway with routes that are answered, split into tasks and never answered, and a policy in a
/// file with another version of it beside.
struct Setup {
    gateway: Gateway,
    policy: PolicyFile,
    next: PolicyFile,
    _other: PolicyFile,
    _models: [FakeModel; 3],
}

async fn setup(admin: &str) -> Setup {
    let models = [
        FakeModel::saying("one two three").await,
        FakeModel::saying("four").await,
        FakeModel::always(Step::status(500)).await,
    ];
    let other = described(&version(2), HOSTILE_DESCRIPTION);
    let (policy, next) = (PolicyFile::new(&version(1)), PolicyFile::new(&version(2)));
    let other = PolicyFile::new(&other);
    let mut config = format!(
        "{admin}[policies.changing]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n[policies.other]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {{ label = \"other\" }}\n",
        policy.path().display(),
        other.path().display(),
    );
    for (name, fake, price) in [("a", &models[0], 1), ("b", &models[1], 3), ("c", &models[2], 2)] {
        config += &backend(name, fake, "");
        config += &model(&format!("{name}/chat"), price, "");
    }
    config += &built_in("sequential", "");
    config += "[routes.main]\ndescription = \"What most ask for\"\npolicy = \"changing\"\nmodels = [\"a/chat\", \"b/chat\"]\n";
    config += "[routes.chain]\npolicy = \"sequential\"\nmodels = [\"a/chat\", \"b/chat\"]\n";
    config += "[routes.broken]\npolicy = \"other\"\nmodels = [\"c/chat\"]\nbackoff = \"1ms\"\n";
    let gateway = Gateway::start_with(&config, &[("POINTSMAN_TEST_TOKEN", TOKEN)]).await;
    Setup { gateway, policy, next, _other: other, _models: models }
}

impl Setup {
    async fn swap(&self) {
        self.policy.rename_over(&version(2));
        let reload = client::post(&self.gateway.admin("/admin/reload"), &serde_json::Value::Null).await;
        assert_eq!(reload.status, 200, "{}", reload.json());
    }

    /// Runs a scenario of `tests/clients/page`, which fails with a message of its own.
    async fn browse(self, scenario: &str) {
        let Some((modules, chromium)) = browser() else { return };
        let mut script = Command::new("node");
        script
            .arg(format!("{}/clients/page.mjs", env!("CARGO_MANIFEST_DIR")))
            .args([&modules, scenario])
            .env("POINTSMAN_TEST_CHROMIUM", chromium)
            .env("POINTSMAN_ADMIN", &self.gateway.admin_url)
            .env("POINTSMAN_CLIENTS", &self.gateway.base_url)
            .env("POINTSMAN_TOKEN", TOKEN)
            .env("POINTSMAN_POLICY", self.policy.path())
            .env("POINTSMAN_NEXT", self.next.path())
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || script.output()).await;
        let output = output.expect("waiting does not panic").expect("node can be run");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{out}\n{err}");
        assert_eq!(out.trim(), "all is well");
    }
}

/// Returns the paths of the packages and of the browser.
fn browser() -> Option<(String, String)> {
    Some((installed("POINTSMAN_TEST_NODE_MODULES")?, installed("POINTSMAN_TEST_CHROMIUM")?))
}

async fn get(setup: &Setup, path: &str) -> Answer {
    client::get(&setup.gateway.admin(path)).await
}

#[tokio::test]
async fn the_page_needs_no_token_and_loads_nothing_from_other_origins() {
    let setup = setup("[admin]\ntoken_env = \"POINTSMAN_TEST_TOKEN\"\n").await;
    assert_eq!(get(&setup, "/admin/policies").await.status, 401);
    for (path, kind) in
        [("/", "text/html"), ("/page/main.js", "text/javascript"), ("/page/style.css", "text/css")]
    {
        let answer = get(&setup, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(format!("{kind}; charset=utf-8").as_str()));
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
    let unknown = get(&setup, "/page/nothing.js").await;
    assert!(error(&unknown, 404, "unknown_url").contains("no file `nothing.js`"));
}

#[tokio::test]
async fn a_cached_file_of_the_page_is_not_sent_again() {
    let setup = setup("").await;
    let first = get(&setup, "/page/main.js").await;
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let tag = first.header("etag").expect("a tag");
    let url = setup.gateway.admin("/page/main.js");
    let again = client::get_with(&url, &[("if-none-match", tag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let other = client::get_with(&url, &[("if-none-match", "\"other\"")]).await;
    assert_eq!((other.status.as_u16(), other.body), (200, first.body));
}

/// Checks the page's scripts against the declarations that are generated from the admin API.
#[test]
fn the_page_reads_only_members_that_the_admin_api_has() {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    let project = format!("{}/clients/tsconfig.json", env!("CARGO_MANIFEST_DIR"));
    let compiler = format!("{modules}/typescript/bin/tsc");
    let checked = Command::new("node").args([&compiler, "--project", &project]).output();
    let checked = checked.expect("node can be run");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// Defines a test for each scenario that needs nothing but a gateway.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            setup("").await.browse(stringify!($name)).await;
        })+
    };
}

scenarios![
    requests_appear_as_they_are_answered,
    a_decision_is_explained_at_its_own_address,
    decisions_can_be_filtered_and_paused,
    a_plan_is_a_chart_and_a_table,
    routes_are_compared_with_a_payback_from_edited_inputs,
    a_request_is_run_by_two_policies_and_explained,
    a_swap_is_marked_on_every_chart_and_changes_the_version,
    a_trial_is_promoted_and_rolled_back,
    a_trial_is_ended,
    a_policy_is_shown_with_its_description,
    an_unavailable_gateway_is_reported_until_it_returns,
    an_incident_is_described_with_links_to_its_details,
    filters_and_times_are_part_of_the_address,
    a_period_of_a_route_or_a_model_is_part_of_the_address,
    figures_lead_to_details_of_routes_models_and_policies,
    every_control_can_be_reached_by_keyboard,
    a_dialog_takes_the_focus_and_returns_it,
    an_update_keeps_the_focus_and_the_selection,
    every_view_is_accessible_in_light,
    every_view_is_accessible_in_dark,
    a_decision_is_explained_in_english,
    numbers_are_formatted_for_people,
    events_and_series_are_parsed,
];

#[tokio::test]
async fn a_version_is_rolled_back_released_pinned_and_unpinned() {
    let setup = setup("").await;
    setup.swap().await;
    setup.browse("a_version_is_rolled_back_released_pinned_and_unpinned").await;
}

#[tokio::test]
async fn a_reload_reports_its_changes_and_a_rejection_its_reason() {
    let setup = setup("").await;
    setup.swap().await;
    setup.browse("a_reload_reports_its_changes_and_a_rejection_its_reason").await;
}

#[tokio::test]
async fn operations_are_disabled_with_the_reason_for_a_token_for_reading() {
    let setup = setup("[admin]\nread_token_env = \"POINTSMAN_TEST_TOKEN\"\n").await;
    setup.browse("operations_are_disabled_with_the_reason_for_a_token_for_reading").await;
}

#[tokio::test]
async fn the_key_that_spent_most_today_is_the_first_of_the_keys() {
    let keys = key("alice", "pm-alice", "[\"*\"]") + &key("bob", "pm-bob", "[\"*\"]");
    setup(&keys).await.browse("the_key_that_spent_most_today_is_the_first_of_the_keys").await;
}

#[tokio::test]
async fn the_token_is_requested_once_and_stored_in_the_tab() {
    let setup = setup("[admin]\ntoken_env = \"POINTSMAN_TEST_TOKEN\"\n").await;
    setup.browse("the_token_is_requested_once_and_stored_in_the_tab").await;
}

#[tokio::test]
async fn a_key_is_created_copied_used_rotated_and_deleted() {
    setup("[state]\ndir = \"state\"\n")
        .await
        .browse("a_key_is_created_copied_used_rotated_and_deleted")
        .await;
}

#[tokio::test]
async fn keys_cannot_be_changed_with_a_token_for_reading() {
    let setup = setup("[admin]\nread_token_env = \"POINTSMAN_TEST_TOKEN\"\n[state]\ndir = \"state\"\n").await;
    setup.browse("keys_cannot_be_changed_with_a_token_for_reading").await;
}
