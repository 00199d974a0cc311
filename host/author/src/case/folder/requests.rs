//! Requests of case files, for commands that need no expectations.

use std::path::Path;

use super::{CaseError, CaseFile, LoadedCase, Syntax, defaults_of, document, filled, inherit, invalid};

/// Loads the cases of a file, which need not expect anything, or of a folder as [`load`](super::load)
/// does.
///
/// # Errors
/// Fails as [`load`](super::load) does.
pub fn requests(path: &Path) -> Result<Vec<LoadedCase>, CaseError> {
    if path.is_dir() {
        return super::load(path);
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let outer = defaults_of(folder, &CaseFile::default())?;
    let syntax = Syntax::of(path).ok_or_else(|| super::not_a_case_file(path))?;
    let file = document::parse(&super::read(path)?, syntax).map_err(|problem| invalid(path, problem))?;
    let cases = file.cases.clone();
    let shared = inherit(file, &outer).map_err(|problem| invalid(path, problem))?;
    let load = |(number, case): (usize, super::Case)| {
        let name = case.name.clone().unwrap_or_else(|| (number + 1).to_string());
        let case = filled(case, &shared).map_err(|problem| invalid(path, problem))?;
        Ok(LoadedCase { name, file: path.to_owned(), case })
    };
    cases.into_iter().enumerate().map(load).collect()
}
