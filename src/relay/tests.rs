//! A relay as its clients see it: requests in, replies out.

use super::*;
use crate::trace::ExecutionId;
use proptest::prelude::*;

fn skilled(class: u8) -> Option<SkillId> {
    Some(SkillId(class))
}

const T: TaskId = TaskId(5);
const R: NodeId = NodeId(50);
const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);

fn relay(journal: bool) -> Relay {
    Relay::new(RelayConfig { journal, ..RelayConfig::default() })
}
fn at(secs: u64) -> Time {
    Time::from_secs(secs)
}
fn fence(grant: u32) -> Fence {
    Fence::new(grant).unwrap()
}
fn output(task: TaskId, digest: u64) -> Output {
    Output { task, execution: ExecutionId(digest as u32), digest }
}
fn ask(relay: &mut Relay, now: u64, from: NodeId, request: RelayRequest) -> Vec<(NodeId, RelayReply)> {
    let mut replies = Vec::new();
    relay.handle(at(now), from, request, &mut replies);
    replies
}
fn claim(secs: u64) -> RelayRequest {
    RelayRequest::Claim { task: T, lease: Some(Span::from_secs(secs)) }
}
fn post(task: TaskId, requester: NodeId) -> RelayRequest {
    RelayRequest::Post { task, requester, skill: skilled(0) }
}

/// The life of one task in the hybrid pattern, as ANTS has it.
#[test]
fn post_offer_claim_conflict_resolve_notify() {
    let mut relay = relay(false);
    for node in [A, B] {
        assert_eq!(ask(&mut relay, 0, node, RelayRequest::Subscribe { skill: skilled(0), free: true }), []);
    }
    let posted = |first| RelayReply::Posted { task: T, first, requester: R };
    assert_eq!(ask(&mut relay, 0, R, post(T, R)), [(R, posted(true))]);
    assert_eq!(ask(&mut relay, 0, B, post(T, B)), [(B, posted(false))]);
    let offer = RelayReply::Offer { task: T, requester: Some(R) };
    let mut offers = Vec::new();
    relay.announce(T, skilled(0), None, &mut offers);
    assert_eq!(offers, [(A, offer), (B, offer)]);
    assert_eq!(ask(&mut relay, 1, B, RelayRequest::Pull { skill: skilled(0), k: 4 }), [(B, offer)]);

    let granted = RelayReply::Granted { task: T, fence: fence(1), requester: Some(R) };
    assert_eq!(ask(&mut relay, 1, A, claim(9)), [(A, granted)]);
    assert_eq!(ask(&mut relay, 1, A, claim(9)), [(A, granted)], "a repeated claim is the same claim");
    assert_eq!(ask(&mut relay, 1, B, claim(9)), [(B, RelayReply::Conflict { task: T, holder: A })]);
    assert_eq!(
        ask(&mut relay, 1, B, RelayRequest::Pull { skill: skilled(0), k: 4 }),
        [(B, RelayReply::NoOffer)]
    );

    let done = RelayRequest::Resolve { output: output(T, 7), fence: Some(fence(1)) };
    let outcome = (R, RelayReply::Outcome { output: output(T, 7) });
    let resolved = |first| (A, RelayReply::Resolved { task: T, first });
    assert_eq!(ask(&mut relay, 2, A, done), [resolved(true), outcome]);
    assert_eq!(ask(&mut relay, 2, A, done), [resolved(false)]);
    assert_eq!(ask(&mut relay, 2, B, claim(9)), [(B, RelayReply::Gone { task: T })]);
    assert_eq!(ask(&mut relay, 3, R, post(T, R)), [(R, posted(false)), outcome], "the notice was lost");
}

