//! Weights to and from safetensors, under the names Hugging Face gives them.

use std::collections::BTreeMap;

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::TunerError;
use crate::layout::{Layout, TensorKind};

/// How a weight is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Four bytes: what training works with, so nothing is lost.
    Single,
    /// Two bytes: what the bundled model is stored as.
    Half,
}

impl Precision {
    /// The name `config.json` gives it.
    pub fn torch_name(self) -> &'static str {
        match self {
            Precision::Single => "float32",
            Precision::Half => "float16",
        }
    }
}

/// Gathers a model's weights from one file or several.
pub(crate) struct Gathering<'a> {
    layout: &'a Layout,
    weights: Vec<f32>,
    /// Whether the tensor of the same place in the layout was found.
    found: Vec<bool>,
}

impl<'a> Gathering<'a> {
    /// Nothing yet.
    pub fn new(layout: &'a Layout) -> Gathering<'a> {
        Gathering { layout, weights: vec![0.0; layout.total], found: vec![false; layout.tensors.len()] }
    }

    /// Takes from a file what belongs to the model.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), TunerError> {
        let refuse = |why: String| TunerError::Model(format!("{name}: {why}"));
        let file = SafeTensors::deserialize(bytes).map_err(|error| refuse(error.to_string()))?;
        for (tensor, seen) in self.layout.tensors.iter().zip(&mut self.found) {
            let Ok(found) = file.tensor(&tensor.name) else { continue };
            let wanted = shape(tensor.kind, tensor.rows, tensor.cols);
            if found.shape() != wanted {
                let found = found.shape();
                return Err(refuse(format!("{} is {found:?}, not {wanted:?}", tensor.name)));
            }
            let into = &mut self.weights[tensor.range()];
            read(&found, into).map_err(|why| refuse(format!("{} is {why}", tensor.name)))?;
            *seen = true;
        }
        Ok(())
    }

    /// The weights, once every tensor was found.
    pub fn finish(self) -> Result<Vec<f32>, TunerError> {
        match self.layout.tensors.iter().zip(&self.found).find(|(_, found)| !**found) {
            Some((tensor, _)) => Err(TunerError::Model(format!("no tensor {} in the weights", tensor.name))),
            None => Ok(self.weights),
        }
    }
}

/// The file's bytes.
pub(crate) fn to_bytes(weights: &[f32], layout: &Layout, precision: Precision) -> Result<Vec<u8>, TunerError> {
    let failed = |error: safetensors::SafeTensorError| TunerError::Model(error.to_string());
    let encoded: Vec<Vec<u8>> =
        layout.tensors.iter().map(|tensor| encode(&weights[tensor.range()], precision)).collect();
    let dtype = match precision {
        Precision::Single => Dtype::F32,
        Precision::Half => Dtype::F16,
    };
    let views: Result<Vec<_>, _> = layout
        .tensors
        .iter()
        .zip(&encoded)
        .map(|(tensor, bytes)| {
            let shape = shape(tensor.kind, tensor.rows, tensor.cols);
            TensorView::new(dtype, shape, bytes).map(|view| (tensor.name.as_str(), view))
        })
        .collect();
    let about = [("format".to_string(), "pt".to_string())];
    safetensors::serialize(views.map_err(failed)?, Some(about.into())).map_err(failed)
}

/// Named arrays of full precision, as the bytes of a file.
pub(crate) fn arrays_to_bytes(arrays: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> Result<Vec<u8>, TunerError> {
    let failed = |error: safetensors::SafeTensorError| TunerError::Model(error.to_string());
    let encoded: Vec<_> = arrays.values().map(|(_, values)| encode(values, Precision::Single)).collect();
    let views = arrays.iter().zip(&encoded).map(|((name, (shape, _)), bytes)| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let about = [("format".to_string(), "pt".to_string())];
    safetensors::serialize(views.collect::<Result<Vec<_>, _>>().map_err(failed)?, Some(about.into())).map_err(failed)
}

/// A tensor's numbers, or what is wrong with their form.
pub(crate) fn numbers(tensor: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let mut values = vec![0.0; tensor.shape().iter().product()];
    read(tensor, &mut values)?;
    Ok(values)
}

fn read(tensor: &TensorView<'_>, into: &mut [f32]) -> Result<(), String> {
    let data = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => fill(into, data, f32::from_le_bytes),
        Dtype::F16 => fill(into, data, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => fill(into, data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        other => return Err(format!("{other:?}; taken are F32, F16 and BF16")),
    }
    Ok(())
}

fn shape(kind: TensorKind, rows: usize, cols: usize) -> Vec<usize> {
    match kind {
        TensorKind::Norm | TensorKind::Bias => vec![cols],
        TensorKind::Embedding | TensorKind::Linear => vec![rows, cols],
    }
}

fn fill<const SIZE: usize>(into: &mut [f32], data: &[u8], read: impl Fn([u8; SIZE]) -> f32) {
    let (numbers, _) = data.as_chunks::<SIZE>();
    for (into, bytes) in into.iter_mut().zip(numbers) {
        *into = read(*bytes);
    }
}

fn encode(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::Single => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Precision::Half => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
    }
}
