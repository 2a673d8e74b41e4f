//! Failure detectors: how soon they notice a crash, and how often they are wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trial;
use super::tools::{Limits, mean, share};
use crate::engine::{Dist, Key, Rng, Span, Time, standard_normal};
use crate::error::Problems;
use crate::mechanism::accrual::{self, Accrual};
use crate::mechanism::{Freshness, Heartbeats};
use crate::metrics::MetricDef;
use crate::trace::NodeId;

fn beats() -> u32 {
    100_000
}

fn crashes() -> u32 {
    2_000
}

/// Heartbeats `0..count`, sent `interval` apart: when each that is not lost comes, by arrival.
fn arrivals(count: u64, interval: Span, delay: &Dist, loss: f64, rng: &mut Rng) -> Vec<(Time, u64)> {
    let law = delay.law().expect("the parameters were checked");
    let mut arrivals = Vec::new();
    for beat in 0..count {
        let sent = Time::from_nanos(beat * interval.as_nanos());
        // Both are drawn, so that another loss leaves the delays alone.
        let (lost, delay) = (rng.chance(loss), law.sample_span(rng));
        if !lost {
            arrivals.push((sent + delay, beat));
        }
    }
    arrivals.sort_unstable();
    arrivals
}

/// A timeout counted from the last heartbeat received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeartbeatDetector {
    /// Time between heartbeats.
    pub interval: Span,
    /// Silence after which the sender is suspected.
    pub timeout: Span,
    /// How long a heartbeat takes.
    pub delay: Dist,
    /// How likely it is lost. Default 0.
    #[serde(default)]
    pub loss: f64,
    /// Crashes a replication, each uniform within a period. Default 2000.
    #[serde(default = "crashes")]
    pub crashes: u32,
    /// Heartbeats of a sender that does not crash. Default 100000.
    #[serde(default = "beats")]
    pub beats: u32,
}

const SENDER: NodeId = NodeId(0);

impl HeartbeatDetector {
    /// How long \[s\] after a crash in some later period the sender is suspected for good.
    fn detection(&self, mut rng: Rng) -> f64 {
        let before = 2 + self.timeout.as_nanos() / self.interval.as_nanos();
        let crash =
            Time::from_nanos((before - 1) * self.interval.as_nanos()) + self.interval.mul_f64(rng.uniform());
        let mut detector = Heartbeats::new(self.timeout);
        detector.heard(Time::ZERO, SENDER);
        for (at, _) in arrivals(before, self.interval, &self.delay, self.loss, &mut rng) {
            while detector.next_expiry().is_some_and(|expiry| expiry < at) {
                detector.expired(at);
            }
            detector.heard(at, SENDER);
        }
        let suspected = detector.next_expiry().expect("the last heartbeat restored trust");
        suspected.as_secs_f64() - crash.as_secs_f64()
    }

    /// Wrong suspicions ÷ heartbeats received. A heartbeat that comes at the last moment is in time.
    fn wrong_suspicions(&self, mut rng: Rng) -> f64 {
        let mut detector = Heartbeats::new(self.timeout);
        let arrivals = arrivals(u64::from(self.beats), self.interval, &self.delay, self.loss, &mut rng);
        let mut wrong = 0u64;
        for &(at, _) in &arrivals {
            while detector.next_expiry().is_some_and(|expiry| expiry < at) {
                wrong += u64::from(detector.expired(at).is_some());
            }
            detector.heard(at, SENDER);
        }
        wrong as f64 / arrivals.len() as f64
    }
}

impl Trial for HeartbeatDetector {
    const NAME: &'static str = "heartbeat_detector";
    const ABOUT: &'static str = "a timeout after the last heartbeat: time to notice, wrong suspicions";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("detection_mean_s", "s", "crash to suspicion, mean over crashes"),
        MetricDef::lower("detection_min_s", "s", "crash to suspicion, least over crashes"),
        MetricDef::lower("detection_max_s", "s", "crash to suspicion, greatest over crashes"),
        MetricDef::lower("wrong_suspicion_share", "share", "wrong suspicions ÷ heartbeats received"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("interval", self.interval.as_secs_f64())
            .law("delay", &self.delay)
            .below_one("loss", self.loss)
            .at_least("crashes", self.crashes, 1.0)
            .at_least("beats", self.beats, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let detections: Vec<f64> =
            (0..self.crashes).map(|crash| self.detection(key.open(1, u64::from(crash)))).collect();
        let least = detections.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = detections.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        vec![mean(detections), least, greatest, self.wrong_suspicions(key.open(0, 0))]
    }
}

/// Chen's detector with freshness points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FreshnessDetector {
    /// Time between heartbeats, η.
    pub interval: Span,
    /// From the sending of a heartbeat to its freshness point, δ.
    pub shift: Span,
    /// How long a heartbeat takes.
    pub delay: Dist,
    /// How likely it is lost. Default 0.
    #[serde(default)]
    pub loss: f64,
    /// Heartbeats of a sender that does not crash. Default 100000.
    #[serde(default = "beats")]
    pub beats: u32,
    /// Crashes a replication, each uniform within a period. Default 2000.
    #[serde(default = "crashes")]
    pub crashes: u32,
}

