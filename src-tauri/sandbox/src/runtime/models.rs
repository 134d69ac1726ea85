//! Weights in memory: loaded when first needed, a few kept, and a bound on how many answers are made at once.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use whetstone_tuner::{LanguageModel, TunerError};

use crate::home::Home;
use crate::memory::Memory;

/// Models kept in memory at once. The bundled model is some ten megabytes of them.
const KEPT: usize = 4;

/// Which weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Weights {
    /// The bundled `whetstone.tiny-v1`.
    Bundled,
    /// A custom model's, by its id.
    Custom(String),
    /// An imported model's, by its id.
    Imported(String),
}

pub(crate) struct Models {
    memory: Memory,
    /// The one used last stands last.
    loaded: Mutex<Vec<(Weights, Arc<LanguageModel>)>>,
    /// One answer takes one core.
    pub(crate) answers: Arc<Semaphore>,
}

impl Models {
    pub(crate) fn new(memory: Memory) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { memory, loaded: Mutex::default(), answers: Arc::new(Semaphore::new(cores)) }
    }

    /// The model, from memory or from its folder. Blocks while it is read.
    pub(crate) fn load(&self, home: &Home, weights: &Weights) -> Result<Arc<LanguageModel>, TunerError> {
        {
            let mut loaded = self.loaded();
            if let Some(at) = loaded.iter().position(|(known, _)| known == weights) {
                let entry = loaded.remove(at);
                let model = entry.1.clone();
                loaded.push(entry);
                return Ok(model);
            }
        }
        let model = Arc::new(match weights {
            Weights::Bundled => LanguageModel::tiny_v1()?,
            Weights::Custom(id) => LanguageModel::load(&home.model(id))?,
            Weights::Imported(id) => self.imported(&home.imported(id))?,
        });
        let mut loaded = self.loaded();
        loaded.retain(|(known, _)| known != weights);
        loaded.push((weights.clone(), model.clone()));
        if loaded.len() > KEPT {
            loaded.remove(0);
        }
        Ok(model)
    }

    /// A model of any size: the others make room for it where they must.
    fn imported(&self, folder: &Path) -> Result<LanguageModel, TunerError> {
        let needed = LanguageModel::memory_needed(folder)?;
        if self.memory.check(needed).is_err() {
            self.loaded().clear();
            self.memory.check(needed).map_err(TunerError::Model)?;
        }
        LanguageModel::load(folder)
    }

    /// How much of the computer's memory a model may take.
    pub(crate) fn memory(&self) -> Memory {
        self.memory
    }

    /// Whether a training that starts from these weights fits: beside them and their gradients there are two moments of
    /// each, what is merged with adapters, and about as much again for the records of a step.
    pub(crate) fn room_to_train(&self, home: &Home, weights: &Weights) -> Result<(), TunerError> {
        let needed = match weights {
            Weights::Bundled => 4 * LanguageModel::tiny_v1()?.parameters() as u64,
            Weights::Custom(id) => LanguageModel::memory_needed(&home.model(id))?,
            Weights::Imported(id) => LanguageModel::memory_needed(&home.imported(id))?,
        };
        self.memory.check(needed.saturating_mul(6)).map_err(TunerError::Model)
    }

    /// Lets go of a deleted model.
    pub(crate) fn forget(&self, weights: &Weights) {
        self.loaded().retain(|(known, _)| known != weights);
    }

    fn loaded(&self) -> MutexGuard<'_, Vec<(Weights, Arc<LanguageModel>)>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
