//! Square tables of round-trip times between nodes: PlanetLab, Seattle, WonderProxy, cloud regions.
//!
//! Cells are parted by commas, tabs or blanks, whichever a line has first in that order. Without names
//! line i holds the round trips from node i; with names the first row and the first column hold them.
//! What a message needs is half a round trip, so that is what [`LatencyMatrix`] keeps. The published
//! files differ in unit, in whether 0 means "missing", and in what stands on the diagonal (nothing,
//! zeros, small numbers): the diagonal is not read, a node is at no distance from itself.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::{BadRow, BadRows, Dataset, Read, text};
use super::table::{RowProblem, bad};
use crate::error::{Error, Problem, Problems};

/// All pairs of 490 PlanetLab nodes, in milliseconds; the first of 18 slices of time.
pub const PLANETLAB: Dataset = Dataset {
    what: "round-trip times between 490 PlanetLab nodes, in ms",
    folder: "latency-planetlab490",
    file: "PlanetLabData_1.gz",
    source: "Zhu et al., \"Network Latency Estimation for Personal Devices: A Matrix Completion Approach\", \
             IEEE/ACM ToN 25(2), 2017 (uofa-rzhu3/NetLatency-Data, MIT)",
};

/// The unit that a file is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    #[default]
    Ms,
    /// Seconds.
    S,
}

/// What to do about pairs without a measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Refuse the file.
    #[default]
    Fail,
    /// Take the median of all measures in the pair's row and column.
    Median,
}

/// How a file is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The unit of its cells.
    pub unit: Unit,
    /// Whether the first row and the first column hold names.
    pub named: bool,
    /// Whether a 0 beside the diagonal means that there is no measure.
    pub zero_is_missing: bool,
    /// What to do about pairs without a measure.
    pub missing: Missing,
    /// What to do about bad rows. Skipping one leaves out its node: the row and the column.
    pub on_bad_row: BadRow,
}

/// One-way latencies between nodes, half the round trips of a file. Not always symmetric.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyMatrix {
    /// One for each node: as in the file, or its number from 0.
    pub names: Vec<String>,
    /// Row by row: from node i to node j at i × nodes + j \[s\].
    one_way_s: Vec<f64>,
}

impl LatencyMatrix {
    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.names.len()
    }

    /// From node `from` to node `to`, one way \[s\]. Panics if there is no such node.
    pub fn one_way_s(&self, from: usize, to: usize) -> f64 {
        assert!(from < self.nodes() && to < self.nodes(), "there is no such pair of nodes");
        self.one_way_s[from * self.nodes() + to]
    }

    /// There and back again \[s\].
    pub fn round_trip_s(&self, from: usize, to: usize) -> f64 {
        self.one_way_s(from, to) + self.one_way_s(to, from)
    }

    /// The nodes `keep`, in that order. Panics if there is no such node.
    pub fn subset(&self, keep: &[usize]) -> LatencyMatrix {
        let cells = keep.iter().flat_map(|from| keep.iter().map(|to| self.one_way_s(*from, *to)));
        LatencyMatrix {
            one_way_s: cells.collect(),
            names: keep.iter().map(|node| self.names[*node].clone()).collect(),
        }
    }

    /// The mean one-way latency from a node in `from` to another one in `to` \[s\], or `None` if there is
    /// no such pair.
    pub fn mean_one_way_s(&self, from: &[usize], to: &[usize]) -> Option<f64> {
        let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b);
        let (count, sum) =
            pairs.fold((0u64, 0.0), |(count, sum), (a, b)| (count + 1, sum + self.one_way_s(a, b)));
        (count > 0).then(|| sum / count as f64)
    }
}

