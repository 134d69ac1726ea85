//! The sandbox as a client sees it: real requests over a real port, with the real trainer behind it.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod client;
mod control_plane;
mod http2;
mod imports;
mod inference;
mod invoke;
mod job_runs;
mod objects;
mod provisioned;
mod running;
mod sessions;
mod signatures;
mod survival;
mod tags;
mod training_kinds;
