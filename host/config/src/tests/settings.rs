//! Places of settings that do not fit the schema of their policy.

use pointsman_domain::ids::PolicyName;
use pointsman_policy::description::{SettingsMisfit, SettingsProblem, ValuePath};

use super::accepted;

fn problem(path: ValuePath, is_key: bool) -> SettingsProblem {
    SettingsProblem { path, message: "it is wrong".to_owned(), hint: Some("mend it".to_owned()), is_key }
}

fn located(text: &str, problems: Vec<SettingsProblem>) -> String {
    let found = accepted(text).text.settings_problems(&PolicyName::new("p"), &SettingsMisfit { problems });
    found.map(|invalid| invalid.to_string()).unwrap_or_default()
}

#[test]
fn a_setting_is_shown_where_it_is_written() {
    let text = "[policies.p]\nsource = \"builtin:cost\"\n[policies.p.settings]\nfloor = 2\nlist = [{ a = 1 }, { a = 20 }]\n";
    let root = ValuePath::default();
    let located = located(
        text,
        vec![
            problem(root.key("list").index(1).key("a"), false),
            problem(root.key("floor"), false),
            problem(root.key("floor"), true),
            problem(root, true),
        ],
    );
    let expected = "\
error: policy `p`: it is wrong
 --> pointsman.toml:3:13
  |
3 | [policies.p.settings]
  |             ^^^^^^^^
  = hint: mend it

error: policy `p`: it is wrong
 --> pointsman.toml:4:1
  |
4 | floor = 2
  | ^^^^^
  = hint: mend it

error: policy `p`: setting `floor`: it is wrong
 --> pointsman.toml:4:9
  |
4 | floor = 2
  |         ^
  = hint: mend it

error: policy `p`: setting `list[1].a`: it is wrong
 --> pointsman.toml:5:26
  |
5 | list = [{ a = 1 }, { a = 20 }]
  |                          ^^
  = hint: mend it

4 errors in pointsman.toml
";
    assert_eq!(located, expected);
}

#[test]
fn settings_that_are_missing_are_shown_at_their_policy() {
    let located =
        located("[policies.p]\nsource = \"builtin:cost\"\n", vec![problem(ValuePath::default(), true)]);
    assert!(
        located.contains(" --> pointsman.toml:1:11\n") && located.contains("1 | [policies.p]"),
        "{located}"
    );
}

#[test]
fn a_policy_that_is_not_in_the_file_has_no_place() {
    assert_eq!(located("", vec![problem(ValuePath::default(), true)]), "");
}
