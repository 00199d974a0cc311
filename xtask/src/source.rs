//! The production code of a crate, read as tokens: its modules, the paths by which
//! they use each other, and its number of lines.
//!
//! Tokens and not text, so that comments and strings do not count. Code under
//! `#[cfg(test)]` is left out. Modules are found as the compiler finds them, from the
//! crate's root along `mod` items. The expansion of macros is not seen.

mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use paths::{UsePath, is_punct, parse_path};

/// The code of one library or binary.
#[derive(Debug, Default)]
pub struct Source {
    /// Uses of top-level modules by other top-level modules.
    pub imports: Vec<Import>,
    /// Lines that contain code. Blank lines, comments and tests do not count.
    pub lines: usize,
}

/// A path in one top-level module that leads into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub from: String,
    pub to: String,
    pub file: PathBuf,
    pub line: usize,
    /// The path as written, with groups resolved.
    pub path: String,
}

/// Reads the code that belongs to the crate root `root`. `read` returns the text of a
/// file, or `None` if there is none. Directories in `excluded` hold generated code,
/// whose paths count and whose lines do not.
pub fn scan(
    root: &Path,
    name: &str,
    excluded: &[PathBuf],
    read: &dyn Fn(&Path) -> Option<String>,
) -> Result<Source> {
    let mut scanner = Scanner { name, excluded, read, ..Scanner::new(read) };
    let directory = root.parent().unwrap_or(Path::new(""));
    scanner.file(root, directory, &[])?;
    Ok(scanner.finish())
}

struct Scanner<'a> {
    /// The crate's name, which `extern crate self` makes another word for `crate`.
    name: &'a str,
    excluded: &'a [PathBuf],
    read: &'a dyn Fn(&Path) -> Option<String>,
    /// Top-level modules.
    modules: BTreeSet<String>,
    /// Paths that are imported in the crate's root, by the name that they get there.
    /// `crate::Name` leads through them.
    root_imports: BTreeMap<String, String>,
    /// Paths from the crate's root that modules use, resolved at the end.
    uses: Vec<(String, UsePath, PathBuf)>,
    lines: usize,
}

/// The place of tokens in the crate.
#[derive(Clone, Copy)]
struct Scope<'a> {
    file: &'a Path,
    /// The directory in which the files of child modules are.
    children: &'a Path,
    /// The path of the module from the crate's root.
    module: &'a [String],
}

impl<'a> Scanner<'a> {
    fn new(read: &'a dyn Fn(&Path) -> Option<String>) -> Self {
        Self {
            name: "",
            excluded: &[],
            read,
            modules: BTreeSet::new(),
            root_imports: BTreeMap::new(),
            uses: Vec::new(),
            lines: 0,
        }
    }

    fn file(&mut self, file: &Path, children: &Path, module: &[String]) -> Result<()> {
        let text = (self.read)(file).with_context(|| format!("cannot read {}", file.display()))?;
        let tokens: TokenStream =
            text.parse().map_err(|error| anyhow!("{} is not Rust: {error}", file.display()))?;
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut lines = BTreeSet::new();
        self.tokens(&tokens, Scope { file, children, module }, &mut lines)?;
        if !self.excluded.iter().any(|directory| file.starts_with(directory)) {
            self.lines += lines.len();
        }
        Ok(())
    }

