//! Keys and signatures of policies, by our commands and by minisign.

use std::fs;
use std::path::Path;
use std::process::Command;

use pointsman_guests::{FIRST, wrong_world};
use pointsman_tests::installed;

use crate::author::Author;
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (120, 40);

/// A folder with a policy and a key pair without a password.
fn author() -> Author {
    let author = Author::new(&[]).with("router.wasm", FIRST);
    author.run_ok(&["keygen", "ours", "--no-password"]);
    author
}

#[test]
fn a_policy_is_signed_and_verified_with_a_new_key() {
    let author = Author::new(&[]).with("router.wasm", FIRST);
    let made = author.json(&["keygen", "ours", "--no-password", "--json"]);
    assert_eq!((&made["secret_key"], &made["encrypted"]), (&"ours.key".into(), &false.into()));
    let public_key = made["public_key"].as_str().expect("a key");
    assert!(public_key.starts_with("RW"), "{public_key}");

    let (status, _, err) = author.run(&["verify", "router.wasm", "--public-key", "ours.pub"]);
    assert_eq!(status, Some(1));
    assert!(err.starts_with("error: there is no signature, but one is required"), "{err}");

    let signed = author.json(&["sign", "router.wasm", "--key", "ours.key", "--json"]);
    assert_eq!(
        (&signed["signature"], &signed["public_key"]),
        (&"router.wasm.minisig".into(), &public_key.into())
    );
    for key in ["ours.pub", public_key] {
        let out = author.run_ok(&["verify", "router.wasm", "--public-key", key]);
        assert!(out.starts_with("valid      router.wasm\n"), "{out}");
        assert!(out.contains("comment    timestamp:") && out.contains(" file:router.wasm hashed"), "{out}");
    }

    author.run_ok(&["keygen", "theirs", "--no-password"]);
    let (status, out, err) = author.run(&["verify", "router.wasm", "--public-key", "theirs.pub"]);
    assert_eq!((status, &*out), (Some(1), ""));
    assert!(err.starts_with("error: the signature was made with another key"), "{err}");
    author.write("router.wasm", &[FIRST, b"\0"].concat());
    let (status, _, err) = author.run(&["verify", "router.wasm", "--public-key", "ours.pub"]);
    assert_eq!(status, Some(1));
    assert!(err.starts_with("error: the signature does not match the bytes"), "{err}");
    assert!(err.ends_with("(looked for in router.wasm.minisig)\n"), "{err}");
}

