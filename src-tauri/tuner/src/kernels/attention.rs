//! Causal attention of one sequence, a block of query rows at a time.
//!
//! Keys that a block cannot see are never multiplied, and the probabilities are not kept: the way
//! back works them out again from each row's log-sum, so memory does not grow with the square of
//! the length. Sequences of a batch never meet, because each is given alone.

use super::exponential::exp;
use super::lanes::{dot, exponentials, highest, widest};
use crate::product::{Into, View, ViewMut, multiply};

/// Query rows handled together.
const BLOCK: usize = 64;

/// How the heads lie in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub queries: usize,
    pub keys: usize,
    pub width: usize,
}

impl Heads {
    fn key_of(self, query_head: usize) -> usize {
        query_head * self.keys / self.queries
    }

    fn scale(self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// A matrix of heads inside rows that may hold more: where it starts and how far rows are apart.
#[derive(Clone, Copy)]
pub(crate) struct HeadRows<'a> {
    pub values: &'a [f32],
    pub start: usize,
    pub stride: usize,
}

impl<'a> HeadRows<'a> {
    fn view(self, heads: Heads, head: usize, first_row: usize, rows: usize) -> View<'a> {
        let from = first_row * self.stride + self.start + head * heads.width;
        View::strided(&self.values[from..], rows, heads.width, self.stride)
    }
}

/// Reusable room for scores.
#[derive(Default)]
pub(crate) struct Scratch {
    scores: Vec<f32>,
    slopes: Vec<f32>,
}

/// Attends from `rows` queries, the first at position `first` of the keys, into `output`
/// (rows of all query heads). `log_sums` holds one number per row and query head.
#[expect(clippy::too_many_arguments, reason = "three matrices, their places and two results")]
pub(crate) fn forward(
    heads: Heads,
    queries: HeadRows<'_>,
    keys: HeadRows<'_>,
    values: HeadRows<'_>,
    rows: usize,
    first: usize,
    output: &mut [f32],
    log_sums: &mut [f32],
    scratch: &mut Scratch,
) {
    let stride = heads.queries * heads.width;
    for head in 0..heads.queries {
        let key_head = heads.key_of(head);
        for start in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - start);
            let seen = first + start + count;
            let scores = room(&mut scratch.scores, count * seen);
            multiply(
                ViewMut::packed(scores, count, seen),
                Into::Replace,
                heads.scale(),
                queries.view(heads, head, start, count),
                keys.view(heads, key_head, 0, seen).transposed(),
                1,
            );
            for (row, scores) in scores.chunks_exact_mut(seen).enumerate() {
                let visible = first + start + row + 1;
                log_sums[(start + row) * heads.queries + head] = softmax(scores, visible);
            }
            let out = &mut output[start * stride + head * heads.width..];
            multiply(
                ViewMut::strided(out, count, heads.width, stride),
                Into::Replace,
                1.0,
                View::packed(scores, count, seen),
                values.view(heads, key_head, 0, seen),
                1,
            );
        }
    }
}

/// Turns the first `visible` scores into probabilities, the others into nothing, and returns the
/// log of the sum of their exponentials.
fn softmax(scores: &mut [f32], visible: usize) -> f32 {
    let (seen, hidden) = scores.split_at_mut(visible);
    hidden.fill(0.0);
    widest!({
        let most = highest(seen);
        let sum = exponentials(seen, most);
        let share = 1.0 / sum;
        for score in seen.iter_mut() {
            *score *= share;
        }
        most + sum.ln()
    })
}

/// The gradient of one sequence's rows of queries, keys and values (`fused`, as the forward pass
/// read them) is written to `gradient`, which has the same shape and must hold zeros.
#[expect(clippy::too_many_arguments, reason = "the forward pass's matrices and their gradients")]
pub(crate) fn backward(
    heads: Heads,
    fused: &[f32],
    rows: usize,
    output: &[f32],
    output_gradient: &[f32],
    log_sums: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let width = heads.width;
    let stride = (heads.queries + 2 * heads.keys) * width;
    let out_stride = heads.queries * width;
    let key_start = heads.queries * width;
    let value_start = key_start + heads.keys * width;
    let part = |start| HeadRows { values: fused, start, stride };
    for head in 0..heads.queries {
        let key_head = heads.key_of(head);
        let key_column = key_start + key_head * width;
        let value_column = value_start + key_head * width;
        for start in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - start);
            let seen = start + count;
            let queries = part(0).view(heads, head, start, count);
            let keys = part(key_start).view(heads, key_head, 0, seen);
            let values = part(value_start).view(heads, key_head, 0, seen);
            let from = start * out_stride + head * width;
            let above = View::strided(&output_gradient[from..], count, width, out_stride);

            let chances = room(&mut scratch.scores, count * seen);
            let product = ViewMut::packed(chances, count, seen);
            multiply(product, Into::Replace, heads.scale(), queries, keys.transposed(), 1);
            for (row, chances) in chances.chunks_exact_mut(seen).enumerate() {
                let log_sum = log_sums[(start + row) * heads.queries + head];
                let (visible, hidden) = chances.split_at_mut(start + row + 1);
                widest!({
                    for chance in visible.iter_mut() {
                        *chance = exp(*chance - log_sum);
                    }
                });
                hidden.fill(0.0);
            }
            let chances_view = View::packed(chances, count, seen);
            let into = ViewMut::strided(&mut gradient[value_column..], seen, width, stride);
            multiply(into, Into::Add, 1.0, chances_view.transposed(), above, 1);

            let slopes = room(&mut scratch.slopes, count * seen);
            let product = ViewMut::packed(slopes, count, seen);
            multiply(product, Into::Replace, 1.0, above, values.transposed(), 1);
            for (row, (slopes, chances)) in slopes.chunks_exact_mut(seen).zip(chances.chunks_exact(seen)).enumerate() {
                let at = (start + row) * out_stride + head * width;
                widest!({
                    let along = dot(&output[at..at + width], &output_gradient[at..at + width]);
                    for (slope, chance) in slopes.iter_mut().zip(chances) {
                        *slope = chance * (*slope - along);
                    }
                });
            }
            let slopes = View::packed(slopes, count, seen);
            let query_at = start * stride + head * width;
            let into = ViewMut::strided(&mut gradient[query_at..], count, width, stride);
            multiply(into, Into::Add, heads.scale(), slopes, keys, 1);
            let into = ViewMut::strided(&mut gradient[key_column..], seen, width, stride);
            multiply(into, Into::Add, heads.scale(), slopes.transposed(), queries, 1);
        }
    }
}

/// The first `length` numbers of a buffer that grows when it must. What they hold is not defined.
fn room(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}
