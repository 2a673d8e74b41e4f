//! Tables with a header: comma-separated, or separated by blanks as the Failure Trace Archive does.

use std::path::Path;

use super::file::{BadRow, BadRows, Dataset, text};
use crate::error::{Error, Problem, did_you_mean};

/// How the cells of a line are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// Commas, with quoting as in RFC 4180.
    Comma,
    /// Runs of blanks and tabs; the header starts with `#`.
    Blanks,
}

/// What is wrong with one row. Boxed, because most rows have nothing.
pub(super) type RowProblem = Box<Problem>;

/// One row: its cells by the names of their columns.
#[derive(Debug)]
pub(super) struct Row<'a> {
    header: &'a [String],
    cells: &'a [&'a str],
}

impl Row<'_> {
    /// The text in `column`, which must be one of the columns asked for in [`read`].
    pub(super) fn text(&self, column: &str) -> &str {
        let index = self.header.iter().position(|name| name == column);
        self.cells[index.expect("`read` checks that its columns are there")]
    }

    /// The finite number in `column`.
    pub(super) fn number(&self, column: &str) -> Result<f64, RowProblem> {
        let text = self.text(column);
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) | Err(_) => Err(bad(column, format!("`{text}` is not a finite number"))),
        }
    }

    /// The finite number in `column`, which must not be negative.
    pub(super) fn not_negative(&self, column: &str) -> Result<f64, RowProblem> {
        match self.number(column)? {
            value if value >= 0.0 => Ok(value),
            _ => Err(bad(column, format!("`{}` is negative", self.text(column)))),
        }
    }

    /// The whole number in `column`.
    pub(super) fn whole<T: std::str::FromStr>(&self, column: &str) -> Result<T, RowProblem> {
        let text = self.text(column);
        text.parse().map_err(|_| bad(column, format!("`{text}` is not a whole number in range")))
    }
}

/// A problem in `column`.
pub(super) fn bad(column: &str, message: String) -> RowProblem {
    Box::new(Problem::new(message).key(column))
}

/// Calls `each` with the line number (from 1) and the cells of every row of the file at `path`, after
/// its header; a problem it returns makes the row a bad one.
///
/// # Errors
/// As [`text`], and if a column in `columns` is not in the header.
pub(super) fn read(
    (path, dataset): (&Path, &Dataset),
    separator: Separator,
    columns: &[&str],
    on_bad_row: BadRow,
    mut each: impl FnMut(usize, &Row<'_>) -> Result<(), RowProblem>,
) -> Result<BadRows, Error> {
    let text = text(path, dataset)?;
    let mut bad_rows = BadRows::new(path, on_bad_row);
    let mut header: Option<Vec<String>> = None;
    for_lines(&text, separator, |line, cells| {
        let Some(header) = &header else {
            let names: Vec<String> = cells.iter().map(|name| (*name).to_owned()).collect();
            check_header(&names, columns)
                .map_err(|problem| problem.file(path.display().to_string()).line(line))?;
            header = Some(names);
            return Ok(());
        };
        let (found, wanted) = (cells.len(), header.len());
        let outcome = if found == wanted {
            each(line, &Row { header, cells })
        } else {
            // The column that is missing, or the last one before what is too much.
            let key = header[found.min(wanted - 1)].clone();
            Err(bad(&key, format!("the row has {found} cells, not {wanted}")))
        };
        if let Err(problem) = outcome {
            bad_rows.push(line, *problem);
        }
        Ok(())
    })?;
    Ok(bad_rows)
}

/// Whether every one of `columns` is in the header.
fn check_header(header: &[String], columns: &[&str]) -> Result<(), RowProblem> {
    let Some(missing) = columns.iter().find(|column| !header.iter().any(|name| name == *column)) else {
        return Ok(());
    };
    let nearest = did_you_mean(missing, header.iter().map(String::as_str));
    let hint = nearest.map_or(String::new(), |name| format!("; rename `{name}` if that is it"));
    let problem = bad(missing, format!("the header has no column `{missing}`, only {}", header.join(", ")));
    Err(Box::new(problem.remedy(format!("the format needs the columns {}{hint}", columns.join(", ")))))
}

/// Calls `each` with the number and the trimmed cells of every line that is not empty.
fn for_lines(
    text: &str,
    separator: Separator,
    mut each: impl FnMut(usize, &[&str]) -> Result<(), Error>,
) -> Result<(), Error> {
    match separator {
        Separator::Comma => {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .trim(csv::Trim::All)
                .from_reader(text.as_bytes());
            let mut record = csv::StringRecord::new();
            let mut cursor = LineCursor { text: text.as_bytes(), byte: 0, line: 1 };
            // Text in memory cannot fail to be read, and rows may have any number of cells.
            while reader.read_record(&mut record).unwrap_or(false) {
                let line = cursor.line_at(record.position().map_or(0, |position| position.byte() as usize));
                each(line, &record.iter().collect::<Vec<_>>())?;
            }
        }
        Separator::Blanks => {
            for (index, line) in text.lines().enumerate() {
                // The header's mark is no cell of its own.
                let cells: Vec<&str> = line.trim_start_matches('#').split_whitespace().collect();
                if !cells.is_empty() {
                    each(index + 1, &cells)?;
                }
            }
        }
    }
    Ok(())
}

/// Counts lines up to a byte. The csv crate has a count of its own, but takes a record to start before
/// the line feed of the CR LF that ends the one before, so that with such files it is one behind.
#[derive(Debug)]
struct LineCursor<'a> {
    text: &'a [u8],
    byte: usize,
    line: usize,
}

