//! A model's folder as Hugging Face lays it out: which files there are, and what is read from them.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `config.json` | the shape, and the tokens that end an answer |
//! | `tokenizer.json` | the tokenizer |
//! | `model.safetensors`, or `model.safetensors.index.json` with the files it names | the weights |
//! | `tokenizer_config.json`, `chat_template.jinja`, `generation_config.json` | how turns are laid out; optional |
//! | `adapter_config.json`, `adapter_model.safetensors` | PEFT's adapter, merged; optional |

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::TunerError;
use crate::config::{ModelConfig, TokenIds};
use crate::layout::Layout;
use crate::tokenizer::Conventions;
use crate::weights::Gathering;

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// The whole content of one of the folder's files.
pub(crate) fn read(dir: &Path, name: &str) -> Result<Vec<u8>, TunerError> {
    let path = dir.join(name);
    fs::read(&path).map_err(TunerError::file("could not read", &path))
}

/// The files that hold the weights, with their sizes.
pub(crate) fn weight_files(dir: &Path) -> Result<Vec<(PathBuf, u64)>, TunerError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let names: BTreeSet<String> = if dir.join(INDEX).exists() {
        let refuse = |why: String| TunerError::Model(format!("{INDEX}: {why}"));
        let index: Index = serde_json::from_slice(&read(dir, INDEX)?).map_err(|error| refuse(error.to_string()))?;
        let names: BTreeSet<String> = index.weight_map.into_values().collect();
        // A name with a path in it would reach out of the folder.
        let plain = |name: &String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if let Some(name) = names.iter().find(|name| !plain(name)) {
            return Err(refuse(format!("{name} is no name of a file in the folder")));
        }
        names
    } else {
        [WEIGHTS.to_string()].into()
    };
    names
        .into_iter()
        .map(|name| {
            let path = dir.join(name);
            let about = fs::metadata(&path).map_err(TunerError::file("could not read", &path))?;
            Ok((path, about.len()))
        })
        .collect()
}

/// Refuses a shape that the files cannot fill, before memory is taken for it.
pub(crate) fn check_size(dir: &Path, config: &ModelConfig) -> Result<(), TunerError> {
    let bytes: u64 = weight_files(dir)?.iter().map(|(_, size)| size).sum();
    let wanted = config.parameters().unwrap_or(usize::MAX) as u64;
    // No weight takes less than two bytes.
    if bytes / 2 < wanted {
        let why = format!("config.json speaks of {wanted} weights, and the files hold fewer");
        return Err(TunerError::Model(why));
    }
    Ok(())
}

/// All weights, file by file, so that no more than one file is in memory beside them.
pub(crate) fn read_weights(dir: &Path, layout: &Layout) -> Result<Vec<f32>, TunerError> {
    let mut gathering = Gathering::new(layout);
    for (path, _) in weight_files(dir)? {
        let bytes = fs::read(&path).map_err(TunerError::file("could not read", &path))?;
        gathering.add(&path.file_name().unwrap_or_default().to_string_lossy(), &bytes)?;
    }
    gathering.finish()
}

/// The optional files, as they are.
pub(crate) fn companions(dir: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, TunerError> {
    const NAMES: [&str; 4] =
        ["tokenizer_config.json", "chat_template.jinja", "generation_config.json", "special_tokens_map.json"];
    NAMES.into_iter().filter(|name| dir.join(name).exists()).map(|name| Ok((name, read(dir, name)?))).collect()
}

/// How this model's answers begin and end.
pub(crate) fn conventions(dir: &Path, config: &ModelConfig) -> Result<Conventions, TunerError> {
    let mut ends: Vec<u32> = config.eos_token_id.iter().flat_map(TokenIds::all).copied().collect();
    let optional = |name: &str| -> Result<Value, TunerError> {
        if !dir.join(name).exists() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&read(dir, name)?).map_err(|error| TunerError::Model(format!("{name}: {error}")))
    };
    let generation = optional("generation_config.json")?;
    if let Ok(more) = serde_json::from_value::<TokenIds>(generation["eos_token_id"].clone()) {
        ends.extend(more.all());
    }
    let about = optional("tokenizer_config.json")?;
    let special = |name: &str| match &about[name] {
        Value::String(text) => Some(text.clone()),
        Value::Object(token) => token.get("content").and_then(Value::as_str).map(str::to_string),
        _ => None,
    };
    let template = if dir.join("chat_template.jinja").exists() {
        Some(String::from_utf8_lossy(&read(dir, "chat_template.jinja")?).into_owned())
    } else {
        template(&about["chat_template"])
    };
    Ok(Conventions { ends, template, begin: special("bos_token"), end: special("eos_token") })
}

/// A template by itself, or the one named `default` among several.
fn template(given: &Value) -> Option<String> {
    match given {
        Value::String(text) => Some(text.clone()),
        Value::Array(several) => several
            .iter()
            .find(|one| one["name"] == "default")
            .and_then(|one| one["template"].as_str())
            .map(str::to_string),
        _ => None,
    }
}
