//! Every gradient, tensor by tensor, against finite differences of the reference in `f64`. A wrong
//! gradient still trains a little, so nothing else would tell.

use std::ops::Range;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{networks, of_kind, random_values, reference, some_rows, tiny_network, untied_network};
use crate::layout::TensorKind;
use crate::network::{Network, Pass, Rows};
use crate::parameters::{ADAPTER_SCALE, Gradient, Parameters, Part};

/// How far a tensor's gradient may be from the finite differences, relative to their length. Single
/// precision over some eighty rows leaves about a millionth.
const TOLERANCE: f64 = 2e-5;

fn computed(network: &Network, parameters: &Parameters, rows: &Rows) -> (f64, Vec<f32>) {
    let mut gradient = Gradient::default();
    let mut pass = Pass::default();
    parameters.clear(&mut gradient);
    let scale = 1.0 / rows.targets.len() as f32;
    network.forward(parameters.weights(), rows, &mut pass, 1);
    let mut sink = parameters.sink(&mut gradient);
    let loss = network.backward(parameters.weights(), rows, &mut pass, scale, sink.as_mut(), 1);
    drop(sink);
    parameters.settle(&mut gradient, 1);
    (loss * f64::from(scale), gradient.values)
}

fn doubled(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// Some sixteen places spread over `range`: each costs two passes of the reference.
fn places(range: &Range<usize>) -> Vec<usize> {
    // An odd stride, so that the places are not all in one column.
    range.clone().step_by((range.len() / 16) | 1).collect()
}

/// The derivative of `loss` by each of the values at `places`.
fn differences(values: &[f64], places: &[usize], loss: impl Fn(&[f64]) -> f64 + Sync) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    places
        .par_iter()
        .map_init(
            || values.to_vec(),
            |moved, &index| {
                moved[index] = values[index] + STEP;
                let above = loss(moved);
                moved[index] = values[index] - STEP;
                let below = loss(moved);
                moved[index] = values[index];
                (above - below) / (2.0 * STEP)
            },
        )
        .collect()
}

fn check(name: &str, gradient: &[f32], values: &[f64], range: &Range<usize>, loss: impl Fn(&[f64]) -> f64 + Sync) {
    let places = places(range);
    let expected = differences(values, &places, loss);
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let off = length(&mut places.iter().zip(&expected).map(|(place, expected)| f64::from(gradient[*place]) - expected));
    let whole = length(&mut expected.iter().copied());
    assert!(whole > 1e-4, "{name} has hardly any gradient, so this test would say nothing");
    assert!(off / whole < TOLERANCE, "the gradient of {name} is off by {} of its length", off / whole);
}

#[test]
fn full_gradients_are_those_of_finite_differences_tensor_by_tensor() {
    for network in networks() {
        let rows = some_rows();
        let weights = random_values(network.layout.total, 1);
        let exact = doubled(&weights);
        let parameters = Parameters::full(weights, network.layout.clone());
        let (loss, gradient) = computed(&network, &parameters, &rows);
        assert!((loss - reference::loss(&network, &exact, &rows)).abs() < 1e-5);
        for tensor in &network.layout.tensors {
            check(&tensor.name, &gradient, &exact, &tensor.range(), |values| reference::loss(&network, values, &rows));
        }
    }
}

#[test]
fn adapter_gradients_are_those_of_finite_differences_tensor_by_tensor() {
    for network in [untied_network(), of_kind("qwen3")] {
        check_adapters(&network);
    }
}

/// Brings one tensor of `weights`, frozen so far, to what `values` make of it.
fn merge_plainly(part: &Part, values: &[f64], weights: &mut [f64]) {
    let [down, up] = part.own.as_slice() else {
        weights[part.place.clone()].copy_from_slice(&values[part.own[0].clone()]);
        return;
    };
    let cols = down.len() / part.rank;
    for (index, weight) in weights[part.place.clone()].iter_mut().enumerate() {
        let (row, col) = (index / cols, index % cols);
        for step in 0..part.rank {
            let product = values[up.start + row * part.rank + step] * values[down.start + step * cols + col];
            *weight += f64::from(ADAPTER_SCALE) * product;
        }
    }
}

fn check_adapters(network: &Network) {
    let rows = some_rows();
    let frozen = random_values(network.layout.total, 2);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut parameters = Parameters::adapters(frozen.clone(), &network.layout, 3, &mut random);
    // Fresh adapters' second matrices are zero, where half of the gradients vanish.
    let values = random_values(parameters.trainable().len(), 4);
    parameters.update(|trainable| trainable.copy_from_slice(&values));
    let (frozen, exact) = (doubled(&frozen), doubled(&values));
    let parts = parameters.parts();
    let loss_of = |values: &[f64]| {
        let mut merged = frozen.clone();
        for part in &parts {
            merge_plainly(part, values, &mut merged);
        }
        reference::loss(network, &merged, &rows)
    };
    let (loss, gradient) = computed(network, &parameters, &rows);
    assert!((loss - loss_of(&exact)).abs() < 1e-4);
    // Biases have no adapters.
    let trained = network.layout.tensors.iter().filter(|tensor| tensor.kind != TensorKind::Bias);
    for (tensor, part) in trained.zip(&parts) {
        assert_eq!(part.place, tensor.range());
        for range in part.own.iter() {
            check(&format!("{} at {range:?}", tensor.name), &gradient, &exact, range, loss_of);
        }
    }
}

#[test]
fn fresh_adapters_change_nothing() {
    let (network, rows) = (tiny_network(), some_rows());
    let weights = random_values(network.layout.total, 1);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut parameters = Parameters::adapters(weights.clone(), &network.layout, 3, &mut random);
    parameters.update(|_| ());
    assert_eq!(parameters.weights(), weights);
    let full = Parameters::full(weights, network.layout.clone());
    assert_eq!(computed(&network, &parameters, &rows).0, computed(&network, &full, &rows).0);
}
