//! Opening a data file, and what to say when it is absent, broken or holds bad rows.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem, Problems};

/// What a reader does with a row that is not what the format promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadRow {
    /// Refuse the file, naming the bad rows.
    #[default]
    Fail,
    /// Leave the row out and count it in [`Read::skipped`].
    Skip,
}

/// What a reader returns: the data, and how much was left out to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<T> {
    /// The data.
    pub rows: T,
    /// Bad rows left out; 0 under [`BadRow::Fail`].
    pub skipped: u64,
}

impl<T> Read<T> {
    /// The same read, its data changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<U> {
        Read { rows: change(self.rows), skipped: self.skipped }
    }
}

/// A published data set that a reader was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What it is, as a noun phrase.
    pub what: &'static str,
    /// Its folder in the data collection.
    pub folder: &'static str,
    /// Its file in that folder.
    pub file: &'static str,
    /// How it asks to be cited.
    pub source: &'static str,
}

impl Dataset {
    /// Where it stands in the collection at `data_dir`.
    pub fn path(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.folder).join(self.file)
    }

    /// The problem of its absence at `path`.
    fn absent(&self, path: &Path) -> Problem {
        let Dataset { what, folder, .. } = self;
        // Some folders hold many files of one format: name the one that was asked for.
        let inside = path.parent().and_then(Path::file_name).is_some_and(|parent| parent == *folder);
        let asked = path.file_name().filter(|_| inside).and_then(|name| name.to_str());
        let file = asked.unwrap_or(self.file);
        Problem::new(format!("there is no such file; it should hold {what}"))
            .file(path.display().to_string())
            .remedy(format!(
                "put it there (the data belong at ../shared/data/{folder}/{file}, seen from the project's \
                 root), or name another file of this format instead"
            ))
    }
}

/// The text of the file at `path`, decompressed if its first bytes say that it is compressed.
///
/// # Errors
/// [`Error::Invalid`] if there is no such file, it is cut short, or it is not text; [`Error::Io`] if it
/// cannot be read.
pub(super) fn text(path: &Path, dataset: &Dataset) -> Result<String, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(dataset.absent(path).into()),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let broken = |message: String| {
        Problem::new(message)
            .file(path.display().to_string())
            .remedy(format!("fetch the file again: it is part of {}", dataset.source))
    };
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        // The bytes are in memory, so that any error here is one of their content.
        MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .map_err(|error| broken(format!("the compressed file is cut short or damaged ({error})")))?;
        plain
    } else {
        bytes
    };
    String::from_utf8(bytes).map_err(|error| {
        let line =
            1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        broken("not a text file: there are bytes here that are not UTF-8".to_owned()).line(line).into()
    })
}

/// Bad rows listed before "and N more".
const MOST_LISTED: u64 = 20;

/// Collects the bad rows of one file.
#[derive(Debug)]
pub(super) struct BadRows {
    on_bad_row: BadRow,
    file: String,
    listed: Problems,
    count: u64,
}

impl BadRows {
    pub(super) fn new(path: &Path, on_bad_row: BadRow) -> BadRows {
        BadRows { on_bad_row, file: path.display().to_string(), listed: Problems::new(), count: 0 }
    }

    /// Books the bad row at `line` (from 1).
    pub(super) fn push(&mut self, line: usize, problem: Problem) {
        self.count += 1;
        if self.count <= MOST_LISTED {
            let remedy = "mend the row, or leave such rows out with `on_bad_row = \"skip\"`";
            self.listed.push(problem.file(self.file.clone()).line(line).remedy(remedy));
        }
    }

    /// `rows`, if the bad ones may be left out and good ones are left, as `is_empty` of the rows tells.
    pub(super) fn finish<T>(mut self, rows: T, is_empty: bool) -> Result<Read<T>, Error> {
        match self.on_bad_row {
            BadRow::Fail if self.count > 0 => {
                if self.count > MOST_LISTED {
                    let more = Problem::new(format!("and {} more bad rows", self.count - MOST_LISTED));
                    self.listed.push(more.file(self.file).remedy(
                        "so many bad rows often mean a file of another format: compare its first lines",
                    ));
                }
                Err(self.listed.into())
            }
            BadRow::Fail | BadRow::Skip if is_empty => {
                let message = match self.count {
                    0 => "there is no row in this file".to_owned(),
                    1 => "holds no usable row (1 bad row was left out)".to_owned(),
                    count => format!("holds no usable row ({count} bad rows were left out)"),
                };
                Err(Problem::new(message)
                    .file(self.file)
                    .remedy("compare the first lines of the file with the format's description")
                    .into())
            }
            BadRow::Fail | BadRow::Skip => Ok(Read { rows, skipped: self.count }),
        }
    }
}