    fn tokens(&mut self, tokens: &[TokenTree], scope: Scope<'_>, lines: &mut BTreeSet<usize>) -> Result<()> {
        let mut at = 0;
        let mut path_attribute = None;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at..];
            if let Some((attribute, length)) = attribute(rest) {
                at += length;
                path_attribute = path_value(attribute).or(path_attribute);
                if is_for_tests(attribute) {
                    at += item_length(&tokens[at..]);
                } else if !is_doc(attribute) {
                    add_lines(token.span(), lines);
                    add_lines(attribute.span(), lines);
                }
                continue;
            }
            add_lines(token.span(), lines);
            at += match token {
                TokenTree::Ident(word) if word == "mod" => {
                    self.module(rest, path_attribute.take(), scope, lines)?
                }
                TokenTree::Ident(word) if word == "use" && scope.module.is_empty() => {
                    self.import_into_root(&rest[1..]);
                    1
                }
                // `pub(in crate::module)` names a module and uses nothing of it.
                TokenTree::Ident(word) if word == "pub" => match rest.get(1) {
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => 2,
                    _ => 1,
                },
                TokenTree::Ident(word) if self.begins_path(word, &tokens[..at], rest) => {
                    self.path(rest, scope, lines)
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    self.tokens(&inner, scope, lines)?;
                    1
                }
                _ => 1,
            };
        }
        Ok(())
    }

    /// Reads a child module, if this is a `mod` item. Returns the number of tokens read.
    fn module(
        &mut self,
        rest: &[TokenTree],
        path_attribute: Option<String>,
        scope: Scope<'_>,
        lines: &mut BTreeSet<usize>,
    ) -> Result<usize> {
        let (Some(TokenTree::Ident(name)), Some(body)) = (rest.get(1), rest.get(2)) else { return Ok(1) };
        let name = name.to_string();
        let module = [scope.module, std::slice::from_ref(&name)].concat();
        if module.len() == 1 {
            self.modules.insert(name.clone());
        }
        let children = scope.children.join(&name);
        match body {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                add_lines(group.span_open(), lines);
                add_lines(group.span_close(), lines);
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                self.tokens(&inner, Scope { file: scope.file, children: &children, module: &module }, lines)?;
            }
            semicolon if is_punct(semicolon, ';') => {
                let flat = scope.children.join(format!("{name}.rs"));
                let directory = scope.file.parent().unwrap_or(Path::new(""));
                match path_attribute {
                    Some(path) => {
                        let file = directory.join(path);
                        self.file(&file, file.parent().unwrap_or(directory), &module)?;
                    }
                    None if (self.read)(&flat).is_some() => self.file(&flat, &children, &module)?,
                    None => self.file(&children.join("mod.rs"), &children, &module)?,
                }
            }
            _ => return Ok(1),
        }
        Ok(3)
    }

    fn begins_path(&self, word: &Ident, before: &[TokenTree], rest: &[TokenTree]) -> bool {
        let is_start = word == "crate" || word == "super" || word == "self" || word == self.name;
        let after_path = before.last().is_some_and(|token| is_punct(token, ':'))
            && before.iter().rev().nth(1).is_some_and(|token| is_punct(token, ':'));
        let goes_on = rest.get(1).is_some_and(|token| is_punct(token, ':'))
            && rest.get(2).is_some_and(|token| is_punct(token, ':'));
        is_start && goes_on && !after_path
    }

    /// Records the paths that begin here. Returns the number of tokens read.
    fn path(&mut self, rest: &[TokenTree], scope: Scope<'_>, lines: &mut BTreeSet<usize>) -> usize {
        let (paths, length) = parse_path(rest, &[]);
        for token in &rest[..length] {
            add_lines(token.span(), lines);
        }
        for path in paths {
            if let (Some(from), Some(rest)) = (scope.module.first(), self.path_from_root(&path, scope.module))
            {
                let path = UsePath { segments: rest, ..path };
                self.uses.push((from.clone(), path, scope.file.to_owned()));
            }
        }
        length
    }

    /// The segments of a path from the crate's root; `None` if it stays below.
    fn path_from_root(&self, path: &UsePath, module: &[String]) -> Option<Vec<String>> {
        let segments = &path.segments;
        let first = segments.first()?;
        if first == "crate" || first == self.name {
            return Some(segments[1..].to_vec());
        }
        let is_upwards = |segment: &&String| *segment == "self" || *segment == "super";
        let upwards = segments.iter().take_while(is_upwards).count();
        let levels = segments[..upwards].iter().filter(|segment| *segment == "super").count();
        (levels == module.len()).then(|| segments[upwards..].to_vec())
    }

    /// Records a `use` item of the crate's root.
    fn import_into_root(&mut self, tree: &[TokenTree]) {
        for path in parse_path(tree, &[]).0 {
            let mut segments = path.segments.iter().skip_while(|word| *word == "crate" || *word == "self");
            if let (Some(first), Some(last)) = (segments.next(), path.segments.last()) {
                let name = path.alias.clone().unwrap_or_else(|| last.clone());
                self.root_imports.insert(name, first.clone());
            }
        }
    }

    fn finish(self) -> Source {
        let mut imports = Vec::new();
        for (from, path, file) in &self.uses {
            let Some(first) = path.segments.first() else { continue };
            let leads_to =
                if self.modules.contains(first) { Some(first) } else { self.root_imports.get(first) };
            let Some(to) = leads_to.filter(|to| *to != from && self.modules.contains(*to)) else { continue };
            imports.push(Import {
                from: from.clone(),
                to: to.clone(),
                file: file.clone(),
                line: path.line,
                path: format!("crate::{}", path.segments.join("::")),
            });
        }
        Source { imports, lines: self.lines }
    }
}

