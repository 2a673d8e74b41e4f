//! Bursts: how far arrivals are from a renewal process, and a process that has them.
//!
//! A law of gaps says nothing about their order. The index of dispersion of counts, variance ÷ mean of
//! the arrivals in windows of one length, does: 1 at all lengths for Poisson arrivals, rising with the
//! length where busy times follow busy times (Gusella, IEEE JSAC 9(2), 1991). A Markov-modulated Poisson
//! process has such times as states, each with a rate (Heffes and Lucantoni, IEEE JSAC 4(6), 1986).
//!
//! The fit is that of a hidden Markov chain with Poisson counts in one-second bins (Baum–Welch; Rabiner,
//! Proc. IEEE 77(2), 1989). It takes states to change between bins only, which costs little while they
//! last many seconds.

use super::law::{Unit, round_to, value_text};

/// A Markov-modulated Poisson process.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mmpp {
    /// Arrivals per second in each state, rising.
    pub(super) rates_per_s: Vec<f64>,
    /// Mean stay in each state \[s\].
    pub(super) sojourns_s: Vec<f64>,
    /// Where a stay in a state ends: probabilities, 0 on the diagonal.
    pub(super) jumps: Vec<Vec<f64>>,
}

/// A fitted process and how likely the counts are under it.
#[derive(Clone, Debug)]
pub(super) struct FittedMmpp {
    pub(super) process: Mmpp,
    pub(super) log_likelihood: f64,
    pub(super) aic: f64,
}

