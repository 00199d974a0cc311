//! Inspection of policies, compared with the verdict of the load gate.

use std::sync::LazyLock;

use pointsman_guests::{
    COST, FIRST, HOSTILE, PLANNER, READER, RECORDER, sleeper, unknown_import, wrong_world,
};
use pointsman_policy::inspect::{Format, Role, Sdk};
use pointsman_policy::{Grants, Inspection, PolicySpec, inspect};
use proptest::prelude::*;
use serde_json::json;
use wit_component::ComponentEncoder;

use crate::released::guest;
use crate::support::{load, load_error, spec};

fn read(bytes: &[u8]) -> Inspection {
    inspect(bytes).unwrap()
}

fn component(module: &[u8]) -> Vec<u8> {
    ComponentEncoder::default().module(module).unwrap().encode().unwrap()
}

/// Appends a custom section to a module or component.
fn with_section(mut wasm: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    let (name_length, length) = (u8::try_from(name.len()).unwrap(), name.len() + content.len() + 1);
    assert!(length < 128, "the length is one byte");
    wasm.extend([0, u8::try_from(length).unwrap(), name_length]);
    wasm.extend(name.as_bytes());
    wasm.extend(content);
    wasm
}

/// A component that exports a router and has these imports.
fn importing(imports: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            {imports}
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $router (export "route" (func $f)))
            (instance $configuration (export "validate" (func $f)))
            (export "pointsman:policy/router@0.1.0" (instance $router))
            (export "pointsman:policy/configuration@0.1.0" (instance $configuration)))"#
    );
    wat::parse_str(text).unwrap()
}

/// Replaces every `0.1.0` in the bytes by another version of the same length.
fn renumbered(mut bytes: Vec<u8>, version: &[u8; 5]) -> Vec<u8> {
    let places: Vec<usize> =
        bytes.windows(6).enumerate().filter(|(_, at)| *at == b"@0.1.0").map(|(at, _)| at).collect();
    for at in places {
        bytes[at + 1..at + 6].copy_from_slice(version);
    }
    bytes
}

fn grants(names: &[&str]) -> Grants {
    let grant = |name: &&str| match *name {
        "prompt" => Grants::PROMPT,
        "outputs" => Grants::OUTPUTS,
        "wasi" => Grants::WASI,
        other => panic!("no grant is called {other}"),
    };
    names.iter().map(grant).collect()
}

#[test]
fn the_grants_of_an_inspection_are_those_that_the_load_gate_requires() {
    let sleeper = sleeper();
    for bytes in [FIRST, COST, RECORDER, READER, PLANNER, &sleeper] {
        let gate = read(bytes).gate;
        assert_eq!(gate.refusals, Vec::<String>::new());
        assert_eq!(gate.without_grants, load(spec(), bytes).is_ok());
        load(PolicySpec { grants: grants(&gate.grants), ..spec() }, bytes).unwrap();
        for missing in &gate.grants {
            let rest = grants(&gate.grants) - grants(&[missing]);
            let error = load_error(PolicySpec { grants: rest, ..spec() }, bytes);
            assert!(error.ends_with(&format!("to grant it: grants = [\"{missing}\"]")), "{error}");
        }
    }
}

