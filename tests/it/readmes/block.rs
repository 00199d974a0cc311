//! Code blocks of a document in Markdown.

use std::collections::HashMap;

/// Languages of programs that the tests can run.
const PROGRAMS: [&str; 4] = ["python", "py", "ts", "js"];
/// Languages of commands and output, which are not run.
const OTHERS: [&str; 5] = ["sh", "bash", "shell", "text", "diff"];

/// Fenced code block.
#[derive(Debug)]
pub struct CodeBlock<'a> {
    /// Heading above the block, with its number signs.
    pub heading: &'a str,
    /// Number of the block among the programs below that heading, from 1.
    pub number: usize,
    pub language: &'a str,
    /// Words after the language.
    pub variant: &'a str,
    /// Text of the block, without its fences.
    pub code: &'a str,
}

impl CodeBlock<'_> {
    /// Returns whether the block is a program. Panics for a language that the tests do not know.
    pub fn is_program(&self) -> bool {
        let is_program = PROGRAMS.contains(&self.language);
        let Self { language, heading, .. } = self;
        assert!(is_program || OTHERS.contains(language), "a block in `{language}` below {heading}");
        is_program
    }
}

/// Returns the fenced code blocks of a document in their order.
pub fn code_blocks(document: &str) -> Vec<CodeBlock<'_>> {
    let mut blocks = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut heading = "";
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in document.split_inclusive('\n') {
        let start = at;
        at += line.len();
        match (open, line.trim().strip_prefix("```")) {
            (Some((language, begin)), Some("")) => {
                open = None;
                let (language, variant) = language.split_once(' ').unwrap_or((language, ""));
                let code = &document[begin..start];
                let mut block = CodeBlock { heading, number: 0, language, variant, code };
                if block.is_program() {
                    let count = counts.entry(heading).or_default();
                    *count += 1;
                    block.number = *count;
                }
                blocks.push(block);
            }
            (None, Some(language)) => open = Some((language, at)),
            (None, None) if line.starts_with('#') => heading = line.trim_end(),
            _ => {}
        }
    }
    assert!(open.is_none(), "a block below {heading} has no end");
    blocks
}

#[test]
fn blocks_are_found_with_their_headings() {
    let document =
        "# A\n```sh\nls\n```\n```py\n# no heading\nx\n```\n## B\n\n```ts\ny\n```\n# A\n```py\nz\n```\n";
    let found: Vec<_> =
        code_blocks(document).iter().map(|block| (block.heading, block.number, block.code)).collect();
    assert_eq!(
        found,
        [("# A", 0, "ls\n"), ("# A", 1, "# no heading\nx\n"), ("## B", 1, "y\n"), ("# A", 2, "z\n")]
    );
}

#[test]
#[should_panic(expected = "a block in `ruby` below # A")]
fn a_block_in_an_unknown_language_is_noticed() {
    code_blocks("# A\n```ruby\nputs 1\n```\n");
}
