//! The messages that cargo writes for each artifact, one JSON object a line.
//!
//! They are read without a JSON parser, because build scripts wait for this crate and
//! everything it depends on.

use std::path::PathBuf;

use crate::Module;

/// Returns the WebAssembly modules that cargo reports. Those of dependencies, which stay in
/// the directory `deps`, are left out.
pub(crate) fn modules(messages: &str) -> Vec<Module> {
    messages.lines().filter_map(module).collect()
}

fn module(message: &str) -> Option<Module> {
    if !message.contains(r#""reason":"compiler-artifact""#) {
        return None;
    }
    let (_, id) = message.split_once(r#""package_id":""#)?;
    let package = package_name(&string(id)?.0)?;
    let (_, mut names) = message.split_once(r#""filenames":["#)?;
    while let Some(rest) = names.strip_prefix('"') {
        let (name, rest) = string(rest)?;
        let path = PathBuf::from(name);
        let is_dependency = path.parent().is_some_and(|directory| directory.ends_with("deps"));
        if path.extension().is_some_and(|extension| extension == "wasm") && !is_dependency {
            return Some(Module { package, path });
        }
        names = rest.trim_start_matches(',');
    }
    None
}

/// The name in a package id: `path+file:///a/b#name@0.1.0`, or `path+file:///a/name#0.1.0`
/// where the directory has the same name.
fn package_name(id: &str) -> Option<String> {
    let (address, fragment) = id.rsplit_once('#')?;
    match fragment.split_once('@') {
        Some((name, _)) => Some(name.to_owned()),
        None => address.rsplit('/').next().map(str::to_owned),
    }
}

/// Reads a JSON string up to its closing quote. Returns it with what follows.
fn string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => match rest.next()? {
                'u' => {
                    let code = rest.as_str().get(..4)?;
                    value.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                    rest = rest.as_str()[4..].chars();
                }
                'n' => value.push('\n'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}
