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
    fn cancel(&mut self, id: usize) -> Option<usize> {
        let at = self.events.iter().position(|event| event.1 == id)?;
        Some(self.events.swap_remove(at).1)
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Few distinct waits, so that ties are common.
    Schedule(u64),
    /// Of any event ever scheduled, so that stale keys are common.
    Cancel(prop::sample::Index),
    /// Of all but the last few, so that tombstones are buried.
    CancelMost,
    Fire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..6u64).prop_map(Step::Schedule),
        3 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => Just(Step::CancelMost).boxed(),
        5 => Just(Step::Fire).boxed(),
    ];
    prop::collection::vec(step, 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn it_does_what_a_sorted_list_would_do(steps in steps()) {
        let (mut agenda, mut reference, mut keys) = (Agenda::new(), Reference::default(), Vec::new());
        for step in steps {
            match step {
                Step::Schedule(wait) => {
                    let when = agenda.now() + Span::from_nanos(wait);
                    reference.events.push((when, keys.len()));
                    keys.push(agenda.at(when, keys.len()));
                }
                Step::Cancel(_) if keys.is_empty() => {}
                Step::Cancel(which) => {
                    let id = which.index(keys.len());
                    prop_assert_eq!(agenda.cancel(keys[id]), reference.cancel(id));
                }
                Step::CancelMost => for (id, &key) in keys.iter().enumerate().rev().skip(3) {
                    prop_assert_eq!(agenda.cancel(key), reference.cancel(id));
                },
                Step::Fire => prop_assert_eq!(agenda.fire(), reference.fire()),
            }
            prop_assert_eq!((agenda.now(), agenda.len()), (reference.now, reference.events.len()));
            prop_assert!(agenda.heap.len() <= 2 * agenda.len() + FEW_TOMBSTONES + 1);
        }
        while let Some(id) = reference.fire() {
            prop_assert_eq!(agenda.fire(), Some(id));
        }
        prop_assert_eq!(agenda.fire(), None);
    }
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
        .map(|event| agenda.at(Time::from_nanos(u64::from(rng.below(1_000_000))), event))
        .collect();
    for (event, key) in (0..).zip(&keys).step_by(2) {
        assert_eq!(agenda.cancel(*key), Some(event));
        assert_eq!(agenda.cancel(*key), None, "a second cancellation finds nothing");
    }
    let (mut fired, mut last) = (0, Time::ZERO);
    while let Some(event) = agenda.fire() {
        assert!(event % 2 == 1 && agenda.now() >= last);
        (fired, last) = (fired + 1, agenda.now());
    }
    assert_eq!((fired, agenda.fired(), agenda.len()), (EVENTS / 2, EVENTS / 2, 0));
    assert!(keys.iter().all(|&key| agenda.cancel(key).is_none()), "all keys are stale now");
    assert_eq!((agenda.heap.len(), agenda.slots.len()), (0, EVENTS as usize));
}

/// A timeout that is always set and nearly always cancelled is the commonest event of all.
#[test]
fn timeouts_that_never_fire_leave_nothing_behind() {
    let mut agenda = Agenda::new();
    for _ in 0..200_000 {
        let timeout = agenda.after(Span::from_secs(3_600), true);
        agenda.after(Span::from_millis(1), false);
        assert_eq!(agenda.fire(), Some(false));
        assert_eq!(agenda.cancel(timeout), Some(true));
    }
    assert!(agenda.is_empty());
    assert!(agenda.heap.capacity() < 512, "{} heap entries", agenda.heap.capacity());
    assert_eq!(agenda.slots.len(), 2);
}

/// Most timeouts are cancelled: the heap is rebuilt several times, and what is left fires in order.
#[test]
fn burying_tombstones_keeps_the_order() {
    let (mut agenda, mut rng) = (Agenda::new(), Rng::from_state(5));
    let mut expected = Vec::new();
    for event in 0..2_000 {
        let when = Time::from_nanos(u64::from(rng.below(500)));
        let key = agenda.at(when, event);
        if rng.chance(0.1) {
            expected.push((when, event));
        } else {
            assert_eq!(agenda.cancel(key), Some(event));
        }
    }
    assert!(agenda.heap.len() < 500, "{} entries for {} events", agenda.heap.len(), agenda.len());
    expected.sort();
    let fired: Vec<_> = std::iter::from_fn(|| agenda.fire().map(|event| (agenda.now(), event))).collect();
    assert_eq!(fired, expected);
}

#[test]
fn a_cancelled_event_is_dropped_by_its_caller_not_when_its_time_comes() {
    let (mut agenda, payload) = (Agenda::new(), Rc::new(()));
    let key = agenda.at(Time::from_secs(9), Rc::clone(&payload));
    assert_eq!(Rc::strong_count(&payload), 2);
    drop(agenda.cancel(key));
    assert_eq!(Rc::strong_count(&payload), 1);
}

#[test]
fn a_stale_key_does_not_cancel_the_next_tenant_of_its_slot() {
    let mut agenda = Agenda::new();
    let first = agenda.at(Time::ZERO, 'a');
    assert_eq!(agenda.fire(), Some('a'));
    let second = agenda.at(Time::ZERO, 'b');
    assert_eq!(first.slot, second.slot);
    assert_eq!(agenda.cancel(first), None);
    assert_eq!(agenda.fire(), Some('b'));
}

#[test]
fn a_slot_out_of_generations_is_retired() {
    let mut agenda = Agenda::new();
    agenda.at(Time::ZERO, 0);
    agenda.fire();
    agenda.slots[0].generation = u32::MAX - 1;
    let last = agenda.at(Time::ZERO, 1);
    assert_eq!((last.slot, agenda.cancel(last)), (0, Some(1)));
    assert_eq!(agenda.at(Time::ZERO, 2).slot, 1);
    assert_eq!((agenda.cancel(last), agenda.fire(), agenda.fire()), (None, Some(2), None));
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
fn keys_and_entries_are_small() {
    assert_eq!((size_of::<EventKey>(), size_of::<Entry>()), (8, 24));
}
