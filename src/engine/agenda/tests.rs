//! The agenda against a sorted list, and the corners of its contract.

use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::engine::rng::Rng;

/// What the agenda promises, written the naive way: a list, searched each time.
#[derive(Default)]
struct Reference {
    now: Time,
    /// (when, order of insertion = identity of the event)
    events: Vec<(Time, usize)>,
}

impl Reference {
    fn fire(&mut self) -> Option<usize> {
        let first = self.events.iter().copied().min()?;
        self.events.retain(|&event| event != first);
        self.now = first.0;
        Some(first.1)
    }
    fn cancel(&mut self, id: usize) -> bool {
        let at = self.events.iter().position(|event| event.1 == id);
        at.map(|at| self.events.swap_remove(at)).is_some()
    }
}

/// How far off events are scheduled.
#[derive(Clone, Copy, Debug)]
enum Law {
    /// Few distinct waits, so that ties are common.
    Ties,
    /// Always the same one.
    Equal,
    /// One instant, wherever the clock stands, then the next.
    Instant,
    Uniform,
    /// Near ones, and one in ten far off.
    Bimodal,
    /// Every order of magnitude is as likely as any other, up to the end of the clock.
    HeavyTail,
    /// The last instants of the clock.
    End,
}

impl Law {
    fn when(self, now: Time, draw: u64) -> Time {
        Time::from_nanos(
            match self {
                Law::Ties => now.as_nanos().saturating_add(draw % 6),
                Law::Equal => now.as_nanos().saturating_add(1_000),
                Law::Instant => (now.as_nanos() | 0xFFF).saturating_add(draw % 2),
                Law::Uniform => now.as_nanos().saturating_add(draw % 1_000_000),
                Law::Bimodal if draw.is_multiple_of(10) => now.as_nanos().saturating_add(1 << 40),
                Law::Bimodal => now.as_nanos().saturating_add(draw % 5_000),
                Law::HeavyTail => now.as_nanos().saturating_add(draw >> (draw % 64)),
                Law::End => u64::MAX - draw % 3,
            }
            .max(now.as_nanos()),
        )
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// So many events, each with a draw of its own, with a key if the draw is odd.
    Schedule(Law, Vec<u64>),
    /// Of any event that ever got a key, so that stale keys are common.
    Cancel(prop::sample::Index),
    /// Of all but the last few, so that tombstones are swept out.
    CancelMost,
    Fire(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let laws = [Law::Ties, Law::Equal, Law::Instant, Law::Uniform, Law::Bimodal, Law::HeavyTail, Law::End];
    let law = || prop::sample::select(laws.to_vec());
    let one = (law(), prop::collection::vec(any::<u64>(), 1..3));
    let many = (law(), prop::collection::vec(any::<u64>(), 50..400));
    let step = prop_oneof![
        12 => one.prop_map(|(law, draws)| Step::Schedule(law, draws)),
        1 => many.prop_map(|(law, draws)| Step::Schedule(law, draws)),
        6 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => Just(Step::CancelMost),
        12 => (1..4usize).prop_map(Step::Fire),
        1 => (50..300usize).prop_map(Step::Fire),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn it_does_what_a_sorted_list_would_do(steps in steps()) {
        let (mut agenda, mut reference, mut keys) = (Agenda::new(), Reference::default(), Vec::new());
        let (mut scheduled, mut peak) = (0, 0);
        for step in steps {
            match step {
                Step::Schedule(law, draws) => for draw in draws {
                    let when = law.when(agenda.now(), draw);
                    reference.events.push((when, scheduled));
                    if draw % 2 == 1 {
                        keys.push((scheduled, agenda.at_keyed(when, scheduled)));
                    } else {
                        agenda.at(when, scheduled);
                    }
                    scheduled += 1;
                },
                Step::Cancel(_) if keys.is_empty() => {}
                Step::Cancel(which) => {
                    let (id, key) = keys[which.index(keys.len())];
                    let cancelled = reference.cancel(id);
                    prop_assert_eq!(agenda.cancel(key), cancelled);
                    let tombstones = agenda.slab.cancelled;
                    prop_assert!(!cancelled || tombstones <= agenda.len().max(FEW_TOMBSTONES));
                }
                Step::CancelMost => for &(id, key) in keys.iter().rev().skip(3) {
                    prop_assert_eq!(agenda.cancel(key), reference.cancel(id));
                },
                Step::Fire(times) => for _ in 0..times {
                    prop_assert_eq!(agenda.fire(), reference.fire());
                },
            }
            peak = peak.max(agenda.len());
            prop_assert_eq!((agenda.now(), agenda.len()), (reference.now, reference.events.len()));
            let tombstones = agenda.slab.cancelled;
            prop_assert!(tombstones <= peak.max(FEW_TOMBSTONES), "{tombstones} at a peak of {peak}");
            // A chunk may be vacant in part, and each bucket has one of its own.
            prop_assert!(agenda.room() <= 40 * peak + 4_000, "room for {} at {peak}", agenda.room());
        }
        while let Some(id) = reference.fire() {
            prop_assert_eq!(agenda.fire(), Some(id));
        }
        prop_assert_eq!((agenda.fire(), agenda.slab.cancelled), (None, 0));
    }
}

/// The hold model of every law, at a size where rungs lie under rungs, against the heap of the standard
/// library.
#[test]
fn holding_many_events_keeps_the_order() {
    use std::cmp::Reverse;
    for law in [Law::Ties, Law::Equal, Law::Instant, Law::Uniform, Law::Bimodal, Law::HeavyTail] {
        let (mut agenda, mut rng) = (Agenda::new(), Rng::from_state(7));
        let mut heap = std::collections::BinaryHeap::new();
        for event in 0..220_000 {
            // Short of the end of the clock, which a heavy tail would reach soon.
            let when = law.when(agenda.now(), rng.next_u64() >> 8);
            agenda.at(when, event);
            heap.push(Reverse((when, event)));
            if event >= 20_000 {
                let Reverse((when, first)) = heap.pop().expect("never empty");
                assert_eq!((agenda.fire(), agenda.now()), (Some(first), when), "{law:?}");
            }
        }
        assert!(agenda.room() < 200_000, "{law:?}: room for {}", agenda.room());
    }
}

/// Few events, so far from each other that no bottom reaches from one to the next.
#[test]
fn the_whole_clock_is_within_reach() {
    let mut agenda = Agenda::new();
    let instants = || (0..64).map(|bit| 1 << bit).chain([u64::MAX - 1, u64::MAX]);
    for round in 0..3 {
        instants().for_each(|nanos| agenda.at(Time::from_nanos(nanos), (nanos, round)));
    }
    for nanos in instants() {
        for round in 0..3 {
            assert_eq!((agenda.fire(), agenda.now()), (Some((nanos, round)), Time::from_nanos(nanos)));
        }
    }
    assert_eq!(agenda.fire(), None);
}

/// An avalanche at one instant: each event that fires schedules more for the same instant.
#[test]
fn events_scheduled_for_now_come_after_those_that_were() {
    let mut agenda = Agenda::new();
    let mut scheduled = 0;
    for _ in 0..30 {
        agenda.at(Time::from_secs(1), scheduled);
        scheduled += 1;
    }
    agenda.at(Time::from_secs(2), u32::MAX);
    for expected in 0..200_000 {
        assert_eq!(agenda.fire(), Some(expected));
        for _ in 0..2 {
            if scheduled < 200_000 {
                agenda.after(Span::ZERO, scheduled);
                scheduled += 1;
            }
        }
    }
    assert_eq!((agenda.fire(), agenda.fire()), (Some(u32::MAX), None));
}

#[test]
fn a_thousand_ties_fire_in_the_order_of_insertion() {
    let mut agenda = Agenda::new();
    for event in 0..1_000 {
        agenda.at(Time::from_secs(1), event);
    }
    let fired: Vec<u32> = std::iter::from_fn(|| agenda.fire()).collect();
    assert!(fired.into_iter().eq(0..1_000));
    assert_eq!((agenda.now(), agenda.current()), (Time::from_secs(1), EventId(1_000)));
}

/// K-04 of the reference results, at a tenth of its size: cancel every other event; exactly half
/// fire, in order, and the storage is no larger than the peak needed.
#[test]
fn half_cancelled_half_fire() {
    const EVENTS: u64 = 100_000;
    let (mut agenda, mut rng) = (Agenda::new(), Rng::from_state(4));
    let keys: Vec<EventKey> = (0..EVENTS)
        .map(|event| agenda.at_keyed(Time::from_nanos(u64::from(rng.below(1_000_000))), event))
        .collect();
    for (event, key) in (0..).zip(&keys).step_by(2) {
        assert!(agenda.cancel(*key), "event {event} is pending");
        assert!(!agenda.cancel(*key), "a second cancellation finds nothing");
    }
    let (mut fired, mut last) = (0, Time::ZERO);
    while let Some(event) = agenda.fire() {
        assert!(event % 2 == 1 && agenda.now() >= last);
        (fired, last) = (fired + 1, agenda.now());
    }
    assert_eq!((fired, agenda.fired(), agenda.len()), (EVENTS / 2, EVENTS / 2, 0));
    assert!(keys.iter().all(|&key| !agenda.cancel(key)), "all keys are stale now");
    assert_eq!((agenda.slab.cancelled, agenda.slab.slots.len()), (0, EVENTS as usize));
    assert!(agenda.room() < EVENTS as usize * 3 / 2, "room for {}", agenda.room());
}

/// A timeout that is always set and nearly always cancelled is the commonest event of all.
#[test]
fn timeouts_that_never_fire_leave_nothing_behind() {
    let mut agenda = Agenda::new();
    for _ in 0..200_000 {
        let timeout = agenda.after_keyed(Span::from_secs(3_600), true);
        agenda.after(Span::from_millis(1), false);
        assert_eq!(agenda.fire(), Some(false));
        assert!(agenda.cancel(timeout));
    }
    assert!(agenda.is_empty());
    assert!(agenda.room() < 1_024, "room for {} events", agenda.room());
    assert!(agenda.slab.slots.len() < 2 * FEW_TOMBSTONES, "{} slots", agenda.slab.slots.len());
}

/// Most timeouts are cancelled: they are swept out several times, and what is left fires in order.
#[test]
fn sweeping_tombstones_out_keeps_the_order() {
    let (mut agenda, mut rng) = (Agenda::new(), Rng::from_state(5));
    let mut expected = Vec::new();
    for event in 0..2_000 {
        let when = Time::from_nanos(u64::from(rng.below(500)));
        let key = agenda.at_keyed(when, event);
        if rng.chance(0.1) {
            expected.push((when, event));
        } else {
            assert!(agenda.cancel(key));
        }
    }
    let tombstones = agenda.slab.cancelled;
    assert!(tombstones <= agenda.len(), "{tombstones} tombstones beside {} events", agenda.len());
    expected.sort();
    let fired: Vec<_> = std::iter::from_fn(|| agenda.fire().map(|event| (agenda.now(), event))).collect();
    assert_eq!(fired, expected);
}

/// At a sweep, or at its time; and never later than the agenda.
#[test]
fn a_cancelled_event_is_dropped_in_time() {
    let (mut agenda, payload) = (Agenda::new(), Rc::new(()));
    let key = agenda.at_keyed(Time::from_secs(1), Rc::clone(&payload));
    agenda.at(Time::from_secs(2), Rc::new(()));
    assert!(agenda.cancel(key));
    assert!(agenda.fire().is_some() && agenda.now() == Time::from_secs(2));
    assert_eq!((Rc::strong_count(&payload), agenda.fired()), (1, 1));
    for _ in 0..1_000 {
        let key = agenda.after_keyed(Span::from_secs(9), Rc::clone(&payload));
        assert!(agenda.cancel(key));
        assert!(Rc::strong_count(&payload) <= FEW_TOMBSTONES + 2);
    }
    drop(agenda);
    assert_eq!(Rc::strong_count(&payload), 1);
}

#[test]
fn a_stale_key_does_not_cancel_the_next_tenant_of_its_slot() {
    let mut agenda = Agenda::new();
    let first = agenda.at_keyed(Time::ZERO, 'a');
    assert_eq!(agenda.fire(), Some('a'));
    let second = agenda.at_keyed(Time::ZERO, 'b');
    assert_eq!(first.slot, second.slot);
    assert!(!agenda.cancel(first));
    assert_eq!(agenda.fire(), Some('b'));
}

#[test]
fn a_slot_out_of_generations_is_retired() {
    let mut agenda = Agenda::new();
    agenda.at_keyed(Time::ZERO, 0);
    agenda.fire();
    agenda.slab.slots[0].generation = u32::MAX - 1;
    let last = agenda.at_keyed(Time::ZERO, 1);
    assert_eq!((last.slot.index(), agenda.cancel(last), agenda.fire()), (0, true, None));
    assert_eq!(agenda.at_keyed(Time::ZERO, 2).slot.index(), 1);
    assert_eq!((agenda.cancel(last), agenda.fire(), agenda.fire()), (false, Some(2), None));
}

#[test]
#[should_panic(expected = "an event at 1s would lie in the past: it is 2s already")]
fn the_past_is_closed() {
    let mut agenda = Agenda::new();
    agenda.at(Time::from_secs(2), ());
    agenda.fire();
    agenda.at(Time::from_secs(1), ());
}

#[test]
#[should_panic(expected = "an event at 1s would lie in the past: it is 2s already")]
fn the_past_is_closed_to_events_with_a_key() {
    let mut agenda = Agenda::new();
    agenda.at(Time::from_secs(2), ());
    agenda.fire();
    agenda.at_keyed(Time::from_secs(1), ());
}

#[test]
fn keys_and_entries_are_small() {
    assert_eq!((size_of::<EventKey>(), size_of::<Entry<[u32; 3]>>()), (8, 24));
    assert_eq!(size_of::<Option<Entry<[u32; 3]>>>(), 24);
}

/// Each event is shown, most of them some places before they fire, and nearly all of those three times.
#[test]
fn events_are_shown_before_they_fire() {
    let (mut agenda, mut rng) = (Agenda::new(), Rng::from_state(9));
    let mut shown = std::array::from_fn::<_, 3, _>(|_| vec![None; 100_000]);
    let mut leads = std::array::from_fn::<_, 3, _>(|_| Vec::new());
    (0..10_000).for_each(|event| agenda.at(Time::from_nanos(u64::from(rng.below(10_000_000))), event));
    for event in 10_000..100_000 {
        let fired = agenda.fired();
        agenda.foresee(|&event: &usize, ahead| {
            let shown = &mut shown[ahead as usize][event];
            *shown = shown.or(Some(fired));
        });
        let first = agenda.fire().expect("never empty");
        for (shown, leads) in shown.iter().zip(&mut leads) {
            leads.extend(shown[first].map(|at| fired - at));
        }
        agenda.after(Span::from_nanos(u64::from(rng.below(10_000_000))), event);
    }
    for (mut leads, places) in leads.into_iter().zip([15, 5, 5]) {
        leads.sort_unstable();
        assert!(leads.len() > 70_000, "{} were shown", leads.len());
        let (median, longest) = (leads[leads.len() / 2], leads[leads.len() - 1]);
        assert!((places / 2..2 * places).contains(&median), "{median} places ahead");
        assert!(longest < 100, "{longest} places ahead");
    }
}
