//! A model that can be asked and saved: configuration, tokenizer and weights together.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::config::ModelConfig;
use crate::generation::{self, Generated, Piece, SampleOptions};
use crate::layout::Layout;
use crate::network::Network;
use crate::tokenizer::{LaidOutPiece, TurnTokenizer};
use crate::weights::{self, Gathering, Precision};
use crate::{TunerError, Turn, adapter, files, folder};

/// A small Llama-style decoder with its tokenizer. Cloning shares the weights.
#[derive(Clone)]
pub struct LanguageModel {
    pub(crate) network: Arc<Network>,
    pub(crate) weights: Arc<Vec<f32>>,
    pub(crate) tokenizer: Arc<TurnTokenizer>,
    /// Files about the tokenizer and the answers that go with the model wherever it is saved.
    companions: Arc<Vec<(&'static str, Vec<u8>)>>,
}

impl std::fmt::Debug for LanguageModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LanguageModel").field("config", &self.network.config).finish_non_exhaustive()
    }
}

impl LanguageModel {
    /// The bundled base model, `whetstone.tiny-v1`; nothing is read from disk or network.
    pub fn tiny_v1() -> Result<LanguageModel, TunerError> {
        let config = ModelConfig::parse(include_bytes!("../models/tiny-v1/config.json"))?;
        let tokenizer = TurnTokenizer::parse(include_bytes!("../models/tiny-v1/tokenizer.json"))?;
        LanguageModel::from_parts(config, tokenizer, |layout| {
            let weights = include_bytes!("../models/tiny-v1/model.safetensors");
            let mut gathering = Gathering::new(layout);
            gathering.add("model.safetensors", weights)?;
            gathering.finish()
        })
    }

    /// Reads a model as Hugging Face lays it out: `config.json`, `tokenizer.json`, the weights in one file
    /// of safetensors or several, and a chat template where there is one. Where PEFT's adapter lies beside
    /// them, it is merged.
    pub fn load(dir: &Path) -> Result<LanguageModel, TunerError> {
        let config = ModelConfig::parse(&folder::read(dir, "config.json")?)?;
        folder::check_size(dir, &config)?;
        let conventions = folder::conventions(dir, &config)?;
        let tokenizer = TurnTokenizer::of_folder(&folder::read(dir, "tokenizer.json")?, conventions)?;
        let mut model = LanguageModel::from_parts(config, tokenizer, |layout| {
            let mut weights = folder::read_weights(dir, layout)?;
            adapter::merge(dir, layout, &mut weights)?;
            Ok(weights)
        })?;
        model.companions = Arc::new(folder::companions(dir)?);
        Ok(model)
    }

    /// The bytes of memory that loading the model in `dir` takes at its height: the weights, their
    /// largest file and the table of rotations. Only `config.json` is read.
    pub fn memory_needed(dir: &Path) -> Result<u64, TunerError> {
        let config = ModelConfig::parse(&folder::read(dir, "config.json")?)?;
        let weights = config.parameters().unwrap_or(usize::MAX) as u64;
        let largest = folder::weight_files(dir)?.iter().map(|(_, size)| *size).max().unwrap_or(0);
        let rotations = config.context() as u64 * config.head_dim as u64;
        Ok(weights.saturating_add(rotations).saturating_mul(4).saturating_add(largest))
    }

    /// Writes the model's files into `dir`, which is made if need be. Weights keep full precision.
    pub fn save(&self, dir: &Path) -> Result<(), TunerError> {
        self.save_as(dir, Precision::Single)
    }

    /// The tokens `turns` take as a prompt, with the role markers.
    pub fn count_tokens(&self, turns: &[Turn]) -> usize {
        self.tokenizer.prompt(turns).map_or(0, |tokens| tokens.len())
    }

    /// The tokens a text to go on from takes.
    pub fn count_text_tokens(&self, text: &str) -> usize {
        self.tokenizer.continuation(text).map_or(0, |tokens| tokens.len())
    }

    /// A record as a training on completions reads it.
    ///
    /// # Errors
    /// [`TunerError::Model`] where the tokenizer has no markers of roles.
    pub fn laid_out(&self, turns: &[Turn]) -> Result<Vec<LaidOutPiece>, TunerError> {
        self.tokenizer.spelled_pieces(turns)
    }

    /// Whether the model can be given turns: it has this crate's markers or a chat template. One
    /// that cannot is asked with [`LanguageModel::generate_text`].
    pub fn converses(&self) -> bool {
        self.tokenizer.converses()
    }

    /// Whether a text to go on from may spell out the model's special tokens. Where it may not,
    /// they are plain text, and turns are the way to mark roles.
    pub fn reads_special_tokens(&self) -> bool {
        self.tokenizer.reads_special_tokens()
    }

    /// The most tokens the model reads, prompt and answer together.
    pub fn context_length(&self) -> usize {
        self.network.config.context()
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
        on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<Generated, TunerError> {
        self.go_on(self.tokenizer.prompt(turns)?, options, on_text)
    }

    /// Goes on from `text`, in which the model's own special tokens may be spelled out.
    ///
    /// # Errors
    /// As [`LanguageModel::generate`].
    pub fn generate_text(
        &self,
        text: &str,
        options: &SampleOptions,
        on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<Generated, TunerError> {
        self.go_on(self.tokenizer.continuation(text)?, options, on_text)
    }

    fn go_on(
        &self,
        prompt: Vec<u32>,
        options: &SampleOptions,
        on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<Generated, TunerError> {
        if prompt.is_empty() {
            return Err(TunerError::Model("it cannot answer a prompt of no tokens".to_string()));
        }
        generation::generate(&self.network, &self.weights, &self.tokenizer, prompt, options, on_text)
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
        let companions = self.companions.iter().map(|(name, bytes)| (*name, bytes.clone()));
        for (name, bytes) in parts.into_iter().chain(companions) {
            let path = dir.join(name);
            files::write_synced(&path, &bytes).map_err(TunerError::file("could not write", &path))?;
        }
        Ok(())
    }

    /// The same model with other weights.
    pub(crate) fn with_weights(&self, weights: Vec<f32>) -> LanguageModel {
        LanguageModel { weights: Arc::new(weights), ..self.clone() }
    }

    /// A model of parts that fit together.
    pub(crate) fn new(network: Network, weights: Vec<f32>, tokenizer: TurnTokenizer) -> LanguageModel {
        LanguageModel {
            network: Arc::new(network),
            weights: Arc::new(weights),
            tokenizer: Arc::new(tokenizer),
            companions: Arc::default(),
        }
    }

    fn from_parts(
        config: ModelConfig,
        tokenizer: TurnTokenizer,
        weights: impl FnOnce(&Layout) -> Result<Vec<f32>, TunerError>,
    ) -> Result<LanguageModel, TunerError> {
        let network = Network::new(config);
        if tokenizer.size() > network.config.vocab_size {
            let why = "the tokenizer has more tokens than the model";
            return Err(TunerError::Model(why.to_string()));
        }
        let weights = weights(&network.layout)?;
        Ok(LanguageModel::new(network, weights, tokenizer))
    }
}
