//! Which samples are fitted, with which families, and what is said about each.

use std::path::Path;

use super::Fitted;
use super::bursts::{Burstiness, FittedMmpp, SplitMix, counts, fit_mmpp};
use super::law::{Law, Unit, round_to, value_text};
use super::mle;
use super::quality::{Candidate, best_first, cv, ks_of_sorted, log_correlation, moments};
use crate::error::{Error, Problem};
use crate::input::file::{BadRow, Dataset};
use crate::input::{azure_llm, fta, latency_matrix, llmperf, outages, vm_noise};

/// Probabilities of the tables of quantiles; close together where tails bend, or straight lines between
/// them would add to the mean.
const PROBABILITIES: [f64; 21] = [
    0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.985, 0.9925,
    0.9965, 0.999, 1.0,
];

/// A sample on its way to presets.
#[derive(Debug)]
struct Sample<'a> {
    name: &'a str,
    about: String,
    source: &'a str,
    file: String,
    unit: Unit,
    values: &'a [f64],
}

/// Fewer values than this tell nothing about a tail.
const LEAST_SAMPLE: usize = 100;

impl<'a> Sample<'a> {
    /// Refuses samples that are too small or that have one value only: no law can be fitted to them.
    fn new(
        name: &'a str,
        about: &str,
        dataset: &'a Dataset,
        unit: Unit,
        values: &'a [f64],
    ) -> Result<Sample<'a>, Error> {
        let file = format!("{}/{}", dataset.folder, dataset.file);
        let different = values.windows(2).any(|pair| pair[0] != pair[1]);
        if values.len() < LEAST_SAMPLE || !different {
            let n = values.len();
            let message =
                format!("gives {n} usable values for {name}; a fit needs {LEAST_SAMPLE} that differ");
            return Err(Problem::new(message).file(file).remedy("use a longer trace").into());
        }
        Ok(Sample { name, about: about.to_owned(), source: dataset.source, file, unit, values })
    }

    /// The best of `laws`, with the others beside it.
    fn best_of(&self, laws: &[Law]) -> Fitted {
        let candidates = best_first(laws.iter().map(|law| Candidate::new(law, self.values)).collect());
        let scores = |c: &Candidate| {
            let aic = c.aic().map_or(String::new(), |aic| format!(", aic {}", round_to(aic, 6)));
            format!("{} ks {}{aic}", c.law.text(self.unit), round_to(c.ks, 3))
        };
        self.fitted(&candidates[0], candidates[1..].iter().map(scores).collect())
    }

    /// Its table of quantiles, as a preset of its own.
    fn quantiles(&self, probabilities: &[f64]) -> Fitted {
        let law = mle::empirical(self.values, probabilities);
        let mut fitted = self.fitted(&Candidate::new(&law, self.values), Vec::new());
        fitted.name = format!("{}_quantiles", self.name);
        fitted.about = format!("{} As a table of quantiles.", self.about);
        fitted
    }

    fn fitted(&self, best: &Candidate, tried: Vec<String>) -> Fitted {
        let mut quality = vec![("ks".to_owned(), best.ks)];
        if let (Some(aic), Some(ln)) = (best.aic(), best.log_likelihood) {
            quality.extend([("aic".to_owned(), aic), ("log_likelihood".to_owned(), ln)]);
        }
        let mean = moments(self.values).0;
        quality.extend([("mean".to_owned(), mean), ("mean_of_law".to_owned(), best.law.mean())]);
        quality.push(("cv".to_owned(), cv(self.values)));
        Fitted {
            name: self.name.to_owned(),
            about: self.about.clone(),
            source: self.source.to_owned(),
            file: self.file.clone(),
            n: self.values.len(),
            law: best.law.text(self.unit),
            quality,
            tried,
        }
    }
}

/// The families that are tried on lengths of time.
fn time_laws(sample: &[f64]) -> Vec<Law> {
    let mut laws = vec![mle::exponential(sample), mle::lognormal(sample), mle::weibull(sample)];
    laws.push(mle::lomax(sample));
    laws.extend(mle::hyperexponential(sample));
    laws
}