/// Groups nodes into sites, largest first: again and again the node with the most ungrouped nodes at a
/// round trip below `round_trip_below_s` becomes the middle of a site, and these nodes its members. The
/// middle stands first, then the members in order; ties go to the lowest number.
///
/// Balls around a middle, not connected components: those chain one city to the next.
pub fn sites(matrix: &LatencyMatrix, round_trip_below_s: f64) -> Vec<Vec<usize>> {
    let near = |a: usize, b: usize| matrix.round_trip_s(a, b) < round_trip_below_s;
    let nodes = matrix.nodes();
    let neighbours: Vec<Vec<usize>> =
        (0..nodes).map(|a| (0..nodes).filter(|b| a != *b && near(a, *b)).collect()).collect();
    let mut grouped = vec![false; nodes];
    let mut sites = Vec::new();
    loop {
        let ungrouped = |node: usize| neighbours[node].iter().filter(|other| !grouped[**other]).count();
        // `max_by_key` keeps the last of equals, hence the reversal.
        let Some(middle) = (0..nodes).rev().filter(|n| !grouped[*n]).max_by_key(|n| ungrouped(*n)) else {
            break;
        };
        let mut site = vec![middle];
        site.extend(neighbours[middle].iter().filter(|other| !grouped[**other]));
        site.iter().for_each(|member| grouped[*member] = true);
        sites.push(site);
    }
    debug_assert_eq!(sites.iter().map(Vec::len).sum::<usize>(), nodes, "each node is in one site");
    sites
}

/// Reads the matrix at `path`.
///
/// # Errors
/// If the file is absent, broken, not square or without a usable row; for pairs without a measure unless
/// [`Options::missing`] says how to fill them; and, as [`Options::on_bad_row`] says, for bad rows.
pub fn read(path: &Path, options: Options) -> Result<Read<LatencyMatrix>, Error> {
    let text = text(path, &PLANETLAB)?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = if options.named { lines.next().map(|(_, line)| cells(line)) } else { None };
    let lines: Vec<(usize, &str)> = lines.map(|(index, line)| (index + 1, line)).collect();
    check_square(&lines, header.as_deref(), options)
        .map_err(|problem| problem.file(path.display().to_string()))?;
    let mut bad_rows = BadRows::new(path, options.on_bad_row);
    let mut table = Table::default();
    for (index, (line, row)) in lines.iter().enumerate() {
        match one_row((index, lines.len()), row, options) {
            Ok((name, row)) => {
                table.kept.push((index, *line));
                table.names.push(name);
                table.rows.push(row);
            }
            Err(problem) => bad_rows.push(*line, *problem),
        }
    }
    let is_empty = table.kept.is_empty();
    let Read { rows: table, skipped } = bad_rows.finish(table, is_empty)?;
    let one_way_s = table
        .filled(options)
        .map_err(|problems| problems.map(|problem| problem.file(path.display().to_string())))?;
    Ok(Read { rows: LatencyMatrix { names: table.names, one_way_s }, skipped })
}

/// The cells of a line, trimmed.
fn cells(line: &str) -> Vec<&str> {
    if line.contains(',') {
        line.split(',').map(str::trim).collect()
    } else if line.contains('\t') {
        line.trim_end_matches(['\r', '\n']).split('\t').map(str::trim).collect()
    } else {
        line.split_whitespace().collect()
    }
}

/// The cells of a line without its name, and without the blank one after a separator at the line's end.
fn measures(line: &str, rows: usize, options: Options) -> Vec<&str> {
    let mut cells = cells(line);
    if options.named {
        cells.remove(0);
    }
    if cells.len() == rows + 1 && cells.last().is_some_and(|last| last.is_empty()) {
        cells.pop();
    }
    cells
}

/// Finds a file that is no square as a whole, which is better said once than for each row, and names of
/// columns that are not those of the rows.
fn check_square(
    lines: &[(usize, &str)],
    header: Option<&[&str]>,
    options: Options,
) -> Result<(), RowProblem> {
    let rows = lines.len();
    let Some((line, first)) = lines.first() else { return Ok(()) };
    let width = measures(first, rows, options).len();
    if width != rows && lines.iter().all(|(_, line)| measures(line, rows, options).len() == width) {
        let remedy = if options.named {
            "is a row or a column cut off?"
        } else {
            "if it has names, say `named = true`"
        };
        let message = format!("the table is not square: {rows} rows of {width} cells");
        return Err(Box::new(Problem::new(message).line(*line).remedy(remedy)));
    }
    let Some(header) = header else { return Ok(()) };
    for (index, (line, row)) in lines.iter().enumerate() {
        let (row, column) = (cells(row)[0], header.get(index + 1).copied().unwrap_or("nothing"));
        if row != column {
            let message = format!("row {} is `{row}` but column {} is `{column}`", index + 1, index + 1);
            let remedy = "rows and columns must name the same nodes in one order";
            return Err(Box::new(Problem::new(message).line(*line).remedy(remedy)));
        }
    }
    Ok(())
}

