//! anthill's two works as other simulators do them. `main.rs` runs the peers, `bin/anthill_side.rs` anthill.

pub mod draw;
pub mod heap;
pub mod hold;
pub mod leader_worker;
pub mod measure;
pub mod options;
