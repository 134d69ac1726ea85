//! What a run may change: every weight, or adapters beside frozen weights.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::layout::{Layout, TensorKind};
use crate::low_rank::Adapters;
use crate::network::{GradientSink, fit};
use crate::product::{Into, View, ViewMut, multiply};

/// The weights of a run and what of them may change.
pub(crate) enum Parameters {
    /// Every weight, in the model's own layout.
    Full { weights: Vec<f32>, layout: Layout },
    /// Adapters on matrices, and norms.
    Adapters(Box<Adapters>),
}

/// The gradient of what may change, and room to work it out.
#[derive(Default)]
pub(crate) struct Gradient {
    /// As long as [`Parameters::trainable`].
    pub values: Vec<f32>,
    /// With every weight free: where the matrices begin that have a gradient already. The first product is written
    /// over what an earlier step left, which saves clearing it.
    pub(crate) written: BTreeSet<usize>,
    /// With adapters: the embedding's gradient, before it is projected.
    pub(crate) embedding: Vec<f32>,
    pub(crate) low: Vec<f32>,
}

/// One tensor's place, and the ranges of [`Parameters::trainable`] that stand for it.
pub(crate) struct Part {
    pub place: Range<usize>,
    /// A norm's gains, or an adapter's two matrices, the one nearest the input first.
    pub own: Vec<Range<usize>>,
    pub rank: usize,
    /// By how much an adapter's product counts.
    pub scale: f32,
}

impl Parameters {
    /// Every weight may change.
    pub fn full(weights: Vec<f32>, layout: Layout) -> Parameters {
        Parameters::Full { weights, layout }
    }

    /// The weights the network runs on.
    pub fn weights(&self) -> &[f32] {
        match self {
            Parameters::Full { weights, .. } => weights,
            Parameters::Adapters(adapters) => adapters.merged(),
        }
    }

    /// The weights the network runs on, kept.
    pub fn into_weights(self) -> Vec<f32> {
        match self {
            Parameters::Full { weights, .. } => weights,
            Parameters::Adapters(adapters) => adapters.into_merged(),
        }
    }

    /// What may change.
    pub fn trainable(&self) -> &[f32] {
        match self {
            Parameters::Full { weights, .. } => weights,
            Parameters::Adapters(adapters) => adapters.values(),
        }
    }

    /// Gets ready for the passes of one step.
    pub fn begin_step(&mut self, step: u64) {
        if let Parameters::Adapters(adapters) = self {
            adapters.draw(step);
        }
    }

    /// Lets `change` alter what may change, then brings the network's weights up to date.
    pub fn update(&mut self, change: impl FnOnce(&mut [f32])) {
        match self {
            Parameters::Full { weights, .. } => change(weights),
            Parameters::Adapters(adapters) => adapters.update(change),
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
            Parameters::Adapters(adapters) => adapters.gains(),
        }
    }

    /// Makes `gradient` ready to be added to, at the right length.
    pub fn clear(&self, gradient: &mut Gradient) {
        let values = fit(&mut gradient.values, self.trainable().len());
        match self {
            Parameters::Full { layout, .. } => {
                gradient.written.clear();
                for tensor in layout.tensors.iter().filter(|tensor| tensor.kind != TensorKind::Linear) {
                    values[tensor.range()].fill(0.0);
                }
            }
            Parameters::Adapters(adapters) => {
                values.fill(0.0);
                fit(&mut gradient.embedding, adapters.embedding().len()).fill(0.0);
            }
        }
    }

    /// The sink that turns gradients of weights into `gradient`.
    pub fn sink<'a>(&'a self, gradient: &'a mut Gradient) -> Box<dyn GradientSink + 'a> {
        match self {
            Parameters::Full { layout, .. } => Box::new(FullSink { embedding: layout.embedding.clone(), gradient }),
            Parameters::Adapters(adapters) => adapters.sink(gradient),
        }
    }

    /// What adapters are made of, in the order of the layout; none when every weight is free.
    pub fn parts(&self) -> Vec<Part> {
        match self {
            Parameters::Full { .. } => Vec::new(),
            Parameters::Adapters(adapters) => adapters.parts(),
        }
    }

    /// Brings what a sink left half-way into `gradient`.
    pub fn settle(&self, gradient: &mut Gradient, threads: usize) {
        match self {
            Parameters::Full { layout, .. } => {
                // A matrix that no row went through has no gradient, and must not keep an earlier one.
                let Gradient { values, written, .. } = gradient;
                let linear = layout.linear().filter(|place| !written.contains(&place.start));
                linear.for_each(|place| values[place].fill(0.0));
            }
            Parameters::Adapters(adapters) => adapters.settle(gradient, threads),
        }
    }
}

struct FullSink<'a> {
    embedding: Range<usize>,
    gradient: &'a mut Gradient,
}

impl GradientSink for FullSink<'_> {
    fn linear(&mut self, place: &Range<usize>, inputs: &[f32], slopes: &[f32], rows: usize, threads: usize) {
        if rows == 0 {
            return;
        }
        let (outputs, cols) = (slopes.len() / rows, inputs.len() / rows);
        let into = if self.gradient.written.insert(place.start) { Into::Replace } else { Into::Add };
        multiply(
            ViewMut::packed(&mut self.gradient.values[place.clone()], outputs, cols),
            into,
            1.0,
            View::packed(slopes, rows, outputs).transposed(),
            View::packed(inputs, rows, cols),
            threads,
        );
    }

    fn vector(&mut self, place: &Range<usize>) -> &mut [f32] {
        &mut self.gradient.values[place.clone()]
    }

    fn embedding(&mut self) -> Option<&mut [f32]> {
        Some(&mut self.gradient.values[self.embedding.clone()])
    }
}
