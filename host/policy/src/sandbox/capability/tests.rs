mod reference;

use std::path::Path;

use wit_parser::{Resolve, WorldItem};

use super::*;

#[test]
fn the_list_has_every_interface_that_the_contract_lets_policies_import() {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_path(wit).unwrap();
    let mut seen = Vec::new();
    for world in resolve.packages[package].worlds.values() {
        for (key, item) in &resolve.worlds[*world].imports {
            let WorldItem::Interface { id, .. } = item else { panic!("a world imports interfaces only") };
            let import = resolve.name_world_key(key);
            let interface = find(&import).expect(&import).interface;
            let functions: Vec<&str> = resolve.interfaces[*id].functions.keys().map(String::as_str).collect();
            assert_eq!(Some(&*functions), interface.functions, "{import}");
            seen.push(interface.name);
        }
    }
    let offered = ALL.iter().flat_map(|capability| capability.interfaces);
    for interface in offered.filter(|interface| !interface.name.starts_with("wasi:")) {
        assert!(seen.contains(&interface.name), "{} is in no world", interface.name);
    }
}

#[test]
fn an_import_is_found_by_its_name_and_version_line() {
    let allows = |import: &str| find(import).map(|offer| offer.interface.allows);
    let settings = Some("read its own settings");
    assert_eq!(allows("pointsman:policy/settings@0.1.0"), settings);
    assert_eq!(allows("pointsman:policy/settings@0.1.12"), settings);
    assert!(allows("wasi:clocks/wall-clock@0.2.6").is_some());
    for unknown in [
        "pointsman:policy/settings",
        "pointsman:policy/settings@0.2.0",
        "pointsman:policy/settings@0.1",
        "pointsman:policy/settings@0.1.",
        "pointsman:policy/settings@0.1.0-rc.1",
        "pointsman:policy/router@0.1.0",
        "pointsman:policy/@0.1.0",
        "wasi:clocks@0.2.0",
        "wasi:clocks/wall-clock@0.3.0",
        "wasi:http/outgoing-handler@0.2.0",
        "settings",
        "",
    ] {
        assert_eq!(allows(unknown), None, "{unknown}");
    }
}

#[test]
fn private_interfaces_need_a_grant() {
    let grant = |import: &str| find(import).and_then(|offer| offer.grant).map(|grant| grant.name);
    assert_eq!(grant("pointsman:policy/prompt@0.1.0"), Some("prompt"));
    assert_eq!(grant("pointsman:policy/outputs@0.1.0"), Some("outputs"));
    assert_eq!(grant("wasi:random/random@0.2.0"), Some("wasi"));
    assert_eq!(grant("pointsman:policy/details@0.1.0"), None);
}

#[test]
fn a_grant_is_named_as_its_flag() {
    for grant in ALL.iter().filter_map(|capability| capability.grant) {
        let flags: Vec<String> = grant.flag.iter_names().map(|(name, _)| name.to_lowercase()).collect();
        assert_eq!(flags, [grant.name]);
    }
}
