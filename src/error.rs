//! What can go wrong, and how it is said.
//!
//! Whatever a user can cause is an [`Error`] that names the place and the remedy; our own mistakes
//! panic. The exit code of the program follows from the variant, see [`Error::exit_code`].

use std::fmt;
use std::path::PathBuf;

/// One thing wrong with what the user gave us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// File (or `--set`, or a flag) it stands in.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column, from 1, in characters.
    pub column: Option<usize>,
    /// Dotted key, such as `faults.churn.session`, or a column of a table.
    pub key: Option<String>,
    /// What is wrong, with the offending value.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The text of the offending line, shown with a caret.
    pub snippet: Option<String>,
}

impl Problem {
    /// A problem known only by its message.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), ..Problem::default() }
    }
    /// The same problem, at `key`.
    pub fn key(mut self, key: impl Into<String>) -> Problem {
        self.key = Some(key.into());
        self
    }
    /// The same problem, in `file`.
    pub fn file(mut self, file: impl Into<String>) -> Problem {
        self.file = Some(file.into());
        self
    }
    /// The same problem, at `line` (from 1).
    pub fn line(mut self, line: usize) -> Problem {
        self.line = Some(line);
        self
    }
    /// The same problem, with what to do about it.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Problem {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            f.write_str(file)?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
                if let Some(column) = self.column {
                    write!(f, ":{column}")?;
                }
            }
            f.write_str(": ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "`{key}`: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(snippet) = &self.snippet {
            write!(f, "\n    | {snippet}")?;
            if let Some(column) = self.column {
                write!(f, "\n    | {:>column$}", "^")?;
            }
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "\n    = {remedy}")?;
        }
        Ok(())
    }
}

/// All that is wrong with an input, reported together. Never empty inside an [`Error`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Nothing wrong so far.
    pub fn new() -> Problems {
        Problems::default()
    }
    /// Adds one problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }
    /// Adds all of `others`.
    pub fn extend(&mut self, others: Problems) {
        self.0.extend(others.0);
    }
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The problems, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
    /// The same problems, changed one by one.
    pub fn map(self, change: impl FnMut(Problem) -> Problem) -> Problems {
        Problems(self.0.into_iter().map(change).collect())
    }
    /// `Ok` if nothing is wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with these problems.
    pub fn into_result(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "error: {problem}")?;
        }
        Ok(())
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The scenario, a trace or an argument is wrong. Nothing was run and nothing written.
    Invalid(Problems),
    /// A file could not be read or written. What was written before is complete or says it is not.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An invariant broke: the numbers of this run must not be used.
    Invariant(String),
    /// The work was stopped before it was complete.
    Incomplete(String),
}

impl Error {
    /// The exit code of the program: 1 invariant, 2 input, 3 input/output, 4 incomplete.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Invariant(_) => 1,
            Error::Invalid(_) => 2,
            Error::Io { .. } => 3,
            Error::Incomplete(_) => 4,
        }
    }
    /// An [`Error::Io`] at `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error::Invalid(problem.into())
    }
}
impl From<Problems> for Error {
    fn from(problems: Problems) -> Error {
        Error::Invalid(problems)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid(problems) => problems.fmt(f),
            Error::Io { path, source } => write!(f, "error: {}: {source}", path.display()),
            Error::Invariant(what) => write!(f, "error: an invariant broke: {what}"),
            Error::Incomplete(what) => write!(f, "error: incomplete: {what}"),
        }
    }
}
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The candidate nearest to `word`, if near enough to be what was meant.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(word.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
