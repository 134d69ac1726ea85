//! What a run may change: every weight, or adapters beside frozen weights.
//!
//! With adapters, the weights the network sees are the frozen ones with the adapters merged in, and
//! the merge is done anew after each step. The passes then need not know about adapters, and the
//! tuned model is simply there at the end. The way back never forms a frozen matrix's gradient: it
//! is projected onto the adapter's two narrow matrices as it arises.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::layout::{Layout, TensorKind};
use crate::network::{GradientSink, fit};
use crate::product::{Into, View, ViewMut, multiply};

/// An adapter's product is scaled by alpha / rank, and alpha is twice the rank.
pub(crate) const ADAPTER_SCALE: f32 = 2.0;

/// The weights of a run and what of them may change.
pub(crate) enum Parameters {
    /// Every weight, in the model's own layout.
    Full { weights: Vec<f32>, layout: Layout },
    /// Adapters on every matrix, and the norms.
    Adapters(Box<Adapters>),
}

/// The gradient of what may change, and room to work it out.
#[derive(Default)]
pub(crate) struct Gradient {
    /// As long as [`Parameters::trainable`].
    pub values: Vec<f32>,
    /// With adapters: the embedding's gradient, before it is projected.
    embedding: Vec<f32>,
    low: Vec<f32>,
}

/// Adapters over frozen weights.
pub(crate) struct Adapters {
    frozen: Vec<f32>,
    merged: Vec<f32>,
    values: Vec<f32>,
    rank: usize,
    matrices: Vec<Adapter>,
    norms: Vec<FreeNorm>,
    embedding: Range<usize>,
}

/// Two narrow matrices whose product is added to one frozen matrix.
struct Adapter {
    kind: TensorKind,
    place: Range<usize>,
    rows: usize,
    cols: usize,
    /// `rank` rows of `cols`, in the trainable values.
    down: Range<usize>,
    /// `rows` rows of `rank`, in the trainable values.
    up: Range<usize>,
}

/// A norm trained whole: its place in the model and in the trainable values.
struct FreeNorm {
    place: Range<usize>,
    own: Range<usize>,
}

/// One tensor's place, and the ranges of [`Parameters::trainable`] that stand for it.
pub(crate) struct Part {
    pub place: Range<usize>,
    /// A norm's gains, or an adapter's two matrices, the one nearest the input first.
    pub own: Vec<Range<usize>>,
    pub rank: usize,
}

impl Parameters {
    /// Every weight may change.
    pub fn full(weights: Vec<f32>, layout: Layout) -> Parameters {
        Parameters::Full { weights, layout }
    }

    /// Fresh adapters of `rank` that change nothing yet.
    pub fn adapters(frozen: Vec<f32>, layout: &Layout, rank: usize, random: &mut ChaCha8Rng) -> Parameters {
        let mut end = 0;
        let mut take = |count: usize| {
            end += count;
            end - count..end
        };
        let (mut matrices, mut norms) = (Vec::new(), Vec::new());
        for tensor in &layout.tensors {
            let place = tensor.range();
            // Biases stay as they are, as is usual with adapters.
            if tensor.kind == TensorKind::Bias {
                continue;
            }
            if tensor.kind == TensorKind::Norm {
                let own = take(tensor.cols);
                norms.push(FreeNorm { place, own });
            } else {
                matrices.push(Adapter {
                    kind: tensor.kind,
                    place,
                    rows: tensor.rows,
                    cols: tensor.cols,
                    down: take(rank * tensor.cols),
                    up: take(tensor.rows * rank),
                });
            }
        }
        let mut values = vec![0.0; end];
        for norm in &norms {
            values[norm.own.clone()].copy_from_slice(&frozen[norm.place.clone()]);
        }
        for adapter in &matrices {
            let bound = 1.0 / (adapter.cols as f32).sqrt();
            for value in &mut values[adapter.down.clone()] {
                *value = random.random_range(-bound..bound);
            }
        }
        Parameters::Adapters(Box::new(Adapters {
            merged: frozen.clone(),
            frozen,
            values,
            rank,
            matrices,
            norms,
            embedding: layout.embedding.clone(),
        }))
    }

    /// The weights the network runs on.
    pub fn weights(&self) -> &[f32] {
        match self {
            Parameters::Full { weights, .. } => weights,
            Parameters::Adapters(adapters) => &adapters.merged,
        }
    }

