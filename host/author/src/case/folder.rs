//! Case files of a folder, and the members that its cases share.

mod requests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use pointsman_domain::names::nearest_name;

use super::document::{self, InvalidFile, Syntax};
use super::format::{CandidateEntry, CandidateFormat, Case, CaseFile, EarlierCall, RequestFormat};

pub use requests::requests;

/// Name, without its end, of the file with what the cases of a folder share.
const DEFAULTS: &str = "defaults";
/// Longest case file, in bytes.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most case files of a folder.
const MAX_FILES: usize = 10_000;
/// Deepest nesting of folders.
const MAX_DEPTH: usize = 16;

/// A case with everything that it shares with others.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedCase {
    /// Name in reports.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// The case: its candidates have all their facts.
    pub case: Case,
}

/// Cases that cannot be loaded.
#[derive(Debug)]
pub enum CaseError {
    /// A file or folder cannot be read.
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A file has problems.
    Invalid {
        /// The file.
        file: PathBuf,
        /// The problem.
        problem: Box<InvalidFile>,
    },
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, reason } => write!(f, "error: cannot read {}: {reason}", path.display()),
            Self::Invalid { file, problem } => problem.display(file).fmt(f),
        }
    }
}

impl std::error::Error for CaseError {}

/// Loads the cases of a file, or those of all `.toml` and `.json` files of a folder and the folders in
/// it, in the order of their names. `defaults.toml` or `defaults.json` has what the cases of its folder
/// share; a folder inside inherits it.
///
/// # Errors
/// Fails with the first file that cannot be read or has a problem.
pub fn load(path: &Path) -> Result<Vec<LoadedCase>, CaseError> {
    let mut cases = Vec::new();
    if path.is_dir() {
        let mut left = MAX_FILES;
        load_folder(path, path, &CaseFile::default(), &mut left, MAX_DEPTH, &mut cases)?;
    } else {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let shared = defaults_of(folder, &CaseFile::default())?;
        let name = path.file_stem().unwrap_or(path.as_os_str());
        load_file(path, &name.to_string_lossy(), &shared, &mut cases)?;
    }
    Ok(cases)
}

/// Reads what the cases of a file share: `defaults.toml`, or the members beside the cases of a case
/// file. The only case of a file counts as shared.
///
/// # Errors
/// Fails if the file cannot be read or has a problem.
pub fn shared(path: &Path) -> Result<CaseFile, CaseError> {
    let syntax = Syntax::of(path).ok_or_else(|| not_a_case_file(path))?;
    let text = read(path)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_defaults(path) {
        let own = document::parse_shared(&text, syntax).map_err(|problem| invalid(path, problem))?;
        return inherit(own, &CaseFile::default()).map_err(|problem| invalid(path, problem));
    }
    let outer = defaults_of(folder, &CaseFile::default())?;
    let mut file = document::parse(&text, syntax).map_err(|problem| invalid(path, problem))?;
    if let [case] = file.cases.as_mut_slice() {
        file.candidates.append(&mut case.candidates.take().unwrap_or_default());
        file.settings = file.settings.take().or(case.settings.take());
        file.state = file.state.take().or(case.state.take());
        file.grants = file.grants.take().or(case.grants.take());
        file.limits = file.limits.or(case.limits);
    }
    inherit(file, &outer).map_err(|problem| invalid(path, problem))
}

/// Reads the only case of a JSON text, over what other members as JSON say. The case need not expect
/// anything.
///
/// # Errors
/// Fails if a text has a problem.
pub fn of_text(case: &str, shared: &str) -> Result<Case, CaseError> {
    let (case_name, shared_name) = (Path::new("case"), Path::new("shared"));
    let shared =
        document::parse_shared(shared, Syntax::Json).map_err(|problem| invalid(shared_name, problem))?;
    let file = document::parse(case, Syntax::Json).map_err(|problem| invalid(case_name, problem))?;
    let [case] = file.cases.as_slice() else {
        let problem = InvalidFile::new("there are several cases").hint("state the members of one at the top");
        return Err(invalid(case_name, problem));
    };
    filled(case.clone(), &shared).map_err(|problem| invalid(case_name, problem))
}

fn load_folder(
    root: &Path,
    folder: &Path,
    outer: &CaseFile,
    left: &mut usize,
    depth: usize,
    cases: &mut Vec<LoadedCase>,
) -> Result<(), CaseError> {
    let unreadable = |reason: String| CaseError::Read { path: folder.to_owned(), reason };
    let depth =
        depth.checked_sub(1).ok_or_else(|| unreadable(format!("more than {MAX_DEPTH} folders deep")))?;
    let shared = defaults_of(folder, outer)?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(error.to_string()))? {
        entries.push(entry.map_err(|error| unreadable(error.to_string()))?.path());
    }
    entries.sort();
    for path in entries {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            load_folder(root, &path, &shared, left, depth, cases)?;
        } else if Syntax::of(&path).is_some() && !is_defaults(&path) {
            *left = left.checked_sub(1).ok_or_else(|| unreadable(format!("more than {MAX_FILES} files")))?;
            let name = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            load_file(&path, &name.to_string_lossy(), &shared, cases)?;
        }
    }
    Ok(())
}

