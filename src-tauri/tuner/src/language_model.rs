//! A model that can be asked and saved: configuration, tokenizer and weights together.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::config::ModelConfig;
use crate::files;
use crate::generation::{self, Generated, SampleOptions};
use crate::network::Network;
use crate::tokenizer::TurnTokenizer;
use crate::weights::{self, Precision};
use crate::{TunerError, Turn};

/// A small Llama-style decoder with its tokenizer. Cloning shares the weights.
#[derive(Clone)]
pub struct LanguageModel {
    pub(crate) network: Arc<Network>,
    pub(crate) weights: Arc<Vec<f32>>,
    pub(crate) tokenizer: Arc<TurnTokenizer>,
}

impl std::fmt::Debug for LanguageModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LanguageModel").field("config", &self.network.config).finish_non_exhaustive()
    }
}

impl LanguageModel {
    /// The bundled base model, `whetstone.tiny-v1`; nothing is read from disk or network.
    pub fn tiny_v1() -> Result<LanguageModel, TunerError> {
        LanguageModel::from_parts(
            include_bytes!("../models/tiny-v1/config.json"),
            include_bytes!("../models/tiny-v1/tokenizer.json"),
            include_bytes!("../models/tiny-v1/model.safetensors"),
        )
    }

    /// Reads `config.json`, `tokenizer.json` and `model.safetensors` in `dir`.
    pub fn load(dir: &Path) -> Result<LanguageModel, TunerError> {
        let read = |name: &str| {
            let path = dir.join(name);
            fs::read(&path).map_err(TunerError::file("could not read", &path))
        };
        LanguageModel::from_parts(&read("config.json")?, &read("tokenizer.json")?, &read("model.safetensors")?)
    }

    /// Writes the three files into `dir`, which is made if need be. Weights keep full precision.
    pub fn save(&self, dir: &Path) -> Result<(), TunerError> {
        self.save_as(dir, Precision::Single)
    }

    /// The tokens `turns` take as a prompt, with the role markers.
    pub fn count_tokens(&self, turns: &[Turn]) -> usize {
        self.tokenizer.prompt(turns).map_or(0, |tokens| tokens.len())
    }

    /// The most tokens the model reads, prompt and answer together.
    pub fn context_length(&self) -> usize {
        self.network.config.max_position_embeddings
    }

    /// The number of weights.
    pub fn parameters(&self) -> usize {
        self.weights.len()
    }

    /// Answers `turns`. `on_text` is given each new piece of text and may break off.
    ///
    /// # Errors
    /// [`TunerError::PromptTooLong`] where the prompt leaves no room for an answer.
    pub fn generate(
        &self,
        turns: &[Turn],
        options: &SampleOptions,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Generated, TunerError> {
        let (network, tokenizer) = (&self.network, &self.tokenizer);
        generation::generate(network, &self.weights, tokenizer, turns, options, on_text)
    }

    pub(crate) fn save_as(&self, dir: &Path, precision: Precision) -> Result<(), TunerError> {
        fs::create_dir_all(dir).map_err(TunerError::file("could not make", dir))?;
        let mut config = self.network.config.clone();
        config.torch_dtype = Some(precision.torch_name().to_string());
        let config = serde_json::to_vec_pretty(&config).map_err(|error| TunerError::Model(error.to_string()))?;
        let layout = &self.network.layout;
        let parts = [
            ("config.json", config),
            ("tokenizer.json", self.tokenizer.to_json()?),
            ("model.safetensors", weights::to_bytes(&self.weights, layout, precision)?),
        ];
        for (name, bytes) in parts {
            let path = dir.join(name);
            files::write_synced(&path, &bytes).map_err(TunerError::file("could not write", &path))?;
        }
        Ok(())
    }

    /// The same model with other weights.
    pub(crate) fn with_weights(&self, weights: Vec<f32>) -> LanguageModel {
        LanguageModel { weights: Arc::new(weights), ..self.clone() }
    }

    fn from_parts(config: &[u8], tokenizer: &[u8], weights: &[u8]) -> Result<LanguageModel, TunerError> {
        let network = Network::new(ModelConfig::parse(config)?);
        let tokenizer = TurnTokenizer::parse(tokenizer)?;
        if tokenizer.size() > network.config.vocab_size {
            let why = "the tokenizer has more tokens than the model";
            return Err(TunerError::Model(why.to_string()));
        }
        Ok(LanguageModel {
            weights: Arc::new(weights::parse(weights, &network.layout)?),
            network: Arc::new(network),
            tokenizer: Arc::new(tokenizer),
        })
    }
}
