//! What anthill promises, one file for each kind of promise. One test crate, so that it is linked once.

// Nobody can reach into a test crate; files say `pub` for what the others may use.
#![allow(unreachable_pub)]

mod canary;
mod cli;
mod common;
mod counterexamples;
mod determinism;
mod instructions;
mod invariants;
mod outside_pattern;
mod reference;
mod routes;
mod tidy;
mod validation;