    /// The weights the network runs on, kept.
    pub fn into_weights(self) -> Vec<f32> {
        match self {
            Parameters::Full { weights, .. } => weights,
            Parameters::Adapters(adapters) => adapters.merged,
        }
    }

    /// What may change.
    pub fn trainable(&self) -> &[f32] {
        match self {
            Parameters::Full { weights, .. } => weights,
            Parameters::Adapters(adapters) => &adapters.values,
        }
    }

    /// Lets `change` alter what may change, then brings the network's weights up to date.
    pub fn update(&mut self, change: impl FnOnce(&mut [f32])) {
        match self {
            Parameters::Full { weights, .. } => change(weights),
            Parameters::Adapters(adapters) => {
                change(&mut adapters.values);
                adapters.merge();
            }
        }
    }

    /// The ranges of [`Parameters::trainable`] that hold gains and biases, which weight decay must leave alone.
    pub fn gains(&self) -> Vec<Range<usize>> {
        match self {
            Parameters::Full { layout, .. } => layout
                .tensors
                .iter()
                .filter(|tensor| matches!(tensor.kind, TensorKind::Norm | TensorKind::Bias))
                .map(|tensor| tensor.range())
                .collect(),
            Parameters::Adapters(adapters) => adapters.norms.iter().map(|norm| norm.own.clone()).collect(),
        }
    }

    /// Sets `gradient` to zero, at the right length.
    pub fn clear(&self, gradient: &mut Gradient) {
        fit(&mut gradient.values, self.trainable().len()).fill(0.0);
        if let Parameters::Adapters(adapters) = self {
            fit(&mut gradient.embedding, adapters.embedding.len()).fill(0.0);
        }
    }

    /// The sink that turns gradients of weights into `gradient`.
    pub fn sink<'a>(&'a self, gradient: &'a mut Gradient) -> Box<dyn GradientSink + 'a> {
        match self {
            Parameters::Full { layout, .. } => {
                Box::new(FullSink { embedding: layout.embedding.clone(), values: &mut gradient.values })
            }
            Parameters::Adapters(adapters) => Box::new(AdapterSink { adapters, gradient }),
        }
    }

    /// What adapters are made of, in the order of the layout; none when every weight is free.
    pub fn parts(&self) -> Vec<Part> {
        let Parameters::Adapters(adapters) = self else {
            return Vec::new();
        };
        let rank = adapters.rank;
        let part = |place: &Range<usize>, own| Part { place: place.clone(), own, rank };
        let norms = adapters.norms.iter().map(|norm| part(&norm.place, vec![norm.own.clone()]));
        let matrices = adapters
            .matrices
            .iter()
            .map(|adapter| part(&adapter.place, vec![adapter.down.clone(), adapter.up.clone()]));
        let mut parts: Vec<Part> = norms.chain(matrices).collect();
        parts.sort_by_key(|part| part.place.start);
        parts
    }

    /// Brings what a sink left half-way (the embedding's adapters) into `gradient`.
    pub fn settle(&self, gradient: &mut Gradient, threads: usize) {
        if let Parameters::Adapters(adapters) = self {
            adapters.settle(gradient, threads);
        }
    }
}

struct FullSink<'a> {
    embedding: Range<usize>,
    values: &'a mut [f32],
}

impl GradientSink for FullSink<'_> {
    fn linear(&mut self, place: &Range<usize>, inputs: &[f32], slopes: &[f32], rows: usize, threads: usize) {
        let (outputs, cols) = (slopes.len() / rows, inputs.len() / rows);
        multiply(
            ViewMut::packed(&mut self.values[place.clone()], outputs, cols),
            Into::Add,
            1.0,
            View::packed(slopes, rows, outputs).transposed(),
            View::packed(inputs, rows, cols),
            threads,
        );
    }

    fn vector(&mut self, place: &Range<usize>) -> &mut [f32] {
        &mut self.values[place.clone()]
    }

    fn embedding(&mut self) -> &mut [f32] {
        &mut self.values[self.embedding.clone()]
    }
}

struct AdapterSink<'a> {
    adapters: &'a Adapters,
    gradient: &'a mut Gradient,
}

