//! Arrival processes in closed form.
//!
//! Each draws one sequence from the stream it is handed, gap after gap, until the horizon. The fields
//! must have been validated: what makes no sense panics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Arrival;
use crate::engine::{Dist, Rng, Span, Time};
use crate::work::NumberDist;

/// A Poisson process. Needs exactly one of its keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poisson {
    /// Arrivals per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// Mean time between two arrivals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_interarrival: Option<Span>,
}

impl Poisson {
    /// The mean gap \[s\], if exactly one key is given and it is above zero.
    pub fn mean_gap_s(&self) -> Option<f64> {
        let gap = match (self.rate_per_s, self.mean_interarrival) {
            (Some(rate), None) => 1.0 / rate,
            (None, Some(gap)) => gap.as_secs_f64(),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        (gap > 0.0 && gap.is_finite()).then_some(gap)
    }

    pub(super) fn arrivals(&self, horizon: Time, rng: &mut Rng) -> Vec<Arrival> {
        let mean = self.mean_gap_s().expect("validated");
        renewals(horizon, rng, |rng| exponential(mean, rng))
    }
}

/// Independent gaps of one law; the first arrival comes after a whole gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// Law of the time between two arrivals; its mean must be above zero.
    pub interarrival: Dist,
}

impl Renewal {
    pub(super) fn arrivals(&self, horizon: Time, rng: &mut Rng) -> Vec<Arrival> {
        let law = self.interarrival.law().expect("validated");
        renewals(horizon, rng, |rng| law.sample(rng))
    }
}

/// A Poisson process whose rate depends on a state; stays in a state are exponential. The first state is
/// drawn by the share of time spent in each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mmpp {
    /// Arrivals per second in each state; 0 is silence.
    pub rates_per_s: Vec<f64>,
    /// Mean stay in each state.
    pub mean_sojourns: Vec<Span>,
    /// Probability of the next state (column) from each state (row). Default: the states in turn, the
    /// first after the last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jumps: Vec<Vec<f64>>,
}

impl Mmpp {
    /// Long-run arrivals per second.
    pub fn mean_rate(&self) -> f64 {
        let shares = self.shares();
        self.rates_per_s.iter().zip(&shares).map(|(rate, share)| rate * share).sum()
    }

    /// Share of time in each state: visits of the jump chain, weighted by stays.
    fn shares(&self) -> Vec<f64> {
        let visits =
            if self.jumps.is_empty() { vec![1.0; self.mean_sojourns.len()] } else { visits(&self.jumps) };
        let time: Vec<f64> = visits
            .iter()
            .zip(&self.mean_sojourns)
            .map(|(visits, stay)| visits * stay.as_secs_f64())
            .collect();
        let total: f64 = time.iter().sum();
        time.iter().map(|time| time / total).collect()
    }

    pub(super) fn arrivals(&self, horizon: Time, rng: &mut Rng) -> Vec<Arrival> {
        let mut state = super::task::pick(&self.shares(), rng.uniform());
        let (mut now, end, mut arrivals) = (0.0, horizon.as_secs_f64(), Vec::new());
        while now < end {
            let until = now + exponential(self.mean_sojourns[state].as_secs_f64(), rng);
            let rate = self.rates_per_s[state];
            if rate > 0.0 {
                // Memoryless: what is left of a gap at a change of state may be drawn anew.
                let mut at = now + exponential(1.0 / rate, rng);
                while at < until.min(end) {
                    arrivals.push(instant(at));
                    at += exponential(1.0 / rate, rng);
                }
            }
            now = until;
            state = match self.jumps.get(state) {
                Some(row) => super::task::pick(row, rng.uniform()),
                None => (state + 1) % self.mean_sojourns.len(),
            };
        }
        arrivals
    }
}

/// Stationary probabilities, up to a factor, of the chain with these jumps (Grassmann, Taksar and Heyman,
/// Operations Research 33(5), 1985: elimination without subtraction).
fn visits(jumps: &[Vec<f64>]) -> Vec<f64> {
    let states = jumps.len();
    let mut matrix: Vec<Vec<f64>> = jumps.to_vec();
    for last in (1..states).rev() {
        let leave: f64 = matrix[last][..last].iter().sum();
        for from in 0..last {
            matrix[from][last] /= leave;
            for to in 0..last {
                matrix[from][to] += matrix[from][last] * matrix[last][to];
            }
        }
    }
    let mut visits: Vec<f64> = Vec::with_capacity(states);
    for state in 0..states {
        let entered = visits.iter().zip(&matrix).map(|(visits, row)| visits * row[state]).sum();
        visits.push(if state == 0 { 1.0 } else { entered });
    }
    visits
}

