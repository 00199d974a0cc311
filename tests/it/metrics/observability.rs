//! Claims of `examples/observability`, `docs/metrics.md` and `docs/runbook.md` against a gateway.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use pointsman_tests::client::get;
use pointsman_tests::prometheus::{Prometheus, promtool};
use serde_json::{Value, json};

use super::Scrape;
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

/// Returns the names of alert rules, in their order.
fn alert_names(rules: &str) -> Vec<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

/// Returns the text below a heading of the second level.
fn chapter<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split("\n## ").next().unwrap_or(rest)
}

/// Returns the headings of the third level, with the text below each.
fn sections(chapter: &str) -> Vec<(&str, &str)> {
    chapter.split("\n### ").skip(1).filter_map(|section| section.split_once('\n')).collect()
}

/// Returns the terms in backquotes of the first column of a table, which begins with these cells.
fn first_column<'t>(text: &'t str, head: &str) -> BTreeSet<&'t str> {
    let (_, table) = text.split_once(head).expect(head);
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// Returns the reasons of policy failures that the README lists.
fn failure_reasons(readme: &str) -> BTreeSet<&str> {
    first_column(readme, "| failure | cause |")
}

/// Returns the anchor of a heading, as renderers of Markdown derive it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[tokio::test]
async fn every_reason_of_a_policy_failure_is_documented() {
    let load = Load::start().await;
    let scrape = Scrape::of(&load.gateway).await;
    let series = scrape.series();
    let failures = series.iter().filter(|series| series.starts_with("pointsman_policy_failures_total{"));
    let counted: BTreeSet<&str> =
        failures.filter_map(|series| Some(series.split_once("reason=\"")?.1.split_once('"')?.0)).collect();
    let readme = read("README.md");
    let mut documented = failure_reasons(&readme);
    assert!(documented.remove("not_loaded"), "a policy that is not loaded has no counters");
    assert_eq!(documented, counted);
}

#[test]
fn the_runbook_has_a_section_for_each_alert() {
    let (runbook, alerts) = (read("docs/runbook.md"), read("examples/observability/alerts.yml"));
    let sections = sections(chapter(&runbook, "Alerts"));
    let names: Vec<&str> = sections.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, alert_names(&alerts));
    for (name, text) in sections {
        for part in ["Meaning:", "Urgency:", "Look at:", "Do:", "Over when:"] {
            assert!(text.contains(&format!("\n- **{part}**")), "{name}: {part}");
        }
        let rule = alerts.split("- alert: ").find(|rule| rule.lines().next() == Some(name)).expect(name);
        let severity = rule.split_once("severity: ").and_then(|(_, rest)| rest.lines().next()).expect(name);
        assert!(text.contains(&format!("**Urgency:** {severity}")), "{name} is a {severity}");
        let named: Vec<&str> =
            rule.split_whitespace().filter(|word| word.starts_with("docs/runbook.md#")).collect();
        assert_eq!(named, [format!("docs/runbook.md#{}", anchor(name))], "{name}");
    }
}

#[test]
fn the_runbook_has_a_section_for_each_reason_of_a_policy_failure() {
    let (runbook, readme) = (read("docs/runbook.md"), read("README.md"));
    let sections = sections(chapter(&runbook, "Reasons of policy failures"));
    let names: BTreeSet<&str> = sections.iter().map(|(name, _)| name.trim_matches('`')).collect();
    assert_eq!(names, failure_reasons(&readme));
    for (name, text) in sections {
        for part in ["Meaning", "Look at", "Operator", "Author"] {
            assert!(text.contains(&format!("\n- **{part}:** ")), "{name}: {part}");
        }
    }
}

#[test]
fn the_runbook_lists_each_kind_of_condition() {
    let (runbook, seeing) = (read("docs/runbook.md"), read("docs/seeing.md"));
    let kinds = first_column(&seeing, "| `kind` | `level` | condition |");
    assert!(kinds.len() > 5, "{kinds:?}");
    assert_eq!(first_column(&runbook, "| `kind` of the entry | level |"), kinds);
}

#[test]
fn every_link_within_the_runbook_leads_to_a_section() {
    let runbook = read("docs/runbook.md");
    let headings = runbook.lines().filter(|line| line.starts_with('#'));
    let anchors: BTreeSet<String> =
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect();
    let links: Vec<&str> = runbook.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        assert!(anchors.contains(link), "there is no section {link}");
    }
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
        read("docs/runbook.md"),
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
    let names = alert_names(&alerts);
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
