//! `pointsman health`: the probe of health checks.

use std::fs;
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use pointsman_tests::{FakeModel, Gateway, Identity, command, fresh_directory};

use crate::command_line::{run, texts};
use crate::fleet::in_order;

/// Runs the command against a gateway.
fn health(gateway: &Gateway, more: &[&str]) -> Output {
    run(&[&["health", "--url", gateway.base_url.as_str()], more].concat())
}

#[tokio::test]
async fn its_exit_status_is_the_health_of_the_gateway() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "[server]\nshutdown_delay = \"1h\"\n")).await;
    let checks: [(&[&str], &str); 2] = [(&[], "ok\n"), (&["--ready"], "ready\n")];
    for (arguments, body) in checks {
        let output = health(&gateway, arguments);
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), &*out, &*err), (Some(0), body, ""));
    }
    gateway.signal("TERM");
    gateway.logged("stopping in 3600000 ms").await;
    assert_eq!(health(&gateway, &[]).status.code(), Some(0), "it is alive");
    let output = health(&gateway, &["--ready"]);
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), &*out), (Some(1), ""), "{err}");
    assert!(err.contains("/ready returned status 503: stopping"), "{err}");
    gateway.signal("INT");
    gateway.logged("SIGINT ended the wait").await;
    assert_eq!(gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn it_takes_the_url_from_the_environment_and_no_proxy() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    // Nothing listens there.
    let proxy = "http://127.0.0.1:1";
    let mut check = command();
    check.arg("health").env("POINTSMAN_HEALTH_URL", format!("{}/", gateway.base_url));
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        check.env(variable, proxy).env(variable.to_lowercase(), proxy);
    }
    let output = check.output().expect("the gateway's binary can be run");
    assert_eq!(output.status.code(), Some(0), "{}", texts(&output).1);
}

#[test]
fn a_server_that_does_not_respond_and_an_invalid_url_are_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let silent = thread::spawn(move || listener.accept().map(drop));
    let output = run(&["health", "--url", &url]);
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains(&format!("cannot reach {url}/health")) && err.contains("= hint: "), "{err}");
    silent.join().expect("it does not panic").expect("a connection");

    for invalid in ["gateway:8080", "ftp://gateway"] {
        let output = run(&["health", "--url", invalid]);
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("a URL such as http://127.0.0.1:8080"), "{err}");
    }
}

#[tokio::test]
async fn it_verifies_the_certificate_of_the_listener() {
    let (directory, identity, model) = (fresh_directory(), Identity::new(), FakeModel::saying("hello").await);
    fs::write(directory.join("tls.crt"), &identity.certificate_pem).expect("a file");
    fs::write(directory.join("tls.key"), &identity.key_pem).expect("a file");
    let tls = "[server]\ntls = { cert = \"tls.crt\", key = \"tls.key\" }\n";
    fs::write(directory.join("pointsman.toml"), in_order(&[&model], tls)).expect("the configuration");
    let gateway = Gateway::start_in(directory.clone()).await;
    let authority = directory.join("tls.crt").display().to_string();
    assert_eq!(health(&gateway, &["--ca-file", &authority]).status.code(), Some(0));
    let output = health(&gateway, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", texts(&output).0);
}
