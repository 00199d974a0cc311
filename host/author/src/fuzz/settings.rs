//! Variations of settings: one value of the author's is changed, or one member removed.

use serde_json::{Map, Value};

/// Most variations.
const MAX_VARIATIONS: usize = 64;

/// Returns variations of settings, without knowing which of them the policy accepts.
pub fn variations(settings: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    for name in settings.keys() {
        let mut without = settings.clone();
        without.remove(name);
        found.push(without);
    }
    for (name, value) in settings {
        for other in others(value) {
            let mut changed = settings.clone();
            changed.insert(name.clone(), other);
            found.push(changed);
        }
    }
    found.truncate(MAX_VARIATIONS);
    found
}

/// Returns values of the same type, extreme ones among them.
fn others(value: &Value) -> Vec<Value> {
    let others = match value {
        Value::Null => Vec::new(),
        Value::Bool(is_so) => vec![Value::from(!is_so)],
        Value::Number(number) if number.is_f64() => [0.0, 1.0, -1.0, 1e12].map(Value::from).into(),
        Value::Number(_) => [0, 1, -1, i64::from(i32::MAX)].map(Value::from).into(),
        Value::String(_) => vec![Value::from("")],
        Value::Array(items) => {
            let mut shorter = items.clone();
            shorter.pop();
            let mut doubled = items.clone();
            doubled.extend_from_slice(items);
            [Vec::new(), shorter, doubled].map(Value::from).into()
        }
        Value::Object(members) => variations(members).into_iter().map(Value::Object).collect(),
    };
    others.into_iter().filter(|other| other != value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variation_differs_in_one_place() {
        let Value::Object(settings) = serde_json::json!({ "floor": 0.5, "strict": true, "of": { "a": [1] } })
        else {
            panic!("an object")
        };
        let found: Vec<String> =
            variations(&settings).into_iter().map(|it| Value::Object(it).to_string()).collect();
        for expected in [
            r#"{"of":{"a":[1]},"strict":true}"#,
            r#"{"floor":0.0,"of":{"a":[1]},"strict":true}"#,
            r#"{"floor":0.5,"of":{"a":[1]},"strict":false}"#,
            r#"{"floor":0.5,"of":{},"strict":true}"#,
            r#"{"floor":0.5,"of":{"a":[1,1]},"strict":true}"#,
        ] {
            assert!(found.iter().any(|it| it == expected), "{expected} is not among {found:#?}");
        }
        assert!(variations(&Map::new()).is_empty());
    }
}
