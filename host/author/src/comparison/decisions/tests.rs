use super::*;
use crate::observed::ObservedProblem;

fn decides(targets: &[&str], label: &str, cost: f64) -> Answer {
    let observed = Observed {
        kind: "decision",
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        label: Some(label.to_owned()),
        reason: Some(format!("{cost}")),
        ..Observed::default()
    };
    Answer {
        cost: Some(Picodollars::from_usd(cost)),
        fuel: Some(10),
        request: Some(("auto".to_owned(), Some("team".to_owned()), "chat")),
        ..Answer::of(observed)
    }
}

fn answers(kind: &'static str) -> Answer {
    let problem = ObservedProblem { kind: "denied".to_owned(), text: "no".to_owned() };
    Answer::of(Observed { kind, problem: Some(problem), ..Observed::default() })
}

#[test]
fn the_first_difference_that_matters_counts() {
    let one = || decides(&["a/x", "a/y"], "l", 1.0);
    for (old, new, expected) in [
        (one(), decides(&["a/x", "a/y"], "l", 2.0), None),
        (one(), decides(&["a/y", "a/x"], "m", 1.0), Some(Change::Target)),
        (one(), decides(&["a/x"], "m", 1.0), Some(Change::Fallbacks)),
        (one(), decides(&["a/x", "a/y"], "m", 1.0), Some(Change::Label)),
        (one(), answers("failure"), Some(Change::Fails)),
        (one(), answers("settings-rejected"), Some(Change::Fails)),
        (one(), answers("refusal"), Some(Change::Refuses)),
        (answers("refusal"), one(), Some(Change::Recovers)),
        (answers("failure"), answers("refusal"), Some(Change::Kind)),
    ] {
        assert_eq!(change(&old, &new), expected, "{:?} {:?}", old.observed, new.observed);
    }
    let hedged = Observed { hedge_after_ms: Some(5), ..one().observed };
    assert_eq!(change(&one(), &Answer::of(hedged)), Some(Change::Details));
}

#[test]
fn changes_are_grouped_by_client_and_decision_with_their_cost() {
    let mut comparison = DecisionComparison::default();
    let mut groups = BTreeMap::new();
    let case = |name: &str| LoadedCase {
        name: name.to_owned(),
        file: std::path::PathBuf::new(),
        case: Case::default(),
    };
    let old = || decides(&["a/large"], "best", 0.5);
    for number in 0..8 {
        let new = decides(&["a/small"], "cheapest", 0.1);
        comparison.add(&case(&number.to_string()), old(), new, &mut groups);
    }
    comparison.add(&case("same"), old(), old(), &mut groups);
    comparison.add(&case("fails"), old(), answers("failure"), &mut groups);
    assert_eq!((comparison.requests, comparison.same), (10, 1));
    assert_eq!(comparison.changes[&Change::Target], 8);
    assert_eq!(comparison.new_failures["denied: no"], 1);
    assert_eq!(comparison.cost_usd.requests, 9, "a failure has no cost");
    assert!((comparison.cost_usd.new - 1.3).abs() < 1e-9 && (comparison.cost_usd.old - 4.5).abs() < 1e-9);
    let group = groups.values().find(|group| group.change == Change::Target).unwrap();
    assert_eq!((group.count, group.cases.len(), group.key.as_deref()), (8, MAX_NAMES, Some("team")));
    assert!((group.cost_change_usd.unwrap() + 3.2).abs() < 1e-9);
    assert_eq!((group.target.old.as_str(), group.target.new.as_str()), ("a/large", "a/small"));
}