#[test]
fn a_key_is_its_owners_and_is_never_overwritten() {
    let author = author();
    let secret = author.path("ours.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(secret.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    }
    let before = fs::read(&secret).expect("a key");
    let (status, _, err) = author.run(&["keygen", "ours", "--no-password"]);
    assert_eq!(status, Some(2));
    assert!(err.starts_with("error: ours.key exists already\n  = hint: "), "{err}");
    fs::remove_file(&secret).expect("the key can be removed");
    assert_eq!(author.run(&["keygen", "ours", "--no-password"]).0, Some(2), "the public key is still there");
    assert!(!secret.exists());
    author.write("ours.key", &before);
}

#[test]
fn an_encrypted_key_takes_its_password_from_a_variable_or_a_file() {
    let author = Author::new(&[("password", "correct horse\n")]).with("router.wasm", FIRST);
    author.run_ok(&["keygen", "ours", "--key-password-file", "password"]);
    let sign = |environment: &[(&str, &str)], more: &[&str]| {
        let arguments = [&["sign", "router.wasm", "--key", "ours.key"], more].concat();
        let (status, out, err) = author.run_in(environment, &arguments);
        (status, out + &err)
    };
    let from_variable = ["--key-password-env", "KEY_PASSWORD"];
    assert_eq!(sign(&[], &["--key-password-file", "password"]).0, Some(0));
    assert_eq!(sign(&[("KEY_PASSWORD", "correct horse")], &from_variable).0, Some(0));
    author.run_ok(&["verify", "router.wasm", "--public-key", "ours.pub"]);
    for (environment, more, expected) in [
        (
            &[("KEY_PASSWORD", "battery staple")][..],
            &from_variable[..],
            "the password is not that of the key",
        ),
        (&[], &from_variable[..], "there is no environment variable of this name"),
        (&[("KEY_PASSWORD", "")], &from_variable[..], "--key-password-env: the secret is empty"),
        (&[], &["--key-password-file", "missing"], "cannot read missing"),
    ] {
        let (status, text) = sign(environment, more);
        assert!(status == Some(2) && text.contains(expected), "{text}");
        assert!(!text.contains("staple"), "{text}");
    }
}

#[test]
fn files_that_are_no_policy_or_no_key_are_refused() {
    let author = author().with("tool.wasm", &wrong_world()).with("text", b"text");
    let (status, _, err) = author.run(&["sign", "tool.wasm", "--key", "ours.key"]);
    assert!(status == Some(3) && err.contains("so it is no policy"), "{err}");
    for (arguments, expected) in [
        (&["sign", "router.wasm", "--key", "ours.pub"][..], "ours.pub: this is not a secret key of minisign"),
        (&["sign", "missing.wasm", "--key", "ours.key"], "cannot read missing.wasm"),
        (
            &["verify", "router.wasm", "--public-key", "RWnonsense"],
            "is neither a public key of minisign nor a file",
        ),
        (&["verify", "router.wasm", "--public-key", "ours.key"], "ours.key has no public key of minisign"),
        (
            &["verify", "router.wasm", "--public-key", "ours.pub", "--signature", "router.wasm"],
            "is longer than 8 KiB",
        ),
    ] {
        let (status, out, err) = author.run(arguments);
        assert_eq!((status, &*out), (Some(2), ""), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    author.write("router.wasm.minisig", b"text");
    let (status, _, err) = author.run(&["verify", "router.wasm", "--public-key", "ours.pub"]);
    assert!(status == Some(1) && err.contains("this is not a signature of minisign"), "{err}");
}

/// The program `minisign`, in the folder of an author.
fn minisign(binary: &str, author: &Author, arguments: &[&str]) {
    let mut minisign = Command::new(binary);
    let output = minisign.current_dir(author.path("")).args(arguments).output().expect("minisign can be run");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn minisign_verifies_our_signatures_and_signs_for_our_keys() {
    let Some(binary) = installed("POINTSMAN_TEST_MINISIGN") else { return };
    let author = author();
    author.run_ok(&["sign", "router.wasm", "--key", "ours.key"]);
    minisign(&binary, &author, &["-V", "-q", "-p", "ours.pub", "-m", "router.wasm"]);
    minisign(&binary, &author, &["-S", "-s", "ours.key", "-m", "router.wasm"]);
    author.run_ok(&["verify", "router.wasm", "--public-key", "ours.pub"]);

    minisign(&binary, &author, &["-G", "-W", "-p", "theirs.pub", "-s", "theirs.key"]);
    author.run_ok(&["sign", "router.wasm", "--key", "theirs.key"]);
    minisign(&binary, &author, &["-V", "-q", "-p", "theirs.pub", "-m", "router.wasm"]);
    author.run_ok(&["verify", "router.wasm", "--public-key", "theirs.pub"]);
}

/// Runs `pointsman policy` in a terminal. Paths are in the folder of an author.
fn in_terminal(author: &Author, arguments: &[&str]) -> Terminal {
    let path = |name: &str| author.path(name).display().to_string();
    let arguments: Vec<String> =
        arguments
            .iter()
            .map(|argument| {
                if Path::new(argument).extension().is_some() {
                    path(argument)
                } else {
                    (*argument).to_owned()
                }
            })
            .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Terminal::run(SIZE, &[&["policy"], &arguments[..]].concat(), &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_asked_for_passwords_and_does_not_show_them() {
    let author = Author::new(&[]).with("router.wasm", FIRST);
    let mut keygen = in_terminal(&author, &["keygen", "./ours.d"]);
    keygen.wait_for_text("Password for the new key:").await;
    keygen.wait_until_hidden().await;
    keygen.press("correct horse\n");
    keygen.wait_for_text("The same password again:").await;
    keygen.wait_until_hidden().await;
    keygen.press("correct horse\n");
    let (status, screen) = keygen.wait_for_exit().await;
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("public_key = \"RW") && !keygen.written().contains("horse"), "{screen}");

    for (password, expected) in [("battery staple\n", 2), ("correct horse\n", 0)] {
        let mut sign = in_terminal(&author, &["sign", "router.wasm", "--key", "ours.d.key"]);
        sign.wait_for_text("Password of ").await;
        sign.wait_until_hidden().await;
        sign.press(password);
        let (status, screen) = sign.wait_for_exit().await;
        assert_eq!(status, expected, "{screen}");
        assert!(!sign.written().contains("horse") && !sign.written().contains("staple"));
    }
    author.run_ok(&["verify", "router.wasm", "--public-key", "ours.d.pub"]);

    let mut differing = in_terminal(&author, &["keygen", "./other.d"]);
    differing.wait_for_text("Password for the new key:").await;
    differing.wait_until_hidden().await;
    differing.press("one\n");
    differing.wait_for_text("The same password again:").await;
    differing.wait_until_hidden().await;
    differing.press("two\n");
    let (status, screen) = differing.wait_for_exit().await;
    assert!(status == 2 && screen.contains("the two passwords differ; no key was made"), "{screen}");
    assert!(!author.path("other.d.key").exists());
}
