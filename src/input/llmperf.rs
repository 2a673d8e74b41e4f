//! Measured latencies of single LLM requests at commercial providers: the LLMPerf leaderboard.
//!
//! Comma-separated, one row a request. Rows with an error code are no measures (429 carries zeros, −1
//! and −100 partial values): they are returned apart, so that error rates can be had from them.

use std::path::Path;

use super::file::{BadRow, Dataset, Read};
use super::table::{self, Row, RowProblem, Separator};
use crate::engine::Span;
use crate::error::Error;

/// 150 requests to each of 14 pairs of provider and model.
pub const DATASET: Dataset = Dataset {
    what: "measured time to first token and inter-token latency (LLMPerf leaderboard, Dec 2023)",
    folder: "llmperf-2023-12",
    file: "llmperf_requests.csv.gz",
    source: "LLMPerf leaderboard, Dec 2023 - Jan 2024 (ray-project/llmperf-leaderboard, Apache-2.0)",
};

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who answered.
    pub provider: String,
    /// With which model.
    pub model: String,
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// From the request to its first token.
    pub first_token: Span,
    /// Mean time from one token to the next.
    pub inter_token: Span,
    /// From the request to its last token.
    pub end_to_end: Span,
}

/// One request that ended in an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// 429: too many requests; −1 and −100: other errors.
    pub code: i32,
}

/// All requests of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Those that were answered, in the order of the file.
    pub answered: Vec<Request>,
    /// Those that were not, in the order of the file.
    pub refused: Vec<Refusal>,
}

const COLUMNS: [&str; 8] = [
    "provider",
    "model",
    "input_tokens",
    "output_tokens",
    "ttft_s",
    "inter_token_latency_s",
    "end_to_end_latency_s",
    "error_code",
];

/// Reads the requests at `path`. A row with an error code is not a bad row, whatever its measures say.
///
/// # Errors
/// If the file is absent, broken or holds no answered request, and, as `on_bad_row` says, for bad rows.
pub fn read(path: &Path, on_bad_row: BadRow) -> Result<Read<Requests>, Error> {
    let mut requests = Requests::default();
    let bad_rows = table::read((path, &DATASET), Separator::Comma, &COLUMNS, on_bad_row, |_, row| {
        let (provider, model) = (row.text("provider").to_owned(), row.text("model").to_owned());
        if row.text("error_code").is_empty() {
            requests.answered.push(answered(row, provider, model)?);
        } else {
            requests.refused.push(Refusal { provider, model, code: row.whole("error_code")? });
        }
        Ok(())
    })?;
    let is_empty = requests.answered.is_empty();
    bad_rows.finish(requests, is_empty)
}

fn answered(row: &Row<'_>, provider: String, model: String) -> Result<Request, RowProblem> {
    let span = |column| row.not_negative(column).map(Span::from_secs_f64);
    Ok(Request {
        provider,
        model,
        input_tokens: row.whole("input_tokens")?,
        output_tokens: row.whole("output_tokens")?,
        first_token: span("ttft_s")?,
        inter_token: span("inter_token_latency_s")?,
        end_to_end: span("end_to_end_latency_s")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::{file_of, gzip, near, problems_of, real_data};

    fn parse(rows: &str, on_bad_row: BadRow) -> Result<Read<Requests>, Error> {
        let (_directory, path) = file_of("r.csv", format!("{}\n{rows}", COLUMNS.join(",")).as_bytes());
        read(&path, on_bad_row)
    }

    #[test]
    fn error_rows_are_kept_apart_from_measures() {
        let read =
            parse("a,m,550,150,0.5,0.01,2,\nb,m,550,0,0,0,0,429\nc,m,550,3,0.1,0.2,1,-100\n", BadRow::Fail);
        let requests = read.unwrap().rows;
        assert_eq!(requests.answered.len(), 1);
        assert_eq!(requests.answered[0].inter_token, Span::from_millis(10));
        assert_eq!(requests.refused.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), [429, -100]);
    }

    #[test]
    fn bad_rows_are_named_or_skipped() {
        let rows = "a,m,550,150,0.5,0.01\na,m,550,150,-0.5,0.01,2,\na,m,550,150,0.5,NaN,2,\n\
                    a,m,many,150,0.5,0.01,2,\na,m,550,150,0.5,0.01,2,none\na,m,550,150,0.5,0.01,2,\n";
        let problems = problems_of(parse(rows, BadRow::Fail));
        let want = [
            "2 end_to_end_latency_s: the row has 6",
            "3 ttft_s: `-0.5` is negative",
            "4 inter_token_latency_s: `NaN`",
            "5 input_tokens: `many`",
            "6 error_code: `none`",
        ];
        assert_eq!(problems.len(), want.len(), "{problems:?}");
        for (problem, want) in problems.iter().zip(want) {
            assert!(problem.starts_with(want), "{problem}");
        }
        let read = parse(rows, BadRow::Skip).unwrap();
        assert_eq!((read.rows.answered.len(), read.skipped), (1, 5));
        let (_directory, path) = file_of("cut.gz", &gzip(rows.as_bytes())[..40]);
        assert!(problems_of(super::read(&path, BadRow::Skip))[0].contains("cut short"));
    }

    #[test]
    fn the_published_requests_have_their_published_statistics() {
        let Some(data) = real_data() else { return };
        let requests = read(&DATASET.path(&data), BadRow::Fail).unwrap().rows;
        // (provider, first token p50 p95 [s], inter token p50 p95 [ms], end to end p50 p95 [s])
        let published = [
            ("anyscale", [0.21, 0.36, 14.6, 21.8, 2.26, 3.08]),
            ("fireworks", [0.52, 0.78, 24.4, 27.1, 3.77, 4.20]),
            ("perplexity", [0.37, 0.63, 33.0, 38.1, 4.97, 5.72]),
            ("bedrock", [0.39, 0.54, 46.2, 51.7, 6.99, 7.83]),
            ("replicate", [1.19, 23.8, 96.9, 268.9, 12.4, 34.4]),
        ];
        for (provider, want) in published {
            let of = |measure: fn(&Request) -> Span, p: f64| {
                let mine = |r: &&Request| r.provider == provider && r.model == "llama-2-70b";
                let mut spans: Vec<Span> = requests.answered.iter().filter(mine).map(measure).collect();
                spans.sort_unstable();
                spans[(p * (spans.len() - 1) as f64) as usize].as_secs_f64()
            };
            let ms = |r: &Request| Span::from_secs_f64(r.inter_token.as_secs_f64() * 1e3);
            let got = [
                of(|r| r.first_token, 0.5),
                of(|r| r.first_token, 0.95),
                of(ms, 0.5),
                of(ms, 0.95),
                of(|r| r.end_to_end, 0.5),
                of(|r| r.end_to_end, 0.95),
            ];
            for (got, want) in got.into_iter().zip(want) {
                assert!(near(got, want, 0.03), "{provider}: {got} is not {want}");
            }
        }
        let refused = |provider: &str, code: i32| {
            let of = |r: &&Refusal| r.provider == provider && r.code == code && r.model == "llama-2-70b";
            requests.refused.iter().filter(of).count()
        };
        assert_eq!(
            (refused("lepton", 429), refused("bedrock", -100), refused("perplexity", 429)),
            (130, 49, 2)
        );
    }
}
