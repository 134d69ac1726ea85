//! `whetstone validate`, `convert`, `stats` and `estimate`: the engine of the Datasets screen over files, without a window.

mod convert;
mod estimate;
mod stats;
mod validate;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use whetstone_catalog::BaseModel;
use whetstone_dataset::{Intent, Watch};

pub use convert::{ConvertCall, convert_file};
pub use estimate::{EstimateCall, estimate_file};
pub use stats::{StatsCall, print_statistics};
pub use validate::{ValidateCall, validate_files};

fn model(id: &str) -> Result<&'static BaseModel, String> {
    whetstone_catalog::catalog().find(id).ok_or_else(|| {
        let known: Vec<&str> = whetstone_catalog::catalog().models().iter().map(|model| model.id.as_str()).collect();
        format!("{id} is not a base model that Whetstone knows; there are:\n  {}", known.join("\n  "))
    })
}

/// Fine-tuning the base model with this id, one that is only listed included.
fn intent(id: &str) -> Result<Intent<'static>, String> {
    let listed = whetstone_catalog::catalog().find_listed(id).and_then(Intent::of_listed);
    listed.map_or_else(|| Ok(Intent::new(model(id)?)), Ok)
}

fn in_words(path: &Path, error: &str, hint: &str) -> String {
    format!("{}: {error}. {hint}", path.display())
}

/// Progress on a terminal: one line, written over.
struct Told {
    what: &'static str,
    shown: Option<Mutex<Option<Instant>>>,
}

impl Told {
    const EVERY: Duration = Duration::from_millis(200);

    fn new(what: &'static str) -> Self {
        Self { what, shown: std::io::stderr().is_terminal().then(|| Mutex::new(None)) }
    }

    fn end(&self) {
        if self.shown.is_some() {
            eprint!("\r{:20}\r", "");
        }
    }
}

impl Watch for Told {
    fn progress(&self, done: u64, total: u64) {
        let Some(shown) = &self.shown else { return };
        let mut last = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if total == 0 || last.is_some_and(|last| last.elapsed() < Self::EVERY) {
            return;
        }
        *last = Some(Instant::now());
        eprint!("\r{} {:3} %", self.what, done.saturating_mul(100) / total);
    }

    fn cancelled(&self) -> bool {
        false
    }
}
