use super::*;

#[test]
fn a_decision_tries_candidates_in_the_given_order() {
    let decision = Decision::of([2, 0], "cheapest");
    let order: Vec<u32> = decision.targets.iter().map(|target| target.candidate).collect();
    assert_eq!(order, [2, 0]);
    assert_eq!(decision.label, "cheapest");
}

#[test]
fn a_reason_is_printable_and_cut_at_a_character() {
    let decision = Decision::of([0], "x").because(format_args!("a\nb{}", "ä".repeat(600)));
    let reason = decision.reason.unwrap();
    assert!(reason.starts_with("a bä"));
    assert_eq!(reason.len(), 511);
}