#[test]
fn a_file_that_is_no_policy_gets_the_load_gates_error() {
    let native = wasmtime::Engine::default().precompile_component(&component(FIRST)).unwrap();
    let invalid = wat::parse_str("(component (core module (func (result i32))))").unwrap();
    let wasi = wat::parse_str(r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#).unwrap();
    let empty = wat::parse_str("(module)").unwrap();
    let cases = [
        (&b""[..], "the file is empty"),
        (b"garbage", "it does not begin with `\\0asm`"),
        (b"\0asm", "not a WebAssembly component"),
        (&FIRST[..5_000], "not a WebAssembly component"),
        (&native, "precompiled by wasmtime"),
        (&wasi, "cannot be made into a component"),
        (&empty, "(it exports: nothing)"),
        (&wrong_world(), "(it exports: acme:tools/command@1.0.0)"),
    ];
    for (bytes, expected) in cases {
        let error = inspect(bytes).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        assert_eq!(error, load_error(spec(), bytes));
    }
    let error = inspect(&invalid).unwrap_err().to_string();
    assert!(error.starts_with("the policy does not compile: "), "{error}");
    assert!(load_error(spec(), &invalid).starts_with("the policy does not compile: "));
    // The missing export is reported before the unknown import.
    assert!(inspect(&unknown_import()).is_err());
}

#[test]
fn an_unknown_import_is_named_and_explained() {
    let bytes = importing(
        r#"(import "acme:bank/teller@1.0.0" (instance (export "pay" (func))))
           (import "pointsman:policy/settings@0.2.0" (instance (export "json" (func (result string)))))
           (import "pointsman:policy/log@0.1.0" (instance (export "shout" (func))))
           (import "pointsman:policy/prompt@0.1.3" (instance (export "message-count" (func (result u32)))))"#,
    );
    let inspection = read(&bytes);
    let [teller, settings, log, prompt] = inspection.imports.as_slice() else {
        panic!("{:?}", inspection.imports)
    };
    assert_eq!((teller.name.as_str(), teller.allows, teller.grant), ("acme:bank/teller@1.0.0", None, None));
    assert_eq!((teller.functions.as_slice(), settings.allows), (["pay".to_owned()].as_slice(), None));
    assert_eq!((log.allows.is_some(), prompt.grant), (true, Some("prompt")));
    assert!(!inspection.gate.without_grants);
    assert_eq!(inspection.gate.grants, ["prompt"]);
    assert_eq!(
        inspection.gate.refusals,
        [
            "the policy imports `acme:bank/teller@1.0.0`, which Pointsman does not offer",
            "the policy imports `pointsman:policy/settings@0.2.0`, which Pointsman does not offer",
            "the policy does not fit the contract: `pointsman:policy/log@0.1.0` has no function `shout` here",
        ]
    );
    assert_eq!(
        load_error(PolicySpec { grants: Grants::PROMPT, ..spec() }, &bytes),
        inspection.gate.refusals[0]
    );
    let shouting = importing(r#"(import "pointsman:policy/log@0.1.0" (instance (export "shout" (func))))"#);
    let error = load_error(spec(), &shouting);
    assert!(
        error.starts_with("the policy does not fit the contract: ") && error.contains("shout"),
        "{error}"
    );
}

#[test]
fn a_policy_of_a_later_compatible_release_is_loaded_as_inspected() {
    let later = renumbered(FIRST.to_vec(), b"0.1.7");
    assert_eq!(read(&later).contract, "pointsman:policy@0.1.7");
    assert!(read(&later).gate.without_grants);
    load(spec(), &later).unwrap();

    let other = renumbered(FIRST.to_vec(), b"0.2.0");
    let error = inspect(&other).unwrap_err().to_string();
    assert!(error.contains("(it exports: pointsman:policy/router@0.2.0, "), "{error}");
    load(spec(), &other).unwrap_err();
}

#[test]
fn a_file_that_is_too_complex_is_inspected_with_its_counts() {
    let body = "i32.const 1 drop ".repeat(200_000);
    let bomb = importing(&format!("(core module (memory 3) (func {body} ) (func (local i64 i64)))"));
    let inspection = read(&bomb);
    assert_eq!(inspection.counts.largest_function_bytes, 600_002);
    assert_eq!(
        (inspection.counts.modules, inspection.counts.core_instances, inspection.counts.functions),
        (2, 1, 3)
    );
    assert_eq!((inspection.counts.most_locals, inspection.counts.memory_bytes), (2, 3 * 65_536));
    assert_eq!(inspection.gate.refusals, [load_error(spec(), &bomb)]);
}

#[test]
fn a_module_and_its_component_differ_in_format_only() {
    let (module, component) = (read(FIRST), read(&component(FIRST)));
    assert_eq!((module.format, component.format), (Format::CoreModule, Format::Component));
    assert_eq!((module.role, component.role), (Role::Router, Role::Router));
    assert_eq!((module.imports, module.exports), (component.imports, component.exports));
    let rust = Sdk { language: "rust".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
    assert_eq!((module.sdk.as_ref(), component.sdk.as_ref()), (Some(&rust), Some(&rust)));
    assert_ne!(module.sha256, component.sha256);
    assert_eq!(read(PLANNER).role, Role::Orchestrator);
    assert_eq!(module.sha256, load(spec(), FIRST).unwrap().digest().to_string());
}

#[test]
fn records_of_tools_are_read_and_made_printable() {
    let bare = importing("");
    assert_eq!((read(&bare).sdk, read(&bare).tools, read(&bare).languages), (None, vec![], vec![]));
    let python = with_section(bare.clone(), "pointsman:sdk", b"python 1.2.3\n");
    let sdk = read(&python).sdk.unwrap();
    assert_eq!((sdk.language.as_str(), sdk.version.as_deref()), ("python", Some("1.2.3")));
    let hostile = with_section(bare.clone(), "pointsman:sdk", b"\x1b[2Jrust\xff \x07");
    assert_eq!(read(&hostile).sdk.unwrap().language, r"\u{1b}[2Jrust�");
    assert_eq!(read(&with_section(bare.clone(), "pointsman:sdk", b" ")).sdk, None);

    let producers = b"\x02\x08language\x01\x01C\x00\x0cprocessed-by\x02\x05\x1bcc\x1bx\x019\x02ld\x0214";
    let made = read(&with_section(bare.clone(), "producers", producers));
    assert_eq!(
        made.languages.iter().map(|tool| (&*tool.name, tool.version.as_deref())).collect::<Vec<_>>(),
        [("C", None)]
    );
    let tools: Vec<_> = made.tools.iter().map(|tool| (&*tool.name, tool.version.as_deref())).collect();
    assert_eq!(tools, [(r"\u{1b}cc\u{1b}x", Some("9")), ("ld", Some("14"))]);
    // A truncated section contributes the entries before its end.
    let cut = read(&with_section(bare, "producers", &producers[..20]));
    assert_eq!((cut.languages.len(), cut.tools.len()), (1, 0));
}

#[test]
fn the_json_shape_is_stable() {
    let json = serde_json::to_value(read(&guest("planner"))).unwrap();
    assert_eq!(
        json,
        json!({
            "format": "core-module",
            "bytes": 165759,
            "sha256": "fb8f17ec92fe2f32b11d5ea4cad4a222febdbf7ac66ec41a5bd0ad3d21d3f6aa",
            "role": "orchestrator",
            "contract": "pointsman:policy@0.1.0",
            "description": null,
            "description_problems": [],
            "sdk": null,
            "languages": [],
            "tools": [
                {
                    "name": "wit-component",
                    "version": "0.258.3"
                },
                {
                    "name": "wit-bindgen-rust",
                    "version": "0.61.1"
                }
            ],
            "exports": [
                {
                    "name": "pointsman:policy/orchestrator@0.1.0",
                    "functions": [
                        "plan",
                        "resume"
                    ],
                    "purpose": "cuts a request into tasks"
                },
                {
                    "name": "pointsman:policy/configuration@0.1.0",
                    "functions": [
                        "validate"
                    ],
                    "purpose": "judges its settings before it serves"
                }
            ],
            "imports": [
                {
                    "name": "pointsman:policy/settings@0.1.0",
                    "functions": [
                        "json"
                    ],
                    "allows": "read its own settings",
                    "grant": null
                },
                {
                    "name": "pointsman:policy/types@0.1.0",
                    "functions": [],
                    "allows": "name types of requests, models and decisions",
                    "grant": null
                },
                {
                    "name": "pointsman:policy/outline@0.1.0",
                    "functions": [
                        "parts",
                        "whole"
                    ],
                    "allows": "see kind, place and size of the request's parts, not what they say",
                    "grant": null
                },
                {
                    "name": "pointsman:policy/outputs@0.1.0",
                    "functions": [
                        "text"
                    ],
                    "allows": "read what models answered in its tasks",
                    "grant": "outputs"
                },
                {
                    "name": "pointsman:policy/plans@0.1.0",
                    "functions": [],
                    "allows": "name types of plans and tasks",
                    "grant": null
                }
            ],
            "counts": {
                "modules": 1,
                "core_instances": 0,
                "functions": 622,
                "largest_function_bytes": 6798,
                "most_locals": 41,
                "memory_bytes": 1114112
            },
            "gate": {
                "without_grants": false,
                "grants": [
                    "outputs"
                ],
                "refusals": []
            }
        })
    );
}

#[test]
fn hostile_code_does_not_affect_an_inspection() {
    // It misbehaves only when it runs, and an inspection runs nothing.
    assert!(read(HOSTILE).gate.without_grants);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(inspect(&bytes).is_err());
        let _ = inspect(&[b"\0asm\x0d\0\x01\0", &bytes[..]].concat());
        let _ = inspect(&[b"\0asm\x01\0\0\0", &bytes[..]].concat());
    }

    #[test]
    fn a_damaged_policy_gets_a_result(
        whole in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        end in any::<prop::sample::Index>(),
    ) {
        static READER: LazyLock<Vec<u8>> = LazyLock::new(|| component(&guest("reader")));
        let mut bytes = READER.clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Ok(inspection) = inspect(&bytes) {
            prop_assert_eq!(inspection.bytes, bytes.len());
        }
    }
}
