//! Findings as case files.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use pointsman_domain::text::printable;

use super::finding::Finding;
use crate::case::Case;

/// Bytes of the message in a file's comment.
const MAX_MESSAGE: usize = 500;

/// Writes a finding into a folder, which is created if needed. The name depends on the problem alone, so
/// that a later run replaces the file.
///
/// # Errors
/// Fails if the folder or the file cannot be written.
pub fn write(folder: &Path, finding: &Finding, seed: u64) -> Result<PathBuf, String> {
    let (text, end) = match text(finding, seed) {
        Ok(text) => (text, "toml"),
        // TOML has no null, which settings in JSON may have.
        Err(_) => (json(finding), "json"),
    };
    let path = folder.join(name(finding)).with_extension(end);
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(folder).map_err(failed)?;
    fs::write(&path, text).map_err(failed)?;
    Ok(path)
}

fn name(finding: &Finding) -> String {
    let problem = &finding.problem;
    let mut hasher = DefaultHasher::new();
    (problem.kind, problem.call, &problem.site).hash(&mut hasher);
    let settings = finding.case.settings.as_ref().map(|settings| serde_json::json!(settings).to_string());
    settings.hash(&mut hasher);
    format!("{}-{:08x}", problem.kind.replace('_', "-"), hasher.finish() >> 32)
}

/// Returns the text of a case file, with a comment that describes the problem.
fn text(finding: &Finding, seed: u64) -> Result<String, toml::ser::Error> {
    let problem = &finding.problem;
    Ok(format!(
        "# Found by `pointsman policy fuzz --seed {seed}` in run {}: {} ({}).\n# {}\n#\n\
         # `pointsman policy run POLICY --case FILE` explains it, and `pointsman policy test POLICY --cases FILE`\n\
         # fails as long as the policy has the problem. State in [expect] what is right.\n\n{}",
        finding.run,
        problem.kind,
        problem.call,
        printable(&problem.message, MAX_MESSAGE),
        toml::to_string(&finding.case)?,
    ))
}

/// Returns the text of a case file in JSON, whose name describes the problem.
fn json(finding: &Finding) -> String {
    let problem = &finding.problem;
    let name = format!("{} ({}): {}", problem.kind, problem.call, printable(&problem.message, MAX_MESSAGE));
    let case = Case { name: Some(name), ..finding.case.clone() };
    // A case is plain data, so serialising it cannot fail.
    serde_json::to_string_pretty(&case).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::case::folder;
    use crate::case::format::{CandidateEntry, CandidateFormat, Messages, RequestFormat};
    use crate::fuzz::finding::{Problem, any_answer};

    #[test]
    fn a_finding_is_a_case_file_with_a_comment_of_its_own_lines() {
        let messages = Messages::Text("a\0\u{202e}\"\"\"'''\\ é\r\n".to_owned());
        let facts =
            CandidateFormat { id: "a/b".to_owned(), input_price: Some(1e12), ..CandidateFormat::default() };
        let case = Case {
            request: RequestFormat { messages: Some(messages), ..RequestFormat::default() },
            candidates: Some(vec![CandidateEntry::Facts(Box::new(facts))]),
            expect: any_answer(7),
            ..Case::default()
        };
        let message = "panicked at a.rs:1:2: no\nexpect = \"forged\"";
        let problem = Problem::new("host_calls", "decision", message, any_answer(7));
        let finding = Finding { problem, case: case.clone(), run: 3, seconds: 0.1, times: 1 };
        let directory = TempDir::new().unwrap();
        let path = write(&directory.path().join("fuzz"), &finding, 9).unwrap();
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("host-calls-"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(
                "# Found by `pointsman policy fuzz --seed 9` in run 3: host_calls (decision).\n"
            )
        );
        let loaded = folder::load(&path).unwrap();
        assert_eq!(loaded[0].case, case);
        assert_eq!(write(&directory.path().join("fuzz"), &finding, 10).unwrap(), path);

        let settings = serde_json::from_str(r#"{"limit": null}"#).ok();
        let case = Case { settings, ..case };
        let path = write(directory.path(), &Finding { case: case.clone(), ..finding }, 9).unwrap();
        assert_eq!(path.extension().unwrap(), "json");
        let loaded = folder::load(&path).unwrap();
        assert!(loaded[0].name.starts_with("host_calls (decision): panicked at "));
        assert_eq!(loaded[0].case.settings, case.settings);
    }
}
