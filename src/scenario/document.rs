//! A scenario as text: the file and every `--set`, parsed with the place of each key and value.
//!
//! Each text is a piece of one imagined long text, so that one offset says both which piece and where in
//! it. Whoever finds something wrong names a dotted key; this module turns it into file, line, column
//! and the line with a caret. It knows TOML and nothing of scenarios.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Problem};

/// A value and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;
/// A table whose keys and values know where they stand.
pub(super) type Table<'t> = DeTable<'t>;
/// A dotted key, part by part; positions in lists are numbers.
pub(super) type Path = Vec<String>;

/// The root has no place of its own.
pub(super) const NOWHERE: Range<usize> = 0..0;

/// The texts of a scenario, which a [`Document`] borrows from.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) sets: Vec<SetText>,
}

/// One `--set`.
#[derive(Clone, Debug)]
pub(super) struct SetText {
    /// What messages call it.
    pub(super) name: String,
    pub(super) text: String,
    /// The same text with a key that always parses, so that places in the value stay what they are;
    /// empty where there is no `=`.
    pub(super) padded: String,
}

impl Texts {
    /// The file `name` and every set, by (what messages call it, key=value).
    pub(super) fn new(name: &str, text: &str, sets: &[(String, String)]) -> Texts {
        let padded = |text: &String| match text.find('=') {
            Some(equals) => format!("{:>equals$}{}", "v", &text[equals..]),
            None => String::new(),
        };
        Texts {
            name: name.to_owned(),
            // An editor's mark at the start would count as part of the first key.
            text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            sets: sets
                .iter()
                .map(|(name, text)| SetText { name: name.clone(), text: text.clone(), padded: padded(text) })
                .collect(),
        }
    }
}

/// One text.
#[derive(Clone, Debug)]
struct Piece<'t> {
    name: String,
    text: &'t str,
    /// Offset of its first byte in the imagined long text.
    base: usize,
    /// A file has lines; a `--set` is one.
    is_file: bool,
}

/// All texts of a scenario and the tree they make.
#[derive(Clone, Debug)]
pub(super) struct Document<'t> {
    pieces: Vec<Piece<'t>>,
    pub(super) root: Table<'t>,
    /// Keys that were wrong before anything was read: nothing can be concluded from their absence.
    pub(super) gone: Vec<Path>,
}

/// A dotted key as `--set` takes it.
pub(super) fn dotted(path: &[String]) -> String {
    path.join(".")
}

/// The parts of a dotted key.
pub(super) fn parts(key: &str) -> Path {
    if key.is_empty() { Path::new() } else { key.split('.').map(str::to_owned).collect() }
}

impl<'t> Document<'t> {
    /// Parses the file of `texts`; its sets are applied by [`Document::set`].
    ///
    /// # Errors
    /// The first place where the text is not TOML.
    pub(super) fn parse(texts: &'t Texts) -> Result<Document<'t>, Error> {
        let piece = Piece { name: texts.name.clone(), text: &texts.text, base: 0, is_file: true };
        let mut document = Document { pieces: vec![piece], root: Table::new(), gone: Vec::new() };
        match DeTable::parse(&texts.text) {
            Ok(root) => {
                document.root = root.into_inner();
                Ok(document)
            }
            Err(error) => {
                let problem = Problem::new(format!("this is not TOML: {}", error.message()))
                    .remedy("mend this first; the rest of the file is judged after it");
                Err(document.place(problem, error.span().unwrap_or(NOWHERE)).into())
            }
        }
    }

    /// Adds the text of a `--set`; returns its offset.
    pub(super) fn add_piece(&mut self, name: String, text: &'t str) -> usize {
        let base = self.pieces.last().map_or(0, |piece| piece.base + piece.text.len() + 1);
        self.pieces.push(Piece { name, text, base, is_file: false });
        base
    }

    /// The name of the file.
    pub(super) fn name(&self) -> &str {
        &self.pieces[0].name
    }

    /// `problem`, with the place of `span`.
    pub(super) fn place(&self, mut problem: Problem, span: Range<usize>) -> Problem {
        let piece = self.pieces.iter().rev().find(|piece| piece.base <= span.start);
        let piece = piece.expect("the first piece starts at 0");
        problem.file = Some(piece.name.clone());
        if !piece.is_file {
            return problem;
        }
        // A span past the end, or within a character, would be our parser's mistake, not the user's.
        let mut start = (span.start - piece.base).min(piece.text.len());
        while !piece.text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = piece.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        problem.line = Some(1 + piece.text[..start].matches('\n').count());
        problem.column = Some(1 + piece.text[line_start..start].chars().count());
        let line = piece.text[line_start..].lines().next().unwrap_or_default();
        // A tab is as wide as the terminal likes: the caret could not follow it.
        problem.snippet = Some(line.replace('\t', " "));
        problem
    }

    /// `problem`, with the place of the dotted key it names; the nearest table above it where the key
    /// is not written, and only the file where nothing of it is.
    pub(super) fn locate(&self, mut problem: Problem) -> Problem {
        let wanted = problem.key.as_deref().map(parts).unwrap_or_default();
        let (found, span) = self.find(&wanted);
        // `agents.0.count` is `agents.count` where one table stands for a list.
        problem.key = Some(dotted(&found)).filter(|key| !key.is_empty()).or(problem.key);
        if span == NOWHERE {
            problem.file = Some(self.name().to_owned());
            return problem;
        }
        self.place(problem, span)
    }

    /// Follows `wanted` as far as it is written: the full key in the words of the file, and the place of
    /// the last part found.
    fn find(&self, wanted: &[String]) -> (Path, Range<usize>) {
        let (mut found, mut span, mut lost) = (Path::new(), NOWHERE, false);
        let mut here = Node::Table(&self.root);
        for part in wanted {
            if lost {
                found.push(part.clone());
                continue;
            }
            match here.child(part) {
                Some(value) => {
                    span = value.span();
                    here = Node::of(value);
                    found.push(part.clone());
                }
                None if matches!(here, Node::Table(_)) && part == "0" => {}
                None => {
                    lost = true;
                    found.push(part.clone());
                }
            }
        }
        (found, span)
    }

    /// The value at `path`, if it is written.
    pub(super) fn value(&self, path: &[String]) -> Option<&Value<'t>> {
        let (first, rest) = path.split_first()?;
        let mut value = Node::Table(&self.root).child(first)?;
        for part in rest {
            value = Node::of(value).child(part)?;
        }
        Some(value)
    }

