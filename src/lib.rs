//! anthill: a deterministic discrete-event simulator of multi-agent coordination.
//!
//! Thousands of simulated agents get the same tasks and suffer the same faults under different
//! *patterns* of coordination: a coordinator, a contract net among peers, an event log, a relay with direct
//! talk. What differs is then the pattern's doing, and anthill says what it costs: the **coordination tax**,
//! the share of engaged capacity that does not become correct work, split by what it was spent on.
//!
//! A run reads no clock, environment or file: it is a function of scenario, pattern, seed and replication,
//! and its fingerprint says whether two runs did the same. Results about thousands of agents are model-based;
//! no published ground truth exists for them.
//!
//! # Measuring a pattern
//!
//! A [`scenario`] says who works where, what is asked and what goes wrong. It is drawn once per
//! replication; every pattern then runs on the same [`Setup`](sim::Setup).
//!
//! ```
//! use anthill::engine::Seed;
//! use anthill::pattern::{Hybrid, PATTERNS};
//! use anthill::scenario::{Known, Scenario, TextOrigin};
//! use anthill::sim::measure;
//! use anthill::trial::TRIALS;
//!
//! let text = r#"
//!     [run]
//!     horizon = "20min"
//!     [agents]
//!     count = 20
//!     [work]
//!     source = { poisson = { rate_per_s = 0.05 } }
//!     duration = { exponential = { mean = "3min" } }
//!     [[faults.relay_outage]]
//!     at = "10min"
//!     for = "1min"
//! "#;
//! let origin = TextOrigin { name: "small.toml".into(), stem: "small".into(), folder: ".".into() };
//! let known = Known { patterns: PATTERNS, trials: TRIALS };
//! let scenario = Scenario::from_text(text, &origin, &[], &known)?;
//! let setup = scenario.instantiate(Seed(1), 0)?;
//!
//! // Every run checks itself: an agent second or a task unaccounted for, or a fault that changed nothing,
//! // is an error and not a number.
//! let outcome = measure::<Hybrid>(&setup)?;
//! let tax = outcome.metrics.get("tax_full");
//! assert!(tax > 0.0 && tax < 1.0);
//! assert_eq!(outcome.fingerprint, measure::<Hybrid>(&setup)?.fingerprint);
//! # Ok::<(), anthill::error::Error>(())
//! ```
//!
//! [`metrics::registry`] lists every number with its unit and formula. [`experiment::compare`] runs many
//! patterns on many replications, spreads them over threads, and says which differences are real.
//!
//! # Writing a pattern
//!
//! A pattern is a type that implements [`Protocol`](sim::Protocol): the state of one node and its reactions
//! to tasks, messages, timers and finished work. A handler gets a [`Cx`](sim::Cx) and can do nothing but
//! ask for things; messages take time, get lost, find their receiver busy or gone, and nobody says why. A
//! pattern counts nothing: metrics are folds over the [`trace`]. This is `examples/hot_potato.rs`, whole:
//!
//! ```
#![doc = include_str!("../examples/hot_potato.rs")]
//! ```
//!
//! # Reading order
//!
//! The modules below stand in the order in which they build on each other; none uses a later one, but for
//! [`sim`], whose [`measure`](sim::measure) joins a run with all [`metrics`] and [`check`]s.
//!
//! 1. [`engine`]: the kernel. Time in nanoseconds, the agenda, addressed randomness, laws. Knows no agents.
//! 2. [`trace`]: the vocabulary of what happened. Read [`Record`](trace::Record) first.
//! 3. [`work`]: tasks, agents and where tasks come from; [`net`]: sites, conditions, transports;
//!    [`fault`]: what goes wrong, drawn before the run.
//! 4. [`mechanism`] and [`relay`]: parts that patterns are made of, as pure state machines.
//! 5. [`sim`]: the world in which a pattern runs, and what a pattern author sees.
//! 6. [`pattern`]: the patterns. Each file opens by teaching its protocol.
//! 7. [`metrics`] and [`stats`]: from records to numbers, from numbers to intervals; [`check`]: what must
//!    hold of every record stream.
//! 8. [`trial`]: experiments on one mechanism or one statistical method alone.
//! 9. [`scenario`] and [`input`]: from files to setups. [`experiment`], [`report`], [`cli`]: from setups to
//!    tables.
#![forbid(unsafe_code)]

pub mod engine;
pub mod error;
pub mod trace;

pub mod fault;
pub mod net;
pub mod work;

pub mod mechanism;
pub mod relay;

pub mod check;
pub mod metrics;
pub mod stats;

pub mod sim;

pub mod pattern;

pub mod trial;

pub mod input;
pub mod scenario;

pub mod experiment;
pub mod report;

pub mod cli;
