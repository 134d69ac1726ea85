//! Low-rank adapters over frozen weights.
//!
//! The weights the network sees are the frozen ones with the adapters merged in, and the merge is done anew after each
//! step. The passes then need not know about adapters, and the tuned model is simply there at the end. The way back
//! never forms a frozen matrix's gradient: it is projected onto the adapter's two narrow matrices as it arises.
//!
//! Dropout fits into that because it is drawn once a step: leaving out an input is leaving out a column of the matrix
//! nearest it, so a step's passes run on weights that were merged without those columns.

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::layout::{Layout, Tensor, TensorKind};
use crate::network::{GradientSink, fit};
use crate::parameters::{Gradient, Parameters, Part};
use crate::product::{Into, View, ViewMut, multiply};
use crate::{LoraSettings, TunerError};

/// Adapters over frozen weights.
pub(crate) struct Adapters {
    frozen: Vec<f32>,
    merged: Vec<f32>,
    values: Vec<f32>,
    rank: usize,
    /// By how much each product counts.
    scale: f32,
    matrices: Vec<Adapter>,
    norms: Vec<FreeNorm>,
    /// The embedding's place, empty when it has no adapter.
    embedding: Range<usize>,
    dropout: f32,
    seed: u64,
    /// What this step leaves out.
    dropped: Option<Dropped>,
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

/// For each adapter: what each of its inputs counts, and its matrix nearest the input with that in it.
struct Dropped {
    masks: Vec<Vec<f32>>,
    downs: Vec<Vec<f32>>,
}

impl Parameters {
    /// Fresh adapters that change nothing yet. `seed` decides their first values and what dropout leaves out.
    ///
    /// # Errors
    /// [`TunerError::Settings`] where the settings do not fit the model.
    pub fn adapters(
        frozen: Vec<f32>,
        layout: &Layout,
        settings: &LoraSettings,
        seed: u64,
    ) -> Result<Parameters, TunerError> {
        check(settings, layout)?;
        let rank = settings.rank as usize;
        let mut end = 0;
        let mut take = |count: usize| {
            end += count;
            end - count..end
        };
        let (mut matrices, mut norms) = (Vec::new(), Vec::new());
        for tensor in layout.tensors.iter().filter(|tensor| is_target(settings, layout, tensor)) {
            let place = tensor.range();
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
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for adapter in &matrices {
            let bound = 1.0 / (adapter.cols as f32).sqrt();
            for value in &mut values[adapter.down.clone()] {
                *value = random.random_range(-bound..bound);
            }
        }
        let embedding = matrices.iter().find(|adapter| adapter.kind == TensorKind::Embedding);
        Ok(Parameters::Adapters(Box::new(Adapters {
            merged: frozen.clone(),
            frozen,
            values,
            rank,
            scale: settings.scale(),
            embedding: embedding.map_or(0..0, |adapter| adapter.place.clone()),
            matrices,
            norms,
            dropout: settings.dropout as f32,
            seed,
            dropped: None,
        })))
    }
}

fn check(settings: &LoraSettings, layout: &Layout) -> Result<(), TunerError> {
    let refuse = |why: String| Err(TunerError::Settings(why));
    let widest = layout.embedding.len() / layout.tensors[0].rows.max(1);
    if settings.rank == 0 || settings.rank as usize > widest {
        return refuse(format!("an adapter's rank is from 1 to the model's width, {widest}"));
    }
    if settings.alpha.is_some_and(|alpha| !alpha.is_finite() || alpha <= 0.0) {
        return refuse("an adapter's alpha must be above 0".to_string());
    }
    if !(0.0..1.0).contains(&settings.dropout) {
        return refuse("an adapter's dropout is from 0 to below 1".to_string());
    }
    let targets = settings.targets.iter().flatten();
    let unknown: Vec<&str> = targets
        .map(String::as_str)
        .filter(|name| !layout.tensors.iter().any(|tensor| answers_to(layout, tensor, name)))
        .collect();
    if !unknown.is_empty() {
        return refuse(format!("the model has no modules to adapt named {}", unknown.join(", ")));
    }
    if settings.targets.as_ref().is_some_and(Vec::is_empty) {
        return refuse("adapters need a module to be on".to_string());
    }
    Ok(())
}

fn is_target(settings: &LoraSettings, layout: &Layout, tensor: &Tensor) -> bool {
    // Biases stay as they are, as is usual with adapters.
    tensor.kind != TensorKind::Bias
        && settings.targets.as_ref().is_none_or(|targets| targets.iter().any(|name| answers_to(layout, tensor, name)))
}

impl LoraSettings {
    /// How many numbers such adapters train.
    pub(crate) fn trained(&self, layout: &Layout) -> u64 {
        let numbers = |tensor: &Tensor| match tensor.kind {
            TensorKind::Norm => tensor.cols as u64,
            _ => u64::from(self.rank) * (tensor.rows + tensor.cols) as u64,
        };
        layout.tensors.iter().filter(|tensor| is_target(self, layout, tensor)).map(numbers).sum()
    }
}

/// Whether a module's name, the last part of it, means this tensor. Where one matrix is embedding and output head, it
/// has both names.
fn answers_to(layout: &Layout, tensor: &Tensor, name: &str) -> bool {
    let both = tensor.kind == TensorKind::Embedding && layout.head == layout.embedding;
    let module = tensor.name.rsplit('.').nth(1).unwrap_or_default();
    tensor.kind != TensorKind::Bias && (module == name || (both && name == "lm_head"))
}

impl Adapters {
    pub fn merged(&self) -> &[f32] {
        &self.merged
    }