#[test]
fn a_lapsed_lease_reopens_its_task_before_the_next_request_is_answered() {
    let mut relay = relay(true);
    ask(&mut relay, 0, R, post(T, R));
    ask(&mut relay, 0, A, claim(10));
    assert_eq!(relay.next_expiry(), Some(at(10)));
    let expired = (A, RelayReply::Expired { task: T, fence: fence(1) });
    let granted = RelayReply::Granted { task: T, fence: fence(2), requester: Some(R) };
    assert_eq!(ask(&mut relay, 10, B, claim(10)), [expired, (B, granted)]);
    let renew = RelayRequest::Renew { task: T, fence: fence(1), lease: Span::from_secs(10) };
    assert_eq!(ask(&mut relay, 11, A, renew), [(A, RelayReply::NotHeld { task: T })]);
    let fenced = RelayReply::Fenced { task: T, current: fence(2) };
    let stale = RelayRequest::Resolve { output: output(T, 7), fence: Some(fence(1)) };
    assert_eq!(ask(&mut relay, 11, A, stale), [(A, fenced)]);
    let renew = RelayRequest::Renew { task: T, fence: fence(2), lease: Span::from_secs(10) };
    assert_eq!(ask(&mut relay, 12, B, renew), [(B, RelayReply::Renewed { task: T, until: at(22) })]);
    let release = RelayRequest::Release { task: T, fence: fence(2) };
    assert_eq!(ask(&mut relay, 13, B, release), [(B, RelayReply::Released { task: T })]);
    assert_eq!(relay.posts().waiting(), 1);
    let journal: Vec<_> =
        relay.log().read(Offset(0), 99).iter().map(|entry| (entry.kind, entry.node)).collect();
    use EntryKind::{Claimed, Posted, Released};
    assert_eq!(journal, [(Posted, R), (Claimed, A), (Released, A), (Claimed, B), (Released, B)]);
}

#[test]
fn a_task_claimed_before_it_was_posted_does_not_wait() {
    let mut relay = relay(false);
    ask(&mut relay, 0, A, claim(10));
    ask(&mut relay, 0, R, post(T, R));
    assert_eq!(relay.posts().waiting(), 0);
    let mut replies = Vec::new();
    relay.expire(at(10), &mut replies);
    assert_eq!((replies.len(), relay.posts().waiting()), (1, 1));
}

#[test]
fn long_answers_come_in_pages() {
    let mut relay = relay(false);
    for id in 0..14 {
        ask(&mut relay, 0, NodeId(id), RelayRequest::Register { skill: None, load: 0 });
        let entry = LogEntry { kind: EntryKind::Posted, task: TaskId(id), node: R };
        let appended = RelayReply::Appended { offset: Offset(id) };
        assert_eq!(ask(&mut relay, 0, R, RelayRequest::Append { entry }), [(R, appended)]);
    }
    let (mut peers, mut pages) = (Vec::new(), 0);
    for (to, reply) in ask(&mut relay, 0, NodeId(3), RelayRequest::Lookup { skill: None, k: 20, token: 8 }) {
        let RelayReply::Found { token: 8, more, peers: page } = reply else { panic!("{reply:?}") };
        peers.extend(page.iter());
        pages += 1;
        assert_eq!((to, more), (NodeId(3), pages < 3));
    }
    assert_eq!(peers, (0..14).filter(|&id| id != 3).map(NodeId).collect::<Vec<_>>());

    let mut tasks = Vec::new();
    for (_, reply) in ask(&mut relay, 0, A, RelayRequest::Fetch { from: Offset(4), max: 5 }) {
        let RelayReply::Batch { from, more, page } = reply else { panic!("{reply:?}") };
        assert_eq!(from, Offset(4 + tasks.len() as u32));
        tasks.extend(page.iter().map(|entry| entry.task.0));
        assert_eq!(more, tasks.len() < 5);
    }
    assert_eq!(tasks, [4, 5, 6, 7, 8]);
    let nothing = RelayReply::Batch { from: Offset(14), more: false, page: LogPage::new(&[]) };
    assert_eq!(ask(&mut relay, 0, A, RelayRequest::Fetch { from: Offset(14), max: 5 }), [(A, nothing)]);
    let nobody = RelayReply::Found { token: 1, more: false, peers: PeerPage::new(&[]) };
    assert_eq!(
        ask(&mut relay, 0, A, RelayRequest::Lookup { skill: skilled(1), k: 5, token: 1 }),
        [(A, nobody)]
    );
}

#[test]
fn events_reach_the_free_and_able_in_turn_up_to_the_cap() {
    let mut relay = relay(true);
    for id in 0..1000 {
        let skill = Some(SkillId((id % 2) as u8));
        ask(&mut relay, 0, NodeId(id), RelayRequest::Subscribe { skill, free: true });
    }
    ask(&mut relay, 0, NodeId(1), RelayRequest::SetFree { free: false });
    relay.forget(NodeId(3));
    ask(&mut relay, 0, R, post(T, R));
    let mut sent = Vec::new();
    relay.publish(Offset(0), skilled(1), Some(2), &mut sent);
    relay.publish(Offset(0), skilled(1), Some(1), &mut sent);
    relay.publish(Offset(9), None, None, &mut sent);
    let entry = LogEntry { kind: EntryKind::Posted, task: T, node: R };
    let event = RelayReply::Event { offset: Offset(0), entry };
    assert_eq!(sent, [5, 7, 9].map(|id| (NodeId(id), event)));
    assert_eq!((relay.subscribers(skilled(1)).count(), relay.subscribers(None).count()), (498, 998));
}

