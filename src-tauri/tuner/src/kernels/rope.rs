//! Rotary position embedding, in Hugging Face's pairing: column `i` turns with column `i + half`.

use super::lanes::widest;

/// The sines and cosines of every position a model can read.
#[derive(Debug, Clone)]
pub(crate) struct Rotations {
    half: usize,
    turns: Vec<(f32, f32)>,
}

/// Which way to turn: as the forward pass does, or back again, as a gradient must.
#[derive(Clone, Copy)]
pub(crate) enum Turn {
    Forward,
    Back,
}

impl Rotations {
    /// Rotations at positions below `positions`, for heads whose column `i` turns by `speeds[i]`
    /// from one position to the next.
    pub fn new(speeds: &[f64], positions: usize) -> Rotations {
        let turns = (0..positions)
            .flat_map(|position| {
                speeds.iter().map(move |speed| {
                    let angle = position as f64 * speed;
                    (angle.sin() as f32, angle.cos() as f32)
                })
            })
            .collect();
        Rotations { half: speeds.len(), turns }
    }

    /// Turns the first `heads` heads of one row in place.
    ///
    /// # Panics
    /// If `position` is not below the number of positions.
    pub fn turn(&self, row: &mut [f32], heads: usize, position: usize, way: Turn) {
        let half = self.half;
        let turns = &self.turns[position * half..(position + 1) * half];
        let sign = match way {
            Turn::Forward => 1.0,
            Turn::Back => -1.0,
        };
        widest!({
            for head in row.chunks_exact_mut(2 * half).take(heads) {
                let (first, second) = head.split_at_mut(half);
                for ((a, b), (sin, cos)) in first.iter_mut().zip(second).zip(turns) {
                    let sin = sin * sign;
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        });
    }
}
