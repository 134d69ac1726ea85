//! Every gradient, tensor by tensor, against finite differences of the reference in `f64`. A wrong
//! gradient still trains a little, so nothing else would tell.

use std::ops::Range;

use rayon::prelude::*;

use super::{networks, of_kind, random_values, reference, some_rows, tiny_network, untied_network};
use crate::LoraSettings;
use crate::config::ModelConfig;
use crate::layout::TensorKind;
use crate::network::{Network, Pass, Rows};
use crate::parameters::{Gradient, Parameters, Part};

/// How far a tensor's gradient may be from the finite differences, relative to their length. Single
/// precision over some eighty rows leaves about a millionth.
const TOLERANCE: f64 = 2e-5;

fn computed(network: &Network, parameters: &Parameters, rows: &Rows) -> (f64, Vec<f32>) {
    computed_in(&mut Pass::default(), network, parameters, rows)
}

fn computed_in(pass: &mut Pass, network: &Network, parameters: &Parameters, rows: &Rows) -> (f64, Vec<f32>) {
    let mut gradient = Gradient::default();
    parameters.clear(&mut gradient);
    let scale = 1.0 / rows.targets.len() as f32;
    network.forward(parameters.weights(), rows, pass, 1);
    let mut sink = parameters.sink(&mut gradient);
    let loss = network.backward(parameters.weights(), rows, pass, scale, sink.as_mut(), 1);
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
        check_adapters(&network, &LoraSettings::of_rank(3));
    }
}

#[test]
fn adapters_on_some_modules_with_an_alpha_and_dropout_have_the_gradients_of_finite_differences() {
    let some = ["q_proj", "up_proj", "down_proj", "norm"].map(str::to_string).to_vec();
    let settings = LoraSettings { alpha: Some(4.5), targets: Some(some), ..LoraSettings::of_rank(3) };
    check_adapters(&of_kind("qwen2"), &settings);
    check_adapters(&untied_network(), &LoraSettings { dropout: 0.3, ..LoraSettings::of_rank(3) });
    // Where one matrix is embedding and output head, both names mean it.
    let head = LoraSettings { targets: Some(vec!["lm_head".to_string()]), dropout: 0.3, ..LoraSettings::of_rank(3) };
    check_adapters(&tiny_network(), &head);
}

#[test]
fn adapter_settings_that_do_not_fit_the_model_are_refused() {
    let refusal = |settings: &LoraSettings| {
        let network = tiny_network();
        Parameters::adapters(vec![0.0; network.layout.total], &network.layout, settings, 1).err().map(|e| e.to_string())
    };
    let plain = LoraSettings::of_rank(12);
    assert_eq!(refusal(&plain), None);
    let named = |name: &str| LoraSettings { targets: Some(vec![name.to_string()]), ..plain.clone() };
    assert_eq!(refusal(&named("lm_head")), None);
    assert!(refusal(&named("fc1")).is_some_and(|why| why.contains("fc1")));
    for wrong in [
        LoraSettings::of_rank(0),
        LoraSettings::of_rank(13),
        LoraSettings { alpha: Some(0.0), ..plain.clone() },
        LoraSettings { dropout: 1.0, ..plain.clone() },
        LoraSettings { targets: Some(Vec::new()), ..plain.clone() },
    ] {
        assert!(refusal(&wrong).is_some(), "{wrong:?}");
    }
}

/// Brings one tensor of `weights`, frozen so far, to what `values` make of it; inputs count what `mask` says.
fn merge_plainly(part: &Part, mask: Option<&[f32]>, values: &[f64], weights: &mut [f64]) {
    let [down, up] = part.own.as_slice() else {
        weights[part.place.clone()].copy_from_slice(&values[part.own[0].clone()]);
        return;
    };
    let cols = down.len() / part.rank;
    for (index, weight) in weights[part.place.clone()].iter_mut().enumerate() {
        let (row, col) = (index / cols, index % cols);
        for step in 0..part.rank {
            let product = values[up.start + row * part.rank + step] * values[down.start + step * cols + col];
            *weight += f64::from(part.scale) * product * mask.map_or(1.0, |mask| f64::from(mask[col]));
        }
    }
}

