//! Embeds the templates of `pointsman policy new`, and the contract in WIT that they carry.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

/// Folders to embed, in this package.
const FOLDERS: [&str; 2] = ["templates", "wit"];
/// File with the list for `src/template/embedded.rs`.
const LIST: &str = "templates.rs";

fn main() -> Result<(), Box<dyn error::Error>> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?);
    let mut names = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        add_files(&package, Path::new(folder), &mut names)?;
    }
    names.sort();
    let entries: String = names
        .iter()
        .map(|name| format!("    ({name:?}, include_str!({:?})),\n", package.join(name)))
        .collect();
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out_dir.join(LIST), format!("&[\n{entries}]\n"))?;
    Ok(())
}

/// Adds the paths of the files in a folder, relative to the package and with slashes.
fn add_files(package: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), Box<dyn error::Error>> {
    let path = package.join(folder);
    for entry in fs::read_dir(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))? {
        let relative = folder.join(entry?.file_name());
        if package.join(&relative).is_dir() {
            add_files(package, &relative, names)?;
        } else {
            let name = relative.to_str().ok_or_else(|| format!("{} is not UTF-8", relative.display()))?;
            names.push(name.replace('\\', "/"));
        }
    }
    Ok(())
}
