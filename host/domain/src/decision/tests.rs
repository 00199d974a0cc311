use super::*;

mod properties;

fn proposal(candidates: &[usize]) -> Proposal {
    Proposal {
        targets: candidates.iter().map(|&candidate| Target { candidate, timeout: None }).collect(),
        label: "cheapest".to_owned(),
        reason: Some("costs least".to_owned()),
        hedge_after: None,
        propensity: None,
    }
}

fn refused(change: impl FnOnce(&mut Proposal)) -> String {
    let mut proposal = proposal(&[1, 0]);
    change(&mut proposal);
    proposal.validate(3).expect_err("breaks a rule").to_string()
}

#[test]
fn a_decision_in_range_is_kept_as_it_is() {
    let decision = proposal(&[2, 0]).validate(3).expect("follows the rules");
    assert_eq!(decision.targets().iter().map(|target| target.candidate).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(decision.label(), "cheapest");
}

#[test]
fn every_broken_rule_is_named() {
    assert_eq!(refused(|p| p.targets.clear()), "the decision has no target");
    assert_eq!(refused(|p| p.targets[1].candidate = 7), "target 1 names candidate 7, but there are 3");
    assert_eq!(refused(|p| p.targets[1].candidate = 1), "target 1 names candidate 1 a second time");
    assert_eq!(
        refused(|p| p.targets = vec![p.targets[0]; 200_000]),
        "the decision has 200000 targets for 3 candidates"
    );
    assert_eq!(refused(|p| p.targets[0].timeout = Some(Duration::ZERO)), "target 0 has a timeout of zero");
    assert_eq!(refused(|p| p.propensity = Some(f64::NAN)), "the propensity NaN is not in (0, 1]");
    assert_eq!(refused(|p| p.propensity = Some(0.0)), "the propensity 0 is not in (0, 1]");
}

#[test]
fn texts_that_could_forge_a_header_or_a_terminal_are_refused() {
    let label_rule = "is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -";
    for label in ["", "two words", "a\r\nset-cookie: x", "\u{1b}[31mred", &"x".repeat(65)] {
        assert!(refused(|p| p.label = label.to_owned()).ends_with(label_rule), "{label:?}");
    }
    let text_rule = "the reason is longer than 512 bytes or has control characters";
    for reason in ["\u{1b}[2J", "line\nbreak", &"x".repeat(513)] {
        assert_eq!(refused(|p| p.reason = Some(reason.to_owned())), text_rule, "{reason:?}");
    }
    assert!(Refusal::Denied("\u{7}".to_owned()).validate().is_err());
}

#[test]
fn hidden_characters_are_escaped_in_reasons_and_refusals() {
    let (given, shown) = ("ok \u{202e}gnol\u{2028}\u{200b} 😀", r"ok \u{202e}gnol\u{2028}\u{200b} 😀");
    let decision =
        Proposal { reason: Some(given.to_owned()), ..proposal(&[0]) }.validate(3).expect("allowed");
    assert_eq!(decision.reason(), Some(shown));
    for refusal in [Refusal::Denied, Refusal::NoCandidate] {
        assert_eq!(refusal(given.to_owned()).validate().expect("allowed").message(), shown);
    }
}

#[test]
fn the_hosts_own_order_tries_everything() {
    let decision = Decision::in_order(3, "static");
    assert_eq!(decision.targets().iter().map(|target| target.candidate).collect::<Vec<_>>(), [0, 1, 2]);
}
