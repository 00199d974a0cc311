//! The JSON of each type, and what others rely on of it.

mod declarations;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;

/// Checks that JSON of a gateway is read without loss and written the same again.
fn check<T: DeserializeOwned + Serialize>(golden: &str) {
    let read: T = serde_json::from_str(golden).expect("the JSON has the type's shape");
    let written = serde_json::to_string_pretty(&read).expect("the value can be written");
    assert_eq!(written, golden.trim_end());
}

#[test]
fn json_of_earlier_gateways_keeps_every_member() {
    check::<Overview>(include_str!("../golden/overview.json"));
    check::<Tick>(include_str!("../golden/tick.json"));
    check::<PolicyList>(include_str!("../golden/policies.json"));
    check::<Vec<RouteStatus>>(include_str!("../golden/routes.json"));
    check::<Vec<AuditEvent>>(include_str!("../golden/audit.json"));
    check::<Vec<DecisionSummary>>(include_str!("../golden/decisions.json"));
    check::<Vec<ModelStatus>>(include_str!("../golden/models.json"));
    check::<Vec<UsageLine>>(include_str!("../golden/usage.json"));
    check::<History>(include_str!("../golden/history.json"));
    check::<KeyList>(include_str!("../golden/keys.json"));
    check::<IssuedKey>(include_str!("../golden/key-issued.json"));
    check::<Vec<PlanSummary>>(include_str!("../golden/plans.json"));
    check::<PlanTrace>(include_str!("../golden/plan.json"));
    check::<TradeOff>(include_str!("../golden/trade-off.json"));
    check::<ReloadReport>(include_str!("../golden/reload.json"));
    check::<ReloadReport>(include_str!("../golden/reload-rejected.json"));
    check::<AccessStatus>("{\n  \"role\": \"read-only\"\n}");
    check::<OperationResult>(include_str!("../golden/done.json"));
    check::<OperationResult>(include_str!("../golden/done-version.json"));
    check::<ErrorResponse>(include_str!("../golden/error.json"));
}

