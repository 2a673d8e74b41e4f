//! The table `[network]`: places and their distances, from names, a table or a measured matrix.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Dist, Span};
use crate::error::Error;
use crate::input::latency_matrix::{self, LatencyMatrix};
use crate::input::{BadRow, Read};
use crate::net::{Order, Sites, TransportKind};
use crate::work::source::OnBadRow;

/// Places, links and transport. Latencies are one-way, before jitter, and come from `latency`, from
/// `matrix`, or from `intra`, `inter` and `pairs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSpec {
    /// Names of the sites. Default: one, called "site"; with `matrix`, as many as it has.
    pub sites: Vec<String>,
    /// Share of the agents and of the tasks at each site. Default: equal; with `matrix`, the number of
    /// nodes.
    pub weights: Vec<f64>,
    /// Latency from each site (row) to each site (column).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<Vec<Span>>,
    /// A file of measured round trips; sites are groups of its nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<MatrixSpec>,
    /// Latency within a site. Default "0.5ms".
    pub intra: Span,
    /// Latency between two sites that `pairs` does not name. Default "40ms".
    pub inter: Span,
    /// Latency between two sites, both ways: { "eu-us" = "45ms" }.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pairs: BTreeMap<String, Span>,
    /// Law of what is added to the latency of each message. Default "0s".
    pub jitter: Dist,
    /// Probability that a message is lost. Default 0.
    pub loss: f64,
    /// Whether messages of one pair of nodes may overtake each other: "fifo" or "reorder". Default "fifo".
    pub order: Order,
    /// How messages travel: "direct", or { poll = { interval = "1s" } }. Default "direct".
    pub transport: TransportKind,
}

impl Default for NetworkSpec {
    fn default() -> NetworkSpec {
        NetworkSpec {
            sites: Vec::new(),
            weights: Vec::new(),
            latency: Vec::new(),
            matrix: None,
            intra: Span::from_micros(500),
            inter: Span::from_millis(40),
            pairs: BTreeMap::new(),
            jitter: Dist::Constant(Span::ZERO),
            loss: 0.0,
            order: Order::Fifo,
            transport: TransportKind::Direct,
        }
    }
}

/// A square file of round trips: one line a node, cells apart by tabs, blanks or commas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixSpec {
    /// The file, plain or gzip, relative to the scenario's folder.
    pub file: String,
    /// Unit of its cells: "ms" or "s". Default "ms".
    #[serde(default)]
    pub unit: MatrixUnit,
    /// Whether the first row and the first column hold names. Default false.
    #[serde(default)]
    pub named: bool,
    /// Whether a 0 beside the diagonal means that there is no measure. Default false.
    #[serde(default)]
    pub zero_is_missing: bool,
    /// What to do about pairs without a measure: "fail", or "median" of their row and column. Default
    /// "fail".
    #[serde(default)]
    pub missing: MissingPairs,
    /// What to do about bad rows; skipping one leaves out its node. Default "fail".
    #[serde(default)]
    pub on_bad_row: OnBadRow,
    /// Nodes with a round trip below this are one site. Default: every node is a site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_below: Option<Span>,
    /// How many sites to keep, largest first. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
}

/// Unit of a matrix of round trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatrixUnit {
    /// Milliseconds.
    #[default]
    Ms,
    /// Seconds.
    S,
}

/// What to do about pairs without a measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingPairs {
    /// Refuse the file.
    #[default]
    Fail,
    /// Take the median of the pair's row and column.
    Median,
}

/// Sites with the share of agents and tasks at each.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) sites: Sites,
    pub(super) weights: Vec<f64>,
    /// Rows of the matrix left out.
    pub(super) skipped: u64,
}

impl NetworkSpec {
    /// The two sites that a key of `pairs` names, as positions among `names`.
    pub(super) fn pair(names: &[String], key: &str) -> Option<(usize, usize)> {
        // A name may itself hold a hyphen: any split whose halves are names will do.
        key.match_indices('-').find_map(|(at, _)| {
            let position = |name: &str| names.iter().position(|other| other == name);
            Some((position(&key[..at])?, position(&key[at + 1..])?))
        })
    }

    /// Works out the sites. The table must have been checked; `folder` is where `matrix.file` starts.
    pub(super) fn places(&self, folder: &Path) -> Result<Places, Error> {
        if let Some(matrix) = &self.matrix {
            let Read { rows, skipped } = latency_matrix::read(&folder.join(&matrix.file), matrix.options())?;
            let (sites, weights) = self.merged(matrix, &rows);
            return Ok(Places { sites, weights, skipped });
        }
        let names = if self.sites.is_empty() { vec!["site".to_owned()] } else { self.sites.clone() };
        let mut one_way = self.latency.clone();
        if one_way.is_empty() {
            let between = |from, to| if from == to { self.intra } else { self.inter };
            let row = |from| (0..names.len()).map(|to| between(from, to)).collect();
            one_way = (0..names.len()).map(row).collect();
            for (key, latency) in &self.pairs {
                let (from, to) = NetworkSpec::pair(&names, key).expect("checked");
                one_way[from][to] = *latency;
                one_way[to][from] = *latency;
            }
        }
        let weights = if self.weights.is_empty() { vec![1.0; names.len()] } else { self.weights.clone() };
        Ok(Places { sites: Sites::new(names, one_way), weights, skipped: 0 })
    }

    /// The sites of a matrix: groups of nodes with the mean latency between their members.
    fn merged(&self, spec: &MatrixSpec, matrix: &LatencyMatrix) -> (Sites, Vec<f64>) {
        let mut groups = match spec.merge_below {
            Some(below) => latency_matrix::sites(matrix, below.as_secs_f64()),
            None => (0..matrix.nodes()).map(|node| vec![node]).collect(),
        };
        groups.truncate(spec.keep.map_or(usize::MAX, |keep| keep as usize));
        let name = |(number, group): (usize, &Vec<usize>)| match (self.sites.get(number), spec.merge_below) {
            (Some(name), _) => name.clone(),
            (None, Some(_)) => format!("site{number}"),
            (None, None) => matrix.names[group[0]].clone(),
        };
        let names = groups.iter().enumerate().map(name).collect();
        // A site of one node has no measured latency within.
        let mean = |from: &Vec<usize>, to: &Vec<usize>| match matrix.mean_one_way_s(from, to) {
            Some(seconds) => Span::from_secs_f64(seconds),
            None => self.intra,
        };
        let row = |from| groups.iter().map(|to| mean(from, to)).collect();
        let one_way = groups.iter().map(row).collect();
        let weights = if self.weights.is_empty() {
            groups.iter().map(|group| group.len() as f64).collect()
        } else {
            self.weights.clone()
        };
        (Sites::new(names, one_way), weights)
    }
}

impl MatrixSpec {
    fn options(&self) -> latency_matrix::Options {
        latency_matrix::Options {
            unit: match self.unit {
                MatrixUnit::Ms => latency_matrix::Unit::Ms,
                MatrixUnit::S => latency_matrix::Unit::S,
            },
            named: self.named,
            zero_is_missing: self.zero_is_missing,
            missing: match self.missing {
                MissingPairs::Fail => latency_matrix::Missing::Fail,
                MissingPairs::Median => latency_matrix::Missing::Median,
            },
            on_bad_row: bad_row(self.on_bad_row),
        }
    }
}

/// The readers' word for the scenario's.
pub(super) fn bad_row(on_bad_row: OnBadRow) -> BadRow {
    match on_bad_row {
        OnBadRow::Fail => BadRow::Fail,
        OnBadRow::Skip => BadRow::Skip,
    }
}
