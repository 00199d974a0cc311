use std::path::Path;

use super::*;

fn problem(text: &str, syntax: Syntax) -> String {
    parse(text, syntax).unwrap_err().display(Path::new("case")).to_string()
}

#[test]
fn a_file_has_one_case_or_several_that_share_members() {
    let one = parse("name = \"a\"\nexpect.label = \"x\"", Syntax::Toml).unwrap();
    assert_eq!(one.cases.len(), 1);
    let several = r#"
        request.tenant = "team"
        [[cases]]
        request.messages = "hi"
        candidates = ["a/b", { id = "c/d", healthy = false }]
        expect = { target = "a/b", log = "x", refusal = "denied" }
        [[cases]]
        request.messages = [{ role = "system", text = "be brief" }, { parts = [{ kind = "image" }] }]
        expect.refusal = { kind = "denied", text = "no" }
        expect.plan = { tasks = [{ name = "a" }], next = "resume" }
    "#;
    let toml = parse(several, Syntax::Toml).unwrap();
    assert_eq!((toml.cases.len(), toml.request.tenant.as_deref()), (2, Some("team")));
    let json = serde_json::to_string(&toml).unwrap();
    assert_eq!(parse(&json, Syntax::Json).unwrap(), toml, "both syntaxes have the same format: {json}");
}

#[test]
fn an_unknown_member_is_shown_with_what_was_likely_meant() {
    insta::assert_snapshot!(problem("[expect]\ntarget = \"a\"\nlable = \"x\"\n", Syntax::Toml), @r#"
    error: unknown member `lable`
     --> case:3:1
      |
    3 | lable = "x"
      | ^^^^^
      = hint: did you mean `label`?
    "#);
    insta::assert_snapshot!(problem("{\"expect\": {\n  \"lable\": \"x\"}}", Syntax::Json), @r#"
    error: unknown member `lable`
     --> case:2:4
      |
    2 |   "lable": "x"}}
      |    ^^^^^
      = hint: did you mean `label`?
    "#);
    let nested = problem("[[candidates]]\nid = \"a/b\"\ninput_prize = 1.0\n", Syntax::Toml);
    assert!(nested.contains("case:3:1") && nested.contains("did you mean `input_price`?"), "{nested}");
    let word = problem("request.inputs = [\"text\", \"pictures\"]\n", Syntax::Toml);
    assert!(
        word.contains("unknown word `pictures`") && word.contains("the words here: text, image"),
        "{word}"
    );
}

#[test]
fn broken_syntax_and_wrong_types_are_shown_with_their_place() {
    assert!(problem("[request\n", Syntax::Toml).contains("case:1:9"));
    assert!(problem("{\"request\": ", Syntax::Json).contains("EOF while parsing"));
    let wrong = problem("request.input_tokens = \"many\"", Syntax::Toml);
    assert!(wrong.contains("case:1:24") && wrong.contains("expected u32"), "{wrong}");
    let nothing = parse_shared("[[cases]]\n", Syntax::Toml).unwrap_err();
    assert!(nothing.message.contains("do not belong"));
}

#[test]
fn a_place_beyond_the_text_or_in_other_alphabets_is_shown() {
    assert_eq!(Place::of_span("ä = ö", 7, 99).column, 6);
    assert_eq!(Place::of_json("\"ö\": é", 1, 99).line, 1);
    assert_eq!(Place::of_json("", 3, 0).excerpt, "");
}
