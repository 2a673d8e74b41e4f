//! The kernel: a clock, a set of pending events, randomness that is addressed, and laws to draw from.
//!
//! A [`Model`] owns all state and reacts to one event at a time; the [`Agenda`] holds what is still to
//! come: [`Agenda::after`] where nobody takes an event back, [`Agenda::after_keyed`] where somebody may. The
//! kernel must not know agents, messages or tasks: it would serve a model of a car wash as well, and its
//! tests do exactly that.
//!
//! ```
//! use anthill::engine::{Agenda, Engine, Model, Span, Time};
//!
//! /// Counts ticks, one a second.
//! struct Clock { ticks: u32 }
//! impl Model for Clock {
//!     type Event = ();
//!     fn handle(&mut self, _: (), agenda: &mut Agenda<()>) {
//!         self.ticks += 1;
//!         if self.ticks == 10 { agenda.stop() } else { agenda.after(Span::from_secs(1), ()); }
//!     }
//! }
//!
//! let mut engine = Engine::new(Clock { ticks: 0 });
//! engine.agenda().at(Time::ZERO, ());
//! let stop = engine.run();
//! assert_eq!((engine.model().ticks, stop.now), (10, Time::from_secs(9)));
//! ```

mod agenda;
mod cache;
mod dist;
mod rng;
mod run;
mod time;

pub use agenda::{Agenda, EventId, EventKey};
pub use cache::{prefetch, prefetch_at};
pub use dist::{Dist, DistError, Law, Normalisation, normal_cdf, normal_quantile, standard_normal};
pub(crate) use rng::{Entity, mix};
pub use rng::{Key, Purpose, Rng, Seed};
pub use run::{Ahead, Engine, Model, Stop, StopReason};
pub(crate) use time::nearest;
pub use time::{ParseSpanError, Span, Time};
