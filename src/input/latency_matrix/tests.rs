//! Small matrices of each published dialect, and the published statistics of the real ones.

use super::*;
use crate::input::testing::{file_of, gzip, near, problems_of, real_data};

fn parse(text: &str, options: Options) -> Result<Read<LatencyMatrix>, Error> {
    let (_directory, path) = file_of("matrix", text.as_bytes());
    read(&path, options)
}

/// The matrix with these round trips [s].
fn matrix(rows: &[&[f64]]) -> LatencyMatrix {
    let line = |row: &&[f64]| row.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    let text = rows.iter().map(line).collect::<Vec<_>>().join("\n");
    parse(&text, Options { unit: Unit::S, ..Options::default() }).unwrap().rows
}

#[test]
fn a_cell_is_a_round_trip_and_half_of_it_one_way() {
    for text in ["0\t20\n30\t7\n", "0 20\r\n30 7", "0,20\n30,7\n", "  0   20\n 30 0 \n"] {
        let read = parse(text, Options::default()).unwrap().rows;
        assert_eq!([read.one_way_s(0, 1), read.one_way_s(1, 0), read.one_way_s(1, 1)], [0.010, 0.015, 0.0]);
    }
    let seconds = parse("0 20\n30 0\n", Options { unit: Unit::S, ..Options::default() }).unwrap().rows;
    assert_eq!(seconds.one_way_s(0, 1), 10.0);
    assert_eq!(seconds.names, ["0", "1"]);
}

#[test]
fn names_trailing_separators_and_blank_diagonals_are_understood() {
    let options = Options { named: true, ..Options::default() };
    let read = parse(",Rome,Oslo,\nRome,,40,\nOslo,42,,\n", options).unwrap().rows;
    assert_eq!(
        (read.names.as_slice(), read.one_way_s(0, 1)),
        (&["Rome".to_owned(), "Oslo".to_owned()][..], 0.02)
    );
    let swapped = problems_of(parse(",Oslo,Rome\nRome,0,40\nOslo,42,0\n", options));
    assert!(swapped[0].contains("row 1 is `Rome` but column 1 is `Oslo`"), "{swapped:?}");
}

#[test]
fn a_table_that_is_not_square_is_refused_once() {
    let problems = problems_of(parse("0 1 2\n1 0 2\n", Options::default()));
    assert_eq!(problems, ["1 : the table is not square: 2 rows of 3 cells"]);
}

#[test]
fn bad_rows_are_named_or_leave_out_their_node() {
    let text = "0 1 2 3 4\n1 0 two 3 4\n2 2 0 -3 4\n3 3 3 0\n4 4 4 NaN 0\n";
    let problems = problems_of(parse(text, Options::default()));
    let want = [
        "2 column 3: `two` is not a number",
        "3 column 4: `-3` is negative",
        "4 column 5: the row has 4",
        "5 column 4: `NaN` is not a finite number",
    ];
    assert_eq!(problems.len(), want.len(), "{problems:?}");
    for (problem, want) in problems.iter().zip(want) {
        assert!(problem.starts_with(want), "{problem}");
    }
    let text = "0 1 2\n1 0 two\n2 2 0\n";
    let read = parse(text, Options { on_bad_row: BadRow::Skip, ..Options::default() }).unwrap();
    assert_eq!(
        (read.skipped, read.rows.names, read.rows.one_way_s),
        (1, vec!["0".into(), "2".into()], vec![0.0, 0.001, 0.001, 0.0])
    );
    let (_directory, path) = file_of("cut.gz", &gzip(text.as_bytes())[..15]);
    assert!(problems_of(super::read(&path, Options::default()))[0].contains("cut short"));
}

#[test]
fn a_missing_pair_is_refused_unless_a_fill_is_asked_for() {
    let text = "0,10,0\n10,0,30\n20,40,0\n";
    assert!(parse(text, Options::default()).is_ok(), "a zero can be a measure");
    let options = Options { zero_is_missing: true, ..Options::default() };
    let problems = problems_of(parse(text, options));
    assert_eq!(problems, ["1 column 3: there is no measure of this pair"]);
    let filled = parse(text, Options { missing: Missing::Median, ..options }).unwrap().rows;
    // Row 1 has 10, column 3 has 30: the median of the two is 20, one way 10.
    assert_eq!(filled.one_way_s(0, 2), 0.010);
    assert!(
        problems_of(parse("0,,\n,0,\n,,0\n", Options { missing: Missing::Median, ..options })).len() == 6
    );
}

