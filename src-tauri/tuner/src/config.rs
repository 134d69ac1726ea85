//! A model's shape, in the form Hugging Face writes as `config.json`.
//!
//! The decoders that are taken differ from Llama in little: biases before the heads (Qwen2), a norm on
//! each head's queries and keys (Qwen3), a window that a token looks back through (Mistral). What a name
//! stands for is said here, once, and the network asks only for the parts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::TunerError;

/// The most positions a model may claim to read: their rotations are worked out beforehand.
const MOST_POSITIONS: usize = 1 << 20;

/// The model types that are taken, with the class that Hugging Face computes each by, and the key heads and
/// positions that it takes where a file names none.
const KINDS: [(&str, &str, Option<u64>, u64); 4] = [
    ("llama", "LlamaForCausalLM", None, 2048),
    ("mistral", "MistralForCausalLM", Some(8), 131_072),
    ("qwen2", "Qwen2ForCausalLM", Some(32), 32_768),
    ("qwen3", "Qwen3ForCausalLM", Some(32), 32_768),
];

/// The shape of a Llama-style decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelConfig {
    pub architectures: Vec<String>,
    pub model_type: String,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_key_value_heads: usize,
    pub head_dim: usize,
    pub max_position_embeddings: usize,
    /// How far back a token looks, itself included; none means to the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sliding_window: Option<usize>,
    /// Qwen's own word for whether the window counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_sliding_window: Option<bool>,
    pub rms_norm_eps: f32,
    pub rope_theta: f32,
    /// How the turning speeds are stretched for texts longer than those first trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<RopeScaling>,
    /// The output head uses the embedding's own rows.
    pub tie_word_embeddings: bool,
    pub hidden_act: String,
    pub attention_bias: bool,
    pub mlp_bias: bool,
    #[serde(default)]
    pub bos_token_id: Option<TokenIds>,
    #[serde(default)]
    pub eos_token_id: Option<TokenIds>,
    #[serde(default)]
    pub torch_dtype: Option<String>,
}

/// One token or several, as `config.json` may have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum TokenIds {
    One(u32),
    Several(Vec<u32>),
}

impl TokenIds {
    pub fn all(&self) -> &[u32] {
        match self {
            TokenIds::One(id) => std::slice::from_ref(id),
            TokenIds::Several(ids) => ids,
        }
    }
}

/// Ways of stretching rotary positions that this crate knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase")]
pub(crate) enum RopeScaling {
    /// Every speed divided by a factor.
    Linear { factor: f64 },
    /// Llama 3.1's: slow turns are divided by a factor, quick ones are left, with a slope between.
    Llama3 { factor: f64, low_freq_factor: f64, high_freq_factor: f64, original_max_position_embeddings: usize },
}

