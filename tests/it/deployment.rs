//! Files that deploy the gateway: the Helm chart, the Dockerfile, the unit for systemd and the workflows.
//!
//! `cargo xtask test` installs Helm's engine, the schemas of Kubernetes and the linters. Without them these tests are
//! skipped, except on CI.

mod config_map;
mod image;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pointsman_guests::version;
use pointsman_tests::registry::PASSWORD;
use pointsman_tests::{Identity, Registry, command, fresh_directory, installed};
use serde_json::{Value, json};

use crate::command_line::texts;
use crate::fleet::with_ample_deadlines;

const CHART: &str = "packaging/helm/pointsman";
const EVERYTHING: &str = "packaging/helm/pointsman/ci/everything-values.yaml";
const MINIMAL: &str = "packaging/helm/pointsman/ci/minimal-values.yaml";
/// Source of the policy in the values with everything.
const SOURCE: &str = "oci://registry.example.com/policies/router:stable";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Renders the chart for each of some values. All objects are valid for each version of Kubernetes that it allows.
fn render(values: &Value) -> Option<Vec<Value>> {
    let python = installed("POINTSMAN_TEST_DEPLOYMENT")?;
    let mut script = Command::new(python);
    script.args(["tests/clients/deployment.py", CHART]).current_dir(root());
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut script = script.spawn().expect("the script can be run");
    let mut stdin = script.stdin.take().expect("stdin is piped");
    stdin.write_all(values.to_string().as_bytes()).expect("the script reads");
    drop(stdin);
    let output = script.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// Returns the kinds and names of the rendered objects, sorted.
fn names(rendered: &Value) -> Vec<String> {
    let objects = rendered["objects"].as_array().unwrap_or_else(|| panic!("{rendered}"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut names: Vec<String> =
        objects.iter().map(|it| text(&it["kind"]) + " " + &text(&it["metadata"]["name"])).collect();
    names.sort();
    names
}

fn object<'a>(rendered: &'a Value, kind: &str, name: &str) -> &'a Value {
    let mut objects = rendered["objects"].as_array().into_iter().flatten();
    let found = objects.find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {:?}", names(rendered)))
}

#[test]
fn the_chart_renders_the_objects_that_its_values_enable() {
    let Some(rendered) = render(&json!([{}, MINIMAL, EVERYTHING])) else { return };
    let default = [
        "ConfigMap test-pointsman",
        "ConfigMap test-pointsman-validation",
        "Deployment test-pointsman",
        "Job test-pointsman-validation",
        "Pod test-pointsman-test",
        "PodDisruptionBudget test-pointsman",
        "Service test-pointsman",
        "ServiceAccount test-pointsman",
    ];
    assert_eq!(names(&rendered[0]), default);
    let minimal = ["ConfigMap", "Deployment", "Pod", "Service"];
    let kinds = |names: Vec<String>| -> Vec<String> {
        names.iter().filter_map(|name| Some(name.split_once(' ')?.0.to_owned())).collect()
    };
    assert_eq!(kinds(names(&rendered[1])), minimal);
    let everything = names(&rendered[2]);
    for expected in [
        "HorizontalPodAutoscaler test-pointsman",
        "NetworkPolicy test-pointsman",
        "PrometheusRule test-pointsman",
        "Service test-pointsman-admin",
        "Service test-pointsman-pods",
        "ServiceAccount gateways",
        "ServiceMonitor test-pointsman",
        "StatefulSet test-pointsman",
    ] {
        assert!(everything.iter().any(|name| name == expected), "{expected} is not in {everything:?}");
    }
    let scraped = &object(&rendered[2], "ServiceMonitor", "test-pointsman")["spec"]["endpoints"][0];
    assert_eq!(scraped["authorization"]["credentials"]["key"], "read-token");
    assert_eq!(
        (&scraped["scheme"], &scraped["relabelings"][0]["replacement"]),
        (&json!("https"), &json!("pointsman"))
    );
}

#[test]
fn pods_have_no_rights_and_time_for_their_shutdown() {
    let Some(rendered) = render(&json!([{}, EVERYTHING])) else { return };
    for (rendered, kind, grace) in [(&rendered[0], "Deployment", 85), (&rendered[1], "StatefulSet", 330)] {
        let spec = &object(rendered, kind, "test-pointsman")["spec"];
        let pod = &spec["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(pod["terminationGracePeriodSeconds"], grace);
        assert_eq!(
            (&pod["automountServiceAccountToken"], &container["lifecycle"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(container["securityContext"]["capabilities"]["drop"], json!(["ALL"]));
        // A file that is mounted alone is never updated.
        let mounts = container["volumeMounts"].as_array().expect("mounts");
        assert!(mounts.iter().all(|mount| mount["subPath"].is_null()), "{mounts:?}");
        let written = ["/var/lib/pointsman", "/tmp"];
        let is_written = |mount: &&Value| mount["readOnly"].is_null();
        let paths: Vec<&Value> = mounts.iter().filter(is_written).map(|mount| &mount["mountPath"]).collect();
        assert_eq!(paths, written);
    }
}

#[test]
fn only_sections_of_the_chart_restart_pods() {
    let config = |more: &str| read(&format!("{CHART}/simulated.toml")) + more;
    let values = json!([
        { "server": { "allowAnonymous": true }, "config": config("") },
        { "server": { "allowAnonymous": true }, "config": config("\n[routes.more]\npolicy = \"builtin:cost\"\n") },
        { "server": { "allowAnonymous": true, "drainTimeoutSeconds": 61 }, "config": config("") },
    ]);
    let Some(rendered) = render(&values) else { return };
    let [first, second, third] =
        [0, 1, 2].map(|at| &object(&rendered[at], "Deployment", "test-pointsman")["spec"]);
    assert_ne!(rendered[0]["config"], rendered[1]["config"]);
    assert_eq!(first["template"], second["template"]);
    assert_ne!(first["template"]["metadata"], third["template"]["metadata"]);
}

#[tokio::test]
async fn rendered_configurations_pass_check() {
    let Some(rendered) = render(&json!([{}, MINIMAL, EVERYTHING])) else { return };
    let Some(registry) = Registry::start_asking() else { return };
    registry.push("policies/router", "stable", &version(1)).await;
    let source = registry.source("policies/router", ":stable");
    let (directory, identity) = (fresh_directory(), Identity::new());
    for (secret, key, text) in [
        ("provider-keys", "openai", "a-key"),
        ("policy-registry", "password", PASSWORD),
        ("pointsman-admin", "token", "let-me-operate"),
        ("pointsman-admin", "read-token", "let-me-read"),
        ("pointsman-tls", "tls.crt", identity.certificate_pem.as_str()),
        ("pointsman-tls", "tls.key", identity.key_pem.as_str()),
        ("pointsman-tls", "ca.crt", identity.certificate_pem.as_str()),
    ] {
        fs::create_dir_all(directory.join(secret)).expect("a directory");
        fs::write(directory.join(secret).join(key), text).expect("a file");
    }
    let directory = directory.display().to_string();
    for rendered in &rendered {
        let config = rendered["config"].as_str().expect("a text");
        let config = config
            .replace("/run/secrets", &directory)
            .replace("/var/lib/pointsman", &directory)
            .replace(&format!("\"{SOURCE}\""), &format!("\"{source}\"\nlimits.deadline = \"60s\""));
        let path = format!("{directory}/pointsman.toml");
        fs::write(&path, with_ample_deadlines(&config)).expect("the configuration can be written");
        let checked = command().arg("check").arg(&path).output().expect("the gateway's binary can be run");
        assert_eq!((checked.status.code(), &*texts(&checked).1), (Some(0), ""), "{config}");
    }
    fs::remove_dir_all(directory).expect("it can be removed");
}

#[test]
fn bad_values_are_refused_with_the_reason() {
    let cases = [
        (json!({ "replicas": 3 }), "additional properties 'replicas' not allowed"),
        (json!({ "replicaCount": "two" }), "at '/replicaCount': got string, want integer"),
        (json!({ "server": { "port": 80 } }), "at '/server/port': minimum: got 80"),
        (json!({ "server": { "port": 8081 } }), "server.port and admin.port are the same"),
        (json!({ "image": { "digest": "sha256:1" } }), "at '/image/digest'"),
        (json!({ "persistence": { "size": "2 GB" } }), "at '/persistence/size'"),
        (json!({ "config": "[server]\nlisten = \"0.0.0.0:1\"\n" }), "config has the section `[server]`"),
        (json!({ "config": "[server.tls]\ncert = \"a\"\n" }), "config has the section `[server.`"),
        (json!({ "config": "[routes.a]\npolicy = \"builtin:cost\"\n" }), "config has no [keys.NAME]"),
        (
            json!({ "admin": { "service": { "enabled": true } } }),
            "admin.service.enabled needs admin.existingSecret",
        ),
        (json!({ "metrics": { "serviceMonitor": { "enabled": true } } }), "needs admin.existingSecret"),
        (json!({ "server": { "tls": { "clientAuth": "required" } } }), "needs server.tls.secretName"),
        (json!({ "autoscaling": { "enabled": true, "minReplicas": 11 } }), "minReplicas is above"),
    ];
    let values: Vec<&Value> = cases.iter().map(|(values, _)| values).collect();
    let Some(results) = render(&json!(values)) else { return };
    assert_eq!(results.len(), cases.len());
    for ((values, reason), result) in cases.iter().zip(&results) {
        let refusal = result["refusal"].as_str().unwrap_or_else(|| panic!("{values} is accepted"));
        assert!(refusal.contains(reason), "{values}: {refusal}");
    }
}

#[test]
fn the_values_of_the_document_are_valid() {
    let document = read("docs/deploying.md");
    let (_, block) = document.split_once("```yaml\n# values.yaml\n").expect("values");
    let (values, _) = block.split_once("```").expect("their end");
    let directory = fresh_directory();
    let path = directory.join("values.yaml");
    fs::write(&path, values).expect("a file");
    let Some(rendered) = render(&json!([path])) else { return };
    object(&rendered[0], "ServiceMonitor", "test-pointsman");
    fs::remove_dir_all(directory).expect("it can be removed");
}

#[test]
fn the_chart_has_the_alert_rules_and_the_version_of_the_project() {
    let linked = fs::read_link(root().join(CHART).join("alerts.yml")).expect("a link, not a copy");
    assert!(root().join(CHART).join(&linked).ends_with("examples/observability/alerts.yml"));
    let chart = read(&format!("{CHART}/Chart.yaml"));
    for key in ["version", "appVersion"] {
        let line = format!("\n{key}: {}\n", env!("CARGO_PKG_VERSION"));
        assert!(chart.contains(&line), "{chart}");
    }
    let Some(rendered) = render(&json!([EVERYTHING])) else { return };
    let rule = object(&rendered[0], "PrometheusRule", "test-pointsman");
    let groups = rule["spec"]["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let alerts: Vec<String> =
        rules.filter_map(|rule| Some(format!("- alert: {}", rule["alert"].as_str()?))).collect();
    let text = read("examples/observability/alerts.yml");
    let expected: Vec<&str> =
        text.lines().map(str::trim).filter(|line| line.starts_with("- alert: ")).collect();
    assert_eq!(alerts, expected);
}

#[test]
fn the_chart_is_pushed_to_a_registry_and_pulled_whole() {
    let Some(python) = installed("POINTSMAN_TEST_DEPLOYMENT") else { return };
    let Some(registry) = Registry::start() else { return };
    let directory = fresh_directory();
    let mut script = Command::new(python);
    script.args(["tests/clients/publish_chart.py", CHART, registry.authority(), env!("CARGO_PKG_VERSION")]);
    let output = script.arg(&directory).current_dir(root()).stdin(Stdio::null()).output();
    let output = output.expect("the script can be run");
    let (files, err) = texts(&output);
    assert!(output.status.success(), "{err}");
    let files: Vec<&str> = files.lines().collect();
    for expected in ["alerts.yml", "simulated.toml", "values.schema.json", "templates/deployment.yaml"] {
        let name = format!("pointsman/{expected}");
        assert!(files.iter().any(|file| *file == name), "{name} is not in {files:?}");
    }
    assert!(files.iter().all(|file| !file.starts_with("pointsman/ci/")), "{files:?}");
    fs::remove_dir_all(directory).expect("it can be removed");
}

/// Runs a tool of the Python environment in the repository, which has to succeed.
fn lint(python: &str, tool: &str, arguments: &[&str]) {
    let mut lint = Command::new(Path::new(python).with_file_name(tool));
    let output = lint.args(arguments).current_dir(root()).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{tool} {arguments:?}\n{out}\n{err}");
}

#[test]
fn linters_accept_the_dockerfile_and_the_workflows() {
    let Some(python) = installed("POINTSMAN_TEST_DEPLOYMENT") else { return };
    lint(&python, "hadolint", &["Dockerfile"]);
    let workflows = [".github/workflows/ci.yml", ".github/workflows/release.yml"];
    let schema = |name| ["--builtin-schema", name];
    lint(&python, "check-jsonschema", &[&schema("vendor.github-workflows")[..], &workflows].concat());
    lint(
        &python,
        "check-jsonschema",
        &[&schema("vendor.dependabot")[..], &[".github/dependabot.yml"]].concat(),
    );
    lint(&python, "zizmor", &["--offline", "--min-severity", "medium", ".github"]);
    for workflow in workflows {
        let text = read(workflow);
        let used = text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action);
        for action in used.filter(|action| !action.starts_with("./")) {
            let commit = action
                .split_once('@')
                .and_then(|(_, commit)| commit.split_once(" # v"))
                .map(|(commit, _)| commit);
            let is_commit = |it: &str| it.len() == 40 && it.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(commit.is_some_and(is_commit), "{workflow}: {action}");
        }
    }
}

#[test]
fn systemd_accepts_the_unit_and_its_sandbox() {
    let Some(analyze) = installed("POINTSMAN_TEST_SYSTEMD_ANALYZE") else { return };
    let directory = fresh_directory();
    let unit = directory.join("pointsman.service");
    let program = command().get_program().display().to_string();
    let text = read("packaging/systemd/pointsman.service");
    fs::write(&unit, text.replace("/usr/local/bin/pointsman", &program)).expect("a file");
    // The threshold is ten times the exposure, which is 1.2 without MemoryDenyWriteExecute.
    for arguments in [&["verify", "--man=no"][..], &["security", "--offline=true", "--threshold=15"]] {
        let output = Command::new(&analyze).args(arguments).arg(&unit).stdin(Stdio::null()).output();
        let output = output.expect("systemd-analyze can be run");
        let (out, err) = texts(&output);
        assert!(output.status.success() && !err.contains("pointsman.service"), "{arguments:?}\n{out}\n{err}");
    }
    fs::remove_dir_all(directory).expect("it can be removed");
}
