//! A training worker by itself, for tuning without the app and for tests that need a real process:
//! `whetstone-train-worker DIR`. The app's own program does the same as `whetstone train-worker DIR`.

use std::io::{Write, stderr};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(dir) => whetstone_tuner::worker_process(Path::new(&dir)),
        None => {
            let _ = writeln!(stderr(), "usage: whetstone-train-worker DIR");
            ExitCode::from(2)
        }
    }
}