fn any_request() -> impl Strategy<Value = RelayRequest> {
    let (task, skill) = ((0u32..4).prop_map(TaskId), prop::option::of((0u8..3).prop_map(SkillId)));
    let lease = prop::option::of((0u64..9).prop_map(Span::from_secs));
    let grant = (1u32..4).prop_map(fence);
    prop_oneof![
        (skill.clone(), any::<u16>()).prop_map(|(skill, load)| RelayRequest::Register { skill, load }),
        Just(RelayRequest::Deregister),
        (skill.clone(), 0u8..9).prop_map(|(skill, k)| RelayRequest::Lookup { skill, k, token: 1 }),
        (skill.clone(), any::<bool>()).prop_map(|(skill, free)| RelayRequest::Subscribe { skill, free }),
        any::<bool>().prop_map(|free| RelayRequest::SetFree { free }),
        Just(RelayRequest::Unsubscribe),
        task.clone().prop_map(|task| RelayRequest::Append {
            entry: LogEntry { kind: EntryKind::Failed, task, node: R },
        }),
        (0u32..9, 0u16..9).prop_map(|(from, max)| RelayRequest::Fetch { from: Offset(from), max }),
        (task.clone(), lease).prop_map(|(task, lease)| RelayRequest::Claim { task, lease }),
        (task.clone(), grant.clone()).prop_map(|(task, fence)| RelayRequest::Release { task, fence }),
        (task.clone(), grant.clone(), 0u64..9).prop_map(|(task, fence, secs)| RelayRequest::Renew {
            task,
            fence,
            lease: Span::from_secs(secs),
        }),
        (task.clone(), prop::option::of(grant))
            .prop_map(|(task, fence)| RelayRequest::Resolve { output: output(task, 1), fence }),
        (task, skill.clone()).prop_map(|(task, skill)| RelayRequest::Post { task, requester: R, skill }),
        (skill, 0u8..9).prop_map(|(skill, k)| RelayRequest::Pull { skill, k }),
    ]
}

proptest! {
    /// Whatever is asked, in whatever order: offsets are gapless, the log tells each post and each result
    /// once, what waits is posted, open and not done; and a wiped relay answers as a new one does.
    #[test]
    fn any_sequence_of_requests_keeps_the_books(
        asked in prop::collection::vec((any_request(), 0u32..5, 0u64..4), 1..150)
    ) {
        let mut relay = relay(true);
        let (mut now, mut replies) = (0, Vec::new());
        for &(request, id, wait) in &asked {
            now += wait;
            let before = relay.log().end();
            replies.clear();
            relay.handle(at(now), NodeId(id), request, &mut replies);
            for &(_, reply) in &replies {
                if let RelayReply::Appended { offset } = reply {
                    prop_assert!(offset >= before && offset.0 + 1 == relay.log().end().0);
                }
            }
            for task in (0..4).map(TaskId) {
                let told = |kind| relay.log().read(Offset(0), usize::MAX).iter()
                    .filter(|entry| entry.kind == kind && entry.task == task).count();
                let posted = relay.posts().requester(task).is_some();
                prop_assert_eq!(told(EntryKind::Posted), usize::from(posted));
                prop_assert_eq!(told(EntryKind::Done), usize::from(relay.claims().output(task).is_some()));
                let skill = relay.posts().skill(task);
                let waiting = |skill| relay.posts().waiting_for(skill).any(|other| other == task);
                let waits = skill.is_some_and(waiting);
                let holder = relay.claims().holder(at(now), task);
                let open = relay.claims().output(task).is_none() && holder.is_none();
                // A lease of length 0 is over as soon as it is granted, but expires with the next request.
                let due = relay.next_expiry().is_some_and(|next| next <= at(now));
                prop_assert!(waits == (skill.is_some() && open) || due);
            }
        }
        relay.wipe();
        let mut fresh = Relay::new(RelayConfig { journal: true, ..RelayConfig::default() });
        for (request, id, _) in asked {
            let pair = [&mut relay, &mut fresh].map(|relay| ask(relay, now, NodeId(id), request));
            prop_assert_eq!(&pair[0], &pair[1]);
        }
    }
}
