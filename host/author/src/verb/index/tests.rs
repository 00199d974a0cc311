//! Indexes of folders, honest and hostile.

use pointsman_policy::Compiler;
use pointsman_supply::Proxies;
use tempfile::TempDir;

use super::*;

fn index(folder: &Path, key: Option<&str>) -> Result<(), CommandError> {
    let args = Args {
        sources: vec![folder.to_string_lossy().into_owned()],
        out: None,
        title: "<Ours> & \"theirs\"".to_owned(),
        public_key: key.map(|key| key.parse().unwrap()),
        registry: RegistryArgs::default(),
        json: true,
    };
    let toolbox = Toolbox {
        compiler: Compiler::InProcess,
        code_cache: None,
        builtin: |_| None,
        builtin_lines: |_| None,
        builtin_names: &[],
        variable: |_| None,
        proxies: || Ok(Proxies::default()),
    };
    run(&args, &toolbox)
}

fn written(folder: &Path) -> (String, serde_json::Value) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    (read("index.html"), serde_json::from_str(&read("index.json")).unwrap())
}

#[test]
fn files_that_are_no_policies_are_listed_with_the_reason() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a<b>.wasm"), b"<script>").unwrap();
    fs::write(folder.path().join("a<b>.wasm.minisig"), b"x").unwrap();
    fs::write(folder.path().join("readme.md"), b"x").unwrap();
    let error = index(folder.path(), None).unwrap_err();
    assert_eq!((error.exit_status(), error.to_string().as_str()), (1, "error: 1 of 1 files are faulty"));
    let (page, data) = written(folder.path());
    assert!(page.contains("a&lt;b&gt;.wasm is no policy: ") && !page.contains("<b>"), "{page}");
    assert!(page.contains("<title>&lt;Ours&gt; &amp; &quot;theirs&quot;</title>"), "{page}");
    assert_eq!(data["policies"][0]["file"], "a<b>.wasm");
    assert_eq!(data["policies"][0]["signature"], "unverified");
    assert!(data["policies"][0]["error"].as_str().unwrap().contains("not a WebAssembly component"));
}

#[test]
fn a_signature_by_another_key_is_wrong() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.wasm"), b"x").unwrap();
    fs::write(folder.path().join("a.wasm.minisig"), b"no signature").unwrap();
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    index(folder.path(), Some(key)).unwrap_err();
    let (_, data) = written(folder.path());
    assert!(data["policies"][0]["signature"]["wrong"].is_string(), "{data}");
}

#[test]
fn a_folder_without_policies_is_a_usage_error() {
    let folder = TempDir::new().unwrap();
    let error = index(folder.path(), None).unwrap_err();
    assert!(error.exit_status() == 2 && error.to_string().contains("has 0 .wasm files"), "{error}");
    assert_eq!(index(&folder.path().join("none"), None).unwrap_err().exit_status(), 2);
}
