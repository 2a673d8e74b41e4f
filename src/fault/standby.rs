//! A relay that is a pair of units: one serves, the other stands by, one crew repairs.
//!
//! Each unit fails after its own life, whether it serves or not. When the serving unit fails, a takeover
//! begins. It ends with the other unit serving, or is broken off: by the repair of the failed unit, which
//! then serves again, or by the failure of the other, after which both are down. From there, and where the
//! other was down to begin with, the first unit repaired serves at once. With exponential laws this is a
//! Markov chain of four states (both up, takeover, one up, both down), which is what its test compares with.

use crate::engine::{Law, Rng, Span, Time};

/// The three laws of a pair.
pub(super) struct Pair {
    /// Time from when a unit is sound until it fails.
    pub(super) life: Law,
    /// Time the crew needs for a unit.
    pub(super) repair: Law,
    /// Time from the failure of the serving unit until the other serves.
    pub(super) takeover: Law,
}

/// What is drawn, each a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    Life,
    Repair,
    Takeover,
}

/// The pair was out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Break {
    pub(super) at: Time,
    pub(super) until: Time,
    /// Whether it began with a takeover, and not with both units down.
    pub(super) takeover: bool,
}

/// What can happen next; of two in one instant the earlier named comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Repaired(usize),
    TakenOver,
    Failed(usize),
}

struct State<F> {
    pair: Pair,
    open: F,
    /// How many of each were drawn.
    drawn: [u64; 3],
    /// When each sound unit fails.
    fails: [Option<Time>; 2],
    /// The unit being repaired, and until when. The other waits for the crew if it is down too.
    crew: Option<(usize, Time)>,
    serving: Option<usize>,
    taking_over: Option<Time>,
}

/// Draws every break that begins before `end`; both units are sound at `from`. `open` opens the stream of the
/// nth draw of a kind.
pub(super) fn draw(pair: Pair, from: Time, end: Time, open: impl Fn(u64, Drawn) -> Rng) -> Vec<Break> {
    let mut state = State {
        pair,
        open,
        drawn: [0; 3],
        fails: [None; 2],
        crew: None,
        serving: Some(0),
        taking_over: None,
    };
    for unit in 0..2 {
        state.fails[unit] = Some(from + state.sample(Drawn::Life));
    }
    let mut breaks: Vec<Break> = Vec::new();
    loop {
        let (now, next) = state.next();
        let served = state.serving.is_some();
        if served && now >= end {
            return breaks;
        }
        state.happens(now, next);
        match (served, state.serving) {
            (true, None) => {
                breaks.push(Break { at: now, until: now, takeover: state.taking_over.is_some() });
            }
            (false, Some(_)) => breaks.last_mut().expect("it began").until = now,
            (true, Some(_)) | (false, None) => {}
        }
    }
}

/// Shorter lives than this are as good as none, and a chain of them would never end.
const SHORTEST_LIFE: Span = Span::from_millis(1);

impl<F: Fn(u64, Drawn) -> Rng> State<F> {
    fn sample(&mut self, what: Drawn) -> Span {
        let count = &mut self.drawn[what as usize];
        let rng = &mut (self.open)(*count, what);
        *count += 1;
        match what {
            Drawn::Life => self.pair.life.sample_span(rng).max(SHORTEST_LIFE),
            Drawn::Repair => self.pair.repair.sample_span(rng),
            Drawn::Takeover => self.pair.takeover.sample_span(rng),
        }
    }

    fn next(&self) -> (Time, Next) {
        let repaired = self.crew.map(|(unit, at)| (at, Next::Repaired(unit)));
        let taken_over = self.taking_over.map(|at| (at, Next::TakenOver));
        let failed = |unit: usize| self.fails[unit].map(|at| (at, Next::Failed(unit)));
        let all = [repaired, taken_over, failed(0), failed(1)];
        all.into_iter().flatten().min().expect("a unit is sound or under repair")
    }

    fn happens(&mut self, now: Time, next: Next) {
        match next {
            Next::Failed(unit) => {
                let other = 1 - unit;
                self.fails[unit] = None;
                if self.crew.is_none() {
                    self.crew = Some((unit, now + self.sample(Drawn::Repair)));
                }
                if self.serving == Some(unit) {
                    self.serving = None;
                    let sound = self.fails[other].is_some();
                    self.taking_over = sound.then(|| now + self.sample(Drawn::Takeover));
                } else if self.serving.is_none() {
                    self.taking_over = None;
                }
            }
            Next::TakenOver => {
                self.taking_over = None;
                self.serving = self.fails.iter().position(Option::is_some);
            }
            Next::Repaired(unit) => {
                self.fails[unit] = Some(now + self.sample(Drawn::Life));
                let waits = self.fails[1 - unit].is_none();
                self.crew = waits.then(|| (1 - unit, now + self.sample(Drawn::Repair)));
                self.taking_over = None;
                self.serving = self.serving.or(Some(unit));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Dist, Purpose, Seed};

    fn breaks(life: &Dist, repair: &Dist, takeover: &Dist, end: Time) -> Vec<Break> {
        let law = |dist: &Dist| dist.law().unwrap();
        let pair = Pair { life: law(life), repair: law(repair), takeover: law(takeover) };
        let key = Seed(51).key(0, Purpose::Fault);
        draw(pair, Time::ZERO, end, |count, what| key.open(what as u64, count))
    }

    /// Q-51 of the reference results: the four-state chain with unit failures at 1/1,000 s, repairs at
    /// 1/100 s and takeovers at 1/7 s.
    #[test]
    fn an_exponential_pair_is_the_four_state_chain() {
        let exponential = |secs| Dist::exponential(Span::from_secs(secs));
        let hours = 100_000;
        let end = Time::from_secs(hours * 3_600);
        let breaks = breaks(&exponential(1_000), &exponential(100), &exponential(7), end);
        let down: f64 = breaks.iter().map(|one| one.until.since(one.at).as_secs_f64()).sum();
        let share = down / end.as_secs_f64();
        assert!((share / 0.021_721 - 1.0).abs() < 0.01, "unavailability {share}");
        let takeovers = breaks.iter().filter(|one| one.takeover).count() as f64 / hours as f64;
        assert!((takeovers / 2.950_8 - 1.0).abs() < 0.01, "{takeovers} takeovers an hour");
        // Both down at once, from one up: 0.158607 · 3.6 an hour.
        let sudden = breaks.iter().filter(|one| !one.takeover).count() as f64 / hours as f64;
        assert!((sudden / 0.570_985 - 1.0).abs() < 0.02, "{sudden} other breaks an hour");
        assert!(breaks.windows(2).all(|two| two[0].until <= two[1].at), "in order, without overlap");
    }

    /// Both units fail together every 100 s, are repaired in 10 s one after the other, and so the pair is
    /// down for 10 s; by hand: 100 to 110, then unit 0 fails at 210 while unit 1, sound since 120, takes
    /// over.
    #[test]
    fn a_pair_with_constant_laws_is_worked_out_by_hand() {
        let constant = |secs| Dist::Constant(Span::from_secs(secs));
        let breaks = breaks(&constant(100), &constant(10), &constant(3), Time::from_secs(215));
        let expected = [(100, 110, true), (210, 213, true)];
        let expected = expected.map(|(at, until, takeover)| Break {
            at: Time::from_secs(at),
            until: Time::from_secs(until),
            takeover,
        });
        assert_eq!(breaks, expected);
    }
}
