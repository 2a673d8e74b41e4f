//! anthill: a deterministic discrete-event simulator of multi-agent coordination.
#![forbid(unsafe_code)]

pub mod engine;
pub mod error;
pub mod fault;
pub mod net;
pub mod sim;
pub mod trace;
pub mod work;