#[test]
fn bodies_of_requests_keep_their_shape() {
    check::<TrialRequest>("{\n  \"policy\": \"a\",\n  \"mode\": \"shadow\",\n  \"why\": \"\"\n}");
    check::<TrialRequest>(
        "{\n  \"policy\": \"a\",\n  \"mode\": \"canary\",\n  \"percent\": 12.5,\n  \"why\": \"ticket 7\"\n}",
    );
    check::<VersionRequest>("{\n  \"digest\": \"abcdef\",\n  \"why\": \"ticket 7\"\n}");
    check::<CreateKeyRequest>(
        "{\n  \"name\": \"a\",\n  \"routes\": [\n    \"main\"\n  ],\n  \"expires_in\": \"30d\",\n  \"why\": \"\"\n}",
    );
    check::<CreateKeyRequest>("{\n  \"name\": \"a\",\n  \"expires_at\": 1800000000,\n  \"why\": \"\"\n}");
    check::<RotateKeyRequest>("{\n  \"grace\": \"0\",\n  \"why\": \"\"\n}");
    check::<ChangeKeyRequest>("{\n  \"disabled\": true,\n  \"why\": \"left\"\n}");
    check::<ChangeKeyRequest>("{\n  \"expires_at\": null,\n  \"routes\": null,\n  \"why\": \"\"\n}");
    check::<ChangeKeyRequest>("{\n  \"expires_at\": \"2027-01-31\",\n  \"why\": \"\"\n}");
    check::<Reason>("{\n  \"why\": \"ticket 7\"\n}");
    let empty: Reason = serde_json::from_str("{}").expect("no reason is needed");
    assert_eq!(empty, Reason::default());
    let unknown: Result<VersionRequest, _> = serde_json::from_str(r#"{"digest":"a","version":"b"}"#);
    assert!(unknown.is_err());
}

#[test]
fn an_issued_key_is_not_shown_by_debug() {
    let issued: IssuedKey = serde_json::from_str(include_str!("../golden/key-issued.json")).expect("a key");
    let shown = format!("{issued:?}");
    assert!(shown.contains("phone") && !shown.contains("pm-0000"), "{shown}");
}

#[test]
fn a_time_of_another_type_is_explained() {
    let error =
        serde_json::from_str::<CreateKeyRequest>(r#"{"name":"a","expires_at":true}"#).expect_err("no time");
    assert!(error.to_string().contains("a time has to be text such as \"2027-01-31\""), "{error}");
}

#[test]
fn a_decision_record_is_read_with_the_members_that_are_shown() {
    let record: DecisionRecord =
        serde_json::from_str(include_str!("../golden/decision.json")).expect("a record");
    let plan = record.plan.expect("a plan");
    assert_eq!((record.route.as_str(), plan.tasks.len(), plan.critical_path.len()), ("chain", 3, 3));
    assert_eq!((record.attempts.len(), record.outcome.ending.as_str()), (3, "answered"));
    assert_eq!(
        (record.decisions[0].answer.kind.as_str(), record.decisions[0].answer.tasks),
        ("plan", Some(3))
    );
    assert_eq!(record.decisions[0].candidates.len(), 2);

    let record: DecisionRecord =
        serde_json::from_str(include_str!("../golden/decision-failed.json")).expect("a record");
    assert_eq!(record.decisions[0].answer.targets.len(), 1);
    assert!(record.plan.is_none() && record.outcome.error.is_some());
}

#[test]
fn members_and_values_of_other_versions_are_tolerated() {
    let access: AccessStatus = serde_json::from_str(r#"{"role":"auditor"}"#).expect("a later gateway's role");
    assert_eq!(access.role, Role::Other("auditor".to_owned()));
    let overview: Overview = serde_json::from_str(
        r#"{"version":"9.0.0","models":[{"id":"a/b","colour":"red"}],"changes":[{"at":1,"who":"robot","action":"x"}],
            "policies":[{"name":"p","chosen":{"digest":"d","how":"borrowed"}}]}"#,
    )
    .expect("a later gateway's overview");
    assert_eq!(overview.changes[0].who, Actor::Other("robot".to_owned()));
    let policy = &overview.status.policies[0];
    assert!(policy.loaded, "earlier gateways load all policies before they serve");
    assert_eq!(policy.chosen.as_ref().map(|chosen| chosen.how.as_str()), Some("borrowed"));
    assert_eq!(overview.status.models[0].status.id, "a/b");
}

#[test]
fn the_members_that_are_read_of_a_record_are_in_its_schema() {
    let schema: Value = serde_json::from_str(declarations::RECORD_SCHEMA).expect("a schema");
    let own = schemars::schema_for!(DecisionRecord);
    let missing = missing(own.as_value(), own.as_value(), &schema, &schema, "");
    assert_eq!(missing, [""; 0], "members that no gateway writes");
}

#[test]
fn type_declarations_for_the_page_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("admin-api.d.ts");
    let expected = declarations::render();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &expected).expect("the file can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "UPDATE_EXPECT=1 cargo test -p pointsman-admin-api writes {}",
        path.display()
    );
}

/// Paths of properties in one schema that another one does not have.
fn missing(own: &Value, own_root: &Value, other: &Value, other_root: &Value, path: &str) -> Vec<String> {
    let others = variants(other, other_root);
    let mut paths = Vec::new();
    for one in variants(own, own_root) {
        for (name, property) in one["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            let found: Vec<&Value> = others
                .iter()
                .map(|other| &other["properties"][name])
                .filter(|found| !found.is_null())
                .collect();
            if found.is_empty() {
                paths.push(path);
                continue;
            }
            // A property that is an object may have other members in each variant.
            let below = found.into_iter().map(|found| missing(property, own_root, found, other_root, &path));
            paths.extend(below.min_by_key(Vec::len).into_iter().flatten());
        }
        if !one["items"].is_null() {
            let items = others.iter().map(|other| &other["items"]).filter(|items| !items.is_null());
            let below = items.map(|items| missing(&one["items"], own_root, items, other_root, path));
            paths.extend(below.min_by_key(Vec::len).into_iter().flatten());
        }
    }
    paths
}

/// The schemas that a schema stands for: the target of a reference, the members of a choice.
fn variants<'a>(schema: &'a Value, root: &'a Value) -> Vec<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return variants(target.expect("a reference within the schema"), root);
    }
    let mut all = vec![schema];
    for choice in ["anyOf", "oneOf", "allOf"] {
        let members = schema[choice].as_array().into_iter().flatten();
        all.extend(members.flat_map(|member| variants(member, root)));
    }
    all
}
