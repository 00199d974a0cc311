//! Policies in registries: `pointsman policy push` and `pull`, and gateways that load from there.

use std::fs;

use pointsman_guests::{
    FIRST, HOSTILE, Misdeed, READER, encoded, misbehaving_at_once, unknown_import, version, version_label,
    wrong_world,
};
use pointsman_tests::registry::{PASSWORD, USERNAME, sha256};
use pointsman_tests::{FakeModel, Gateway, Registry, Step, client};
use serde_json::{Value, json};

use crate::author::Author;
use crate::command_line::{check, texts};
use crate::fleet::{ask, backend, chat, model};

/// Returns a configuration with a route `main` of the policy `router`.
fn config(upstream: &FakeModel, source: &str, more: &str) -> String {
    let policy = format!("[policies.router]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\n{more}\n");
    let fleet = backend("fake", upstream, "") + &model("fake/one", 1, "");
    format!("{policy}\n{fleet}\n[routes.main]\npolicy = \"router\"\n")
}

async fn assert_decided_by(gateway: &Gateway, number: u32) {
    let answer = ask(gateway, &chat("main", "hi")).await;
    assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(number)));
}

/// A folder with a policy and a key pair.
fn author() -> Author {
    let author = Author::new(&[]).with("router.wasm", &version(1));
    author.run_ok(&["keygen", "ours", "--no-password"]);
    author
}

fn public_key(author: &Author) -> String {
    let text = fs::read_to_string(author.path("ours.pub")).expect("a public key");
    text.lines().nth(1).expect("two lines").to_owned()
}

