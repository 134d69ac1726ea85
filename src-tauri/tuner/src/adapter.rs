//! Adapters as PEFT lays them out: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! A run with adapters leaves them beside the merged model, so that PEFT can put them on the base model
//! again; a folder that holds a base model and a PEFT adapter is loaded with the adapter merged.
//! Deliberately absent: DoRA, patterns of ranks, biases, and a rank that differs from matrix to matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::layout::{Layout, Tensor, TensorKind};
use crate::parameters::{Parameters, Part};
use crate::product::{Into, View, ViewMut, multiply};
use crate::{TunerError, files, folder, weights};

/// The folder inside a tuned model's own that holds the adapters.
pub(crate) const FOLDER: &str = "adapter";
pub(crate) const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PREFIX: &str = "base_model.model.";
/// What the output head is called, where a model with one matrix for both ends has none in its files.
const HEAD: &str = "lm_head";

/// The matrices of one adapter, the one nearest the input first.
type Pair = (Vec<f32>, Vec<f32>);

/// The two files of an adapter.
pub(crate) struct Saved {
    config: Vec<u8>,
    weights: Vec<u8>,
}

/// The adapters in `parameters`; nothing when every weight was free. `base` says what they belong on.
pub(crate) fn encode(parameters: &Parameters, layout: &Layout, base: &str) -> Result<Option<Saved>, TunerError> {
    let parts = parameters.parts();
    let Some(&Part { rank, scale, .. }) = parts.first() else { return Ok(None) };
    let values = parameters.trainable();
    let tied = layout.head == layout.embedding;
    let (mut targets, mut whole) = (BTreeSet::new(), BTreeSet::new());
    let mut arrays: BTreeMap<String, (Vec<usize>, Vec<f32>)> = BTreeMap::new();
    for part in &parts {
        let Some(tensor) = layout.tensors.iter().find(|tensor| tensor.range() == part.place) else { continue };
        let module = module(tensor);
        let last = module.rsplit('.').next().unwrap_or(module);
        let [down, up] = part.own.as_slice() else {
            whole.insert(last);
            let gains = values[part.own[0].clone()].to_vec();
            arrays.insert(format!("{PREFIX}{module}.weight"), (vec![tensor.cols], gains));
            continue;
        };
        targets.insert(last);
        let (down, up) = (&values[down.clone()], &values[up.clone()]);
        if tensor.kind == TensorKind::Embedding {
            let turned = (vec![rank, tensor.rows], transposed(up, rank));
            arrays.insert(format!("{PREFIX}{module}.lora_embedding_A"), turned);
            let turned = (vec![tensor.cols, rank], transposed(down, tensor.cols));
            arrays.insert(format!("{PREFIX}{module}.lora_embedding_B"), turned);
        }
        // Where one matrix serves both ends, both have the adapter.
        let linear = if tensor.kind == TensorKind::Linear { Some(module) } else { tied.then_some(HEAD) };
        if let Some(module) = linear {
            targets.insert(module.rsplit('.').next().unwrap_or(module));
            arrays.insert(format!("{PREFIX}{module}.lora_A.weight"), (vec![rank, tensor.cols], down.to_vec()));
            arrays.insert(format!("{PREFIX}{module}.lora_B.weight"), (vec![tensor.rows, rank], up.to_vec()));
        }
    }
    let config = json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "inference_mode": true,
        "r": rank, "lora_alpha": rank as f32 * scale, "lora_dropout": 0.0, "bias": "none",
        "fan_in_fan_out": false, "use_rslora": false, "use_dora": false, "init_lora_weights": true,
        "target_modules": targets, "modules_to_save": (!whole.is_empty()).then_some(whole),
    });
    let config = serde_json::to_vec_pretty(&config).map_err(|error| TunerError::Model(error.to_string()))?;
    Ok(Some(Saved { config, weights: weights::arrays_to_bytes(&arrays)? }))
}

impl Saved {
    /// Writes both files into `dir`, which is made.
    pub fn write(&self, dir: &Path) -> Result<(), TunerError> {
        fs::create_dir_all(dir).map_err(TunerError::file("could not make", dir))?;
        for (name, bytes) in [(CONFIG, &self.config), (WEIGHTS, &self.weights)] {
            let path = dir.join(name);
            files::write_synced(&path, bytes).map_err(TunerError::file("could not write", &path))?;
        }
        Ok(())
    }
}