impl FreshnessDetector {
    /// Mistakes, the time \[s\] they lasted, and the time \[s\] observed.
    fn mistakes(&self, mut rng: Rng) -> (u64, f64, f64) {
        let arrivals = arrivals(u64::from(self.beats), self.interval, &self.delay, self.loss, &mut rng);
        let mut detector = Freshness::new(self.interval, self.shift);
        let (start, end) = (detector.trusted_until(), arrivals.last().map_or(Time::MAX, |last| last.0));
        let (mut mistakes, mut lasted, mut since) = (0, Span::ZERO, None);
        for &(at, beat) in &arrivals {
            // What comes at the freshness point itself is fresh.
            if since.is_none() && detector.trusted_until() < at {
                since = Some(detector.trusted_until());
                mistakes += 1;
            }
            detector.heard(beat);
            if detector.trusts(at)
                && let Some(since) = since.take()
            {
                lasted += at.since(since);
            }
        }
        lasted += since.map_or(Span::ZERO, |since| end.since(since));
        (mistakes, lasted.as_secs_f64(), end.saturating_since(start).as_secs_f64())
    }

    /// How long \[s\] after a crash the sender is suspected for good.
    fn detection(&self, mut rng: Rng) -> f64 {
        let before = 2 + self.shift.as_nanos() / self.interval.as_nanos();
        let crash =
            Time::from_nanos((before - 1) * self.interval.as_nanos()) + self.interval.mul_f64(rng.uniform());
        let mut detector = Freshness::new(self.interval, self.shift);
        for (_, beat) in arrivals(before, self.interval, &self.delay, self.loss, &mut rng) {
            detector.heard(beat);
        }
        (detector.trusted_until().as_secs_f64() - crash.as_secs_f64()).max(0.0)
    }
}

impl Trial for FreshnessDetector {
    const NAME: &'static str = "freshness_detector";
    const ABOUT: &'static str =
        "freshness points, NFD-S: mistakes and their length (Chen, Toueg, Aguilera 2002)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::higher("mistake_recurrence_s", "s", "time observed ÷ mistakes"),
        MetricDef::lower("mistake_duration_s", "s", "time suspected ÷ mistakes"),
        MetricDef::higher("accuracy", "share", "time trusted ÷ time observed"),
        MetricDef::lower("detection_max_s", "s", "crash to suspicion, greatest over crashes"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("interval", self.interval.as_secs_f64())
            .law("delay", &self.delay)
            .below_one("loss", self.loss)
            .at_least("crashes", self.crashes, 1.0)
            .at_least("beats", self.beats, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mistakes, lasted, time) = self.mistakes(key.open(0, 0));
        let detection = |crash| self.detection(key.open(1, u64::from(crash)));
        let slowest = (0..self.crashes).map(detection).fold(f64::NEG_INFINITY, f64::max);
        let mistakes = mistakes as f64;
        vec![time / mistakes, lasted / mistakes, 1.0 - lasted / time, slowest]
    }
}

/// The φ-accrual detector on normal gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccrualDetector {
    /// Mean gap between heartbeats.
    pub mean: Span,
    /// Standard deviation of the gaps.
    pub deviation: Span,
    /// Suspect from this φ on.
    pub threshold: f64,
    /// Learn the law from so many gaps; absent: it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// Gaps a replication. Default 100000.
    #[serde(default = "beats")]
    pub beats: u32,
}

impl Trial for AccrualDetector {
    const NAME: &'static str = "accrual_detector";
    const ABOUT: &'static str =
        "φ-accrual: the timeout a threshold stands for, wrong suspicions (Hayashibara 2004)";
    const METRICS: &'static [MetricDef] = &[
        MetricDef::lower("timeout_s", "s", "silence at which φ reaches the threshold, the law being known"),
        MetricDef::lower("wrong_suspicion_share", "share", "gaps in which φ reaches the threshold ÷ gaps"),
    ];

    fn check(&self) -> Result<(), Problems> {
        Limits::new()
            .positive("deviation", self.deviation.as_secs_f64())
            .positive("threshold", self.threshold)
            .at_least("window", self.window.unwrap_or(2), 2.0)
            .at_least("beats", self.beats, 1.0)
            .done()
    }

    fn run(&self, key: Key) -> Vec<f64> {
        let (mean, deviation) = (self.mean.as_secs_f64(), self.deviation.as_secs_f64());
        let mut rng = key.open(0, 0);
        let mut gap = || mean + deviation * standard_normal(&mut rng);
        let mut learnt = self.window.map(|window| {
            let mut learnt = Accrual::new(window as usize);
            (0..window).for_each(|_| learnt.heard(gap()));
            learnt
        });
        let wrong = share(self.beats, |_| {
            let silence = gap();
            let phi = match &mut learnt {
                None => accrual::phi(mean, deviation, silence),
                Some(learnt) => {
                    let phi = learnt.phi(silence).expect("a whole window was learnt");
                    learnt.heard(silence);
                    phi
                }
            };
            phi >= self.threshold
        });
        vec![accrual::timeout(mean, deviation, self.threshold), wrong]
    }
}
