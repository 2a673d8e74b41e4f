//! Letters go straight to their receiver; there is nothing to keep.

use super::{Route, Transport};
use crate::engine::{Span, Time};
use crate::trace::{LetterId, NodeId};
use crate::work::Fleet;

/// The transport without any state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Transport for Direct {
    fn route(&self, _: NodeId, _: &Fleet) -> Route {
        Route::Direct
    }
    fn poll(&self, _: NodeId, _: &Fleet) -> Option<(Time, Span)> {
        None
    }
    fn park(&mut self, _: NodeId, _: LetterId) {
        unreachable!("a direct route never ends in a mailbox")
    }
    fn collect(&mut self, _: NodeId, _: &mut Vec<LetterId>) {}
    fn waiting(&self) -> usize {
        0
    }
}