    /// The keys of the table at `path` (empty: of the document); none if there is no table.
    pub(super) fn keys(&self, path: &[String]) -> Vec<String> {
        let names = |table: &Table<'t>| table.keys().map(|key| key.get_ref().to_string()).collect();
        match (path, self.value(path).map(|value| value.get_ref())) {
            ([], _) => names(&self.root),
            (_, Some(DeValue::Table(table))) => names(table),
            (_, Some(_) | None) => Vec::new(),
        }
    }

    /// Whether something is written at `path`, where a table may stand for a list of one.
    pub(super) fn is_written(&self, path: &[String]) -> bool {
        self.value(path).is_some() || self.value(&self.find(path).0).is_some()
    }

    /// Whether a list is written at `path`, where a table may stand for a list of one.
    pub(super) fn is_list(&self, path: &[String]) -> bool {
        let list = |path: &[String]| self.value(path).is_some_and(|value| value.get_ref().is_array());
        list(path) || list(&self.find(path).0)
    }

    /// The path of the key or value that an error's `span` means, and whether it is a key.
    pub(super) fn at(&self, span: &Range<usize>) -> (Path, bool) {
        let mut best = Best { path: Path::new(), is_key: false, rank: (2, usize::MAX) };
        if *span != NOWHERE {
            best.search(&Node::Table(&self.root), span, &mut Path::new());
        }
        (best.path, best.is_key)
    }
}

/// A place in the tree.
enum Node<'a, 't> {
    Table(&'a Table<'t>),
    Array(&'a [Value<'t>]),
    Leaf,
}

impl<'a, 't> Node<'a, 't> {
    fn of(value: &'a Value<'t>) -> Node<'a, 't> {
        match value.get_ref() {
            DeValue::Table(table) => Node::Table(table),
            DeValue::Array(array) => Node::Array(array),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => Node::Leaf,
        }
    }
    fn child(&self, part: &str) -> Option<&'a Value<'t>> {
        match self {
            Node::Table(table) => table.iter().find(|(key, _)| key.get_ref() == part).map(|(_, value)| value),
            Node::Array(array) => array.get(part.parse::<usize>().ok()?),
            Node::Leaf => None,
        }
    }
}

/// The best match so far: an exact one before one that contains the span, then the smallest, then the
/// deepest.
struct Best {
    path: Path,
    is_key: bool,
    rank: (u8, usize),
}

impl Best {
    fn offer(&mut self, place: Range<usize>, wanted: &Range<usize>, path: &Path, is_key: bool) {
        let exact = place == *wanted;
        let within = place.start <= wanted.start && wanted.end <= place.end;
        if !within {
            return;
        }
        let rank = (u8::from(!exact), place.len());
        if rank <= self.rank {
            (self.path, self.is_key, self.rank) = (path.clone(), is_key, rank);
        }
    }

    fn search(&mut self, node: &Node<'_, '_>, wanted: &Range<usize>, path: &mut Path) {
        let children: Vec<(String, Option<Range<usize>>, &Value<'_>)> = match node {
            Node::Table(table) => table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), Some(key.span()), value))
                .collect(),
            Node::Array(array) => {
                array.iter().enumerate().map(|(index, value)| (index.to_string(), None, value)).collect()
            }
            Node::Leaf => return,
        };
        for (name, key, value) in children {
            path.push(name);
            if let Some(key) = key {
                self.offer(key, wanted, path, true);
            }
            self.offer(value.span(), wanted, path, false);
            self.search(&Node::of(value), wanted, path);
            path.pop();
        }
    }
}
