//! Trains the bundled base model, `whetstone.tiny-v1`, from a folder of plain text.
//!
//! `scripts/pretrain TEXT_DIR` runs this. The same text and seed give the same model on the same
//! machine; docs/tiny-v1.md says what came out.

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use whetstone_tuner::pretraining::{Recipe, pretrain};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(texts), Some(out)) = (arguments.next(), arguments.next()) else {
        let _ = writeln!(stderr(), "usage: pretrain TEXT_DIR MODEL_DIR [ROUNDS]");
        return ExitCode::from(2);
    };
    let rounds = arguments.next().and_then(|rounds| rounds.to_str()?.parse().ok());
    let recipe = Recipe {
        vocabulary: 4096,
        hidden: 192,
        gated: 512,
        layers: 4,
        context: 1024,
        rounds: rounds.unwrap_or(2),
        batch_size: 8,
        learning_rate: 2e-3,
        warmup_steps: 100,
        seed: 1,
        threads: 2,
    };
    let start = Instant::now();
    let result = pretrain(&texts, &out, &recipe, &mut |step, steps, loss| {
        if step % 100 == 0 {
            let seconds = start.elapsed().as_secs();
            let _ = writeln!(stderr(), "{seconds:5} s  step {step} of {steps}  loss {loss:.3}");
        }
    });
    let outcome = match result {
        Ok(summary) => writeln!(stderr(), "{summary:#?} in {} s", start.elapsed().as_secs()),
        Err(error) => {
            let _ = writeln!(stderr(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    outcome.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
