//! Peer to peer, driven through the whole world.

use super::*;
use crate::fault::{FaultKind, Target};
use crate::pattern::testing::*;
use crate::trace::{Fact, Record};

fn secs(secs: u64) -> Span {
    Span::from_secs(secs)
}

#[test]
fn all_tasks_are_settled_once_without_faults() {
    let log = play::<PeerToPeer>(&setup(10, 2, 100, secs(30)), &Params::default());
    assert_eq!((log.accepted(), log.double_settles()), (100, 0));
}
