//! The policies run natively, and the document has their text.

use std::time::Duration;

use pointsman_sdk::testkit::{Gateway, candidate, request};
use pointsman_sdk::{Candidate, Decision, Policy, Refusal, Request};

use crate::ab_test::AbTest;
use crate::by_length::ByLength;
use crate::by_tenant::ByTenant;
use crate::by_tools::ByTools;
use crate::residency::Residency;
use crate::session::SameModel;
use crate::tenant_limit::TenantLimit;

/// A small model, which is cheap, and a large one, which is fast and good.
fn models() -> [Candidate; 2] {
    let small =
        Candidate { quality: Some(0.5), first_token_ms: Some(900.0), ..candidate("a/small", 0.1, 0.4) };
    let large =
        Candidate { quality: Some(0.9), first_token_ms: Some(200.0), ..candidate("b/large", 2.0, 8.0) };
    [small, large]
}

/// Returns the first model and the label.
fn routed<P: Policy>(gateway: &Gateway, request: &Request) -> (String, String) {
    let models = models();
    let decision = gateway.route::<P>(request, &models).unwrap();
    (models[decision.targets[0].candidate as usize].id.clone(), decision.label)
}

fn tenant(name: &str) -> Request {
    Request { tenant: Some(name.to_owned()), ..request() }
}

fn session(name: &str) -> Request {
    Request { session: Some(name.to_owned()), ..request() }
}

fn is(found: (String, String), model: &str, label: &str) {
    assert_eq!((found.0.as_str(), found.1.as_str()), (model, label));
}

#[test]
fn tenants_have_models_of_their_own() {
    let gateway = Gateway::new().settings(r#"{"models": {"research": "*large*", "legal": "c/*"}}"#);
    is(routed::<ByTenant>(&gateway, &tenant("research")), "b/large", "tenant");
    is(routed::<ByTenant>(&gateway, &tenant("sales")), "a/small", "cheapest");
    is(routed::<ByTenant>(&gateway, &request()), "a/small", "cheapest");
    let refused = gateway.route::<ByTenant>(&tenant("legal"), &models());
    assert!(matches!(refused, Err(Refusal::NoCandidate(_))), "{refused:?}");
}

#[test]
fn long_prompts_go_to_the_cheapest_input() {
    let gateway = Gateway::new().settings(r#"{"long": 1000}"#);
    let length = |input_tokens| Request { input_tokens, ..request() };
    is(routed::<ByLength>(&gateway, &length(1_000)), "a/small", "long");
    is(routed::<ByLength>(&gateway, &length(999)), "b/large", "short");
    assert!(Gateway::new().settings(r#"{"long": 0}"#).validate::<ByLength>().is_err());
}

#[test]
fn tools_that_change_something_go_to_the_best_model() {
    is(
        routed::<ByTools>(&Gateway::new().tool("search").tool("pay_invoice"), &request()),
        "b/large",
        "careful",
    );
    is(routed::<ByTools>(&Gateway::new().tool("search"), &request()), "a/small", "cheapest");
    let none = Gateway::new().tool("pay_invoice").settings(r#"{"careful": []}"#);
    is(routed::<ByTools>(&none, &request()), "a/small", "cheapest");
}

#[test]
fn a_session_stays_with_its_model_and_sessions_are_spread() {
    let gateway = Gateway::new();
    let of = |name: String| routed::<SameModel>(&gateway, &session(&name)).0;
    let mut large = 0;
    for number in 0..200 {
        let model = of(number.to_string());
        assert_eq!(of(number.to_string()), model);
        large += usize::from(model == "b/large");
    }
    assert!((60..140).contains(&large), "{large}");
    let [small, large] = models();
    let ill = [Candidate { healthy: false, ..small }, large];
    for number in 0..50 {
        let decision = gateway.route::<SameModel>(&session(&number.to_string()), &ill).unwrap();
        assert_eq!(decision.targets[0].candidate, 1);
    }
}

#[test]
fn a_tenant_never_leaves_its_region() {
    let settings = r#"{"regions": {"acme": "eu", "corp": "us"}}"#;
    let gateway = Gateway::new().settings(settings).attribute(1, "region", "eu");
    is(routed::<Residency>(&gateway, &tenant("acme")), "b/large", "region:eu");
    let decision = gateway.route::<Residency>(&tenant("acme"), &models()).unwrap();
    assert_eq!(decision.targets.len(), 1, "no other model is a fallback");
    is(routed::<Residency>(&gateway, &tenant("other")), "a/small", "anywhere");
    let refused = gateway.route::<Residency>(&tenant("corp"), &models());
    assert_eq!(
        refused.unwrap_err(),
        Refusal::NoCandidate("no model in the region us can serve this request".to_owned())
    );
}

#[test]
fn a_share_of_the_sessions_tests_the_other_model() {
    let gateway = Gateway::new().settings(r#"{"model": "b/large", "share": 0.2}"#);
    let of = |name: String| gateway.route::<AbTest>(&session(&name), &models()).unwrap();
    let mut tested = 0;
    for number in 0..1_000 {
        let Decision { label, propensity, targets, .. } = of(number.to_string());
        let is_tested = label == "test";
        assert_eq!((targets[0].candidate, targets.len()), (u32::from(is_tested), 2));
        let expected = if is_tested { 0.2 } else { 0.8 };
        assert!(propensity.is_some_and(|found| (found - expected).abs() < 1e-9), "{propensity:?}");
        assert_eq!(of(number.to_string()).label, label);
        tested += usize::from(is_tested);
    }
    assert!((150..250).contains(&tested), "{tested}");
    let alone = Gateway::new().settings(r#"{"model": "c/*", "share": 0.2}"#);
    is(routed::<AbTest>(&alone, &request()), "a/small", "no-test");
    assert!(Gateway::new().settings(r#"{"model": "b/*", "share": 2}"#).validate::<AbTest>().is_err());
}

#[test]
fn a_tenant_over_its_limit_gets_the_cheapest_until_the_hour_is_over() {
    let gateway = Gateway::new().settings(r#"{"hourly": 2}"#);
    for _ in 0..2 {
        is(routed::<TenantLimit>(&gateway, &tenant("acme")), "b/large", "within-limit");
    }
    is(routed::<TenantLimit>(&gateway, &tenant("acme")), "a/small", "over-limit");
    is(routed::<TenantLimit>(&gateway, &tenant("corp")), "b/large", "within-limit");
    gateway.advance(Duration::from_secs(3_601));
    is(routed::<TenantLimit>(&gateway, &tenant("acme")), "b/large", "within-limit");
}

#[test]
fn the_document_has_the_text_of_each_policy() {
    let document = include_str!("../../../../docs/cookbook.md");
    let shown: Vec<&str> =
        document.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let written = [
        include_str!("by_tenant.rs"),
        include_str!("by_length.rs"),
        include_str!("by_tools.rs"),
        include_str!("session.rs"),
        include_str!("residency.rs"),
        include_str!("ab_test.rs"),
        include_str!("tenant_limit.rs"),
    ];
    let written: Vec<&str> = written.iter().filter_map(|text| Some(text.split_once("\n\n")?.1)).collect();
    assert_eq!(shown, written);
}
