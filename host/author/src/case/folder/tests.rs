use std::fs;

use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn facts(case: &LoadedCase) -> Vec<&CandidateFormat> {
    case.case
        .candidates
        .iter()
        .flatten()
        .map(|entry| match entry {
            CandidateEntry::Facts(facts) => &**facts,
            CandidateEntry::Id(id) => panic!("{id} has no facts"),
        })
        .collect()
}

#[test]
fn cases_of_a_folder_share_its_defaults_and_change_some() {
    let folder = folder(&[
        (
            "defaults.toml",
            "request.tenant = \"team\"\nsettings.a = 1\n\
             [[candidates]]\nid = \"a/x\"\ninput_price = 1.0\nattributes.region = \"eu\"\n\
             [[candidates]]\nid = \"a/y\"\ninput_price = 2.0\n",
        ),
        ("b.toml", "candidates = [\"a/y\", { id = \"a/x\", healthy = false }]\nexpect.target = \"a/y\"\n"),
        ("a.json", r#"{"name": "first", "settings": {"b": 2}, "expect": {"label": "x"}}"#),
        (
            "inner/c.toml",
            "request.model = \"m\"\n[[cases]]\nexpect.label = \"x\"\n[[cases]]\nexpect.label = \"y\"\n",
        ),
        ("inner/defaults.toml", "request.session = \"s\"\n"),
        ("README.md", "not a case"),
        (".hidden.toml", "nor this"),
    ]);
    let cases = load(folder.path()).unwrap();
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["first", "b", "inner/c/1", "inner/c/2"]);
    let first = &cases[0].case;
    assert_eq!(first.request.tenant.as_deref(), Some("team"));
    assert_eq!(serde_json::to_string(&first.settings).unwrap(), r#"{"b":2}"#, "settings are not merged");
    assert_eq!(facts(&cases[0]).len(), 2);
    let second = facts(&cases[1]);
    assert_eq!((second[0].id.as_str(), second[1].id.as_str()), ("a/y", "a/x"));
    assert_eq!((second[1].input_price, second[1].healthy), (Some(1.0), Some(false)));
    assert_eq!(second[1].attributes["region"], "eu");
    let inner = &cases[2].case.request;
    assert_eq!(
        (inner.tenant.as_deref(), inner.session.as_deref(), inner.model.as_deref()),
        (Some("team"), Some("s"), Some("m"))
    );
    let alone = load(&folder.path().join("b.toml")).unwrap();
    assert_eq!(alone[0].case, cases[1].case, "a file alone has the defaults of its folder");
}

#[test]
fn a_case_without_candidates_has_the_stand_ins() {
    let folder = folder(&[("a.toml", "expect.label = \"x\"\n")]);
    let cases = load(folder.path()).unwrap();
    let ids: Vec<&str> = facts(&cases[0]).iter().map(|facts| facts.id.as_str()).collect();
    assert_eq!(ids, ["example/small", "example/medium", "example/large"]);
}

#[test]
fn a_problem_names_the_file_and_the_remedy() {
    for (text, expected) in [
        ("name = \"a\"\n", "the case expects nothing"),
        ("expect.label = \"x\"\ncandidates = [\"a/x\"]\n", "no shared candidate has the id `a/x`"),
        ("expect.label = \"x\"\ncandidates = [{ id = \"a\" }, { id = \"a\" }]\n", "`a` is listed twice"),
    ] {
        let folder = folder(&[("bad.toml", text)]);
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("bad.toml"), "{error}");
    }
    let missing = load(Path::new("no-such-folder.toml")).unwrap_err().to_string();
    assert!(missing.starts_with("error: cannot read no-such-folder.toml: "), "{missing}");
    let other = folder(&[("case.yaml", "")]);
    let error = load(&other.path().join("case.yaml")).unwrap_err().to_string();
    assert!(error.contains("ends with .toml or .json"), "{error}");
}

#[test]
fn earlier_requests_share_what_the_file_shares_and_are_one_call_each() {
    let text = "\
        request.tenant = \"team\"\n\
        [[cases]]\n\
        isolation = \"warm\"\n\
        expect.label = \"x\"\n\
        [[cases.earlier]]\n\
        request.messages = \"hello\"\n\
        candidates = [{ id = \"a/b\" }]\n\
        [[cases.earlier]]\n\
        outcome.status = \"failed\"\n";
    let good = folder(&[("case.toml", text)]);
    let loaded = load(good.path()).unwrap();
    let [request, outcome] = loaded[0].case.earlier.as_slice() else { panic!("{loaded:?}") };
    assert_eq!(request.request.as_ref().unwrap().tenant.as_deref(), Some("team"));
    assert!(outcome.outcome.is_some());

    for wrong in ["rating.score = 1\noutcome.id = \"x\"", "", "outcome.id = \"x\"\ncandidates = [\"a/b\"]"] {
        let text = format!("expect.label = \"x\"\n[[earlier]]\n{wrong}\n");
        let error = load(folder(&[("case.toml", &text)]).path()).unwrap_err().to_string();
        assert!(error.contains("case: earlier[0]: it is not one call"), "{error}");
    }
}