    pub fn into_merged(self) -> Vec<f32> {
        self.merged
    }

    pub fn values(&self) -> &[f32] {
        &self.values
    }

    pub fn embedding(&self) -> Range<usize> {
        self.embedding.clone()
    }

    pub fn gains(&self) -> Vec<Range<usize>> {
        self.norms.iter().map(|norm| norm.own.clone()).collect()
    }

    pub fn parts(&self) -> Vec<Part> {
        let (rank, scale) = (self.rank, self.scale);
        let part = |place: &Range<usize>, own| Part { place: place.clone(), own, rank, scale };
        let norms = self.norms.iter().map(|norm| part(&norm.place, vec![norm.own.clone()]));
        let matrices =
            self.matrices.iter().map(|adapter| part(&adapter.place, vec![adapter.down.clone(), adapter.up.clone()]));
        let mut parts: Vec<Part> = norms.chain(matrices).collect();
        parts.sort_by_key(|part| part.place.start);
        parts
    }

    pub fn sink<'a>(&'a self, gradient: &'a mut Gradient) -> Box<dyn GradientSink + 'a> {
        Box::new(AdapterSink { adapters: self, gradient })
    }

    /// Draws what the passes of `step` leave out.
    pub fn draw(&mut self, step: u64) {
        if self.dropout == 0.0 {
            return;
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        // The first stream made the adapters' first values.
        random.set_stream(step + 1);
        let kept = 1.0 / (1.0 - self.dropout);
        let mut draw = |adapter: &Adapter| -> Vec<f32> {
            if adapter.kind == TensorKind::Embedding {
                return vec![1.0; adapter.cols];
            }
            (0..adapter.cols).map(|_| if random.random::<f32>() < self.dropout { 0.0 } else { kept }).collect()
        };
        let masks: Vec<Vec<f32>> = self.matrices.iter().map(&mut draw).collect();
        let downs = self.matrices.iter().zip(&masks).map(|(adapter, mask)| {
            let mut down = self.values[adapter.down.clone()].to_vec();
            scale_columns(&mut down, mask);
            down
        });
        self.dropped = Some(Dropped { downs: downs.collect(), masks });
        self.merge();
    }

    /// Lets `change` alter the values, and merges them as they are.
    pub fn update(&mut self, change: impl FnOnce(&mut [f32])) {
        self.dropped = None;
        change(&mut self.values);
        self.merge();
    }

    /// The adapters inside a place, each with its number.
    fn within(&self, place: &Range<usize>) -> impl Iterator<Item = (usize, &Adapter)> {
        let inside = |adapter: &Adapter| place.start <= adapter.place.start && adapter.place.end <= place.end;
        self.matrices.iter().enumerate().filter(move |(_, adapter)| inside(adapter))
    }

    /// The matrix nearest the input, as this step's passes see it.
    fn down(&self, number: usize) -> &[f32] {
        match &self.dropped {
            Some(dropped) => &dropped.downs[number],
            None => &self.values[self.matrices[number].down.clone()],
        }
    }

    fn merge(&mut self) {
        let mut merged = std::mem::take(&mut self.merged);
        for norm in &self.norms {
            merged[norm.place.clone()].copy_from_slice(&self.values[norm.own.clone()]);
        }
        // The matrices stand in ascending order, so the merged weights can be handed out in pieces.
        let mut rest = merged.as_mut_slice();
        let mut taken = 0;
        let mut pieces = Vec::with_capacity(self.matrices.len());
        for (number, adapter) in self.matrices.iter().enumerate() {
            let (_, from) = rest.split_at_mut(adapter.place.start - taken);
            let (piece, after) = from.split_at_mut(adapter.place.len());
            pieces.push((number, adapter, piece));
            rest = after;
            taken = adapter.place.end;
        }
        pieces.into_par_iter().for_each(|(number, adapter, piece)| {
            piece.copy_from_slice(&self.frozen[adapter.place.clone()]);
            multiply(
                ViewMut::packed(piece, adapter.rows, adapter.cols),
                Into::Add,
                self.scale,
                View::packed(&self.values[adapter.up.clone()], adapter.rows, self.rank),
                View::packed(self.down(number), self.rank, adapter.cols),
                1,
            );
        });
        self.merged = merged;
    }

    /// Projects the embedding's gradient, and takes out of every gradient what the step left out.
    pub fn settle(&self, gradient: &mut Gradient, threads: usize) {
        let Gradient { values, embedding, .. } = gradient;
        for (number, adapter) in self.matrices.iter().enumerate() {
            if adapter.kind == TensorKind::Embedding {
                let slope = View::packed(embedding, adapter.rows, adapter.cols);
                let down = View::packed(self.down(number), self.rank, adapter.cols);
                let up = View::packed(&self.values[adapter.up.clone()], adapter.rows, self.rank);
                let into = ViewMut::packed(&mut values[adapter.up.clone()], adapter.rows, self.rank);
                multiply(into, Into::Add, self.scale, slope, down.transposed(), threads);
                let into = ViewMut::packed(&mut values[adapter.down.clone()], self.rank, adapter.cols);
                multiply(into, Into::Add, self.scale, up.transposed(), slope, threads);
            } else if let Some(dropped) = &self.dropped {
                scale_columns(&mut values[adapter.down.clone()], &dropped.masks[number]);
            }
        }
    }
}

#[cfg(test)]
impl Adapters {
    /// What each input of the adapter at `place` counts in this step.
    pub fn mask(&self, place: &Range<usize>) -> Option<&[f32]> {
        let number = self.matrices.iter().position(|adapter| adapter.place == *place)?;
        self.dropped.as_ref().map(|dropped| dropped.masks[number].as_slice())
    }
}

struct AdapterSink<'a> {
    adapters: &'a Adapters,
    gradient: &'a mut Gradient,
}

impl GradientSink for AdapterSink<'_> {
    fn linear(&mut self, place: &Range<usize>, inputs: &[f32], slopes: &[f32], rows: usize, threads: usize) {
        if rows == 0 {
            return;
        }
        let (rank, scale) = (self.adapters.rank, self.adapters.scale);
        let width = slopes.len() / rows;
        let low = fit(&mut self.gradient.low, rows * rank);
        for (number, adapter) in self.adapters.within(place) {
            let input = View::packed(inputs, rows, adapter.cols);
            let first = (adapter.place.start - place.start) / adapter.cols;
            let slope = View::strided(&slopes[first..], rows, adapter.rows, width);
            let down = View::packed(self.adapters.down(number), rank, adapter.cols);
            let up = View::packed(&self.adapters.values[adapter.up.clone()], adapter.rows, rank);

            let into = ViewMut::packed(low, rows, rank);
            multiply(into, Into::Replace, 1.0, input, down.transposed(), threads);
            let values = &mut self.gradient.values[adapter.up.clone()];
            let into = ViewMut::packed(values, adapter.rows, rank);
            let lowered = View::packed(low, rows, rank);
            multiply(into, Into::Add, scale, slope.transposed(), lowered, threads);

            let into = ViewMut::packed(low, rows, rank);
            multiply(into, Into::Replace, 1.0, slope, up, threads);
            let values = &mut self.gradient.values[adapter.down.clone()];
            let into = ViewMut::packed(values, rank, adapter.cols);
            let raised = View::packed(low, rows, rank).transposed();
            multiply(into, Into::Add, scale, raised, input, threads);
        }
    }

    fn vector(&mut self, place: &Range<usize>) -> &mut [f32] {
        let norm = self.adapters.norms.iter().find(|norm| norm.place == *place);
        let own = norm.map_or(0..0, |norm| norm.own.clone());
        &mut self.gradient.values[own]
    }

    fn embedding(&mut self) -> Option<&mut [f32]> {
        (!self.adapters.embedding.is_empty()).then_some(&mut self.gradient.embedding)
    }
}

/// Multiplies each column of rows as wide as `by` with its number.
fn scale_columns(values: &mut [f32], by: &[f32]) {
    for row in values.chunks_exact_mut(by.len()) {
        row.iter_mut().zip(by).for_each(|(value, by)| *value *= by);
    }
}
