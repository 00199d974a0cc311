//! The statements of docs/decision-log.md for DuckDB and ClickHouse, on the logs of a real gateway.

use std::fs;
use std::process::{Command, Stdio};

use pointsman_tests::{FakeModel, Gateway, client, installed};
use serde_json::{Value, json};

use crate::author::Author;
use crate::fleet::{ask, built_in, chat, in_order};

/// Serves some requests in two runs of a gateway, the second of which compresses the file of the first. Returns the
/// number of requests for each of two models.
async fn served(folder: &Author) -> [usize; 2] {
    let models = [FakeModel::saying("one two three").await, FakeModel::saying("four").await];
    let dir = folder.path("decisions");
    let more = format!(
        "{}[routes.drawn]\npolicy = \"weighted\"\n[decision_log]\ndir = \"{}\"\n",
        built_in("weighted", ""),
        dir.display()
    );
    let config = in_order(&[&models[0], &models[1]], &more);
    let gateway = Gateway::start(&config).await;
    for _ in 0..20 {
        let answer = ask(&gateway, &chat("drawn", "hi")).await;
        let id = answer.header("x-pointsman-decision-id").expect("an id").to_owned();
        let rating = json!({ "decision_id": id, "score": 0.5 });
        while client::post(&gateway.url("/v1/feedback"), &rating).await.status == 404 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(gateway.stop().await.code(), Some(0));
    let gateway = Gateway::start(&config).await;
    let is_compressed = |entry: fs::DirEntry| entry.path().extension().is_some_and(|it| it == "zst");
    while !fs::read_dir(&dir).expect("the log").flatten().any(is_compressed) {
        tokio::task::yield_now().await;
    }
    for _ in 0..5 {
        ask(&gateway, &chat("drawn", "hi")).await;
    }
    assert_eq!(gateway.stop().await.code(), Some(0));
    models.map(|model| model.requests().len())
}

/// Runs the statements of the document, and returns the queries with their rows.
fn run(folder: &Author, database: &str) -> Option<Vec<Value>> {
    let python = installed("POINTSMAN_TEST_PYTHON")?;
    let (script, document) = ("clients/log_databases.py", "../docs/decision-log.md");
    let path = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut statements = Command::new(python);
    statements.args([path(script), path(document), database.to_owned()]).current_dir(folder.path(""));
    let output = statements.stdin(Stdio::null()).output().expect("the script can be run");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn rows<'a>(queries: &'a [Value], begin: &str) -> &'a [Value] {
    let begins = |it: &&Value| it["query"].as_str().is_some_and(|query| query.starts_with(begin));
    let query = queries.iter().find(begins).unwrap_or_else(|| panic!("no query {begin} in {queries:#?}"));
    query["rows"].as_array().expect("rows")
}

fn sum(rows: &[Value], column: &str) -> f64 {
    rows.iter().filter_map(|row| row[column].as_f64()).sum()
}

#[tokio::test]
async fn duckdb_answers_the_documented_questions_over_plain_and_compressed_files() {
    let folder = Author::new(&[]);
    let [first, second] = served(&folder).await;
    let Some(queries) = run(&folder, "duckdb") else { return };
    let models = rows(&queries, "-- Cost, saving and latency");
    assert_eq!((models.len(), sum(models, "requests")), (2, (first + second) as f64), "{models:#?}");
    let requests =
        |model: &str| models.iter().find(|row| row["model"] == model).map(|row| row["requests"].as_f64());
    assert_eq!(requests("a/chat"), Some(Some(first as f64)));
    assert_eq!(sum(rows(&queries, "-- Labels"), "requests"), 25.0);
    let ratings = rows(&queries, "-- Mean rating");
    assert_eq!((sum(ratings, "ratings"), ratings[0]["score"].as_f64()), (20.0, Some(0.5)));
    let calibration = rows(&queries, "-- Calibration");
    assert_eq!(sum(calibration, "draws"), 25.0);
    // Both have the probability 1/2, so the ratios are twice the shares of the draws.
    assert!((sum(calibration, "ratio") - 2.0).abs() < 1e-9, "{calibration:#?}");
    let parquet = rows(&queries, "SELECT route, sum(weight) AS requests");
    assert_eq!(sum(parquet, "requests"), 25.0, "{parquet:#?}");
    assert!((sum(parquet, "usd") - sum(models, "usd")).abs() < 1e-12);
    assert!(folder.path("parquet").is_dir());
}

#[tokio::test]
async fn clickhouse_takes_the_documented_table_and_answers() {
    let folder = Author::new(&[]);
    served(&folder).await;
    let Some(queries) = run(&folder, "clickhouse") else { return };
    // Compressed files only: the second run's is plain until the next one.
    let models = rows(&queries, "SELECT route, outcome.model");
    assert_eq!((models.len(), sum(models, "requests")), (2, 20.0), "{models:#?}");
    let ratings = rows(&queries, "SELECT ratings.model");
    assert_eq!((sum(ratings, "ratings"), ratings[0]["score"].as_f64()), (20.0, Some(0.5)));
}