impl Mmpp {
    /// The process as it will be printed: what is judged is what is used. Tiny rates, which the fit
    /// approaches 0 with but never reaches, become 0; probabilities have four decimals and sum to 1.
    fn rounded(&self) -> Mmpp {
        let decimals = |value: f64| libm::round(value * 1e4) / 1e4;
        let row = |jumps: &Vec<f64>| {
            let mut row: Vec<f64> = jumps.iter().map(|jump| decimals(*jump)).collect();
            let largest = (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            let others: f64 = row.iter().enumerate().filter(|(i, _)| *i != largest).map(|(_, p)| p).sum();
            row[largest] = decimals(1.0 - others);
            row
        };
        let rate = |rate: &f64| if *rate < 1e-4 { 0.0 } else { round_to(*rate, 4) };
        Mmpp {
            rates_per_s: self.rates_per_s.iter().map(rate).collect(),
            sojourns_s: self.sojourns_s.iter().map(|stay| round_to(*stay, 4)).collect(),
            jumps: self.jumps.iter().map(row).collect(),
        }
    }

    /// The process as a scenario would write it.
    pub(super) fn text(&self) -> String {
        let list = |values: &[f64]| {
            let texts: Vec<String> = values.iter().map(f64::to_string).collect();
            format!("[{}]", texts.join(", "))
        };
        let stays: Vec<String> =
            self.sojourns_s.iter().map(|stay| value_text(*stay, Unit::Seconds)).collect();
        let jumps: Vec<String> = self.jumps.iter().map(|row| list(row)).collect();
        format!(
            "{{ mmpp = {{ rates_per_s = {}, sojourns = [{}], jumps = [{}] }} }}",
            list(&self.rates_per_s),
            stays.join(", "),
            jumps.join(", ")
        )
    }

    /// The share of time spent in each state, by repeated jumps of the chain embedded at one-second
    /// steps.
    pub(super) fn shares(&self) -> Vec<f64> {
        let states = self.rates_per_s.len();
        let mut shares = vec![1.0 / states as f64; states];
        for _ in 0..20_000 {
            let mut next = vec![0.0; states];
            for (from, share) in shares.iter().enumerate() {
                let leave = (1.0 / self.sojourns_s[from]).min(1.0);
                next[from] += share * (1.0 - leave);
                for (to, jump) in self.jumps[from].iter().enumerate() {
                    next[to] += share * leave * jump;
                }
            }
            shares = next;
        }
        shares
    }

    /// Arrivals per second in the long run.
    pub(super) fn mean_rate_per_s(&self) -> f64 {
        self.shares().iter().zip(&self.rates_per_s).map(|(share, rate)| share * rate).sum()
    }

    /// Arrival times until `span_s`, from a state drawn by its share of time.
    pub(super) fn simulate(&self, shares: &[f64], span_s: f64, rng: &mut SplitMix) -> Vec<f64> {
        let mut state = pick(shares, rng);
        let (mut now, mut times) = (0.0, Vec::new());
        while now < span_s {
            let end = now - libm::log(rng.uniform()) * self.sojourns_s[state];
            let mut at = now;
            loop {
                at -= libm::log(rng.uniform()) / self.rates_per_s[state].max(1e-12);
                if at >= end.min(span_s) {
                    break;
                }
                times.push(at);
            }
            now = end;
            state = pick(&self.jumps[state], rng);
        }
        times
    }
}

/// An index, drawn with these probabilities.
fn pick(probabilities: &[f64], rng: &mut SplitMix) -> usize {
    let mut left = rng.uniform();
    let found = probabilities.iter().position(|p| {
        left -= p;
        left < 0.0
    });
    found.unwrap_or(probabilities.len() - 1)
}

/// Fits `states` states to counts of arrivals in one-second bins.
pub(super) fn fit_mmpp(counts: &[u32], states: usize) -> FittedMmpp {
    let mean = counts.iter().map(|c| f64::from(*c)).sum::<f64>() / counts.len() as f64;
    // Rates from silence to four times the mean. From four states on, the first two are both silent, one
    // for long and one for short: gaps of many lengths need more than one.
    let rank = |state: usize| if states > 3 { state.saturating_sub(1) } else { state };
    let most = rank(states - 1).max(1) as f64;
    let mut rates: Vec<f64> = (0..states).map(|s| mean * (0.05 + 4.0 * rank(s) as f64 / most)).collect();
    let others = (states - 1).max(1) as f64;
    let stay = |state: usize| if state == 0 { 0.98 } else { 0.8 };
    let start = |from, to| if from == to { stay(from) } else { (1.0 - stay(from)) / others };
    let mut moves: Vec<Vec<f64>> =
        (0..states).map(|from| (0..states).map(|to| start(from, to)).collect()).collect();
    let mut log_likelihood = f64::NEG_INFINITY;
    for _ in 0..1_000 {
        let before = log_likelihood;
        log_likelihood = baum_welch_step(counts, &mut rates, &mut moves);
        if log_likelihood - before < 1e-7 {
            break;
        }
    }
    let leave: Vec<f64> = (0..states).map(|s| (1.0 - moves[s][s]).max(1e-9)).collect();
    let jump = |from: usize, to: usize| if from == to { 0.0 } else { moves[from][to] / leave[from] };
    let jumps = (0..states).map(|from| (0..states).map(|to| jump(from, to)).collect()).collect();
    let sojourns_s = leave.iter().map(|leave| 1.0 / leave).collect();
    let parameters = (states + states * (states - 1)) as f64;
    let process = Mmpp { rates_per_s: rates, sojourns_s, jumps }.rounded();
    FittedMmpp { process, log_likelihood, aic: 2.0 * parameters - 2.0 * log_likelihood }
}

/// One step of expectation–maximisation; the log-likelihood before it. The first bin may be in any state
/// with equal probability: one of thousands, it tells nothing about where chains start.
fn baum_welch_step(counts: &[u32], rates: &mut [f64], moves: &mut [Vec<f64>]) -> f64 {
    let states = rates.len();
    let emission = |count: u32, rate: f64| {
        let count = f64::from(count);
        libm::exp(count * libm::log(rate) - rate - libm::lgamma(count + 1.0))
    };
    let seen: Vec<Vec<f64>> =
        counts.iter().map(|c| rates.iter().map(|r| emission(*c, *r)).collect()).collect();
    let mut log_likelihood = 0.0;
    let mut forward: Vec<Vec<f64>> = Vec::with_capacity(counts.len());
    let mut scales = Vec::with_capacity(counts.len());
    for (t, seen) in seen.iter().enumerate() {
        let came = |to: usize| match t.checked_sub(1) {
            None => 1.0 / states as f64,
            Some(t) => (0..states).map(|from| forward[t][from] * moves[from][to]).sum::<f64>(),
        };
        let raw: Vec<f64> = (0..states).map(|to| came(to) * seen[to]).collect();
        let scale = raw.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        log_likelihood += libm::log(scale);
        forward.push(raw.iter().map(|value| value / scale).collect());
        scales.push(scale);
    }
    let mut backward = vec![1.0; states];
    let (mut weight, mut weighted) = (vec![0.0; states], vec![0.0; states]);
    let mut moved = vec![vec![0.0; states]; states];
    for t in (0..counts.len()).rev() {
        for state in 0..states {
            let belief = forward[t][state] * backward[state];
            weight[state] += belief;
            weighted[state] += belief * f64::from(counts[t]);
        }
        let Some(before) = t.checked_sub(1) else { break };
        let ahead: Vec<f64> = (0..states).map(|to| seen[t][to] * backward[to] / scales[t]).collect();
        for from in 0..states {
            for to in 0..states {
                moved[from][to] += forward[before][from] * moves[from][to] * ahead[to];
            }
        }
        backward = moves.iter().map(|row| row.iter().zip(&ahead).map(|(a, b)| a * b).sum()).collect();
    }
    for state in 0..states {
        rates[state] = (weighted[state] / weight[state]).max(1e-9);
        let total: f64 = moved[state].iter().sum();
        moves[state] = moved[state].iter().map(|value| value / total).collect();
    }
    log_likelihood
}

/// How many of `times` lie in each whole window of `width_s` before `span_s`.
pub(super) fn counts(times: &[f64], width_s: f64, span_s: f64) -> Vec<u32> {
    let mut counts = vec![0; (span_s / width_s) as usize];
    for time in times {
        if let Some(count) = counts.get_mut((time / width_s) as usize) {
            *count += 1;
        }
    }
    counts
}

/// What counts of arrivals look like, in windows of 1, 10 and 60 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Burstiness {
    /// Index of dispersion of counts in windows of 1 s, 10 s and 60 s.
    pub(super) dispersion: [f64; 3],
    /// Arrivals per minute: 25 %, 50 %, 75 % quantile, largest; and the share of silent minutes.
    pub(super) per_minute: [f64; 5],
}

