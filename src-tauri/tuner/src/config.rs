//! A model's shape, in the form Hugging Face writes as `config.json` for Llama models.

use serde::{Deserialize, Serialize};

use crate::TunerError;

/// The shape of a Llama-style decoder with tied embeddings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelConfig {
    #[serde(default = "architectures")]
    pub architectures: Vec<String>,
    #[serde(default = "model_type")]
    pub model_type: String,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_key_value_heads: usize,
    pub head_dim: usize,
    pub max_position_embeddings: usize,
    pub rms_norm_eps: f32,
    pub rope_theta: f32,
    pub tie_word_embeddings: bool,
    #[serde(default = "hidden_act")]
    pub hidden_act: String,
    #[serde(default)]
    pub attention_bias: bool,
    #[serde(default)]
    pub mlp_bias: bool,
    #[serde(default)]
    pub bos_token_id: Option<u32>,
    #[serde(default)]
    pub eos_token_id: Option<u32>,
    #[serde(default)]
    pub torch_dtype: Option<String>,
}

fn architectures() -> Vec<String> {
    vec!["LlamaForCausalLM".to_string()]
}

fn model_type() -> String {
    "llama".to_string()
}

fn hidden_act() -> String {
    "silu".to_string()
}

impl ModelConfig {
    /// Reads `config.json`, refusing what this crate would compute wrongly.
    pub fn parse(json: &[u8]) -> Result<ModelConfig, TunerError> {
        let config: ModelConfig =
            serde_json::from_slice(json).map_err(|error| TunerError::Model(format!("config.json: {error}")))?;
        config.check()?;
        Ok(config)
    }

    /// Width of the fused query, key and value rows.
    pub fn attention_width(&self) -> usize {
        (self.num_attention_heads + 2 * self.num_key_value_heads) * self.head_dim
    }

    /// Width of all query heads together, which is the attention's output before its projection.
    pub fn query_width(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    fn check(&self) -> Result<(), TunerError> {
        let refuse = |why: &str| Err(TunerError::Model(format!("config.json: {why}")));
        if self.model_type != "llama" {
            return refuse(&format!("model_type is {}, not llama", self.model_type));
        }
        if !self.tie_word_embeddings {
            return refuse("the output head must be tied to the embedding");
        }
        if self.hidden_act != "silu" || self.attention_bias || self.mlp_bias {
            return refuse("only SwiGLU layers without biases are known");
        }
        if self.head_dim == 0
            || !self.head_dim.is_multiple_of(2)
            || self.num_key_value_heads == 0
            || !self.num_attention_heads.is_multiple_of(self.num_key_value_heads)
        {
            return refuse("the heads do not fit together");
        }
        let sizes = [
            self.vocab_size,
            self.hidden_size,
            self.intermediate_size,
            self.num_hidden_layers,
            self.num_attention_heads,
            self.max_position_embeddings,
        ];
        if sizes.contains(&0) {
            return refuse("a size is zero");
        }
        Ok(())
    }
}
