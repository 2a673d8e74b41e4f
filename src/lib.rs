//! anthill: a deterministic discrete-event simulator of multi-agent coordination.
#![forbid(unsafe_code)]

pub mod cli;
pub mod experiment;
pub mod report;
pub mod engine;
pub mod error;
pub mod fault;
pub mod input;
pub mod mechanism;
pub mod metrics;
pub mod net;
pub mod pattern;
pub mod relay;
pub mod scenario;
pub mod sim;
pub mod stats;
pub mod trace;
pub mod work;