/// Runs of a simulated process that a figure is the mean of, or a distance is taken to.
const RUNS: u32 = 100;

/// Ten minutes: shorter traces say nothing about counts per minute.
const LEAST_SPAN_S: f64 = 600.0;

/// Arrivals, as a law of gaps and as a process; and token counts.
pub(super) fn arrivals_and_tokens(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let dataset = &azure_llm::DATASET;
    let rows = azure_llm::read(&dataset.path(data_dir), BadRow::Fail)?.rows;
    let times: Vec<f64> = rows.iter().map(|row| row.arrival.as_secs_f64()).collect();
    // No two published requests are at one instant; a gap of 0 has no logarithm.
    let gaps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).filter(|gap| *gap > 0.0).collect();
    let about = "Gaps between arrivals, as a renewal process; see azure_llm_arrivals for their order.";
    let sample = Sample::new("azure_llm_gap", about, dataset, Unit::Seconds, &gaps)?;
    let mut laws = time_laws(&gaps);
    laws.push(mle::pareto(&gaps));
    laws.extend([2, 3, 4].map(|phases| mle::mixture(&gaps, phases)));
    let mut renewal = sample.best_of(&laws);
    let span_s = times.last().copied().unwrap_or(0.0);
    if span_s < LEAST_SPAN_S {
        let message = format!("covers {span_s} s; to see bursts a fit needs {LEAST_SPAN_S}");
        return Err(Problem::new(message).file(sample.file).remedy("use a longer trace").into());
    }
    let best = best_first(laws.iter().map(|law| Candidate::new(law, &gaps)).collect()).swap_remove(0).law;
    let mut rng = SplitMix(2023);
    let simulated = Burstiness::simulated(RUNS, span_s, || renewal_times(&best, span_s, &mut rng));
    renewal.quality.extend(burstiness(&Burstiness::of(&times, span_s), &simulated));
    let mut fitted = vec![renewal, arrival_process(dataset, &times, &gaps)];
    let context = rows.iter().map(|row| row.context_tokens).collect::<Vec<_>>();
    let generated = rows.iter().map(|row| row.generated_tokens).collect::<Vec<_>>();
    for (name, about, tokens) in [
        ("azure_llm_context_tokens", "Tokens of a prompt.", context),
        ("azure_llm_generated_tokens", "Tokens of an answer.", generated),
    ] {
        let values: Vec<f64> = tokens.into_iter().map(f64::from).filter(|value| *value > 0.0).collect();
        let sample = Sample::new(name, about, dataset, Unit::Plain, &values)?;
        fitted.push(sample.best_of(&[mle::lognormal(&values)]));
        fitted.push(sample.quantiles(&PROBABILITIES));
    }
    Ok(fitted)
}

/// Arrivals with independent gaps until `span_s`, the first at 0 as in a trace.
fn renewal_times(law: &Law, span_s: f64, rng: &mut SplitMix) -> Vec<f64> {
    let (mut now, mut times) = (0.0, Vec::new());
    while now < span_s {
        times.push(now);
        now += law.sample(&mut || rng.uniform());
    }
    times
}

/// The numbers of states tried. Two lose the long silences; more than five would be 36 parameters and up,
/// for an hour of arrivals.
const STATES: [usize; 4] = [2, 3, 4, 5];