#[tokio::test]
async fn what_is_pushed_is_loaded_and_a_new_version_is_polled() {
    let Some(registry) = Registry::start() else { return };
    let (author, upstream) = (author(), FakeModel::saying("hello").await);
    let (place, source) =
        (format!("{}/acme/router", registry.authority()), registry.source("acme/router", ":stable"));
    let push = |tag: &str, more: &[&str]| {
        let reference = format!("{place}:{tag}");
        author.json(&[&["push", "router.wasm", &reference, "--json"], more].concat())
    };
    let first = push("1.0.0", &["--also", "stable", "--sign", "ours.key"]);
    assert_eq!((&first["sha256"], &first["sent"]), (&sha256(&version(1)).into(), &true.into()));
    assert_eq!((&first["signed"], &first["also"]), (&true.into(), &json!(["stable"])));

    let trusted = format!("public_key = \"{}\"\npoll = \"100ms\"", public_key(&author));
    let gateway = Gateway::start(&config(&upstream, &source, &trusted)).await;
    assert_decided_by(&gateway, 1).await;

    author.write("router.wasm", &version(2));
    push("1.1.0", &["--also", "stable", "--sign", "ours.key", "--public-key", "ours.pub"]);
    gateway.logged(&format!(r#""to":"{}""#, sha256(&version(2)))).await;
    assert_decided_by(&gateway, 2).await;

    // Neither unsigned nor signed by somebody else.
    author.write("router.wasm", &version(3));
    push("stable", &[]);
    gateway.logged("there is no signature, but one is required").await;
    author.run_ok(&["keygen", "theirs", "--no-password"]);
    push("stable", &["--sign", "theirs.key"]);
    gateway.logged("the signature was made with another key than the one that is trusted").await;
    assert_decided_by(&gateway, 2).await;

    // The digest of the first manifest still leads to the first version.
    let pinned = first["pinned"].as_str().expect("a reference");
    let gateway = Gateway::start(&config(&upstream, pinned, "")).await;
    assert_decided_by(&gateway, 1).await;
}

#[tokio::test]
async fn the_output_of_a_push_is_what_the_configuration_needs() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new(&[]).with("router.wasm", READER);
    let reference = format!("oci://{}/acme/router:1.0.0", registry.authority());
    let out = author.run_ok(&["push", "router.wasm", &reference]);
    assert!(out.starts_with(&format!("published          {reference}\n")), "{out}");
    for expected in [
        &format!("bytes              {}\n", READER.len()),
        &format!("sha-256            {}\n", sha256(READER)),
        "signature          none\n",
        "grants             prompt\n",
        &format!("in pointsman.toml  source = \"oci://{}/acme/router@sha256:", registry.authority()),
    ] {
        assert!(out.contains(expected), "{expected}\nis not in\n{out}");
    }
    let out = author.run_ok(&["push", "router.wasm", &reference]);
    assert!(
        out.contains(&format!("bytes              {}, which the repository had\n", READER.len())),
        "{out}"
    );
}

#[tokio::test]
async fn a_policy_is_pulled_with_its_signature_and_verified() {
    let Some(registry) = Registry::start() else { return };
    let author = author();
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    author.run_ok(&["push", "router.wasm", &reference, "--sign", "ours.key"]);

    let other = Author::new(&[("router.wasm", "an older file")]);
    other.write("ours.pub", &fs::read(author.path("ours.pub")).expect("a key"));
    let pulled = other.json(&["pull", &reference, "--public-key", "ours.pub", "--json"]);
    assert_eq!((&pulled["path"], &pulled["signature_verified"]), (&"router.wasm".into(), &true.into()));
    assert_eq!(fs::read(other.path("router.wasm")).expect("a policy"), version(1));
    other.run_ok(&["verify", "router.wasm", "--public-key", "ours.pub"]);

    let pinned = pulled["pinned"].as_str().expect("a reference");
    let out = other.run_ok(&["pull", pinned, "-o", "copy.wasm"]);
    assert!(out.starts_with("pulled     copy.wasm\n") && out.contains(pinned), "{out}");
    assert!(out.contains("signature  not verified; --public-key verifies it\n"), "{out}");
    assert!(out.contains("grants     none needed\n"), "{out}");

    other.run_ok(&["keygen", "theirs", "--no-password"]);
    let (status, out, err) = other.run(&["pull", &reference, "-o", "no.wasm", "--public-key", "theirs.pub"]);
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(err.contains("the signature was made with another key"), "{err}");
    let (status, _, err) = other.run(&["pull", &reference.replace("1.0.0", "2.0.0"), "-o", "no.wasm"]);
    assert!(status == Some(1) && err.contains("status 404: there is nothing by this name"), "{err}");
    registry.push("acme/router", "text", b"\0asm and no policy").await;
    let (status, _, err) = other.run(&["pull", &reference.replace("1.0.0", "text"), "-o", "no.wasm"]);
    assert!(status == Some(3) && err.contains("is not a WebAssembly component"), "{err}");
    assert!(!other.path("no.wasm").exists(), "what is not valid is not written");
}

#[tokio::test]
async fn the_policies_of_a_repository_become_an_index() {
    let Some(registry) = Registry::start() else { return };
    let author = author().with("reader.wasm", READER);
    let repository = format!("oci://{}/acme/router", registry.authority());
    author.run_ok(&[
        "push",
        "router.wasm",
        &format!("{repository}:1.0.0"),
        "--also",
        "stable",
        "--sign",
        "ours.key",
    ]);
    author.run_ok(&["push", "reader.wasm", &format!("{repository}:2.0.0")]);
    registry.push("acme/router", "text", b"\0asm and no policy").await;

    let index = ["index", &repository, "--public-key", &public_key(&author), "--json"];
    let (status, out, err) = author.run(&index);
    assert_eq!((status, &*err), (Some(1), "error: 1 of 3 files are faulty\n"));
    let data: Value = serde_json::from_str(&out).expect("JSON");
    let find = |tag: &str| {
        let policies = data["policies"].as_array().expect("policies");
        let has_tag =
            |policy: &&Value| policy["tags"].as_array().is_some_and(|tags| tags.contains(&tag.into()));
        policies.iter().find(has_tag).unwrap_or_else(|| panic!("{tag} in {data}"))
    };
    assert_eq!(find("1.0.0"), find("stable"), "tags of an artifact are one entry");
    assert_eq!(
        (&find("stable")["signature"], &find("2.0.0")["signature"]),
        (&"verified".into(), &"absent".into())
    );
    assert_eq!(find("2.0.0")["policy"]["sha256"], sha256(READER));
    assert!(find("text")["error"].is_string(), "{data}");
    assert!(author.read("index.html").contains("<dt>Tags</dt><dd>1.0.0, stable</dd>"));

    // One policy of a repository beside a folder.
    author.write("ours/first.wasm", FIRST);
    author.run_ok(&["index", "ours", &format!("{repository}:2.0.0")]);
    let data: Value = serde_json::from_str(&author.read("ours/index.json")).expect("JSON");
    assert_eq!(data["policies"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["policies"][1]["file"], format!("{repository}:2.0.0"));

    let (status, _, err) = author.run(&["index", &format!("oci://{}/acme/none", registry.authority())]);
    assert!(status == Some(1) && err.contains("status 404"), "{err}");
    let (status, _, err) = author.run(&["index", "oci://no repository"]);
    assert!(status == Some(2) && err.contains("error: oci://no repository: "), "{err}");
}

#[tokio::test]
async fn a_policy_that_would_not_load_is_not_published() {
    let registry = FakeModel::always(Step::status(500)).await;
    let author = author()
        .with("unknown.wasm", &unknown_import())
        .with("tool.wasm", &wrong_world())
        .with("text.wasm", b"text")
        .with("hostile.wasm", HOSTILE);
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    let loops = misbehaving_at_once(Misdeed::LoopAtStart);
    for (arguments, expected) in [
        (&["text.wasm"][..], "the policy is not a WebAssembly component"),
        (&["tool.wasm"], "so it is no policy"),
        (&["unknown.wasm"], "so it is no policy"),
        (&["hostile.wasm", "--settings", &loops], "the policy failed while it was started"),
    ] {
        let (file, more) = arguments.split_first().expect("a file");
        let (status, out, err) = author.run(&[&["push", file, &reference], more].concat());
        assert_eq!((status, &*out), (Some(3), ""), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    // A signature that is not by the key that gateways trust is of no use to them.
    author.run_ok(&["keygen", "theirs", "--no-password"]);
    for more in [&["--sign", "theirs.key"][..], &[]] {
        let push = ["push", "router.wasm", &reference, "--public-key", "ours.pub"];
        let (status, _, err) = author.run(&[&push, more].concat());
        assert!(status == Some(1) && err.contains("error: "), "{err}");
    }
    assert_eq!(registry.requests().len(), 0);
}

#[tokio::test]
async fn the_signature_beside_the_file_is_published() {
    let Some(registry) = Registry::start() else { return };
    let author = author();
    author.run_ok(&["sign", "router.wasm", "--key", "ours.key"]);
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    let out = author.run_ok(&["push", "router.wasm", &reference, "--public-key", "ours.pub"]);
    assert!(out.contains("signature          router.wasm.minisig\n"), "{out}");
    author.run_ok(&["pull", &reference, "-o", "copy.wasm", "--public-key", "ours.pub"]);

    author.write("router.wasm", &version(2));
    let (status, _, err) = author.run(&["push", "router.wasm", &reference, "--public-key", "ours.pub"]);
    assert!(status == Some(1) && err.contains("the signature does not match the bytes"), "{err}");
}

#[tokio::test]
async fn credentials_come_from_options_or_from_docker_login() {
    let Some(registry) = Registry::start_asking() else { return };
    let author = author().with("password", format!("{PASSWORD}\n").as_bytes());
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    let push = |environment: &[(&str, &str)], more: &[&str]| {
        let (status, out, err) =
            author.run_in(environment, &[&["push", "router.wasm", &reference], more].concat());
        (status, out + &err)
    };
    let (status, text) = push(&[], &[]);
    assert!(status == Some(1) && text.contains("it requires a user name and a password or token"), "{text}");
    assert!(
        text.contains("\n  = hint: log in with `docker login`, or give --username with --password-env"),
        "{text}"
    );

    let username = ["--username", USERNAME];
    let from_variable = [&username[..], &["--password-env", "REGISTRY_PASSWORD"]].concat();
    let from_file = [&username[..], &["--password-file", "password"]].concat();
    assert_eq!(push(&[("REGISTRY_PASSWORD", PASSWORD)], &from_variable).0, Some(0));
    assert_eq!(push(&[], &from_file).0, Some(0));
    let (status, text) = push(&[("REGISTRY_PASSWORD", "guessed")], &from_variable);
    assert!(status == Some(1) && text.contains("do not allow to write to `acme/router`"), "{text}");
    assert!(!text.contains("guessed"), "{text}");
    let (status, text) = push(&[], &username);
    assert!(status == Some(2) && text.contains("--username without a password"), "{text}");

    // base64 of reader:let-me-in
    let auths = json!({ registry.authority(): { "auth": "cmVhZGVyOmxldC1tZS1pbg==" } });
    author.write("config.json", json!({ "auths": auths }).to_string().as_bytes());
    assert_eq!(push(&[], &[]).0, Some(0));
    assert_eq!(author.run(&["pull", &reference, "-o", "copy.wasm"]).0, Some(0));
    author.write("config.json", b"{");
    let (status, text) = push(&[], &[]);
    assert!(status == Some(1) && text.contains("config.json cannot be used"), "{text}");
}

#[cfg(unix)]
#[tokio::test]
async fn credentials_come_from_the_program_that_dockers_configuration_names() {
    use std::os::unix::fs::PermissionsExt;

    let Some(registry) = Registry::start_asking() else { return };
    let author = author();
    let program = |name: &str, script: &str| {
        author.write(name, format!("#!/bin/sh\n{script}\n").as_bytes());
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(author.path(name), executable).expect("the script can be made executable");
    };
    let answer = format!(
        r#"read server; test "$1 $server" = "get {}" && echo '{{"ServerURL":"x","Username":"{USERNAME}","Secret":"{PASSWORD}"}}'"#,
        registry.authority()
    );
    program("docker-credential-pass-test", &answer);
    program(
        "docker-credential-token-test",
        r#"echo '{"ServerURL":"x","Username":"<token>","Secret":"abc"}'"#,
    );
    program("docker-credential-none-test", "echo 'credentials not found'; exit 1");
    let path = format!("{}:{}", author.path("").display(), std::env::var("PATH").unwrap_or_default());
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    let push = |config: Value| {
        author.write("config.json", config.to_string().as_bytes());
        let (status, out, err) = author.run_in(&[("PATH", &path)], &["push", "router.wasm", &reference]);
        (status, out + &err)
    };
    assert_eq!(push(json!({ "credsStore": "pass-test" })).0, Some(0));
    let helpers = json!({ registry.authority(): "pass-test" });
    assert_eq!(push(json!({ "credsStore": "none-test", "credHelpers": helpers })).0, Some(0));
    for (store, expected) in [
        ("token-test", "(docker-credential-token-test has an identity token, which is not supported)"),
        ("missing-test", "(docker-credential-missing-test cannot be run: "),
        ("none-test", "log in with `docker login`, or"),
    ] {
        let (status, text) = push(json!({ "credsStore": store }));
        assert!(status == Some(1) && text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn the_artefact_has_the_form_of_the_guide_for_webassembly() {
    let Some(registry) = Registry::start() else { return };
    let component = encoded(FIRST);
    let author = author().with("component.wasm", &component);
    let reference = format!("{}/acme/router:v1.2.0", registry.authority());
    let annotations =
        ["--annotation", "source=https://example.com/router", "--annotation", "com.acme.team=core"];
    let push = ["push", "component.wasm", &reference, "--author", "Ada"];
    let environment = [("SOURCE_DATE_EPOCH", "1714430429")];
    let (status, _, err) = author.run_in(&environment, &[&push[..], &annotations].concat());
    assert_eq!(status, Some(0), "{err}");

    let get = async |path: &str| {
        let accepted = [("accept", "application/vnd.oci.image.manifest.v1+json, */*")];
        client::get_with(&format!("http://{}/v2/acme/router/{path}", registry.authority()), &accepted).await
    };
    let manifest = get("manifests/v1.2.0").await;
    assert_eq!(manifest.header("content-type"), Some("application/vnd.oci.image.manifest.v1+json"));
    let manifest = manifest.json();
    let config_digest = manifest["config"]["digest"].as_str().expect("a digest").to_owned();
    let layer_digest = format!("sha256:{}", sha256(&component));
    assert_eq!(
        manifest,
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.wasm.config.v0+json",
                "digest": config_digest,
                "size": manifest["config"]["size"],
            },
            "layers": [{
                "mediaType": "application/wasm",
                "digest": layer_digest,
                "size": component.len(),
                "annotations": { "org.opencontainers.image.title": "component.wasm" },
            }],
            "annotations": {
                "com.acme.team": "core",
                "org.opencontainers.image.source": "https://example.com/router",
                "org.opencontainers.image.title": "router",
                "org.opencontainers.image.version": "1.2.0",
            },
        })
    );
    let config = get(&format!("blobs/{config_digest}")).await;
    assert_eq!(manifest["config"]["size"], config.body.len());
    let config = config.json();
    let named = |list: &Value, start: &str| {
        let list = list.as_array().expect("a list");
        list.iter().any(|name| name.as_str().is_some_and(|name| name.starts_with(start)))
    };
    assert!(named(&config["component"]["exports"], "pointsman:policy/router@0.1.0"), "{config}");
    assert!(named(&config["component"]["imports"], "pointsman:policy/"), "{config}");
    let component = &config["component"];
    assert_eq!(
        config,
        json!({
            "created": "2024-04-29T22:40:29Z",
            "author": "Ada",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer_digest],
            "component": { "exports": component["exports"], "imports": component["imports"], "target": null },
        })
    );
}

#[tokio::test]
async fn wrong_references_and_options_are_refused_before_anything_is_sent() {
    let author = author();
    let digest = format!("127.0.0.1:1/router@sha256:{}", sha256(b""));
    for (reference, more, expected) in [
        ("router:1", &[][..], "there is no repository"),
        ("127.0.0.1:1/Router:1", &[], "is not a repository"),
        ("127.0.0.1:1/router", &[], "there is neither a tag nor a digest"),
        ("me:secret@127.0.0.1:1/router:1", &[], "credentials have settings of their own"),
        (&digest, &[], "to publish, name a tag"),
        ("127.0.0.1:1/router:1", &["--also", "a/b"], "is not a tag"),
        ("127.0.0.1:1/router:1", &["--annotation", "text"], "it is not NAME=VALUE"),
        ("127.0.0.1:1/router:1", &["--ca-file", "missing.pem"], "cannot read missing.pem"),
        ("127.0.0.1:1/router:1", &["--sign", "ours.pub"], "this is not a secret key of minisign"),
    ] {
        let (status, out, err) = author.run(&[&["push", "router.wasm", reference], more].concat());
        assert_eq!((status, &*out), (Some(2), ""), "{err}");
        assert!(err.contains(expected) && !err.contains("secret@"), "{err}");
    }
    let proxied = [("HTTPS_PROXY", "gopher://me:secret@p")];
    let (status, _, err) = author.run_in(&proxied, &["push", "router.wasm", "127.0.0.1:1/router:1"]);
    assert!(status == Some(2) && err.contains("`HTTPS_PROXY` is not the address of a proxy"), "{err}");
    let (status, _, err) = author.run(&["push", "router.wasm", "127.0.0.1:1/router:1"]);
    assert!(status == Some(1) && err.contains("cannot reach http://127.0.0.1:1/v2/router/"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_with_its_own_authority_is_reached_with_ca_file() {
    let registry = FakeModel::builder().tls().otherwise(|request| match request.method.as_str() {
        "HEAD" => Step::status(404),
        "POST" => {
            Step::bytes("a/b", "").with_status(202).header("location", "/v2/acme/router/blobs/uploads/1")
        }
        _ => Step::bytes("a/b", "").with_status(201),
    });
    let registry = registry.start().await;
    let author = author().with("ca.pem", registry.ca_pem().expect("it speaks TLS").as_bytes());
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    author.run_ok(&["push", "router.wasm", &reference, "--ca-file", "ca.pem"]);
    assert_eq!(registry.requests().last().expect("requests").path, "/v2/acme/router/manifests/1.0.0");
}

#[tokio::test]
async fn a_configuration_with_a_pushed_policy_is_checked() {
    let Some(registry) = Registry::start() else { return };
    let (author, upstream) = (Author::new(&[]).with("router.wasm", READER), FakeModel::saying("hello").await);
    let reference = format!("{}/acme/router:1.0.0", registry.authority());
    let pushed = author.json(&["push", "router.wasm", &reference, "--json"]);
    assert_eq!(pushed["grants"], json!(["prompt"]));
    let pinned = pushed["pinned"].as_str().expect("a reference");
    let checked = check(&config(&upstream, pinned, "grants = [\"prompt\"]"));
    let (out, err) = texts(&checked);
    assert!(out.contains(": ok ("), "{out}{err}");
    let (_, err) = texts(&check(&config(&upstream, pinned, "")));
    assert!(err.contains("grants = [\"prompt\"]"), "{err}");
}
