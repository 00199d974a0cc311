use super::*;
use crate::details::Prefer;
use crate::{details, log, prompt, settings};

#[test]
fn imports_reach_the_gateway_of_the_running_test_only() {
    let gateway = Gateway::new()
        .settings(r#"{"a":1}"#)
        .message("system", "be brief")
        .user("grüße")
        .tool("search")
        .prefer("speed")
        .attribute(1, "parameters", "7B")
        .task_quality(0, "code", 0.7);
    gateway.run(|| {
        assert_eq!(settings::json(), r#"{"a":1}"#);
        assert_eq!((prompt::message_count(), prompt::role(0).as_deref()), (2, Some("system")));
        assert_eq!(prompt::last_user_text(3), "gr", "a cut falls between characters");
        assert_eq!((prompt::text(2, 9), prompt::tool_names()), (None, vec!["search".to_owned()]));
        assert_eq!(details::prefer(), Some(Prefer::Speed));
        assert_eq!(details::candidate_attribute(1, "parameters").as_deref(), Some("7B"));
        assert_eq!((details::task_quality(0, "code"), details::task_quality(1, "code")), (Some(0.7), None));
        log::warn("hm");
    });
    assert_eq!(gateway.log_lines(), [(Level::Warn, "hm".to_owned())]);
    assert!(gateway.prompt_was_read());
    assert_eq!(settings::json(), "{}");
}

#[test]
fn a_decision_that_breaks_the_contract_is_reported() {
    let rule = |order: &[usize], label: &str| broken_rule(&Decision::of(order.iter().copied(), label), 2);
    assert_eq!(rule(&[1, 0], "task:code"), None);
    assert!(rule(&[], "x").is_some_and(|rule| rule.contains("at least one")));
    assert!(rule(&[2], "x").is_some_and(|rule| rule.contains("index")));
    assert!(rule(&[1, 1], "x").is_some_and(|rule| rule.contains("once")));
    assert!(rule(&[0], "two words").is_some_and(|rule| rule.contains("label")));
}