fn check_adapters(network: &Network, settings: &LoraSettings) {
    let rows = some_rows();
    let frozen = random_values(network.layout.total, 2);
    let mut parameters = Parameters::adapters(frozen.clone(), &network.layout, settings, 3).unwrap();
    // Fresh adapters' second matrices are zero, where half of the gradients vanish.
    let values = random_values(parameters.trainable().len(), 4);
    parameters.update(|trainable| trainable.copy_from_slice(&values));
    let (frozen, exact) = (doubled(&frozen), doubled(&values));
    parameters.begin_step(5);
    let Parameters::Adapters(adapters) = &parameters else { unreachable!("these are adapters") };
    let parts = parameters.parts();
    let dropped = parts.iter().any(|part| adapters.mask(&part.place).is_some_and(|mask| mask.contains(&0.0)));
    assert_eq!(dropped, settings.dropout > 0.0 && parts.len() > 1);
    let loss_of = |values: &[f64]| {
        let mut merged = frozen.clone();
        for part in &parts {
            merge_plainly(part, adapters.mask(&part.place), values, &mut merged);
        }
        reference::loss(network, &merged, &rows)
    };
    let (loss, gradient) = computed(network, &parameters, &rows);
    assert!((loss - loss_of(&exact)).abs() < 1e-4);
    // Biases have no adapters.
    let kinds = network.layout.tensors.iter().filter(|tensor| tensor.kind != TensorKind::Bias);
    assert_eq!(parts.len() == kinds.count(), settings.targets.is_none());
    for part in &parts {
        let tensor = network.layout.tensors.iter().find(|tensor| tensor.range() == part.place).unwrap();
        for range in part.own.iter() {
            check(&format!("{} at {range:?}", tensor.name), &gradient, &exact, range, loss_of);
        }
    }
}

#[test]
fn gradient_checkpointing_gives_the_same_bits_from_one_trace() {
    for network in networks() {
        let network = Network::new(ModelConfig { num_hidden_layers: 3, ..network.config });
        let rows = some_rows();
        let weights = random_values(network.layout.total, 1);
        let parameters = Parameters::full(weights, network.layout.clone());
        let mut saving = Pass { checkpointing: true, ..Pass::default() };
        let plain = computed_in(&mut Pass::default(), &network, &parameters, &rows);
        assert_eq!(computed_in(&mut saving, &network, &parameters, &rows), plain);
        assert_eq!(saving.layers.len(), 1);
    }
}

#[test]
fn a_later_step_finds_nothing_of_an_earlier_gradient() {
    let (network, rows) = (untied_network(), some_rows());
    let parameters = Parameters::full(random_values(network.layout.total, 1), network.layout.clone());
    let fresh = computed(&network, &parameters, &rows).1;
    let mut used = Gradient { values: vec![7.0; network.layout.total], ..Gradient::default() };
    parameters.clear(&mut used);
    let mut pass = Pass::default();
    network.forward(parameters.weights(), &rows, &mut pass, 1);
    let scale = 1.0 / rows.targets.len() as f32;
    let mut sink = parameters.sink(&mut used);
    network.backward(parameters.weights(), &rows, &mut pass, scale, sink.as_mut(), 1);
    drop(sink);
    parameters.settle(&mut used, 1);
    assert_eq!(used.values, fresh);
}

#[test]
fn fresh_adapters_change_nothing() {
    let (network, rows) = (tiny_network(), some_rows());
    let weights = random_values(network.layout.total, 1);
    let mut parameters = Parameters::adapters(weights.clone(), &network.layout, &LoraSettings::of_rank(3), 3).unwrap();
    parameters.update(|_| ());
    assert_eq!(parameters.weights(), weights);
    let full = Parameters::full(weights, network.layout.clone());
    assert_eq!(computed(&network, &parameters, &rows).0, computed(&network, &full, &rows).0);
}