#[test]
fn sites_are_balls_largest_first_and_do_not_chain() {
    // On a line at 0, 1, 2, 3, 4 and 100; nearer than 1.5 are neighbours only.
    let places = [0.0f64, 1.0, 2.0, 3.0, 4.0, 100.0];
    let rows: Vec<Vec<f64>> = places.iter().map(|a| places.iter().map(|b| (a - b).abs()).collect()).collect();
    let matrix = matrix(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert_eq!(sites(&matrix, 1.5), [vec![1, 0, 2], vec![3, 4], vec![5]]);
    assert_eq!(sites(&matrix, 0.5).len(), 6);
    assert_eq!(matrix.mean_one_way_s(&[0, 1], &[2]), Some(0.75));
    assert_eq!(matrix.mean_one_way_s(&[0], &[0]), None);
    let part = matrix.subset(&[5, 0]);
    assert_eq!((part.names.as_slice(), part.one_way_s(0, 1)), (&["5".to_owned(), "0".to_owned()][..], 50.0));
}

/// The round trips between different nodes [ms], sorted.
fn round_trips_ms(matrix: &LatencyMatrix, ordered: bool) -> Vec<f64> {
    let nodes = 0..matrix.nodes();
    let pairs = nodes.clone().flat_map(|a| nodes.clone().map(move |b| (a, b)));
    let pairs = pairs.filter(|(a, b)| if ordered { a != b } else { a < b });
    let mut values: Vec<f64> = pairs.map(|(a, b)| 2e3 * matrix.one_way_s(a, b)).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], p: f64) -> f64 {
    sorted[(p * (sorted.len() - 1) as f64) as usize]
}

#[test]
fn planetlab_has_its_published_statistics() {
    let Some(data) = real_data() else { return };
    let matrix = read(&PLANETLAB.path(&data), Options::default()).unwrap().rows;
    assert_eq!(matrix.nodes(), 490);
    let values = round_trips_ms(&matrix, false);
    for (p, want) in [(0.05, 19.3), (0.5, 135.0), (0.95, 324.9), (1.0, 2_984.0)] {
        assert!(near(quantile(&values, p), want, 2e-3), "p{p}: {}", quantile(&values, p));
    }
    assert!(near(values.iter().sum::<f64>() / values.len() as f64, 146.8, 1e-3));
    assert_eq!(values.iter().filter(|value| **value < 1.0).count(), 408);
}

#[test]
fn wonderproxy_has_its_published_statistics_and_two_missing_pairs() {
    let Some(data) = real_data() else { return };
    let path = data.join("latency-wonderproxy/wonderproxy.csv.gz");
    let options = Options { named: true, zero_is_missing: true, ..Options::default() };
    assert_eq!(problems_of(read(&path, options)).len(), 4, "two pairs, both ways");
    let matrix = read(&path, Options { missing: Missing::Median, ..options }).unwrap().rows;
    assert_eq!((matrix.nodes(), matrix.names[0].as_str()), (217, "Melbourne"));
    let values = round_trips_ms(&matrix, false);
    for (p, want) in [(0.05, 20.3), (0.5, 138.1), (0.95, 300.5), (1.0, 494.2)] {
        assert!(near(quantile(&values, p), want, 3e-3), "p{p}: {}", quantile(&values, p));
    }
}

#[test]
fn seattle_has_its_published_statistics() {
    let Some(data) = real_data() else { return };
    let path = data.join("latency-seattle99/SeattleData_1.gz");
    let options =
        Options { unit: Unit::S, zero_is_missing: true, missing: Missing::Median, ..Options::default() };
    let matrix = read(&path, options).unwrap().rows;
    assert_eq!(matrix.nodes(), 99);
    let values = round_trips_ms(&matrix, true);
    assert!(near(quantile(&values, 0.5), 210.0, 0.05), "{}", quantile(&values, 0.5));
    assert!(near(quantile(&values, 1.0), 9_200.0, 0.01) && quantile(&values, 0.0) > 0.0);
    let without = Options { unit: Unit::S, ..Options::default() };
    let zeros =
        round_trips_ms(&read(&path, without).unwrap().rows, true).iter().filter(|v| **v == 0.0).count();
    assert!((48..=65).contains(&zeros), "{zeros}");
}
