//! Free agents and startable tasks, counted, and the integrals of what they could do together.
//!
//! It knows numbers alone: who is free and what is startable is for `blocked` to say.

use crate::engine::Time;
use crate::trace::Stage;

/// The counts, and their integrals up to an instant.
#[derive(Debug)]
pub(super) struct Matching {
    warmup: Time,
    since: Time,
    /// Free agents and the sum of their speeds in millionths, by skill.
    free: Vec<(u32, u64)>,
    /// Startable tasks by skill + 1 (0: those that ask for none) and in total by stage.
    startable: Vec<u32>,
    by_stage: [u32; Stage::ALL.len()],
    /// A million agents for a day are more than 64 bits hold.
    blocked_ns: u128,
    idle_ns: u128,
    pub(super) blocked_capacity_s: [f64; Stage::ALL.len()],
    pub(super) idle_capacity_s: f64,
}

impl Matching {
    /// Nobody and nothing of so many skill classes; integrals begin at `warmup`.
    pub(super) fn new(skills: usize, warmup: Time) -> Matching {
        Matching {
            warmup,
            since: Time::ZERO,
            free: vec![(0, 0); skills],
            startable: vec![0; skills + 1],
            by_stage: [0; Stage::ALL.len()],
            blocked_ns: 0,
            idle_ns: 0,
            blocked_capacity_s: [0.0; Stage::ALL.len()],
            idle_capacity_s: 0.0,
        }
    }

    /// An agent of this skill and speed \[millionths\] becomes `free` at `now`, or ceases to be.
    #[inline]
    pub(super) fn count_agent(&mut self, now: Time, skill: u8, speed: u64, free: bool) {
        self.advance(now);
        let (count, sum) = &mut self.free[usize::from(skill)];
        if free {
            *count += 1;
            *sum += speed;
        } else {
            *count -= 1;
            *sum -= speed;
        }
    }

    /// A task that asks for this skill + 1 (0: for none) waits for something else at `now`; `None` is not
    /// startable.
    #[inline]
    pub(super) fn count_task(&mut self, now: Time, skill: u8, from: Option<Stage>, to: Option<Stage>) {
        self.advance(now);
        if let Some(stage) = from {
            self.startable[usize::from(skill)] -= 1;
            self.by_stage[stage as usize] -= 1;
        }
        if let Some(stage) = to {
            self.startable[usize::from(skill)] += 1;
            self.by_stage[stage as usize] += 1;
        }
    }

    /// Blocked and idle agent time \[ns\].
    pub(super) fn split_ns(&self) -> (u128, u128) {
        (self.blocked_ns, self.idle_ns)
    }

    /// Integrates up to `now` with the counts as they were.
    #[inline]
    pub(super) fn advance(&mut self, now: Time) {
        if now > self.since {
            let span = now.saturating_since(self.since.max(self.warmup)).as_nanos();
            self.since = now;
            match self.free[..] {
                [(free, speed)] if self.startable[1] == 0 => self.integrate_alike(span, free, speed),
                _ => self.integrate(span),
            }
        }
    }

    /// Integrates over `span` ns where all agents are of one skill class and no startable task asks for one:
    /// [`Matching::integrate`] with its sums worked out.
    #[inline]
    fn integrate_alike(&mut self, span: u64, free: u32, speed: u64) {
        if free == 0 {
            return;
        }
        let pairs = free.min(self.startable[0]);
        self.blocked_ns += u128::from(pairs) * u128::from(span);
        self.idle_ns += u128::from(free - pairs) * u128::from(span);
        let seconds = span as f64 * 1e-9;
        let all_speed = f64::from(free) * (speed as f64 * 1e-6 / f64::from(free));
        let matched_speed = all_speed * (f64::from(pairs) / f64::from(free));
        self.idle_capacity_s += (all_speed - matched_speed) * seconds;
        if pairs > 0 {
            self.attribute(u64::from(pairs), matched_speed, seconds);
        }
    }

    /// Integrates over `span` ns with the counts as they are.
    fn integrate(&mut self, span: u64) {
        if span == 0 {
            return;
        }
        let (mut matched, mut matched_speed) = (0u64, 0.0);
        let (mut left, mut left_speed) = (0u64, 0.0);
        for (skill, &(free, speed)) in self.free.iter().enumerate() {
            if free == 0 {
                continue;
            }
            let mean = speed as f64 * 1e-6 / f64::from(free);
            let pairs = free.min(self.startable[skill + 1]);
            matched += u64::from(pairs);
            matched_speed += f64::from(pairs) * mean;
            left += u64::from(free - pairs);
            left_speed += f64::from(free - pairs) * mean;
        }
        let any = left.min(u64::from(self.startable[0]));
        if any > 0 {
            let speed = left_speed * (any as f64 / left as f64);
            matched += any;
            matched_speed += speed;
            left -= any;
            left_speed -= speed;
        }
        self.blocked_ns += u128::from(matched) * u128::from(span);
        self.idle_ns += u128::from(left) * u128::from(span);
        let seconds = span as f64 * 1e-9;
        self.idle_capacity_s += left_speed * seconds;
        if matched > 0 {
            self.attribute(matched, matched_speed, seconds);
        }
    }

    /// Books matched pairs to what their tasks wait for.
    #[inline]
    fn attribute(&mut self, matched: u64, matched_speed: f64, seconds: f64) {
        let mean = matched_speed / matched as f64;
        let mut rest = matched;
        for (stage, &count) in self.by_stage.iter().enumerate() {
            let here = rest.min(u64::from(count));
            if here > 0 {
                rest -= here;
                self.blocked_capacity_s[stage] += here as f64 * mean * seconds;
                if rest == 0 {
                    break;
                }
            }
        }
        debug_assert_eq!(rest, 0, "every matched task waits for something");
    }
}
