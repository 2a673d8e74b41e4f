//! Arrivals and token counts of LLM requests: the Azure LLM inference traces.
//!
//! Comma-separated `TIMESTAMP,ContextTokens,GeneratedTokens`, in the order of time; times have seven
//! fractional digits and no zone. The published file has CR LF line ends and none after its last row.

use std::path::Path;

use super::file::{BadRow, Dataset, Read};
use super::table::{self, Row, RowProblem, Separator, bad};
use crate::engine::{Span, Time};
use crate::error::Error;

/// One hour of production requests for code completion, November 2023.
pub const DATASET: Dataset = Dataset {
    what: "LLM request arrivals with token counts (Azure LLM inference trace, code, 2023)",
    folder: "azure-llm-2023",
    file: "AzureLLMInferenceTrace_code.csv",
    source: "Patel et al., \"Splitwise: Efficient generative LLM inference using phase splitting\", \
             ISCA 2024 (Azure/AzurePublicDataset, CC-BY 4.0)",
};

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// When it arrived, since the first row; exact.
    pub arrival: Time,
    /// Tokens of its prompt.
    pub context_tokens: u32,
    /// Tokens of its answer.
    pub generated_tokens: u32,
}

const TIMESTAMP: &str = "TIMESTAMP";
const CONTEXT: &str = "ContextTokens";
const GENERATED: &str = "GeneratedTokens";

/// Reads the trace at `path`. A row that is earlier than the good row before it is a bad one.
///
/// # Errors
/// If the file is absent, broken or holds no usable row, and, as `on_bad_row` says, for bad rows.
pub fn read(path: &Path, on_bad_row: BadRow) -> Result<Read<Vec<Request>>, Error> {
    let mut rows: Vec<Request> = Vec::new();
    let mut first_ns = None;
    let columns = [TIMESTAMP, CONTEXT, GENERATED];
    let bad_rows = table::read((path, &DATASET), Separator::Comma, &columns, on_bad_row, |_, row| {
        let request = request(row, first_ns, rows.last())?;
        // Kept only once the whole row is good: a skipped row is not the start of the trace.
        first_ns = first_ns.or(timestamp_ns(row.text(TIMESTAMP)));
        rows.push(request);
        Ok(())
    })?;
    let is_empty = rows.is_empty();
    bad_rows.finish(rows, is_empty)
}

fn request(row: &Row<'_>, first_ns: Option<u64>, previous: Option<&Request>) -> Result<Request, RowProblem> {
    let text = row.text(TIMESTAMP);
    let ns = timestamp_ns(text).ok_or_else(|| {
        bad(TIMESTAMP, format!("`{text}` is not a time such as 2023-11-16 18:17:03.9799600"))
    })?;
    let early =
        || bad(TIMESTAMP, format!("`{text}` is earlier than the row before: the rows must be in order"));
    let arrival = Time::from_nanos(ns.checked_sub(first_ns.unwrap_or(ns)).ok_or_else(early)?);
    if previous.is_some_and(|previous| arrival < previous.arrival) {
        return Err(early());
    }
    Ok(Request { arrival, context_tokens: row.whole(CONTEXT)?, generated_tokens: row.whole(GENERATED)? })
}

/// Nanoseconds from 1970 to the time that `text` says, or `None` if it says none in 1970–2500.
fn timestamp_ns(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once([' ', 'T'])?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [year, month, day] = whole_numbers(date, '-')?;
    let [hour, minute, second] = whole_numbers(clock, ':')?;
    if !(1970..=2500).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59
    {
        return None;
    }
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let month_days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if !(1..=month_days[month as usize - 1]).contains(&day) || fraction.len() > 9 {
        return None;
    }
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let days =
        (year - 1970) * 365 + leap_days + month_days[..month as usize - 1].iter().sum::<u64>() + day - 1;
    let fraction_ns = if fraction.is_empty() { 0 } else { digits(&format!("{fraction:0<9}"))? };
    let seconds = Span::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second);
    Some((seconds + Span::from_nanos(fraction_ns)).as_nanos())
}

/// Exactly three whole numbers, parted by `separator`.
fn whole_numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let numbers = [digits(parts.next()?)?, digits(parts.next()?)?, digits(parts.next()?)?];
    parts.next().is_none().then_some(numbers)
}

