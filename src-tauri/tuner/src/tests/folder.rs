//! Folders that another program wrote: shards, half precisions, an own output head, own special tokens.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use half::bf16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::{random_values, reference, tiny_network};
use crate::config::ModelConfig;
use crate::layout::TensorKind;
use crate::network::Network;
use crate::{LanguageModel, Role, SampleOptions, Turn};

const BEGIN: u32 = 256;
const END: u32 = 257;
const START: u32 = 258;

fn config() -> ModelConfig {
    let small = tiny_network().config;
    ModelConfig { vocab_size: 260, tie_word_embeddings: false, ..small }
}

/// A tokenizer of single bytes with three special tokens, the first of which begins every sequence.
fn tokenizer() -> Value {
    let mut bytes: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    bytes.sort_unstable();
    let vocabulary: BTreeMap<String, usize> =
        bytes.iter().enumerate().map(|(id, byte)| (byte.to_string(), id)).collect();
    let special = |id: u32, content: &str| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true })
    };
    let level = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true });
    let begin = json!({ "SpecialToken": { "id": "<|begin|>", "type_id": 0 } });
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "added_tokens": [special(BEGIN, "<|begin|>"), special(END, "<|end|>"), special(START, "<|start|>")],
        "pre_tokenizer": level, "decoder": level,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, { "Sequence": { "id": "A", "type_id": 0 } }],
            "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": { "<|begin|>": { "id": "<|begin|>", "ids": [BEGIN], "tokens": ["<|begin|>"] } },
        },
        "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                   "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                   "ignore_merges": false, "vocab": vocabulary, "merges": [] },
    })
}

/// Writes a folder in two shards of bfloat16 and gives back the weights that are in it.
fn write(dir: &Path, network: &Network) -> Vec<f32> {
    let weights: Vec<f32> =
        random_values(network.layout.total, 7).into_iter().map(|weight| bf16::from_f32(weight).to_f32()).collect();
    let mut map = BTreeMap::new();
    let half = network.layout.tensors.len() / 2;
    for (number, tensors) in [&network.layout.tensors[..half], &network.layout.tensors[half..]].iter().enumerate() {
        let name = format!("model-0000{}-of-00002.safetensors", number + 1);
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|tensor| weights[tensor.range()].iter().flat_map(|w| bf16::from_f32(*w).to_le_bytes()).collect())
            .collect();
        let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
            let shape = if tensor.rows == 1 && tensor.kind != TensorKind::Linear {
                vec![tensor.cols]
            } else {
                vec![tensor.rows, tensor.cols]
            };
            (tensor.name.clone(), TensorView::new(Dtype::BF16, shape, bytes).unwrap())
        });
        fs::write(dir.join(&name), safetensors::serialize(views, None).unwrap()).unwrap();
        map.extend(tensors.iter().map(|tensor| (tensor.name.clone(), name.clone())));
    }
    let index = json!({ "metadata": { "total_size": weights.len() * 2 }, "weight_map": map });
    fs::write(dir.join("model.safetensors.index.json"), index.to_string()).unwrap();
    let mut config = serde_json::to_value(&network.config).unwrap();
    config["eos_token_id"] = json!([END]);
    fs::write(dir.join("config.json"), config.to_string()).unwrap();
    fs::write(dir.join("tokenizer.json"), tokenizer().to_string()).unwrap();
    weights
}

fn answer(model: &LanguageModel, text: &str) -> String {
    let options = SampleOptions { max_tokens: 6, temperature: 0.0, ..SampleOptions::default() };
    model.generate_text(text, &options, &mut |_| ControlFlow::Continue(())).unwrap().text
}