/// The arrivals as a Markov-modulated Poisson process.
fn arrival_process(dataset: &Dataset, times: &[f64], gaps: &[f64]) -> Fitted {
    let span_s = times.last().copied().unwrap_or(0.0);
    let bins = counts(times, 1.0, span_s);
    let mut fits = STATES.map(|states| fit_mmpp(&bins, states)).to_vec();
    fits.sort_by(|a, b| a.aic.total_cmp(&b.aic));
    let mut sorted_gaps = gaps.to_vec();
    sorted_gaps.sort_by(f64::total_cmp);
    let judge = |fit: &FittedMmpp| {
        let (shares, mut rng) = (fit.process.shares(), SplitMix(2023));
        let mut simulated_gaps = Vec::new();
        let simulated = Burstiness::simulated(RUNS, span_s, || {
            let times = fit.process.simulate(&shares, span_s, &mut rng);
            simulated_gaps.extend(times.windows(2).map(|w| w[1] - w[0]));
            times
        });
        simulated_gaps.sort_by(f64::total_cmp);
        (ks_of_sorted(&sorted_gaps, &simulated_gaps), simulated)
    };
    let scores = |fit: &FittedMmpp| {
        let (ks, simulated) = judge(fit);
        let (ks, aic, index) = (round_to(ks, 3), round_to(fit.aic, 6), round_to(simulated.dispersion[2], 3));
        format!("{} ks_of_gaps {ks}, aic_of_counts {aic}, idc_60s_of_law {index}", fit.process.text())
    };
    let (ks, simulated) = judge(&fits[0]);
    let mut quality: Vec<(String, f64)> = [
        ("ks_of_gaps", ks),
        ("aic_of_counts", fits[0].aic),
        ("log_likelihood_of_counts", fits[0].log_likelihood),
        ("rate", times.len() as f64 / span_s),
        ("rate_of_law", fits[0].process.mean_rate_per_s()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    quality.extend(burstiness(&Burstiness::of(times, span_s), &simulated));
    Fitted {
        name: "azure_llm_arrivals".to_owned(),
        about: "Arrivals as a Markov-modulated Poisson process, fitted to counts in one-second bins."
            .to_owned(),
        source: dataset.source.to_owned(),
        file: format!("{}/{}", dataset.folder, dataset.file),
        n: times.len(),
        law: fits[0].process.text(),
        quality,
        tried: fits[1..].iter().map(scores).collect(),
    }
}

/// Index of dispersion and arrivals per minute, of the data and of the law.
fn burstiness(data: &Burstiness, law: &Burstiness) -> Vec<(String, f64)> {
    let names = ["idc_1s", "idc_10s", "idc_60s"];
    let minutes = ["per_minute_p25", "per_minute_p50", "per_minute_p75", "per_minute_max", "silent_minutes"];
    let pairs = data.dispersion.iter().zip(law.dispersion).chain(data.per_minute.iter().zip(law.per_minute));
    let names = names.into_iter().chain(minutes);
    names
        .zip(pairs)
        .flat_map(|(name, (data, law))| [(name.to_owned(), *data), (format!("{name}_of_law"), law)])
        .collect()
}

/// The model whose measures are pooled: the largest, which most of the providers serve.
const POOLED_MODEL: &str = "llama-2-70b";

/// Time to first token and from token to token.
pub(super) fn request_latencies(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let dataset = &llmperf::DATASET;
    let requests = llmperf::read(&dataset.path(data_dir), BadRow::Fail)?.rows.answered;
    let pairs: Vec<(f64, f64)> = requests
        .iter()
        .filter(|request| request.model == POOLED_MODEL)
        .map(|request| (request.first_token.as_secs_f64(), request.inter_token.as_secs_f64()))
        .filter(|(first, inter)| *first > 0.0 && *inter > 0.0)
        .collect();
    let correlation = log_correlation(&pairs);
    let pooled = "answered requests of llama-2-70b at all seven providers, each request counting once.";
    let (first, inter): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let mut fitted = Vec::new();
    for (name, what, values) in
        [("llm_first_token", "first token", &first), ("llm_inter_token", "one token to the next", &inter)]
    {
        let about = format!("Time to {what}; {pooled}").replace("to one", "from one");
        let sample = Sample::new(name, &about, dataset, Unit::Seconds, values)?;
        let mut best = sample.best_of(&time_laws(values));
        best.quality.push(("log_correlation_of_first_and_inter".to_owned(), correlation));
        fitted.extend([best, sample.quantiles(&PROBABILITIES)]);
    }
    Ok(fitted)
}

/// Probabilities of the table of speeds, closer together below the median: two modes, of machines with
/// and without burst credit.
const SPEED_PROBABILITIES: [f64; 21] = [
    0.0, 0.01, 0.05, 0.1, 0.15, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95,
    0.99, 1.0,
];

/// Speed factors of machines.
pub(super) fn machine_speeds(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let dataset = &vm_noise::DATASET;
    let factors = vm_noise::read(&dataset.path(data_dir), BadRow::Fail)?.rows.factors;
    let about = "Speed of a machine relative to the median machine; a table, because it has two modes.";
    let sample = Sample::new("azure_vm_speed", about, dataset, Unit::Plain, &factors)?;
    let mut table = sample.best_of(&[mle::empirical(&factors, &SPEED_PROBABILITIES)]);
    // What work is multiplied by on the mean machine; above 1 ÷ the mean speed.
    let inverse: Vec<f64> = factors.iter().map(|factor| 1.0 / factor).collect();
    table.quality.push(("mean_of_inverse".to_owned(), moments(&inverse).0));
    Ok(vec![table])
}

/// Probabilities of the tables of absences: most are reboots of minutes, one in five takes hours, and
/// those of whole clusters are steps.
const CHURN_PROBABILITIES: [f64; 21] = [
    0.0, 0.01, 0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.74, 0.77, 0.8, 0.83, 0.86, 0.89, 0.92, 0.94, 0.96, 0.98,
    0.99, 0.9975, 1.0,
];

/// How long nodes stay and how long they are away: a Weibull law, as the archive's authors fit, the law
/// with the least AIC, and a table.
pub(super) fn churn(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let dataset = &fta::DATASET;
    let trace = fta::read(&dataset.path(data_dir), BadRow::Fail)?.rows;
    let (from, to) = (trace.at_unix(fta::MAY_2006_UNIX_S.0), trace.at_unix(fta::MAY_2006_UNIX_S.1));
    let rows = [
        ("grid5000_available", true, "available", "shape 0.48, scale 14.37h, mean 32.41h"),
        ("grid5000_unavailable", false, "not available", "shape 0.35, scale 0.47h, mean 7.41h"),
    ];
    let mut fitted = Vec::new();
    for (name, up, what, published) in rows {
        let lengths = trace.lengths_s(up, from, to);
        let about = format!(
            "Intervals in which a node is {what} that begin in May 2006. Published Weibull of the whole \
             trace: {published} (Javadi et al., JPDC 73(8), 2013)."
        );
        let sample = Sample::new(name, &about, dataset, Unit::Seconds, &lengths)?;
        let mut laws = time_laws(&lengths);
        laws.extend([2, 3].map(|phases| mle::mixture(&lengths, phases)));
        let mut best = sample.best_of(&laws);
        best.name = format!("{name}_best");
        fitted.extend([sample.best_of(&[mle::weibull(&lengths)]), best]);
        fitted.push(sample.quantiles(&CHURN_PROBABILITIES));
    }
    Ok(fitted)
}

/// Nodes of one region are less than this apart, there and back, from its middle.
const REGION_ROUND_TRIP_S: f64 = 0.020;
/// How many regions the table has.
const REGIONS: usize = 5;

/// Latencies between regions, and round trips between any two nodes.
pub(super) fn distances(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let dataset = &latency_matrix::PLANETLAB;
    let matrix = latency_matrix::read(&dataset.path(data_dir), latency_matrix::Options::default())?.rows;
    let mut regions = latency_matrix::sites(&matrix, REGION_ROUND_TRIP_S);
    regions.truncate(REGIONS);
    let nodes: Vec<usize> = (0..matrix.nodes()).collect();
    let pairs = nodes.iter().flat_map(|a| nodes[..*a].iter().map(move |b| (*a, *b)));
    let round_trips: Vec<f64> =
        pairs.map(|(a, b)| matrix.round_trip_s(a, b)).filter(|rtt| *rtt > 0.0).collect();
    let about = "Round trip between two nodes, over all pairs; a message takes half of it.";
    let sample = Sample::new("planetlab_round_trip", about, dataset, Unit::Seconds, &round_trips)?;
    let row = |from: &Vec<usize>| {
        let to = |to: &Vec<usize>| {
            matrix
                .mean_one_way_s(from, to)
                .map_or("\"0s\"".to_owned(), |mean| value_text(mean, Unit::Seconds))
        };
        format!("[{}]", regions.iter().map(to).collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = regions.iter().map(row).collect();
    let names: Vec<String> = (0..regions.len()).map(|i| format!("\"region_{}\"", i + 1)).collect();
    let sizes: Vec<String> = regions.iter().map(|region| region.len().to_string()).collect();
    let (names, sizes, rows) = (names.join(", "), sizes.join(", "), rows.join(", "));
    let covered = regions.iter().map(Vec::len).sum::<usize>();
    let about = format!(
        "The {REGIONS} largest groups of nodes within {} (there and back) of a middle one: mean one-way \
         latency between them and, on the diagonal, between different nodes of one.",
        value_text(REGION_ROUND_TRIP_S, Unit::Seconds).replace('"', "")
    );
    let table = Fitted {
        name: "planetlab_regions".to_owned(),
        about,
        source: dataset.source.to_owned(),
        file: format!("{}/{}", dataset.folder, dataset.file),
        n: covered,
        law: format!("{{ names = [{names}], nodes = [{sizes}], one_way = [{rows}] }}"),
        quality: vec![("share_of_nodes".to_owned(), covered as f64 / matrix.nodes() as f64)],
        tried: Vec::new(),
    };
    Ok(vec![table, sample.best_of(&[mle::lognormal(&round_trips)])])
}

/// Which services make up a preset of outages, and from which severity on they count as down.
struct Pool {
    name: &'static str,
    files: &'static [&'static str],
    threshold: f64,
    what: &'static str,
}

const POOLS: [Pool; 2] = [
    Pool {
        name: "relay_incident",
        files: &[
            "slack_global-status_operator_reported.csv",
            "github-status_global-status_operator_reported.csv",
        ],
        threshold: 0.0,
        what: "Incidents of any severity that the operators of Slack and GitHub reported",
    },
    Pool {
        name: "relay_outage",
        files: &["cubecraft_online_game.csv", "hive_online_game.csv", "runescape_online_game.csv"],
        threshold: 0.5,
        what: "Times in which three online services lost half of their users or more, measured in minutes",
    },
];

/// How long relays are down, and how long up between.
pub(super) fn relay_outages(data_dir: &Path) -> Result<Vec<Fitted>, Error> {
    let mut fitted = Vec::new();
    for pool in &POOLS {
        let (mut lengths, mut gaps) = (Vec::new(), Vec::new());
        for file in pool.files {
            let path = data_dir.join(outages::DATASET.folder).join(file);
            let incidents = outages::read(&path, BadRow::Fail)?.rows;
            let merged = outages::outages(&incidents, pool.threshold);
            lengths.extend(merged.iter().map(|outage| outage.length().as_secs_f64()));
            gaps.extend(merged.windows(2).map(|w| w[1].from.since(w[0].to).as_secs_f64()));
        }
        for (suffix, which, values) in
            [("length", "how long", &lengths), ("gap", "how long from the end of one to the next", &gaps)]
        {
            let name = format!("{}_{suffix}", pool.name);
            let about = format!("{}, overlapping ones merged: {which}.", pool.what);
            let mut sample = Sample::new(&name, &about, &outages::DATASET, Unit::Seconds, values)?;
            let files: Vec<String> =
                pool.files.iter().map(|file| format!("{}/{file}", outages::DATASET.folder)).collect();
            sample.file = files.join(", ");
            fitted.push(sample.best_of(&time_laws(values)));
        }
    }
    Ok(fitted)
}