/// Merges the adapter in `dir`, where there is one, into `values`.
pub(crate) fn merge(dir: &Path, layout: &Layout, values: &mut [f32]) -> Result<(), TunerError> {
    if !dir.join(CONFIG).exists() {
        return Ok(());
    }
    let refuse = |why: String| TunerError::Model(format!("{CONFIG}: {why}"));
    let config: Value =
        serde_json::from_slice(&folder::read(dir, CONFIG)?).map_err(|error| refuse(error.to_string()))?;
    let scale = scale(&config).map_err(refuse)?;
    let bytes = folder::read(dir, WEIGHTS)?;
    let broken = |error: safetensors::SafeTensorError| TunerError::Model(format!("{WEIGHTS}: {error}"));
    let file = SafeTensors::deserialize(&bytes).map_err(broken)?;
    let mut unused: BTreeSet<&str> = file.names().into_iter().collect();
    let mut take = |name: String, shape: [usize; 2]| -> Result<Option<Vec<f32>>, TunerError> {
        unused.remove(name.as_str());
        let Ok(tensor) = file.tensor(&name) else { return Ok(None) };
        // A vector of gains is stored as such.
        if tensor.shape() != shape && (shape[0] != 1 || tensor.shape() != &shape[1..]) {
            return Err(TunerError::Model(format!("{WEIGHTS}: {name} is {:?}, not {shape:?}", tensor.shape())));
        }
        weights::numbers(&tensor).map(Some).map_err(|why| TunerError::Model(format!("{WEIGHTS}: {name} is {why}")))
    };
    // The rank is the same everywhere, as the absence of patterns says.
    let rank = config["r"].as_u64().and_then(|rank| usize::try_from(rank).ok()).unwrap_or_default();
    let tied = layout.head == layout.embedding;
    for tensor in &layout.tensors {
        let module = module(tensor);
        let into = &mut values[tensor.range()];
        let free = if tensor.kind == TensorKind::Bias {
            None
        } else {
            take(format!("{PREFIX}{module}.weight"), [tensor.rows, tensor.cols])?
        };
        if let Some(free) = free {
            into.copy_from_slice(&free);
        }
        let mut pair = |module: &str| -> Result<Option<Pair>, TunerError> {
            let down = take(format!("{PREFIX}{module}.lora_A.weight"), [rank, tensor.cols])?;
            let up = take(format!("{PREFIX}{module}.lora_B.weight"), [tensor.rows, rank])?;
            Ok(down.zip(up))
        };
        let product = match tensor.kind {
            TensorKind::Linear => pair(module)?,
            TensorKind::Norm | TensorKind::Bias => None,
            TensorKind::Embedding => {
                let head = if tied { pair(HEAD)? } else { None };
                let up = take(format!("{PREFIX}{module}.lora_embedding_A"), [rank, tensor.rows])?;
                let down = take(format!("{PREFIX}{module}.lora_embedding_B"), [tensor.cols, rank])?;
                let own = down.zip(up).map(|(down, up)| (transposed(&down, rank), transposed(&up, tensor.rows)));
                if tied && head != own {
                    let why = "it changes one of embedding and output head, and this model has one matrix for both";
                    return Err(refuse(why.to_string()));
                }
                own
            }
        };
        if let Some((down, up)) = product {
            let out = ViewMut::packed(into, tensor.rows, tensor.cols);
            let (up, down) = (View::packed(&up, tensor.rows, rank), View::packed(&down, rank, tensor.cols));
            multiply(out, Into::Add, scale, up, down, 1);
        }
    }
    match unused.first() {
        Some(name) => Err(TunerError::Model(format!("{WEIGHTS}: {name} belongs to nothing in this model"))),
        None => Ok(()),
    }
}

/// By how much the product of an adapter's matrices counts, or why this adapter cannot be merged.
fn scale(config: &Value) -> Result<f32, String> {
    let is_empty = |value: &Value| {
        value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) || *value == json!(false)
    };
    if config["peft_type"] != "LORA" {
        return Err(format!("the adapter is {}; taken is LORA", config["peft_type"]));
    }
    for key in ["use_dora", "rank_pattern", "alpha_pattern", "fan_in_fan_out", "lora_bias", "megatron_config"] {
        if !is_empty(&config[key]) {
            return Err(format!("{key} is {}, and adapters are taken without it", config[key]));
        }
    }
    let number = |key: &str| config[key].as_f64().filter(|number| *number > 0.0).ok_or(format!("{key} is missing"));
    let (rank, alpha) = (number("r")?, number("lora_alpha")?);
    let divisor = if config["use_rslora"] == json!(true) { rank.sqrt() } else { rank };
    Ok((alpha / divisor) as f32)
}

/// The module that a tensor is the weight of.
fn module(tensor: &Tensor) -> &str {
    tensor.name.rsplit_once('.').map_or(tensor.name.as_str(), |(module, _)| module)
}

/// Rows of `cols` numbers as columns.
fn transposed(values: &[f32], cols: usize) -> Vec<f32> {
    (0..cols).flat_map(|col| values.iter().skip(col).step_by(cols.max(1)).copied()).collect()
}