impl LineCursor<'_> {
    /// The line of the first byte from `byte` on that is not a line end.
    fn line_at(&mut self, byte: usize) -> usize {
        let rest = &self.text[byte..];
        let start = byte + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.line += self.text[self.byte..start].iter().filter(|byte| **byte == b'\n').count();
        self.byte = start;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::{file_of, problems_of};

    const ANY: Dataset = Dataset { what: "a test", folder: "test", file: "test.csv", source: "nobody" };

    fn rows(text: &str, separator: Separator) -> Result<Vec<(usize, String)>, Error> {
        let (_directory, path) = file_of("t.csv", text.as_bytes());
        let mut rows = Vec::new();
        let bad = read((&path, &ANY), separator, &["b"], BadRow::Fail, |line, row| {
            rows.push((line, row.text("b").to_owned()));
            Ok(())
        })?;
        bad.finish(rows, false).map(|read| read.rows)
    }

    #[test]
    fn lines_are_numbered_as_an_editor_numbers_them() {
        let want = vec![(2, "1".to_owned()), (4, "2".to_owned()), (5, "3".to_owned())];
        for text in ["a,b\n0,1\n\n0,2\n0,3", "a,b\r\n0,1\r\n\r\n0,2\r\n0,3\r\n"] {
            assert_eq!(rows(text, Separator::Comma).unwrap(), want, "{text:?}");
        }
        assert_eq!(rows("# a b\n 0\t 1\n\n0 2\r\n0 3", Separator::Blanks).unwrap(), want);
    }

    #[test]
    fn a_row_of_another_width_is_named_with_the_column_it_ends_at() {
        let want = ["2 b: the row has 1 cells, not 2", "3 b: the row has 3 cells, not 2"];
        assert_eq!(problems_of(rows("a,b\n0\n0,1,2\n0,1\n", Separator::Comma)), want);
    }

    #[test]
    fn a_missing_column_is_refused_with_the_nearest_name() {
        let (_directory, path) = file_of("t.csv", b"model,providers\n0,1\n");
        let each = |_: usize, _: &Row<'_>| Ok(());
        let read = read((&path, &ANY), Separator::Comma, &["provider"], BadRow::Skip, each);
        let error = read.unwrap_err().to_string();
        assert!(error.contains("t.csv:1: `provider`") && error.contains("rename `providers`"), "{error}");
    }
}