impl GradientSink for AdapterSink<'_> {
    fn linear(&mut self, place: &Range<usize>, inputs: &[f32], slopes: &[f32], rows: usize, threads: usize) {
        let rank = self.adapters.rank;
        let width = slopes.len() / rows;
        let low = fit(&mut self.gradient.low, rows * rank);
        for adapter in self.adapters.within(place) {
            let input = View::packed(inputs, rows, adapter.cols);
            let first = (adapter.place.start - place.start) / adapter.cols;
            let slope = View::strided(&slopes[first..], rows, adapter.rows, width);
            let down = View::packed(&self.adapters.values[adapter.down.clone()], rank, adapter.cols);
            let up = View::packed(&self.adapters.values[adapter.up.clone()], adapter.rows, rank);

            let into = ViewMut::packed(low, rows, rank);
            multiply(into, Into::Replace, 1.0, input, down.transposed(), threads);
            let values = &mut self.gradient.values[adapter.up.clone()];
            let into = ViewMut::packed(values, adapter.rows, rank);
            let lowered = View::packed(low, rows, rank);
            multiply(into, Into::Add, ADAPTER_SCALE, slope.transposed(), lowered, threads);

            let into = ViewMut::packed(low, rows, rank);
            multiply(into, Into::Replace, 1.0, slope, up, threads);
            let values = &mut self.gradient.values[adapter.down.clone()];
            let into = ViewMut::packed(values, rank, adapter.cols);
            let raised = View::packed(low, rows, rank).transposed();
            multiply(into, Into::Add, ADAPTER_SCALE, raised, input, threads);
        }
    }

    fn vector(&mut self, place: &Range<usize>) -> &mut [f32] {
        let norm = self.adapters.norms.iter().find(|norm| norm.place == *place);
        let own = norm.map_or(0..0, |norm| norm.own.clone());
        &mut self.gradient.values[own]
    }

    fn embedding(&mut self) -> &mut [f32] {
        &mut self.gradient.embedding
    }
}

impl Adapters {
    fn within(&self, place: &Range<usize>) -> impl Iterator<Item = &Adapter> {
        self.matrices.iter().filter(|adapter| place.start <= adapter.place.start && adapter.place.end <= place.end)
    }

    fn merge(&mut self) {
        let Adapters { frozen, merged, values, rank, matrices, norms, .. } = self;
        for norm in norms {
            merged[norm.place.clone()].copy_from_slice(&values[norm.own.clone()]);
        }
        // The matrices stand in ascending order, so the merged weights can be handed out in pieces.
        let mut rest = merged.as_mut_slice();
        let mut taken = 0;
        let mut pieces = Vec::with_capacity(matrices.len());
        for adapter in matrices.iter() {
            let (_, from) = rest.split_at_mut(adapter.place.start - taken);
            let (piece, after) = from.split_at_mut(adapter.place.len());
            pieces.push((adapter, piece));
            rest = after;
            taken = adapter.place.end;
        }
        pieces.into_par_iter().for_each(|(adapter, piece)| {
            piece.copy_from_slice(&frozen[adapter.place.clone()]);
            multiply(
                ViewMut::packed(piece, adapter.rows, adapter.cols),
                Into::Add,
                ADAPTER_SCALE,
                View::packed(&values[adapter.up.clone()], adapter.rows, *rank),
                View::packed(&values[adapter.down.clone()], *rank, adapter.cols),
                1,
            );
        });
    }

    fn settle(&self, gradient: &mut Gradient, threads: usize) {
        let embedding = self.matrices.iter().filter(|adapter| adapter.kind == TensorKind::Embedding);
        for adapter in embedding {
            let slope = View::packed(&gradient.embedding, adapter.rows, adapter.cols);
            let down = View::packed(&self.values[adapter.down.clone()], self.rank, adapter.cols);
            let up = View::packed(&self.values[adapter.up.clone()], adapter.rows, self.rank);
            let values = &mut gradient.values[adapter.up.clone()];
            let into = ViewMut::packed(values, adapter.rows, self.rank);
            multiply(into, Into::Add, ADAPTER_SCALE, slope, down.transposed(), threads);
            let values = &mut gradient.values[adapter.down.clone()];
            let into = ViewMut::packed(values, self.rank, adapter.cols);
            multiply(into, Into::Add, ADAPTER_SCALE, up.transposed(), slope, threads);
        }
    }
}
