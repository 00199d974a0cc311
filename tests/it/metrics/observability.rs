//! Claims of `examples/observability` and `docs/metrics.md` against a gateway.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use pointsman_tests::client::get;
use pointsman_tests::prometheus::{Prometheus, promtool};
use serde_json::{Value, json};

use super::load::Load;

const ROWS: [&str; 6] = ["Overview", "Cost & saving", "Latency", "Policies", "Orchestration", "Backends"];

/// Number of queries after which a result is not expected any more: Prometheus scrapes every
/// second, and answers in less than a millisecond.
const MOST_POLLS: usize = 50_000;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn dashboard() -> Value {
    serde_json::from_str(&read("examples/observability/grafana-dashboard.json")).expect("a dashboard is JSON")
}

/// Returns the dashboard's queries, with values for the variables of Grafana.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let annotations = dashboard["annotations"]["list"].as_array().expect("annotations");
    let queries = targets.chain(annotations).map(|target| target["expr"].as_str().expect("a query"));
    let filled = queries.map(|query| {
        let query = query.replace("$__rate_interval", "1m").replace("$__range", "1h");
        query.replace("$instance", ".*").replace("$route", ".*")
    });
    filled.inspect(|query| assert!(!query.contains('$'), "{query}")).collect()
}

/// Returns the names of the gateway's metrics in a text.
fn metric_names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    words.filter(|word| word.starts_with("pointsman_")).collect()
}

#[tokio::test]
async fn every_documented_metric_is_in_a_scrape() {
    let load = Load::start().await;
    let scrape = load.run().await;
    let mut names = scrape.names();
    let parts = ["_bucket", "_sum", "_count"];
    let whole: BTreeSet<&str> = names
        .iter()
        .map(|name| parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name))
        .collect();
    let documented = read("docs/metrics.md");
    let documented = metric_names(&documented);
    for name in &whole {
        assert!(documented.contains(name), "{name} is not in docs/metrics.md");
    }
    names.extend(&whole);
    let texts = [
        queries(&dashboard()).join("\n"),
        read("examples/observability/alerts.yml"),
        read("examples/observability/alerts_test.yml"),
        read("docs/metrics.md"),
    ];
    for text in &texts {
        let mentioned = metric_names(text);
        assert!(mentioned.len() > 20, "{mentioned:?}");
        for name in mentioned {
            assert!(names.contains(name), "{name} is in no scrape");
        }
    }
}

#[test]
fn promtool_accepts_the_alerts_and_their_tests() {
    let (alerts, tests) =
        (read("examples/observability/alerts.yml"), read("examples/observability/alerts_test.yml"));
    let files = [("alerts.yml", alerts.as_str()), ("alerts_test.yml", tests.as_str())];
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]] {
        let Some(output) = promtool(&arguments, &files) else { return };
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.contains("SUCCESS"), "{said}");
    }
}

#[test]
fn every_alert_has_a_test_and_a_remedy() {
    let (alerts, tests) =
        (read("examples/observability/alerts.yml"), read("examples/observability/alerts_test.yml"));
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 10);
    for name in &names {
        assert!(tests.contains(&format!("- name: {name}\n")), "{name} has no test");
    }
    for key in ["summary: ", "description: ", "runbook: ", "severity: "] {
        let stated = alerts.lines().filter(|line| line.trim_start().starts_with(key));
        assert_eq!(stated.count(), names.len(), "{key}");
    }
}

#[test]
fn promtool_can_read_every_query_of_the_dashboard() {
    let mut rules = "groups:\n- name: panels\n  rules:\n".to_owned();
    for (number, query) in queries(&dashboard()).into_iter().enumerate() {
        writeln!(rules, "  - record: panel:{number}\n    expr: {}", json!(query)).expect("a text grows");
    }
    let Some(output) = promtool(&["check", "rules", "panels.yml"], &[("panels.yml", &rules)]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_dashboard_has_its_rows_and_no_panels_overlap() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    let rows: Vec<&Value> =
        panels.iter().filter(|panel| panel["type"] == "row").map(|row| &row["title"]).collect();
    assert_eq!(rows, ROWS);
    let variables: Vec<&Value> =
        dashboard["templating"]["list"].as_array().expect("variables").iter().map(|it| &it["name"]).collect();
    assert_eq!(variables, ["datasource", "instance", "route"]);
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
        let side = |name: &str| panel["gridPos"][name].as_u64().expect("a number");
        for x in side("x")..side("x") + side("w") {
            assert!(x < 24, "{panel}");
            for y in side("y")..side("y") + side("h") {
                assert!(taken.insert((x, y)), "{panel}");
            }
        }
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
        }
    }
}

#[tokio::test]
async fn prometheus_scrapes_a_gateway_with_its_token_and_answers_the_dashboard() {
    let load =
        Load::start_with("[admin]\ntoken_env = \"ADMIN_TOKEN\"\n", &[("ADMIN_TOKEN", "let-me-in")]).await;
    let gateway = load.gateway.admin_url.trim_start_matches("http://");
    let config = read("examples/observability/prometheus.yml")
        .replace("/run/secrets/pointsman-admin", "token")
        .replace("127.0.0.1:8081", gateway)
        .replace("15s", "1s");
    let alerts = read("examples/observability/alerts.yml");
    let Some(prometheus) = Prometheus::start(&config, &[("token", "let-me-in"), ("alerts.yml", &alerts)])
    else {
        return;
    };
    let query = async |query: &str| -> Value {
        let encoded: String = query.bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02X}").expect("a text grows");
            text
        });
        let answer = get(&format!("{}/api/v1/query?query={encoded}", prometheus.url)).await.json();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].clone()
    };
    let scraped = async |series: &str| {
        for _ in 0..MOST_POLLS {
            if query(series).await.as_array().is_some_and(|found| !found.is_empty()) {
                return;
            }
        }
        panic!("{series} never was there");
    };
    for _ in 0..MOST_POLLS {
        if get(&format!("{}/-/ready", prometheus.url)).await.status == 200 {
            break;
        }
    }
    scraped("pointsman_build_info").await;
    load.run_once().await;
    scraped(r#"increase(pointsman_requests_total{route="main",ending="cancelled"}[1m]) > 0"#).await;
    scraped(r#"increase(pointsman_requests_total{route="main",ending="answered"}[1m]) > 0"#).await;
    assert_eq!(query("up").await[0]["value"][1], "1");
    let saving = r#"1 - pointsman_compared_cost_usd_total{route="main"} / pointsman_baseline_cost_usd_total"#;
    let saving = query(saving).await[0]["value"][1].as_str().and_then(|value| value.parse::<f64>().ok());
    assert!(saving > Some(0.0) && saving < Some(1.0), "b/chat is cheaper than the baseline: {saving:?}");

    for panel in queries(&dashboard()) {
        query(&panel).await;
    }
    let rules = get(&format!("{}/api/v1/rules", prometheus.url)).await.json();
    assert_eq!(rules["data"]["groups"].as_array().map(Vec::len), Some(5), "{rules}");
}
