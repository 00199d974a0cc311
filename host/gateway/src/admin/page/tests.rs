use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn names() -> BTreeSet<String> {
    FILES.iter().map(|file| file.name.to_owned()).collect()
}

fn text(file: &PageFile) -> &str {
    std::str::from_utf8(file.bytes).expect("the page's files are text")
}

#[test]
fn all_files_of_the_folder_are_served_and_none_is_named_twice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    let entries = std::fs::read_dir(folder).expect("the folder of the page");
    let there: BTreeSet<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(names(), there);
    assert_eq!(FILES.len(), there.len());
}

#[test]
fn every_import_is_one_of_the_files() {
    let mut imports = 0;
    for file in FILES {
        let (before, after) = if file.name == "index.html" { ("\"/page/", '"') } else { ("from './", '\'') };
        for piece in text(file).split(before).skip(1) {
            let name = piece.split(after).next().expect("a name");
            assert!(names().contains(name), "{} imports {name}", file.name);
            imports += 1;
        }
    }
    assert!(imports > FILES.len(), "the files were scanned: {imports}");
}

#[test]
fn no_file_uses_inline_code_or_markup() {
    for file in FILES {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            " style=",
            "javascript:",
        ] {
            assert!(!text(file).contains(forbidden), "{} has {forbidden}", file.name);
        }
    }
}

#[test]
fn every_file_has_a_content_type() {
    for file in FILES {
        assert_ne!(file.content_type(), "application/octet-stream", "{}", file.name);
    }
}