/// The attribute that the tokens begin with, and its number of tokens.
fn attribute(tokens: &[TokenTree]) -> Option<(&Group, usize)> {
    let inner = usize::from(tokens.get(1).is_some_and(|token| is_punct(token, '!')));
    match (tokens.first()?, tokens.get(1 + inner)?) {
        (hash, TokenTree::Group(group)) if is_punct(hash, '#') => {
            (group.delimiter() == Delimiter::Bracket).then_some((group, 2 + inner))
        }
        _ => None,
    }
}

fn is_doc(attribute: &Group) -> bool {
    matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc")
}

/// The file that `#[path = "…"]` names.
fn path_value(attribute: &Group) -> Option<String> {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(word), equals, TokenTree::Literal(path)]
            if word == "path" && is_punct(equals, '=') =>
        {
            Some(path.to_string().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

/// `#[cfg(test)]`, or another condition that is false outside tests.
fn is_for_tests(attribute: &Group) -> bool {
    let mut tokens = attribute.stream().into_iter();
    let is_cfg = matches!(tokens.next(), Some(TokenTree::Ident(word)) if word == "cfg");
    let Some(TokenTree::Group(condition)) = tokens.next() else { return false };
    is_cfg && needs_test(condition.stream())
}

fn needs_test(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match &tokens[..] {
        [TokenTree::Ident(word), TokenTree::Group(all)] if word == "all" => {
            let parts: Vec<TokenTree> = all.stream().into_iter().collect();
            parts.split(|token| is_punct(token, ',')).any(|part| needs_test(part.iter().cloned().collect()))
        }
        [TokenTree::Ident(word)] => word == "test",
        _ => false,
    }
}

/// The number of tokens of the item, statement, field or arm that an attribute stands
/// before, further attributes included.
fn item_length(tokens: &[TokenTree]) -> usize {
    const UP_TO_SEMICOLON: [&str; 6] = ["const", "let", "macro_rules", "static", "type", "use"];
    const ITEMS: [&str; 10] =
        ["async", "enum", "extern", "fn", "impl", "mod", "pub", "struct", "trait", "unsafe"];
    let mut at = 0;
    while let Some((_, length)) = attribute(&tokens[at..]) {
        at += length;
    }
    let words = tokens[at..].iter().take(3).filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let words: Vec<String> = words.collect();
    let begins = |names: &[&str]| words.first().is_some_and(|word| names.contains(&word.as_str()));
    let is_item = begins(&ITEMS);
    // `const fn` has a body; `pub const` and `pub use` end with a semicolon.
    let is_function = words.iter().any(|word| word == "fn");
    let up_to_semicolon =
        !is_function && words.iter().take(2).any(|word| UP_TO_SEMICOLON.contains(&word.as_str()));
    for token in &tokens[at..] {
        at += 1;
        let ends = match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !up_to_semicolon,
            TokenTree::Punct(mark) => {
                mark.as_char() == ';' || (mark.as_char() == ',' && !is_item && !is_function)
            }
            _ => false,
        };
        if ends {
            break;
        }
    }
    at
}

/// Adds the lines of a token. Of a group, these are the lines of its delimiters: the
/// lines between may hold comments only.
fn add_lines(span: Span, lines: &mut BTreeSet<usize>) {
    lines.extend([span.start().line, span.end().line]);
}

#[cfg(test)]
mod tests;