fn is_defaults(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == DEFAULTS)
}

/// Reads what the cases of a folder share, over what those of the folder around it share.
fn defaults_of(folder: &Path, outer: &CaseFile) -> Result<CaseFile, CaseError> {
    let candidates = [Syntax::Toml, Syntax::Json].map(|syntax| {
        let end = if syntax == Syntax::Toml { "toml" } else { "json" };
        (folder.join(DEFAULTS).with_extension(end), syntax)
    });
    let Some((path, syntax)) = candidates.into_iter().find(|(path, _)| path.is_file()) else {
        return Ok(outer.clone());
    };
    let text = read(&path)?;
    let shared = document::parse_shared(&text, syntax).map_err(|problem| invalid(&path, problem))?;
    inherit(shared, outer).map_err(|problem| invalid(&path, problem))
}

fn load_file(
    path: &Path,
    name: &str,
    shared: &CaseFile,
    cases: &mut Vec<LoadedCase>,
) -> Result<(), CaseError> {
    let syntax = Syntax::of(path).ok_or_else(|| not_a_case_file(path))?;
    let text = read(path)?;
    let file = document::parse(&text, syntax).map_err(|problem| invalid(path, problem))?;
    let of_file = file.cases.clone();
    let shared = inherit(file, shared).map_err(|problem| invalid(path, problem))?;
    let many = of_file.len() > 1;
    for (number, case) in of_file.into_iter().enumerate() {
        let numbered = if many { format!("{name}/{}", number + 1) } else { name.to_owned() };
        let name = case.name.clone().unwrap_or(numbered);
        let case = complete(case, &shared).map_err(|mut problem| {
            problem.message = format!("{name}: {}", problem.message);
            invalid(path, problem)
        })?;
        cases.push(LoadedCase { name, file: path.to_owned(), case });
    }
    Ok(())
}

fn not_a_case_file(path: &Path) -> CaseError {
    CaseError::Read { path: path.to_owned(), reason: "a case file ends with .toml or .json".to_owned() }
}

