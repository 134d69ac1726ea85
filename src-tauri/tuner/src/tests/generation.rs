//! Reading with a memory of keys and values is the same as reading everything at once.

use super::{networks, random_values, reference};
use crate::generation::Memory;
use crate::network::{Network, Pass, Rows};

fn all_at_once(network: &Network, weights: &[f32], tokens: &[u32]) -> Vec<f32> {
    let rows = Rows {
        tokens: tokens.to_vec(),
        sequences: std::iter::once(0..tokens.len()).collect(),
        targets: vec![(tokens.len() - 1, 0)],
    };
    let mut pass = Pass::default();
    network.forward(weights, &rows, &mut pass, 1);
    network.logits(weights, &mut pass, 1);
    pass.head.logits
}

fn assert_near(left: &[f32], right: impl Iterator<Item = f64>) {
    for (left, right) in left.iter().zip(right) {
        assert!((f64::from(*left) - right).abs() < 1e-4, "{left} is not {right}");
    }
}

#[test]
fn logits_with_a_memory_equal_those_of_the_whole_sequence_and_the_reference() {
    for network in networks() {
        check_memory(&network);
    }
}

fn check_memory(network: &Network) {
    let weights = random_values(network.layout.total, 1);
    let exact: Vec<f64> = weights.iter().map(|weight| f64::from(*weight)).collect();
    let tokens: Vec<u32> = (0..90).map(|index| index * 7 % 23).collect();
    let expected = reference::logits(network, &exact, &tokens);
    let mut memory = Memory::new(network);
    // A prompt longer than a block of attention, then one token at a time, then some at once.
    let mut read = 0;
    for portion in [70, 1, 1, 1, 1, 9, 1, 6] {
        let logits = memory.read(network, &weights, &tokens[read..read + portion]);
        read += portion;
        assert_near(logits, expected[read - 1].iter().copied());
        let whole = all_at_once(network, &weights, &tokens[..read]);
        assert_near(logits, whole.iter().map(|logit| f64::from(*logit)));
    }
}
