//! Source text as the rules of `tidy` see it: without comments and strings, with its tests marked.
//!
//! This is not a parser of Rust. It knows comments, literals, braces and `#[cfg(test)]`, which is enough
//! for rules about words and lengths; `rustfmt` has seen to the layout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug)]
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// The same with comments, strings and character literals blanked out; lines and columns agree.
    pub code: String,
    /// Whether each line is compiled for tests only.
    pub test: Vec<bool>,
}

impl Source {
    /// A file of this `text`; `test` where all of it is for tests.
    pub fn new(path: &str, text: &str, test: bool) -> Source {
        let code = blanked(text);
        let mut marks = vec![test; text.lines().count()];
        for (from, to) in test_items(&code) {
            marks[from..=to].fill(true);
        }
        Source { path: path.to_owned(), text: text.to_owned(), code, test: marks }
    }

    /// Lines of code with their numbers, from 1; those of tests only where `tests`.
    pub fn lines(&self, tests: bool) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.lines().zip(&self.test).enumerate();
        lines.filter(move |(_, (_, test))| tests || !**test).map(|(index, (line, _))| (index + 1, line))
    }

    /// Functions with a body: name, first line (from 1) and number of lines.
    pub fn functions(&self) -> Vec<(String, usize, usize)> {
        let bytes = self.code.as_bytes();
        let mut functions = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            if at > 0 && is_word(bytes[at - 1]) {
                continue;
            }
            let name: String =
                self.code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if let Some(open) = body(bytes, at).filter(|_| !name.is_empty()) {
                let (first, last) = (self.line_of(at), self.line_of(closing(bytes, open)));
                functions.push((name, first, last - first + 1));
            }
        }
        functions
    }

    /// The line, from 1, of the byte at `at`.
    pub fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// Whether `byte` may stand in a name.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the body of the item at `at` opens; `None` if it has none.
fn body(code: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, byte) in code.iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(index),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Where the brace opened at `open` closes.
fn closing(code: &[u8], open: usize) -> usize {
    let mut depth = 0;
    for (index, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    code.len() - 1
}

/// First and last line (from 0) of every item under `#[cfg(test)]`.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let line = |at: usize| code[..at].matches('\n').count();
    let item = |(at, mark): (usize, &str)| {
        let from = at + mark.len();
        let end = match body(code.as_bytes(), from) {
            Some(open) => closing(code.as_bytes(), open),
            None => from + code[from..].find(';').unwrap_or(0),
        };
        (line(at), line(end))
    };
    code.match_indices("#[cfg(test)]").map(item).collect()
}

/// `text` with everything blanked out that is not code.
fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { c } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let starts = |what: &str| what.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if starts("//") {
        return (at..chars.len()).find(|&i| chars[i] == '\n').unwrap_or(chars.len());
    }
    if starts("/*") {
        return (at + 3..chars.len())
            .find(|&i| chars[i] == '/' && chars[i - 1] == '*')
            .map_or(chars.len(), |i| i + 1);
    }
    if starts("r\"") || starts("r#") && !after_word {
        let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
        if chars.get(at + 1 + hashes) == Some(&'"') {
            let closes = |&i: &usize| {
                chars[i] == '"' && (1..=hashes).all(|offset| chars.get(i + offset) == Some(&'#'))
            };
            return (at + 2 + hashes..chars.len()).find(closes).map_or(chars.len(), |i| i + 1 + hashes);
        }
    }
    if chars[at] == '"' {
        return quoted_end(chars, at, '"');
    }
    // A quote that closes after one character is a literal; any other begins a lifetime.
    let escaped = chars[at] == '\'' && chars.get(at + 1) == Some(&'\\');
    if escaped || chars[at] == '\'' && chars.get(at + 2) == Some(&'\'') {
        return quoted_end(chars, at, '\'');
    }
    at
}

fn quoted_end(chars: &[char], at: usize, quote: char) -> usize {
    let mut index = at + 1;
    while index < chars.len() && chars[index] != quote {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    (index + 1).min(chars.len())
}

/// Every Rust file below `folder`, relative to `root`, in order.
pub fn rust_files(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root).expect("it lies below the root");
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The files a crate is made of, from its root file on: path and whether it is for tests only.
pub fn modules(root: &Path, crate_root: &str, test: bool) -> Vec<(String, bool)> {
    let mut reached = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![(crate_root.to_owned(), test)];
    while let Some((path, test)) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let text =
            std::fs::read_to_string(root.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let file = PathBuf::from(&path);
        let stem = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let folder = file.parent().expect("a file lies in a folder");
        let is_root = path == crate_root || stem == "mod";
        let folder = if is_root { folder.to_owned() } else { folder.join(stem) };
        let source = Source::new(&path, &text, test);
        for (number, line) in source.lines(true) {
            let Some(name) = declared(line) else { continue };
            let beside = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
            if let Some(file) = beside.iter().find(|file| root.join(file).is_file()) {
                open.push((file.to_string_lossy().replace('\\', "/"), source.test[number - 1]));
            }
        }
        reached.push((path, test));
    }
    reached.sort();
    reached
}

/// The module that a line such as `pub mod name;` declares.
fn declared(line: &str) -> Option<&str> {
    let name = line.trim().strip_suffix(';')?;
    let (visibility, name) = name.split_once("mod ")?;
    let visible = visibility.is_empty() || visibility.starts_with("pub");
    (visible && name.bytes().all(is_word)).then_some(name)
}