/// Bursts begin as a Poisson process; each brings several tasks, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Bursts per second.
    pub rate_per_s: f64,
    /// Tasks in a burst, rounded to a whole number, at least 1.
    pub size: NumberDist,
    /// Time between two tasks of a burst. Default "0s": all at once.
    #[serde(default = "no_time")]
    pub spacing: Dist,
}

fn no_time() -> Dist {
    Dist::Constant(Span::ZERO)
}

impl Bursts {
    pub(super) fn arrivals(&self, horizon: Time, rng: &mut Rng) -> Vec<Arrival> {
        let (size, spacing) = (self.size.law().expect("validated"), self.spacing.law().expect("validated"));
        let (mut now, end, mut arrivals) = (0.0, horizon.as_secs_f64(), Vec::new());
        loop {
            now += exponential(1.0 / self.rate_per_s, rng);
            if now >= end {
                break;
            }
            let mut at = now;
            let tasks = size.sample(rng).round().max(1.0) as u64;
            for position in 0..tasks {
                if position > 0 {
                    at += spacing.sample(rng);
                }
                if at < end {
                    arrivals.push(instant(at));
                }
            }
        }
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }
}

/// A number of tasks at one instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// How many tasks.
    pub tasks: u32,
    /// When they arrive. Default "0s".
    #[serde(default)]
    pub at: Time,
}

impl Batch {
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        vec![Arrival::at(self.at); self.tasks as usize]
    }
}

fn exponential(mean: f64, rng: &mut Rng) -> f64 {
    -mean * libm::log1p(-rng.uniform())
}

fn instant(secs: f64) -> Arrival {
    Arrival::at(Time::ZERO + Span::from_secs_f64(secs))
}