/// The name and the one-way latencies of row `index` of `rows`; a missing one is `None`.
fn one_row(
    (index, rows): (usize, usize),
    line: &str,
    options: Options,
) -> Result<(String, Vec<Option<f64>>), RowProblem> {
    let name = if options.named { cells(line)[0].to_owned() } else { index.to_string() };
    let cells = measures(line, rows, options);
    if cells.len() != rows {
        let key = format!("column {}", cells.len().min(rows) + 1);
        return Err(bad(&key, format!("the row has {} cells, not {rows}", cells.len())));
    }
    let per_second = match options.unit {
        Unit::Ms => 1e3,
        Unit::S => 1.0,
    };
    let one_way = |(column, cell): (usize, &&str)| {
        if column == index {
            return Ok(Some(0.0));
        }
        if cell.is_empty() {
            return Ok(None);
        }
        let refuse = |what: &str| bad(&format!("column {}", column + 1), format!("`{cell}` is {what}"));
        match cell.parse::<f64>() {
            Ok(value) if !value.is_finite() => Err(refuse("not a finite number")),
            Ok(value) if value < 0.0 => Err(refuse("negative")),
            Ok(0.0) if options.zero_is_missing => Ok(None),
            Ok(value) => Ok(Some(value / per_second / 2.0)),
            Err(_) => Err(refuse("not a number")),
        }
    };
    Ok((name, cells.iter().enumerate().map(one_way).collect::<Result<_, _>>()?))
}

/// Rows that are good, before missing pairs are filled.
#[derive(Debug, Default)]
struct Table {
    /// Index among the rows of the file, and line.
    kept: Vec<(usize, usize)>,
    names: Vec<String>,
    /// All columns of the file.
    rows: Vec<Vec<Option<f64>>>,
}

/// Missing pairs listed before "and N more".
const MOST_LISTED: usize = 20;

impl Table {
    /// The cells of the kept nodes, row by row, each with a value.
    fn filled(&self, options: Options) -> Result<Vec<f64>, Problems> {
        let mut cells = Vec::with_capacity(self.kept.len() * self.kept.len());
        let mut missing = Vec::new();
        for (row, (_, line)) in self.kept.iter().enumerate() {
            for (column, (index, _)) in self.kept.iter().enumerate() {
                let fill = || match options.missing {
                    Missing::Fail => None,
                    Missing::Median => self.median_around(row, column),
                };
                match self.rows[row][*index].or_else(fill) {
                    Some(value) => cells.push(value),
                    None => missing.push((*line, index + 1)),
                }
            }
        }
        let mut problems = Problems::new();
        for (line, column) in missing.iter().take(MOST_LISTED) {
            let message = "there is no measure of this pair";
            let remedy = "fill such pairs with `missing = \"median\"` (the median of their row and column)";
            problems.push(Problem::new(message).line(*line).key(format!("column {column}")).remedy(remedy));
        }
        if missing.len() > MOST_LISTED {
            let message = format!("and {} more pairs without a measure", missing.len() - MOST_LISTED);
            problems.push(Problem::new(message).remedy("is the unit or the format another one?"));
        }
        if problems.is_empty() { Ok(cells) } else { Err(problems) }
    }

    /// The median of the measures in row `row` and column `column` of the kept nodes.
    fn median_around(&self, row: usize, column: usize) -> Option<f64> {
        let at = |row: usize, column: usize| self.rows[row][self.kept[column].0].filter(|_| row != column);
        let others = 0..self.kept.len();
        let mut values: Vec<f64> =
            others.flat_map(|other| [at(row, other), at(other, column)]).flatten().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len().checked_sub(1)?;
        Some(f64::midpoint(values[middle / 2], values[middle.div_ceil(2)]))
    }
}

#[cfg(test)]
mod tests;
