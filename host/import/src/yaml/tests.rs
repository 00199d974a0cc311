use proptest::prelude::*;

use super::*;

fn mapping(text: &str) -> Vec<(String, usize, Node)> {
    let node = Node::parse(text).unwrap();
    node.entries().unwrap().iter().map(|entry| (entry.key.clone(), entry.line, entry.node.clone())).collect()
}

fn scalar(line: usize, text: &str) -> Node {
    Node { line, value: Value::Scalar(text.to_owned()) }
}

#[test]
fn values_have_their_lines() {
    let entries = mapping("# a comment\na: 1\nb:\n  - x\n  - 'null'\nc: null\n");
    assert_eq!(entries[0], ("a".to_owned(), 2, scalar(2, "1")));
    let list = Value::Sequence(vec![scalar(4, "x"), scalar(5, "null")]);
    assert_eq!((entries[1].1, &entries[1].2.value), (3, &list));
    assert_eq!(entries[2].2.value, Value::Null);
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    let entries = mapping("base: &base {a: 1, b: 2}\nfirst:\n  <<: *base\n  b: 3\n  c: *base\n");
    let first = entries[1].2.entries().unwrap();
    let keys: Vec<&str> = first.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["b", "c", "a"]);
    assert_eq!((first[0].node.text(), first[2].node.text()), (Some("3"), Some("1")));
}

#[test]
fn the_last_of_equal_keys_counts() {
    let entries = mapping("a: 1\nb: 2\na: 3\n");
    assert_eq!((entries.len(), entries[0].2.text(), entries[0].1), (2, Some("3"), 3));
}

#[test]
fn documents_that_grow_or_nest_without_bound_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert!(Node::parse(&bomb).unwrap_err().to_string().contains("more than 100,000 values"));
    for nested in ["[".repeat(100_000), "- ".repeat(5_000), "{a: ".repeat(5_000)] {
        let error = Node::parse(&nested).unwrap_err().to_string();
        assert!(error.starts_with("line 1"), "{error}");
    }
    let mut deep = "a0: &a0 [x]\n".to_owned();
    for level in 1..200 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(Node::parse(&deep).unwrap_err().to_string().contains("within each other"));
    assert_eq!(Node::parse(&"a".repeat(MAX_BYTES + 1)), Err(InvalidYaml::TooLong));
    assert!(Node::parse("a: &a [*a]").is_err());
}

#[test]
fn what_is_not_a_configuration_is_refused_with_its_line() {
    let refused = |text: &str| Node::parse(text).unwrap_err().to_string();
    assert_eq!(refused("a: 1\n---\nb: 2\n"), "line 2: there is more than one document");
    assert!(refused("a: 1\n? [x]\n: 2\n").contains("a key is not text"));
    assert!(refused("a: 1\nb: [1, 2\n").starts_with("line "));
    assert_eq!(Node::parse("").unwrap().value, Value::Null);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_causes_a_panic_or_an_endless_loop(text in r"[a\-: \[\]{},&*!|>'#\n%@`\t]{0,60}|\PC{0,80}") {
        let _ = Node::parse(&text);
    }
}