/// Arrivals with the gaps \[s\] that `gap` draws.
fn renewals(horizon: Time, rng: &mut Rng, mut gap: impl FnMut(&mut Rng) -> f64) -> Vec<Arrival> {
    let (mut now, end, mut arrivals) = (0.0, horizon.as_secs_f64(), Vec::new());
    loop {
        now += gap(rng);
        // An infinite draw of a heavy tail ends the process too.
        if now >= end || now.is_nan() {
            return arrivals;
        }
        arrivals.push(instant(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: Time = Time::from_secs(100_000);

    fn count(arrivals: &[Arrival]) -> f64 {
        assert!(arrivals.windows(2).all(|pair| pair[0].at <= pair[1].at), "in order");
        assert!(arrivals.iter().all(|arrival| arrival.at < HORIZON), "before the horizon");
        arrivals.len() as f64
    }

    /// Counts per second over windows: mean and variance ÷ mean (1 for Poisson).
    fn dispersion(arrivals: &[Arrival], window_s: u64) -> (f64, f64) {
        let mut counts = vec![0.0; (100_000 / window_s) as usize];
        for arrival in arrivals {
            let cell = arrival.at.as_nanos() / (window_s * 1_000_000_000);
            counts[cell as usize] += 1.0;
        }
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        let variance =
            counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / counts.len() as f64;
        (mean, variance / mean)
    }

    #[test]
    fn a_poisson_process_has_its_rate_and_is_memoryless() {
        let by_rate = Poisson { rate_per_s: Some(2.0), mean_interarrival: None };
        let by_gap = Poisson { rate_per_s: None, mean_interarrival: Some(Span::from_millis(500)) };
        let arrivals = by_rate.arrivals(HORIZON, &mut Rng::from_state(1));
        assert_eq!(arrivals, by_gap.arrivals(HORIZON, &mut Rng::from_state(1)));
        // 200,000 expected, standard deviation 447.
        assert!((count(&arrivals) - 200_000.0).abs() < 4.0 * 447.0, "{}", arrivals.len());
        let (_, index) = dispersion(&arrivals, 10);
        assert!((index - 1.0).abs() < 0.06, "index of dispersion {index}");
        assert_eq!(Poisson::default().mean_gap_s(), None);
    }

    #[test]
    fn renewals_have_the_rate_of_their_law() {
        let gamma = Dist::Gamma { shape: 4.0, mean: Span::from_millis(500) };
        let arrivals = Renewal { interarrival: gamma }.arrivals(HORIZON, &mut Rng::from_state(2));
        assert!((count(&arrivals) - 200_000.0).abs() < 4.0 * 224.0, "{}", arrivals.len());
        // Of a renewal process the index of dispersion tends to the scv of the gaps.
        let (_, index) = dispersion(&arrivals, 100);
        assert!((index - 0.25).abs() < 0.05, "index of dispersion {index}");
    }

    /// The index of dispersion of counts of a two-state MMPP over long windows tends to
    /// 1 + 2 (λ₁ − λ₂)² ω₁ ω₂ ÷ ((ω₁ + ω₂)² (λ₁ ω₂ + λ₂ ω₁)), ω = 1 ÷ stay (Fischer and
    /// Meier-Hellstern, Performance Evaluation 18, 1993, eq. 9).
    #[test]
    fn an_mmpp_has_its_rate_and_its_burstiness() {
        let mmpp = Mmpp {
            rates_per_s: vec![10.0, 0.5],
            mean_sojourns: vec![Span::from_secs(2), Span::from_secs(8)],
            jumps: Vec::new(),
        };
        assert!((mmpp.mean_rate() - 2.4).abs() < 1e-12);
        let arrivals = mmpp.arrivals(HORIZON, &mut Rng::from_state(3));
        let (mean, index) = dispersion(&arrivals, 200);
        let (w1, w2) = (0.5, 0.125);
        let limit = 1.0 + 2.0 * 9.5 * 9.5 * w1 * w2 / ((w1 + w2) * (w1 + w2) * (10.0 * w2 + 0.5 * w1));
        assert!((mean / 200.0 - 2.4).abs() < 0.1, "rate {}", mean / 200.0);
        assert!((index / limit - 1.0).abs() < 0.2, "index of dispersion {index}, expected {limit}");
        count(&arrivals);
    }

    /// Three states in which the second is entered twice as often as the others.
    #[test]
    fn jumps_weigh_the_states() {
        let jumps = vec![vec![0.0, 1.0, 0.0], vec![0.5, 0.0, 0.5], vec![0.0, 1.0, 0.0]];
        assert_eq!(visits(&jumps), [1.0, 2.0, 1.0]);
        let second = Span::from_secs(1);
        let mmpp = Mmpp { rates_per_s: vec![8.0, 0.0, 4.0], mean_sojourns: vec![second; 3], jumps };
        assert!((mmpp.mean_rate() - 3.0).abs() < 1e-12);
        let arrivals = mmpp.arrivals(HORIZON, &mut Rng::from_state(6));
        assert!((count(&arrivals) / 300_000.0 - 1.0).abs() < 0.03, "{}", arrivals.len());
    }

    #[test]
    fn bursts_have_their_rate_times_their_size() {
        let bursts = Bursts {
            rate_per_s: 0.2,
            size: NumberDist::Uniform { low: 1.0, high: 9.0 },
            spacing: Dist::exponential(Span::from_millis(100)),
        };
        let arrivals = bursts.arrivals(HORIZON, &mut Rng::from_state(4));
        assert!((count(&arrivals) / 100_000.0 - 1.0).abs() < 0.04, "{}", arrivals.len());
    }

    #[test]
    fn a_batch_comes_at_once_and_a_longer_horizon_changes_no_arrival() {
        let batch = Batch { tasks: 3, at: Time::from_secs(7) };
        assert_eq!(batch.arrivals(), vec![Arrival::at(Time::from_secs(7)); 3]);
        let poisson = Poisson { rate_per_s: Some(1.0), mean_interarrival: None };
        let short = poisson.arrivals(Time::from_secs(100), &mut Rng::from_state(5));
        let long = poisson.arrivals(Time::from_secs(200), &mut Rng::from_state(5));
        assert_eq!(short[..], long[..short.len()]);
    }
}
