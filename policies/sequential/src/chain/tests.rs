use pointsman_sdk::testkit::Gateway;

use super::*;
use crate::Sequential;

/// Returns the error of a list of stages that is given as JSON.
fn error(stages: &str) -> String {
    let settings = format!(r#"{{"stages":{stages}}}"#);
    Gateway::new().settings(settings).validate_orchestrator::<Sequential>().unwrap_err()
}

/// Returns the error of stages `a`, `b` and `c`, where `b` sees this.
fn error_seeing(sees: &str) -> String {
    error(&format!(
        r#"[{{"name":"a","instruction":"x"}},{{"name":"b","instruction":"x","sees":{sees}}},{{"name":"c","instruction":"x"}}]"#
    ))
}

/// Returns the error of a single stage with this further member.
fn error_with(member: &str) -> String {
    error(&format!(r#"[{{"name":"a","instruction":"x",{member}}}]"#))
}

#[test]
fn a_stage_sees_everything_before_it_unless_it_says_what() {
    let links = link(Settings::default()).unwrap();
    let seen: Vec<(bool, &[usize])> =
        links.iter().map(|link| (link.sees_conversation, link.sees.as_slice())).collect();
    assert_eq!(seen, [(true, &[][..]), (true, &[0][..]), (true, &[0, 1][..])]);
}

#[test]
fn what_a_stage_sees_has_to_be_there_by_then() {
    let prefix = "setting `stages.b.sees`: ";
    for (sees, why) in [
        (r#"["d"]"#, "there is no stage `d`; it can see conversation, a"),
        (r#"["b"]"#, "a stage can't see itself"),
        (r#"["c"]"#, "`c` comes later; a stage sees those before it"),
        (r#"["a","a"]"#, "`a` stands there twice"),
        ("[]", "it sees nothing; there is `conversation`, and stages before it"),
    ] {
        assert_eq!(error_seeing(sees), format!("{prefix}{why}"));
    }
}

#[test]
fn a_stage_that_no_other_sees_is_an_error() {
    let last_sees = |sees: &str| {
        error(&format!(
            r#"[{{"name":"a","instruction":"x"}},{{"name":"b","instruction":"x","sees":{sees}}}]"#
        ))
    };
    assert_eq!(
        last_sees(r#"["conversation"]"#),
        "setting `stages.a`: no later stage sees it, so it would be paid for in vain"
    );
}

#[test]
fn there_is_at_least_one_stage_and_at_most_eight() {
    assert_eq!(error("[]"), "setting `stages`: there is none; leave it out for draft, critique and revise");
    let nine: Vec<String> = (0..9).map(|at| format!(r#"{{"name":"s{at}","instruction":"x"}}"#)).collect();
    assert_eq!(error(&format!("[{}]", nine.join(","))), "setting `stages`: 9 are more than 8");
}

#[test]
fn names_are_labels_and_differ() {
    let named = |names: &[&str]| {
        let stages: Vec<String> =
            names.iter().map(|name| format!(r#"{{"name":"{name}","instruction":"x"}}"#)).collect();
        error(&format!("[{}]", stages.join(",")))
    };
    assert_eq!(named(&["a", "a"]), "setting `stages`: there are two with the name `a`");
    for bad in ["", "two words", &"x".repeat(65)] {
        assert_eq!(
            named(&["a", bad]),
            "setting `stages`: the name of stage 2 is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -"
        );
    }
    assert_eq!(
        named(&["conversation"]),
        "setting `stages`: stage 1 has the name by which `sees` means the messages"
    );
}

#[test]
fn what_a_stage_says_has_to_mean_something() {
    assert_eq!(
        error(r#"[{"name":"a","instruction":" "}]"#),
        "setting `stages.a.instruction`: it says nothing"
    );
    assert_eq!(
        error_with(r#""model":"""#),
        "setting `stages.a.model`: it is empty, so no model fits; leave it out for any"
    );
    assert_eq!(
        error_with(r#""max_output_tokens":0"#),
        "setting `stages.a.max_output_tokens`: 0 is less than 1"
    );
}

#[test]
fn missing_and_misspelt_members_are_reported() {
    assert!(error(r#"[{"name":"a"}]"#).contains("missing field `instruction`"));
    assert!(error(r#"[{"instruction":"x"}]"#).contains("missing field `name`"));
    assert!(error_with(r#""see":["a"]"#).contains("unknown field `see`"));
    assert!(error_with(r#""max_output_tokens":"many""#).starts_with("setting `stages.max_output_tokens`"));
}