impl ModelConfig {
    /// Reads `config.json`, refusing what this crate would compute wrongly. What older and newer
    /// writers leave out or spell otherwise is taken as they mean it.
    pub fn parse(json: &[u8]) -> Result<ModelConfig, TunerError> {
        let broken = |error: serde_json::Error| TunerError::Model(format!("config.json: {error}"));
        let mut given: Map<String, Value> = serde_json::from_slice(json).map_err(broken)?;
        check_architecture(&given)?;
        complete(&mut given)?;
        let config: ModelConfig = serde_json::from_value(Value::Object(given)).map_err(broken)?;
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

    /// The most tokens the model reads. Within its window, a model with one computes what it would
    /// without; nothing longer is read.
    pub fn context(&self) -> usize {
        self.sliding_window.map_or(self.max_position_embeddings, |window| window.min(self.max_position_embeddings))
    }

    /// Whether queries, keys and values have biases.
    pub fn has_biases(&self) -> bool {
        self.model_type == "qwen2"
    }

    /// Whether each head's queries and keys are normalised before they are turned.
    pub fn has_head_norms(&self) -> bool {
        self.model_type == "qwen3"
    }

    /// How far each pair of a head's columns turns from one position to the next, in radians.
    pub fn turning_speeds(&self) -> Vec<f64> {
        let speeds = (0..self.head_dim / 2)
            .map(|column| f64::from(self.rope_theta).powf(-2.0 * column as f64 / self.head_dim as f64));
        match &self.rope_scaling {
            None => speeds.collect(),
            Some(RopeScaling::Linear { factor }) => speeds.map(|speed| speed / factor).collect(),
            Some(RopeScaling::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position_embeddings,
            }) => speeds
                .map(|speed| {
                    // How often this pair came round within the texts first trained on.
                    let rounds = *original_max_position_embeddings as f64 * speed / std::f64::consts::TAU;
                    let share = ((rounds - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
                    share * speed + (1.0 - share) * speed / factor
                })
                .collect(),
        }
    }

    /// The number of weights; `None` where it is beyond counting.
    pub fn parameters(&self) -> Option<usize> {
        let hidden = self.hidden_size;
        let embeddings = if self.tie_word_embeddings { 1 } else { 2_usize };
        let attention = hidden.checked_mul(self.attention_width().checked_add(self.query_width())?)?;
        let gates = hidden.checked_mul(self.intermediate_size)?.checked_mul(3)?;
        let biases = if self.has_biases() { self.attention_width() } else { 0 };
        let head_norms = if self.has_head_norms() { 2 * self.head_dim } else { 0 };
        let vectors = hidden.checked_mul(2)?.checked_add(biases)?.checked_add(head_norms)?;
        let layer = attention.checked_add(gates)?.checked_add(vectors)?;
        let layers = layer.checked_mul(self.num_hidden_layers)?;
        let tokens = self.vocab_size.checked_mul(hidden)?.checked_mul(embeddings)?;
        layers.checked_add(tokens)?.checked_add(hidden).filter(|count| *count <= isize::MAX as usize / 8)
    }

    fn check(&self) -> Result<(), TunerError> {
        let refuse = |why: &str| Err(TunerError::Model(format!("config.json: {why}")));
        if self.hidden_act != "silu" || self.attention_bias || self.mlp_bias {
            return refuse("only SwiGLU layers are known, and no biases but Qwen2's");
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
        // Products of two of these stay far from overflow; `parameters` looks at the rest.
        if sizes.iter().chain([&self.num_key_value_heads, &self.head_dim]).any(|size| *size > 1 << 24) {
            return refuse("a size is beyond any model's");
        }
        if self.head_dim == 0
            || !self.head_dim.is_multiple_of(2)
            || self.num_key_value_heads == 0
            || !self.num_attention_heads.is_multiple_of(self.num_key_value_heads)
        {
            return refuse("the heads do not fit together");
        }
        if self.context() == 0 || self.context() > MOST_POSITIONS {
            return refuse(&format!("max_position_embeddings is above {MOST_POSITIONS}, or the window is empty"));
        }
        if self.parameters().is_none() {
            return refuse("the model is beyond counting");
        }
        if self.turning_speeds().iter().any(|speed| !speed.is_finite()) {
            return refuse("the rotary positions are no numbers");
        }
        Ok(())
    }
}

/// The architecture by its name, before anything else is looked at: another one has other members.
fn check_architecture(given: &Map<String, Value>) -> Result<(), TunerError> {
    let taken = || KINDS.map(|(kind, class, ..)| format!("{kind} ({class})")).join(", ");
    let refuse = |why: String| Err(TunerError::Model(format!("config.json: {why}")));
    let kind = given.get("model_type").and_then(Value::as_str).unwrap_or("not given");
    let Some((_, class, ..)) = KINDS.into_iter().find(|(name, ..)| *name == kind) else {
        return refuse(format!("model_type is {kind}; taken are {}", taken()));
    };
    let named = given.get("architectures").and_then(Value::as_array);
    if let Some(other) = named.and_then(|names| names.iter().find(|name| *name != class)) {
        return refuse(format!("the architecture is {other}; taken are {}", taken()));
    }
    if given.get("quantization_config").is_some_and(|config| !config.is_null()) {
        return refuse("the weights are quantized; taken are float32, float16 and bfloat16".to_string());
    }
    Ok(())
}

/// Fills in what Hugging Face's own reader fills in, and brings rotary settings into one form.
fn complete(given: &mut Map<String, Value>) -> Result<(), TunerError> {
    let is_set = |given: &Map<String, Value>, key: &str| given.get(key).is_some_and(|value| !value.is_null());
    // Newer writers put everything about rotary positions into one member.
    if let Some(Value::Object(mut rope)) = given.remove("rope_parameters") {
        if let Some(theta) = rope.remove("rope_theta") {
            given.insert("rope_theta".to_string(), theta);
        }
        given.insert("rope_scaling".to_string(), Value::Object(rope));
    }
    if let Some(Value::Object(rope)) = given.get_mut("rope_scaling") {
        if let Some(old) = rope.remove("type") {
            rope.entry("rope_type").or_insert(old);
        }
        match rope.get("rope_type").and_then(Value::as_str) {
            None | Some("default") => {
                given.remove("rope_scaling");
            }
            Some("linear" | "llama3") => {}
            Some(other) => {
                return Err(TunerError::Model(format!(
                    "config.json: rotary positions are scaled by {other}; known are linear and llama3"
                )));
            }
        }
    }
    // What used to be `torch_dtype`; only for the reader's information.
    if let Some(dtype) = given.remove("dtype") {
        given.entry("torch_dtype").or_insert(dtype);
    }
    let number = |given: &Map<String, Value>, key: &str| given.get(key).and_then(Value::as_u64);
    let kind = given.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let (_, class, key_heads, positions) = KINDS.into_iter().find(|(name, ..)| *name == kind).unwrap_or(KINDS[0]);
    // A window that a Qwen file names counts only where it is switched on.
    if kind.starts_with("qwen") && given.get("use_sliding_window") != Some(&Value::Bool(true)) {
        given.remove("sliding_window");
    }
    let heads = number(given, "num_attention_heads").unwrap_or(0);
    let width = number(given, "hidden_size").unwrap_or(0).checked_div(heads).unwrap_or(0);
    for (key, value) in [
        ("architectures", Value::from(vec![class])),
        ("num_key_value_heads", key_heads.unwrap_or(heads).into()),
        ("head_dim", if class == "Qwen3ForCausalLM" { 128.into() } else { width.into() }),
        ("max_position_embeddings", positions.into()),
        ("rms_norm_eps", 1e-6.into()),
        ("rope_theta", 10_000.0.into()),
        ("tie_word_embeddings", false.into()),
        ("hidden_act", "silu".into()),
        ("attention_bias", false.into()),
        ("mlp_bias", false.into()),
    ] {
        if !is_set(given, key) {
            given.insert(key.to_string(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;
    use serde_json::json;

    fn small() -> Value {
        json!({
            "model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2,
        })
    }

    fn parse(changed: &[(&str, Value)]) -> Result<ModelConfig, String> {
        let mut config = small();
        for (key, value) in changed {
            config[*key] = value.clone();
        }
        ModelConfig::parse(config.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_older_writers_leave_out_is_what_hugging_face_takes_it_for() {
        let config = parse(&[]).unwrap();
        assert_eq!((config.num_key_value_heads, config.head_dim, config.tie_word_embeddings), (2, 4, false));
        assert_eq!((config.rms_norm_eps, config.rope_theta), (1e-6, 10_000.0));
    }

    #[test]
    fn rotary_settings_read_the_same_in_their_three_spellings() {
        let scaling = json!({
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        });
        let mut old = scaling.clone();
        old["type"] = old.as_object_mut().unwrap().remove("rope_type").unwrap();
        let mut new = scaling.clone();
        new["rope_theta"] = json!(500_000.0);
        let theta = ("rope_theta", json!(500_000.0));
        let first = parse(&[("rope_scaling", scaling), theta.clone()]).unwrap();
        assert_eq!(first, parse(&[("rope_scaling", old), theta]).unwrap());
        assert_eq!(first, parse(&[("rope_parameters", new)]).unwrap());
        assert_eq!(parse(&[("rope_scaling", json!({ "rope_type": "default" }))]).unwrap(), parse(&[]).unwrap());
        let doubled = parse(&[("rope_scaling", json!({ "type": "linear", "factor": 2.0 }))]).unwrap();
        assert_eq!(doubled.turning_speeds()[0], 0.5);
    }

    #[test]
    fn each_kind_has_its_parts_and_a_window_bounds_what_is_read() {
        let kind = |name: &str| ("model_type", json!(name));
        let qwen2 = parse(&[kind("qwen2"), ("num_key_value_heads", json!(1))]).unwrap();
        assert!(qwen2.has_biases() && !qwen2.has_head_norms());
        let qwen3 = parse(&[kind("qwen3"), ("num_key_value_heads", json!(1))]).unwrap();
        assert!(qwen3.has_head_norms() && !qwen3.has_biases());
        assert_eq!(qwen3.head_dim, 128);
        let window = ("sliding_window", json!(64));
        let heads = ("num_key_value_heads", json!(2));
        let mistral = parse(&[kind("mistral"), heads.clone(), window.clone()]).unwrap();
        assert_eq!((mistral.context(), mistral.max_position_embeddings), (64, 131_072));
        let idle =
            parse(&[kind("qwen2"), heads.clone(), window.clone(), ("use_sliding_window", json!(false))]).unwrap();
        assert_eq!(idle.context(), 32_768);
        let active = parse(&[kind("qwen2"), heads, window, ("use_sliding_window", json!(true))]).unwrap();
        assert_eq!(active.context(), 64);
        for config in [qwen2, qwen3, mistral, idle, active] {
            let written = serde_json::to_vec(&config).unwrap();
            assert_eq!(ModelConfig::parse(&written).unwrap(), config, "what is written reads the same");
        }
    }

    #[test]
    fn llama_3_leaves_quick_turns_and_slows_slow_ones_down() {
        let scaling = json!({
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        });
        let sizes = [("hidden_size", json!(256)), ("rope_theta", json!(500_000.0))];
        let plain = parse(&sizes).unwrap().turning_speeds();
        let [hidden, theta] = sizes;
        let scaled = parse(&[hidden, theta, ("rope_scaling", scaling)]).unwrap().turning_speeds();
        assert_eq!(scaled[0], plain[0]);
        assert_eq!(scaled[63], plain[63] / 8.0);
        assert!(scaled.iter().zip(&plain).any(|(new, old)| new < old && *new > old / 8.0), "there is a slope between");
    }

    #[test]
    fn what_would_be_computed_wrongly_is_refused_by_name() {
        for (key, value, said) in [
            ("model_type", json!("mixtral"), "model_type is mixtral; taken are llama (LlamaForCausalLM), mistral"),
            ("architectures", json!(["LlamaForSequenceClassification"]), "LlamaForSequenceClassification"),
            ("quantization_config", json!({ "quant_method": "gptq" }), "quantized"),
            ("rope_scaling", json!({ "rope_type": "yarn", "factor": 4.0 }), "yarn"),
            ("attention_bias", json!(true), "no biases but Qwen2's"),
            ("sliding_window", json!(0), "the window is empty"),
            ("hidden_act", json!("gelu"), "SwiGLU"),
            ("num_key_value_heads", json!(0), "heads do not fit"),
            ("vocab_size", json!(1_u64 << 60), "beyond any model's"),
            ("max_position_embeddings", json!(1 << 22), "max_position_embeddings"),
        ] {
            let message = parse(&[(key, value)]).unwrap_err();
            assert!(message.contains(said), "{said} in {message}");
        }
    }
}