impl Burstiness {
    pub(super) fn of(times: &[f64], span_s: f64) -> Burstiness {
        let numbers =
            |width| -> Vec<f64> { counts(times, width, span_s).into_iter().map(f64::from).collect() };
        let dispersion = [1.0, 10.0, 60.0].map(|width| {
            let (mean, variance) = super::quality::moments(&numbers(width));
            variance / mean
        });
        let mut minutes = numbers(60.0);
        minutes.sort_by(f64::total_cmp);
        let at = |p| super::quality::quantile(&minutes, p);
        let silent = minutes.iter().filter(|count| **count == 0.0).count() as f64 / minutes.len() as f64;
        Burstiness { dispersion, per_minute: [at(0.25), at(0.5), at(0.75), at(1.0), silent] }
    }

    /// The mean over `runs` simulated stretches of `span_s`, each as short as the sample is, so that
    /// both are biased alike.
    pub(super) fn simulated(runs: u32, span_s: f64, mut times: impl FnMut() -> Vec<f64>) -> Burstiness {
        let mut mean = Burstiness::default();
        for _ in 0..runs {
            let one = Burstiness::of(&times(), span_s);
            let each = mean.dispersion.iter_mut().zip(one.dispersion);
            each.chain(mean.per_minute.iter_mut().zip(one.per_minute))
                .for_each(|(sum, one)| *sum += one / f64::from(runs));
        }
        mean
    }
}

/// A SplitMix64 stream (Steele, Lea, Flood, OOPSLA 2014) for checks by simulation. Its own, because
/// readers do not touch the randomness of runs: a preset must not change when that does.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    /// Uniform between 0 and 1, neither included.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((word ^ (word >> 31)) >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::testing::near;

    fn two_states() -> Mmpp {
        let jumps = vec![vec![0.0, 1.0], vec![1.0, 0.0]];
        Mmpp { rates_per_s: vec![0.2, 8.0], sojourns_s: vec![30.0, 15.0], jumps }
    }

    #[test]
    fn a_poisson_process_has_dispersion_one_at_every_length() {
        let process = Mmpp { rates_per_s: vec![3.0], sojourns_s: vec![1e9], jumps: vec![vec![1.0]] };
        let times = process.simulate(&[1.0], 100_000.0, &mut SplitMix(1));
        assert!(near(times.len() as f64, 300_000.0, 0.01));
        for index in Burstiness::of(&times, 100_000.0).dispersion {
            assert!(near(index, 1.0, 0.12), "{index}");
        }
    }

    /// With rates a, b, stays 1/r, 1/s, mean rate m and u = r + s, the index of dispersion in windows of
    /// length t is 1 + 2rs(a − b)² ÷ (mu³) · (1 − (1 − exp(−ut)) ÷ (ut)) (Heffes and Lucantoni, 1986).
    #[test]
    fn a_two_state_process_has_its_published_dispersion() {
        let process = two_states();
        let (a, b, r, s) = (0.2, 8.0, 1.0 / 30.0, 1.0 / 15.0);
        let mean = (a * s + b * r) / (r + s);
        assert!(near(process.mean_rate_per_s(), mean, 1e-9));
        let times = process.simulate(&process.shares(), 400_000.0, &mut SplitMix(2));
        assert!(near(times.len() as f64 / 400_000.0, mean, 0.02));
        let sum: f64 = r + s;
        for (index, t) in Burstiness::of(&times, 400_000.0).dispersion.into_iter().zip([1.0, 10.0, 60.0]) {
            let slow = 1.0 - (1.0 - libm::exp(-sum * t)) / (sum * t);
            let want = 1.0 + 2.0 * r * s * (a - b) * (a - b) / (mean * sum * sum * sum) * slow;
            assert!(near(index, want, 0.05), "in windows of {t} s: {index}, not {want}");
        }
    }

    #[test]
    fn the_fit_finds_the_process_that_was_drawn_from() {
        // Stays much longer than a bin: those of a few bins come out about a bin too long.
        let process = Mmpp { sojourns_s: vec![120.0, 60.0], ..two_states() };
        let times = process.simulate(&process.shares(), 100_000.0, &mut SplitMix(3));
        let counts = counts(&times, 1.0, 100_000.0);
        let fitted = fit_mmpp(&counts, 2);
        let FittedMmpp { process: found, .. } = &fitted;
        assert!(near(found.rates_per_s[1], 8.0, 0.02) && near(found.rates_per_s[0], 0.2, 0.05), "{found:?}");
        assert!(near(found.sojourns_s[0], 120.0, 0.15) && near(found.sojourns_s[1], 60.0, 0.15), "{found:?}");
        assert!(fitted.aic < fit_mmpp(&counts, 1).aic - 10_000.0, "two states are far likelier than one");
    }

    #[test]
    fn counts_are_of_whole_windows() {
        assert_eq!(counts(&[0.0, 0.5, 1.0, 2.9, 3.1], 1.0, 3.5), [2, 1, 1]);
    }
}