fn read(path: &Path) -> Result<String, CaseError> {
    let unreadable = |reason: String| CaseError::Read { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if metadata.len() > MAX_FILE_BYTES {
        return Err(unreadable(format!("it is longer than {} MiB", MAX_FILE_BYTES >> 20)));
    }
    fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

fn invalid(file: &Path, problem: InvalidFile) -> CaseError {
    CaseError::Invalid { file: file.to_owned(), problem: Box::new(problem) }
}

/// Lays the shared members of a file over those of its folder.
fn inherit(inner: CaseFile, outer: &CaseFile) -> Result<CaseFile, InvalidFile> {
    Ok(CaseFile {
        request: inner.request.over(&outer.request),
        candidates: match inner.candidates.is_empty() {
            true => outer.candidates.clone(),
            false => resolve(inner.candidates, &outer.candidates)?,
        },
        settings: inner.settings.or_else(|| outer.settings.clone()),
        state: inner.state.or_else(|| outer.state.clone()),
        grants: inner.grants.or_else(|| outer.grants.clone()),
        limits: inner.limits.or(outer.limits),
        cases: Vec::new(),
    })
}

/// Checks that a case expects something, and adds what it shares with others.
fn complete(case: Case, shared: &CaseFile) -> Result<Case, InvalidFile> {
    if case.expect.is_empty() {
        return Err(InvalidFile::new("the case expects nothing")
            .hint("state what is expected, such as `expect.target = \"backend/model\"`"));
    }
    filled(case, shared)
}

/// Adds what a case shares with others.
fn filled(mut case: Case, shared: &CaseFile) -> Result<Case, InvalidFile> {
    case.request = case.request.over(&shared.request);
    case.candidates = Some(match case.candidates {
        Some(own) => resolve(own, &shared.candidates)?,
        None if shared.candidates.is_empty() => stand_ins(),
        None => shared.candidates.clone(),
    });
    for (number, call) in case.earlier.iter_mut().enumerate() {
        complete_earlier(call, shared).map_err(|mut problem| {
            problem.message = format!("earlier[{number}]: {}", problem.message);
            problem
        })?;
    }
    case.settings = case.settings.or_else(|| shared.settings.clone());
    case.state = case.state.or_else(|| shared.state.clone());
    case.grants = case.grants.or_else(|| shared.grants.clone());
    case.limits = case.limits.or(shared.limits);
    Ok(case)
}

/// Adds what an earlier request shares with others.
fn complete_earlier(call: &mut EarlierCall, shared: &CaseFile) -> Result<(), InvalidFile> {
    if !call.is_one() {
        return Err(InvalidFile::new("it is not one call")
            .hint("state one of `request`, `outcome` and `rating`; `candidates` only with `request`"));
    }
    if let Some(request) = call.request.take() {
        call.request = Some(request.over(&shared.request));
    }
    if let Some(own) = call.candidates.take() {
        call.candidates = Some(resolve(own, &shared.candidates)?);
    }
    Ok(())
}

/// Replaces ids by the shared facts, and adds shared facts to those that are stated.
pub fn resolve(
    own: Vec<CandidateEntry>,
    shared: &[CandidateEntry],
) -> Result<Vec<CandidateEntry>, InvalidFile> {
    let mut known: BTreeMap<&str, &CandidateFormat> = BTreeMap::new();
    for entry in shared {
        if let CandidateEntry::Facts(facts) = entry {
            known.insert(&facts.id, facts);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    own.into_iter()
        .map(|entry| {
            if !seen.insert(entry.id().to_owned()) {
                return Err(InvalidFile::new(format!("candidate `{}` is listed twice", entry.id())));
            }
            let base = known.get(entry.id()).copied();
            match entry {
                CandidateEntry::Facts(facts) => {
                    let facts = base.map_or_else(|| (*facts).clone(), |base| facts.over(base));
                    Ok(CandidateEntry::Facts(Box::new(facts)))
                }
                CandidateEntry::Id(id) => match base {
                    Some(base) => Ok(CandidateEntry::Facts(Box::new(base.clone()))),
                    None => Err(unknown(&id, known.keys().copied())),
                },
            }
        })
        .collect()
}

fn unknown<'n>(id: &str, known: impl Iterator<Item = &'n str> + Clone) -> InvalidFile {
    let problem = InvalidFile::new(format!("no shared candidate has the id `{id}`"));
    match nearest_name(id, known) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!(
            "state its facts in {DEFAULTS}.toml, or here: {{ id = \"{id}\", input_price = 1.0 }}"
        )),
    }
}

/// Candidates of cases that have none: a small, a medium and a large model.
pub fn stand_ins() -> Vec<CandidateEntry> {
    let model = |name: &str, prices: (f64, f64), quality, first_token_ms, tokens_per_second| {
        CandidateEntry::Facts(Box::new(CandidateFormat {
            id: format!("example/{name}"),
            context_window: Some(128_000),
            max_output_tokens: Some(8_192),
            input_price: Some(prices.0),
            output_price: Some(prices.1),
            quality: Some(quality),
            first_token_ms: Some(first_token_ms),
            tokens_per_second: Some(tokens_per_second),
            ..CandidateFormat::default()
        }))
    };
    vec![
        model("small", (0.05, 0.08), 0.55, 90.0, 240.0),
        model("medium", (0.30, 0.60), 0.70, 180.0, 110.0),
        model("large", (2.50, 10.0), 0.85, 420.0, 60.0),
    ]
}

impl RequestFormat {
    /// Returns these members, and those of another request where they are not stated.
    #[must_use]
    pub fn over(self, base: &Self) -> Self {
        let mut attributes = base.attributes.clone();
        attributes.extend(self.attributes);
        Self {
            id: self.id.or_else(|| base.id.clone()),
            operation: self.operation.or(base.operation),
            model: self.model.or_else(|| base.model.clone()),
            tenant: self.tenant.or_else(|| base.tenant.clone()),
            session: self.session.or_else(|| base.session.clone()),
            input_tokens: self.input_tokens.or(base.input_tokens),
            max_output_tokens: self.max_output_tokens.or(base.max_output_tokens),
            inputs: self.inputs.or_else(|| base.inputs.clone()),
            needs: self.needs.or_else(|| base.needs.clone()),
            turns: self.turns.or(base.turns),
            streaming: self.streaming.or(base.streaming),
            deadline_ms: self.deadline_ms.or(base.deadline_ms),
            budget_left: self.budget_left.or(base.budget_left),
            messages: self.messages.or_else(|| base.messages.clone()),
            tools: self.tools.or_else(|| base.tools.clone()),
            attributes,
        }
    }
}

impl CandidateFormat {
    /// Returns these facts, and those of another candidate where they are not stated.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let mut task_quality = base.task_quality.clone();
        task_quality.extend(self.task_quality.clone());
        let mut attributes = base.attributes.clone();
        attributes.extend(self.attributes.clone());
        Self {
            id: self.id.clone(),
            context_window: self.context_window.or(base.context_window),
            max_output_tokens: self.max_output_tokens.or(base.max_output_tokens),
            inputs: self.inputs.clone().or_else(|| base.inputs.clone()),
            abilities: self.abilities.clone().or_else(|| base.abilities.clone()),
            operations: self.operations.clone().or_else(|| base.operations.clone()),
            input_price: self.input_price.or(base.input_price),
            output_price: self.output_price.or(base.output_price),
            quality: self.quality.or(base.quality),
            task_quality,
            attributes,
            healthy: self.healthy.or(base.healthy),
            in_flight: self.in_flight.or(base.in_flight),
            first_token_ms: self.first_token_ms.or(base.first_token_ms),
            tokens_per_second: self.tokens_per_second.or(base.tokens_per_second),
            error_rate: self.error_rate.or(base.error_rate),
        }
    }
}

#[cfg(test)]
mod tests;
