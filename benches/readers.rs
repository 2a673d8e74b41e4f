//! Bytes a second of each reader of files: small generated ones, and the published ones where they stand
//! at `../shared/data`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anthill::input::{BadRow, azure_llm, fta, latency_matrix, llmperf, outages, vm_noise};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

/// Rows of a generated file.
const ROWS: usize = 2_000;

/// A reader without its options; `false` if it refuses the file.
type Reader = fn(&Path) -> bool;

fn azure(path: &Path) -> bool {
    azure_llm::read(path, BadRow::Fail).is_ok()
}

fn matrix(path: &Path) -> bool {
    let options = latency_matrix::Options {
        zero_is_missing: true,
        missing: latency_matrix::Missing::Median,
        ..latency_matrix::Options::default()
    };
    latency_matrix::read(path, options).is_ok()
}

fn speeds(path: &Path) -> bool {
    vm_noise::read(path, BadRow::Fail).is_ok()
}

fn incidents(path: &Path) -> bool {
    outages::read(path, BadRow::Fail).is_ok()
}

fn availability(path: &Path) -> bool {
    fta::read(path, BadRow::Fail).is_ok()
}

fn requests(path: &Path) -> bool {
    llmperf::read(path, BadRow::Fail).is_ok()
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, path: &Path, reader: Reader) {
    let bytes = std::fs::metadata(path).expect("the file is there").len();
    assert!(reader(path), "{} can be read", path.display());
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function(name, |bencher| bencher.iter(|| reader(path)));
}

fn lines(header: &str, row: impl Fn(usize, &mut String)) -> String {
    let mut text = format!("{header}\n");
    for number in 0..ROWS {
        row(number, &mut text);
        text.push('\n');
    }
    text
}

fn generated(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file in it");
        path
    };
    let trace = lines("TIMESTAMP,ContextTokens,GeneratedTokens", |row, text| {
        let (minute, second) = (row / 60 % 60, row % 60);
        let _ = write!(text, "2023-11-16 18:{minute:02}:{second:02}.9799600,{},{}", 100 + row, row % 90);
    });
    let incident = lines("start_time,end_time,status", |row, text| {
        let _ = write!(text, "{},{},0.5", 1_000 * row, 1_000 * row + 300);
    });
    let speed = lines("value", |row, text| {
        let _ = write!(text, "{}.25", 1_000 + row % 97);
    });
    let mut round_trips = String::new();
    for from in 0..100 {
        let row: Vec<String> = (0..100).map(|to: i32| format!("{}.5", (to - from).abs())).collect();
        let _ = writeln!(round_trips, "{}", row.join("\t"));
    }
    let mut group = criterion.benchmark_group("readers_generated");
    bench(&mut group, "azure_llm", &file("trace.csv", &trace), azure);
    bench(&mut group, "outages", &file("incidents.csv", &incident), incidents);
    bench(&mut group, "vm_noise", &file("speeds.csv", &speed), speeds);
    bench(&mut group, "latency_matrix", &file("round_trips.txt", &round_trips), matrix);
    group.finish();
}

/// Bytes are those of the files, which are compressed where they were published so.
fn published(criterion: &mut Criterion) {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    let files: [(&str, PathBuf, Reader); 6] = [
        ("azure_llm", azure_llm::DATASET.path(data), azure),
        ("fta", fta::DATASET.path(data), availability),
        ("latency_matrix", latency_matrix::PLANETLAB.path(data), matrix),
        ("llmperf", llmperf::DATASET.path(data), requests),
        ("outages", outages::DATASET.path(data), incidents),
        ("vm_noise", vm_noise::DATASET.path(data), speeds),
    ];
    let mut group = criterion.benchmark_group("readers_published");
    group.sample_size(20);
    for (name, path, reader) in files.iter().filter(|(_, path, _)| path.is_file()) {
        bench(&mut group, name, path, *reader);
    }
    group.finish();
}

criterion_group!(benches, generated, published);
criterion_main!(benches);
