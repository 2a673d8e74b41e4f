//! How unequal "identical" machines are: one benchmark run on each of thousands of cloud machines.
//!
//! Comma-separated `value,runtime,starttime,VM_id`; more is faster. Only `value` is read.

use std::path::Path;

use super::file::{BadRow, Dataset, Read};
use super::table::{self, Separator, bad};
use crate::error::Error;

/// A database benchmark on 9,286 virtual machines of one kind.
pub const DATASET: Dataset = Dataset {
    what: "benchmark results of equal virtual machines (Azure VM noise data set, 2024)",
    folder: "azure-vm-noise-2024",
    file: "pg_rw_sf2500_c25_short_westus2_B8ms_tps.csv.gz",
    source: "Freischuetz et al., \"TUNA: Tuning Unstable and Noisy Cloud Applications\", EuroSys 2025 \
             (Azure/AzurePublicDataset, CC-BY 4.0)",
};

/// Speeds relative to the median machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Speeds {
    /// One for each machine, in the order of the file: its result ÷ the median result.
    pub factors: Vec<f64>,
    /// The median result, in the unit of the file.
    pub median: f64,
}

const VALUE: &str = "value";

/// Reads the results at `path`; one that is not above zero is a bad row.
///
/// # Errors
/// If the file is absent, broken or holds no usable row, and, as `on_bad_row` says, for bad rows.
pub fn read(path: &Path, on_bad_row: BadRow) -> Result<Read<Speeds>, Error> {
    let mut values = Vec::new();
    let bad_rows = table::read((path, &DATASET), Separator::Comma, &[VALUE], on_bad_row, |_, row| {
        let value = row.not_negative(VALUE)?;
        if value == 0.0 {
            return Err(bad(VALUE, "`0` is no speed: a machine that stands still is a fault".to_owned()));
        }
        values.push(value);
        Ok(())
    })?;
    let is_empty = values.is_empty();
    Ok(bad_rows.finish(values, is_empty)?.map(relative_to_median))
}

fn relative_to_median(values: Vec<f64>) -> Speeds {
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    Speeds { factors: values.into_iter().map(|value| value / median).collect(), median }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::{file_of, gzip, near, problems_of, real_data};

    fn parse(rows: &str, on_bad_row: BadRow) -> Result<Read<Speeds>, Error> {
        let (_directory, path) = file_of("tps.csv", format!("value,VM_id\n{rows}").as_bytes());
        read(&path, on_bad_row)
    }

    #[test]
    fn factors_are_relative_to_the_median() {
        let speeds = parse("30,0\n10,1\n20,2\n40,3\n", BadRow::Fail).unwrap().rows;
        assert_eq!(speeds.median, 25.0);
        assert_eq!(speeds.factors, [1.2, 0.4, 0.8, 1.6]);
    }

    #[test]
    fn bad_rows_are_named_or_skipped() {
        let rows = "1\nfast,1\n-3,1\nNaN,1\ninf,2\n0,3\n5,3\n";
        let problems = problems_of(parse(rows, BadRow::Fail));
        let want = [
            "2 VM_id: the row",
            "3 value: `fast`",
            "4 value: `-3` is neg",
            "5 value: `NaN`",
            "6",
            "7 value: `0`",
        ];
        assert_eq!(problems.len(), want.len(), "{problems:?}");
        for (problem, want) in problems.iter().zip(want) {
            assert!(problem.starts_with(want), "{problem}");
        }
        let read = parse(rows, BadRow::Skip).unwrap();
        assert_eq!((read.rows.factors, read.skipped), (vec![1.0], 6));
        let (_directory, path) = file_of("cut.gz", &gzip(b"value\n1\n")[..20]);
        assert!(problems_of(super::read(&path, BadRow::Skip))[0].contains("cut short"));
    }

    #[test]
    fn the_published_results_have_their_published_statistics() {
        let Some(data) = real_data() else { return };
        let mut factors = read(&DATASET.path(&data), BadRow::Fail).unwrap().rows.factors;
        assert_eq!(factors.len(), 9_286);
        factors.sort_by(f64::total_cmp);
        let at = |p: f64| factors[(p * (factors.len() - 1) as f64) as usize];
        assert!(near(at(0.01), 0.435, 2e-3) && near(at(0.99), 1.097, 2e-3));
        let mean = factors.iter().sum::<f64>() / factors.len() as f64;
        let variance = factors.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / factors.len() as f64;
        assert!(near(variance.sqrt() / mean, 0.255, 3e-3));
    }
}