#[test]
fn a_folder_of_shards_answers_what_the_reference_computes() {
    let dir = tempfile::tempdir().unwrap();
    let network = Network::new(config());
    let weights: Vec<f64> = write(dir.path(), &network).into_iter().map(f64::from).collect();
    let model = LanguageModel::load(dir.path()).unwrap();
    assert!(LanguageModel::memory_needed(dir.path()).unwrap() > 4 * weights.len() as u64);
    assert!(model.reads_special_tokens() && !model.converses(), "without a template it only goes on from texts");

    let byte = |text: &str| tokenizer()["model"]["vocab"][text].as_u64().unwrap() as u32;
    let mut tokens = vec![BEGIN, START, byte("h"), byte("i")];
    let mut expected = Vec::new();
    for _ in 0..6 {
        let logits = reference::logits(&network, &weights, &tokens).pop().unwrap();
        let best = (0..260).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap() as u32;
        if best == END {
            break;
        }
        expected.push(best);
        tokens.push(best);
    }
    let drawn = model.tokenizer.decoder();
    let text = expected.iter().fold((drawn, String::new()), |(mut decoder, text), token| {
        let more = decoder.push(*token).unwrap();
        (decoder, text + &more)
    });
    let expected = text.1 + &text.0.finish().unwrap();
    assert_eq!(answer(&model, "<|start|>hi"), expected);
    assert_eq!(answer(&model, "<|begin|><|start|>hi"), expected, "a beginning that is spelled out is not doubled");
    assert_eq!(model.count_text_tokens("<|start|>hi"), 4);
}

#[test]
fn a_chat_template_makes_a_model_converse_with_its_own_special_tokens() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Network::new(config()));
    let template = "{{ bos_token }}{% for m in messages %}<|start|>{{ m.content }}<|end|>{% endfor %}<|start|>";
    let about = json!({ "chat_template": template, "bos_token": { "content": "<|begin|>" }, "eos_token": "<|end|>" });
    fs::write(dir.path().join("tokenizer_config.json"), about.to_string()).unwrap();
    let model = LanguageModel::load(dir.path()).unwrap();
    assert!(model.converses());
    assert_eq!(model.count_tokens(&[Turn::new(Role::User, "hi")]), 6);
    let record = [Turn::new(Role::User, "hi"), Turn::new(Role::Assistant, "yo")];
    let pieces = model.laid_out(&record).unwrap();
    let spelled: Vec<_> = pieces.iter().map(|piece| (piece.text.as_str(), piece.tokens, piece.learned)).collect();
    let question = ("<|begin|><|start|>hi<|end|><|start|>", 6, false);
    assert_eq!(spelled, [question, ("yo<|end|>", 3, true), ("<|start|>", 1, false)]);
    // What is saved goes on conversing, by the same template.
    let saved = dir.path().join("saved");
    model.save(&saved).unwrap();
    assert_eq!(LanguageModel::load(&saved).unwrap().laid_out(&record).unwrap(), pieces);
    let options = SampleOptions { max_tokens: 6, temperature: 0.0, ..SampleOptions::default() };
    let turns = [Turn::new(Role::User, "hi")];
    let said = model.generate(&turns, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(said.text, answer(&model, "<|begin|><|start|>hi<|end|><|start|>"));
}

#[test]
fn a_folder_with_something_missing_or_misshapen_is_refused_by_name() {
    let network = Network::new(config());
    let refusal = |spoil: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &network);
        spoil(dir.path());
        LanguageModel::load(dir.path()).unwrap_err().to_string()
    };
    let index = |names: Value| {
        move |dir: &Path| {
            fs::write(dir.join("model.safetensors.index.json"), json!({ "weight_map": names }).to_string()).unwrap();
        }
    };
    let change = |key: &'static str, value: Value| {
        move |dir: &Path| {
            let mut config: Value = serde_json::from_slice(&fs::read(dir.join("config.json")).unwrap()).unwrap();
            config[key] = value.clone();
            fs::write(dir.join("config.json"), config.to_string()).unwrap();
        }
    };
    let message = refusal(&index(json!({ "a": "model-00001-of-00002.safetensors" })));
    assert!(message.contains("the files hold fewer"), "{message}");
    let message = refusal(&index(json!({ "a": "../model.safetensors" })));
    assert!(message.contains("no name of a file in the folder"), "{message}");
    let message = refusal(&|dir| fs::remove_file(dir.join("model-00002-of-00002.safetensors")).unwrap());
    assert!(message.contains("model-00002-of-00002.safetensors"), "{message}");
    let message = refusal(&|dir| fs::remove_file(dir.join("tokenizer.json")).unwrap());
    assert!(message.contains("tokenizer.json"), "{message}");
    let message = refusal(&change("intermediate_size", json!(19)));
    assert!(message.contains("gate_proj"), "{message}");
    let message = refusal(&change("vocab_size", json!(200)));
    assert!(message.contains("more tokens than the model"), "{message}");
    let message = refusal(&change("num_hidden_layers", json!(2_000_000)));
    assert!(message.contains("the files hold fewer"), "{message}");
}
