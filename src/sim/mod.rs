//! The world in which a pattern runs: who is there, what a handler may do, and what comes of it.
//!
//! A pattern implements [`Protocol`]; its handlers get a [`Cx`] and can do nothing but emit commands.
//! [`run`] joins a protocol with a [`Setup`] into an engine model, drives it to the end and shows every
//! record to an observer; [`measure`] runs it with all metrics and checks what must hold. Nothing else in
//! the program sends, waits or counts.

mod attention;
mod clients;
mod cx;
mod delivery;
mod effort;
mod execution;
mod faults;
mod foresight;
mod kinds;
mod letters;
mod observers;
mod outcome;
mod protocol;
mod served;
mod settle;
mod setup;
mod slab;
mod state;
mod station;
mod world;

pub use cx::{Cx, CxOf, Effort, TimerId};
pub(crate) use kinds::CLIENT_KINDS;
pub use kinds::Kinds;
pub use outcome::{Outcome, PatternDef, ground, measure};
pub use protocol::{Kind, Message, Protocol, Seat, Seats, Size, Status, Submission, Work, WorkKind};
pub use setup::{
    ClientSetup, Clock, Costs, Finish, KindCost, NetworkSetup, OnDeadline, RelaySetup, Setup, WorkSetup,
};
pub use world::{Firing, RunEnd, Violation, run};