/// A number written in up to nine digits and nothing else: `u64::from_str` would take a sign.
fn digits(text: &str) -> Option<u64> {
    let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::{file_of, gzip, near, problems_of, real_data};

    fn parse(rows: &str, on_bad_row: BadRow) -> Result<Read<Vec<Request>>, Error> {
        let text = format!("TIMESTAMP,ContextTokens,GeneratedTokens\r\n{rows}");
        let (_directory, path) = file_of("trace.csv", text.as_bytes());
        read(&path, on_bad_row)
    }

    #[test]
    fn arrivals_are_exact_to_the_last_digit() {
        let read =
            parse("2023-11-16 23:59:59.9999999,4808,10\r\n2023-11-17 00:00:00.0000001,1,2", BadRow::Fail);
        let rows = read.unwrap().rows;
        let second = Request { arrival: Time::from_nanos(200), context_tokens: 1, generated_tokens: 2 };
        assert_eq!((rows[0].arrival, rows[1]), (Time::ZERO, second));
    }

    #[test]
    fn dates_are_counted_as_the_calendar_does() {
        // Unix times by `date -u -d DATE +%s`.
        let known = [
            ("1970-01-01 00:00:00", 0),
            ("2000-02-29 12:00:00", 951_825_600),
            ("2000-03-01 00:00:00", 951_868_800),
            ("2023-11-16 18:17:03", 1_700_158_623),
            ("2024-12-31 23:59:59", 1_735_689_599),
            ("2101-01-01 00:00:00", 4_133_980_800),
        ];
        for (text, seconds) in known {
            assert_eq!(timestamp_ns(text), Some(seconds * 1_000_000_000), "{text}");
        }
        for text in ["2023-02-29 00:00:00", "2023-13-01 00:00:00", "2023-01-01 24:00:00", "2023-01-01", "x"] {
            assert_eq!(timestamp_ns(text), None, "{text}");
        }
        assert_eq!(timestamp_ns("2023-01-01 00:00:00.+1"), None);
    }

    const BAD: &str = "2023-11-16 18:00:00.0,1\n2023-11-16 18:00:01.0,1,1\nyesterday,1,1\n\
                       2023-11-16 18:00:00.5,1,1\n2023-11-16 18:00:02.0,-4,1\n2023-11-16 18:00:02.0,1,NaN\n\
                       2023-11-16 18:00:03.25,7,8\n";

    #[test]
    fn bad_rows_are_all_named_with_line_column_and_value() {
        let problems = problems_of(parse(BAD, BadRow::Fail));
        let want = [
            "2 GeneratedTokens: the row has 2 cells, not 3",
            "4 TIMESTAMP: `yesterday` is not a time",
            "5 TIMESTAMP: `2023-11-16 18:00:00.5` is earlier",
            "6 ContextTokens: `-4` is not a whole number",
            "7 GeneratedTokens: `NaN` is not a whole number",
        ];
        assert_eq!(problems.len(), want.len(), "{problems:?}");
        for (problem, want) in problems.iter().zip(want) {
            assert!(problem.starts_with(want), "{problem}");
        }
    }

    #[test]
    fn bad_rows_can_be_left_out_and_are_counted() {
        let read = parse(BAD, BadRow::Skip).unwrap();
        assert_eq!((read.rows.len(), read.skipped), (2, 5));
        assert_eq!(read.rows[1].arrival.as_nanos(), 2_250_000_000, "time starts at the first good row");
        assert!(problems_of(parse("x,y,z\n", BadRow::Skip))[0].contains("no usable row (1 bad"));
    }

    #[test]
    fn after_twenty_bad_rows_the_rest_is_a_number() {
        let problems = problems_of(parse(&"x,1,1\n".repeat(27), BadRow::Fail));
        assert_eq!(problems.len(), 21);
        assert!(problems[20].contains("and 7 more bad rows"), "{}", problems[20]);
    }

    #[test]
    fn compressed_files_are_known_by_their_bytes_and_must_be_whole() {
        let text = b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00.0,3,4\n";
        let (_directory, path) = file_of("no_suffix", &gzip(text));
        assert_eq!(read(&path, BadRow::Fail).unwrap().rows.len(), 1);
        let whole = gzip(text);
        let (_directory, path) = file_of("cut.gz", &whole[..whole.len() - 12]);
        assert!(problems_of(read(&path, BadRow::Skip))[0].contains("cut short"));
        let (_directory, path) = file_of("bytes.csv", b"TIMESTAMP\n\xff\xfe");
        assert!(problems_of(read(&path, BadRow::Skip))[0].starts_with("2 : not a text file"));
    }

    #[test]
    fn an_absent_file_says_what_it_is_and_where_it_belongs() {
        let error = read(Path::new("/nowhere/trace.csv"), BadRow::Fail).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        for part in [
            "/nowhere/trace.csv",
            "LLM request arrivals",
            "../shared/data/azure-llm-2023/",
            "name another file",
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }

    #[test]
    fn the_published_trace_has_its_published_statistics() {
        let Some(data) = real_data() else { return };
        let read = read(&DATASET.path(&data), BadRow::Fail).unwrap();
        let rows = read.rows;
        assert_eq!((rows.len(), read.skipped), (8_819, 0));
        let span = rows[rows.len() - 1].arrival.as_secs_f64();
        assert!(near(span, 3_435.9, 1e-4) && near(rows.len() as f64 / span, 2.567, 1e-3));
        let mut gaps: Vec<f64> =
            rows.windows(2).map(|w| w[1].arrival.since(w[0].arrival).as_secs_f64()).collect();
        gaps.sort_by(f64::total_cmp);
        let at = |p: f64| gaps[(p * (gaps.len() - 1) as f64) as usize];
        for (p, want) in [(0.5, 0.064), (0.75, 0.104), (0.95, 0.401), (0.99, 2.205), (1.0, 217.2)] {
            assert!(near(at(p), want, 5e-3), "p{p}: {}", at(p));
        }
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len() as f64;
        assert!(near(variance.sqrt() / mean, 13.2, 5e-3));
        for (tokens, want) in [
            (rows.iter().map(|row| row.context_tokens).collect::<Vec<_>>(), (3, 1469, 7302, 7437, 2047.8)),
            (rows.iter().map(|row| row.generated_tokens).collect::<Vec<_>>(), (6, 13, 90, 1899, 27.9)),
        ] {
            let mut sorted = tokens.clone();
            sorted.sort_unstable();
            let at = |p: f64| sorted[(p * (sorted.len() - 1) as f64) as usize];
            let mean = tokens.iter().map(|t| f64::from(*t)).sum::<f64>() / tokens.len() as f64;
            assert_eq!((at(0.0), at(0.5), at(0.95), at(1.0)), (want.0, want.1, want.2, want.3));
            assert!(near(mean, want.4, 2e-3), "{mean}");
        }
    }
}
