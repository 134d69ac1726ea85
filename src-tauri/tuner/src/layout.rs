//! Where each tensor stands in the one flat vector that holds all of a model's weights.
//!
//! Query, key and value projections follow one another, and so do gate and up: each group is used
//! as a single matrix, while the file format sees the separate tensors Hugging Face names.
//! A gradient and the optimizer's moments have the same layout as what they belong to.

use std::ops::Range;

use crate::config::ModelConfig;

/// One tensor as the file format names it. Matrices are rows of outputs; norms and biases are one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub name: String,
    pub kind: TensorKind,
    pub rows: usize,
    pub cols: usize,
    pub start: usize,
}

/// What a tensor is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TensorKind {
    /// Rows looked up by token, and used again as the output head where the model has none of its own.
    Embedding,
    /// A matrix that rows of activations are multiplied with.
    Linear,
    /// A vector of gains.
    Norm,
    /// A vector that is added.
    Bias,
}

impl Tensor {
    /// The tensor's place in the flat vector.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.rows * self.cols
    }
}

/// The places of one layer's weights, fused where they are used together.
#[derive(Debug, Clone)]
pub(crate) struct LayerPlaces {
    pub attention_norm: Range<usize>,
    pub attention_in: Range<usize>,
    /// Added to the fused queries, keys and values.
    pub attention_bias: Option<Range<usize>>,
    /// The gains of each head's queries and of its keys.
    pub head_norms: Option<[Range<usize>; 2]>,
    pub attention_out: Range<usize>,
    pub mlp_norm: Range<usize>,
    pub gate_up: Range<usize>,
    pub down: Range<usize>,
}

/// The places of all weights.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub tensors: Vec<Tensor>,
    pub embedding: Range<usize>,
    pub layers: Vec<LayerPlaces>,
    pub final_norm: Range<usize>,
    /// Where the output head is: the embedding, or rows of its own.
    pub head: Range<usize>,
    pub total: usize,
}

impl Layout {
    /// The layout of a model of this shape.
    pub fn new(config: &ModelConfig) -> Layout {
        let mut tensors = Tensors::default();
        let hidden = config.hidden_size;
        let key_width = config.num_key_value_heads * config.head_dim;
        let embedding =
            tensors.add("model.embed_tokens.weight".to_string(), TensorKind::Embedding, config.vocab_size, hidden);
        let layers = (0..config.num_hidden_layers)
            .map(|layer| {
                let mut add = |name: &str, kind, rows, cols| {
                    tensors.add(format!("model.layers.{layer}.{name}"), kind, rows, cols)
                };
                let linear = TensorKind::Linear;
                let attention_norm = add("input_layernorm.weight", TensorKind::Norm, 1, hidden);
                let query = add("self_attn.q_proj.weight", linear, config.query_width(), hidden);
                add("self_attn.k_proj.weight", linear, key_width, hidden);
                let value = add("self_attn.v_proj.weight", linear, key_width, hidden);
                let attention_bias = config.has_biases().then(|| {
                    let query = add("self_attn.q_proj.bias", TensorKind::Bias, 1, config.query_width());
                    add("self_attn.k_proj.bias", TensorKind::Bias, 1, key_width);
                    query.start..add("self_attn.v_proj.bias", TensorKind::Bias, 1, key_width).end
                });
                let head_norms = config.has_head_norms().then(|| {
                    ["q", "k"]
                        .map(|part| add(&format!("self_attn.{part}_norm.weight"), TensorKind::Norm, 1, config.head_dim))
                });
                let attention_out = add("self_attn.o_proj.weight", linear, hidden, config.query_width());
                let mlp_norm = add("post_attention_layernorm.weight", TensorKind::Norm, 1, hidden);
                let gate = add("mlp.gate_proj.weight", linear, config.intermediate_size, hidden);
                let up = add("mlp.up_proj.weight", linear, config.intermediate_size, hidden);
                let down = add("mlp.down_proj.weight", linear, hidden, config.intermediate_size);
                LayerPlaces {
                    attention_norm,
                    attention_in: query.start..value.end,
                    attention_bias,
                    head_norms,
                    attention_out,
                    mlp_norm,
                    gate_up: gate.start..up.end,
                    down,
                }
            })
            .collect();
        let final_norm = tensors.add("model.norm.weight".to_string(), TensorKind::Norm, 1, hidden);
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            tensors.add("lm_head.weight".to_string(), TensorKind::Linear, config.vocab_size, hidden)
        };
        let total = final_norm.end.max(head.end);
        Layout { total, tensors: tensors.0, embedding, layers, final_norm, head }
    }

    /// The matrices that rows of activations are multiplied with, fused where they are used together.
    pub fn linear(&self) -> impl Iterator<Item = Range<usize>> {
        let of_layer = |layer: &LayerPlaces| {
            [&layer.attention_in, &layer.attention_out, &layer.gate_up, &layer.down].map(Range::clone)
        };
        let head = (self.head != self.embedding).then(|| self.head.clone());
        self.layers.iter().flat_map(of_layer).chain(head)
    }
}

#[derive(Default)]
struct Tensors(Vec<Tensor>);

impl Tensors {
    fn add(&mut self, name: String, kind: TensorKind, rows: usize, cols: usize) -> Range<usize> {
        let start = self.0.last().map_or(0, |last| last.range().end);
        let tensor = Tensor { name, kind, rows, cols, start };
        let range = tensor.range();
        self.0.push(tensor);
        range
    }
}
