//! Policies that violate the canonical ABI, misuse its callbacks, or call the gateway endlessly. A trick
//! or a flood without an expectation does not compile.

use pointsman_guests::{FLOODER, Flood, LEAKING, Trick, flooding, sleeper};
use pointsman_policy::{Grants, Policy, PolicySpec};

use crate::support::{decide, hasty, label, load, spec, spec_with};

/// Expected failure of a real request; `None` if it is decided.
const fn failure(trick: Trick) -> Option<&'static str> {
    Some(match trick {
        Trick::Honest => return None,
        Trick::LoopInRealloc | Trick::LoopInReallocForImport | Trick::LoopInPostReturn => "deadline",
        Trick::TrapInPostReturn | Trick::CallInRealloc | Trick::CallInPostReturn => "trap",
        Trick::ReallocGrows => "memory",
        Trick::ReallocOutOfBounds
        | Trick::ReallocUnaligned
        | Trick::AnswerOutOfBounds
        | Trick::AnswerUnaligned
        | Trick::ListOutOfBounds
        | Trick::LabelOutOfBounds
        | Trick::LabelNotText
        | Trick::UnknownCase
        | Trick::UnknownOption
        | Trick::UnknownLevel
        | Trick::LogOutOfBounds => "unreadable",
    })
}

#[tokio::test]
async fn every_trick_fails_for_its_own_reason_and_affects_no_other_policy() {
    let honest = load(spec(), &Trick::Honest.bytes()).unwrap();
    for &trick in Trick::ALL {
        let spec = if failure(trick) == Some("deadline") { hasty(spec()) } else { spec() };
        let policy = load(spec, &trick.bytes()).unwrap();
        let reason = decide(&policy).await.err().map(|failure| failure.reason());
        assert_eq!(reason, failure(trick), "{trick:?}");
        assert_eq!(label(decide(&honest).await), "hand");
    }
}

fn flooder(flood: Flood) -> Policy {
    let grants = Grants::PROMPT | Grants::OUTPUTS | Grants::STATE;
    load(PolicySpec { grants, ..spec_with(&flooding(flood)) }, FLOODER).unwrap()
}

#[tokio::test]
async fn no_imported_function_can_be_called_endlessly() {
    for &flood in Flood::ALL {
        let failure = decide(&flooder(flood)).await.unwrap_err();
        assert_eq!(failure.reason(), "host_calls", "{flood:?}");
    }
}

#[test]
fn every_imported_function_of_the_contract_is_flooded() {
    let contract = concat!(
        include_str!("../../../../wit/policy.wit"),
        include_str!("../../../../wit/orchestration.wit"),
        include_str!("../../../../wit/state.wit")
    );
    let (mut interface, mut functions) = ("", Vec::new());
    for line in contract.lines() {
        if let Some(name) = line.strip_prefix("interface ") {
            interface = name.trim_end_matches(" {");
        } else if let Some((name, _)) = line.trim_start().split_once(": func(") {
            // `%` lets a keyword be a name.
            functions.push(format!("{interface}.{}", name.trim_start_matches('%')));
        }
    }
    functions.retain(|name| {
        !["router", "configuration", "observer", "orchestrator", "feedback"]
            .contains(&name.split('.').next().unwrap_or_default())
    });
    functions.sort_unstable();
    let mut flooded: Vec<&str> = Flood::ALL.iter().map(|flood| flood.name()).collect();
    flooded.sort_unstable();
    assert_eq!(flooded, functions);
}

#[tokio::test]
async fn resource_handles_that_are_never_dropped_are_limited() {
    let policy = load(PolicySpec { grants: Grants::WASI, ..spec_with(LEAKING) }, &sleeper()).unwrap();
    assert_eq!(decide(&policy).await.unwrap_err().reason(), "handles");
    assert_eq!(decide(&policy).await.unwrap_err().reason(), "handles");
}
