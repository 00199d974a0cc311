use std::fs;

use super::*;

fn args() -> WorkloadArgs {
    WorkloadArgs {
        trace: None,
        rate: None,
        requests: Some(2_000),
        seed: 3,
        cases: None,
        graded: Vec::new(),
        input_tokens: 400,
        output_tokens: 100,
        stream: false,
    }
}

#[test]
fn requests_at_a_rate_have_its_mean_times_and_lengths_and_are_the_same_each_time() {
    let workload = WorkloadArgs { rate: Some(50.0), ..args() }.load().unwrap();
    let requests: Vec<SimulatedRequest> = workload.requests(1.0).collect();
    let mean = |of: fn(&SimulatedRequest) -> f64| requests.iter().map(of).sum::<f64>() / 2_000.0;
    let last = requests.last().unwrap();
    assert!((last.at.as_secs_f64() / 40.0 - 1.0).abs() < 0.1, "{:?}", last.at);
    assert!((mean(|it| it.input_tokens.into()) / 400.0 - 1.0).abs() < 0.1);
    assert!((mean(|it| it.output_tokens.into()) / 100.0 - 1.0).abs() < 0.1);
    assert_eq!(last.facts.input_tokens, last.input_tokens);
    let again = workload.requests(2.0).last().unwrap();
    assert_eq!((again.input_tokens, &again.facts.id), (last.input_tokens, &last.facts.id));
    assert!((again.at.as_secs_f64() * 2.0 / last.at.as_secs_f64() - 1.0).abs() < 1e-6);
    let ids: std::collections::BTreeSet<_> = requests.iter().map(|it| it.facts.id.clone()).collect();
    assert_eq!(ids.len(), 2_000);
}

#[test]
fn a_trace_is_repeated_until_there_are_enough_requests() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    let text =
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,10,1\n2023-11-16 18:15:48,20,2\n";
    fs::write(&path, text).unwrap();
    let trace = WorkloadArgs { trace: Some(path), requests: None, stream: true, ..args() };
    assert_eq!(trace.load().unwrap().count(), 2);
    let workload = WorkloadArgs { requests: Some(5), ..trace }.load().unwrap();
    let seconds: Vec<u64> = workload.requests(1.0).map(|it| it.at.as_secs()).collect();
    assert_eq!(seconds, [0, 2, 4, 6, 8]);
    let first = workload.requests(1.0).next().unwrap();
    assert!(first.facts.streaming && first.facts.needs.contains(Abilities::STREAMING));
    assert_eq!((first.facts.least_input_tokens, first.output_tokens), (10, 1));
    assert_eq!(first.content.text(0).map(str::len), Some(40));
}

#[test]
fn requests_of_cases_have_their_facts_and_contents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.toml");
    let text = "[[cases]]\nname = \"a\"\nrequest.messages = \"What is the capital of Peru?\"\n\
                [[cases]]\nname = \"b\"\nrequest.messages = [{ parts = [{ text = \"look\" }, { kind = \"image\", bytes = 9 }] }]\n";
    fs::write(&path, text).unwrap();
    let workload = WorkloadArgs { cases: Some(path.clone()), ..args() }.load().unwrap();
    let images = |it: &SimulatedRequest| it.facts.inputs.contains(pointsman_domain::model::Modalities::IMAGE);
    let count = workload.requests(1.0).filter(images).count();
    assert!((900..1_100).contains(&count), "{count}");
    let text = workload.requests(1.0).find(|it| !images(it)).unwrap();
    assert_eq!(text.content.text(0), Some("What is the capital of Peru?"));
    assert_eq!(text.input_tokens, text.facts.input_tokens);
    fs::write(&path, "[[cases]]\nnonsense = 1\n").unwrap();
    assert_eq!(WorkloadArgs { cases: Some(path), ..args() }.load().unwrap_err().exit_status(), 2);
}

#[test]
fn nonsense_rates_are_rejected() {
    assert_eq!(rate("2.5"), Ok(2.5));
    assert!(rate("0").is_err() && rate("-1").is_err() && rate("nan").is_err() && rate("x").is_err());
}
