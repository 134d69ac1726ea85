//! What a run needs to go on after its process died, in one file that is there whole or not at all.
//!
//! The order of the records is a function of seed and epoch, and nothing else is drawn at random
//! after the first step, so the position stands for the state of every generator.

use std::collections::HashMap;
use std::path::Path;

use half::bf16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::TunerError;
use crate::files;
use crate::optimizer::{Averages, Moments};
use crate::training::Position;

/// The checkpoint's file name inside a run's folder.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint";

/// A run's state between two steps.
#[derive(Debug, PartialEq)]
pub(crate) struct Checkpoint {
    /// Says which run this is; a checkpoint of another run is refused.
    pub identity: String,
    pub position: Position,
    pub trainable: Vec<f32>,
    pub moments: Moments,
}

/// Writes a checkpoint into `dir`.
pub(crate) fn write(
    dir: &Path,
    identity: &str,
    position: &Position,
    trainable: &[f32],
    moments: &Moments,
) -> Result<(), TunerError> {
    let failed = |error: String| TunerError::Checkpoint(error);
    let (dtype, first, second) = match moments {
        Moments::Single(Averages { first, second }) => (Dtype::F32, bytes(first), bytes(second)),
        Moments::Half(Averages { first, second }) => (Dtype::BF16, half_bytes(first), half_bytes(second)),
    };
    let arrays = [("trainable", Dtype::F32, bytes(trainable)), ("first", dtype, first), ("second", dtype, second)];
    let views: Result<Vec<_>, _> = arrays
        .iter()
        .map(|(name, dtype, bytes)| TensorView::new(*dtype, vec![trainable.len()], bytes).map(|view| (*name, view)))
        .collect();
    let views = views.map_err(|error| failed(error.to_string()))?;
    let position = serde_json::to_string(position).map_err(|error| failed(error.to_string()))?;
    let about = HashMap::from([("identity".to_string(), identity.to_string()), ("position".to_string(), position)]);
    let file = safetensors::serialize(views, Some(about)).map_err(|error| failed(error.to_string()))?;
    let path = dir.join(CHECKPOINT_FILE);
    files::write_atomically(&path, &file).map_err(TunerError::file("could not write", &path))
}

/// Reads the checkpoint in `dir`, if there is one, for a run with this identity and so many
/// trainable numbers.
pub(crate) fn read(dir: &Path, identity: &str, length: usize) -> Result<Option<Checkpoint>, TunerError> {
    let path = dir.join(CHECKPOINT_FILE);
    let file = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(TunerError::file("could not read", &path))?,
    };
    let damaged = |error: String| TunerError::Checkpoint(format!("it is damaged: {error}"));
    let (_, header) = SafeTensors::read_metadata(&file).map_err(|error| damaged(error.to_string()))?;
    let about = header.metadata().as_ref();
    let entry = |name: &str| about.and_then(|about| about.get(name)).ok_or_else(|| damaged(format!("no {name}")));
    if entry("identity")? != identity {
        let why = "it was written by a run with other settings or other data";
        return Err(TunerError::Checkpoint(why.to_string()));
    }
    let position = serde_json::from_str(entry("position")?).map_err(|error| damaged(error.to_string()))?;
    let tensors = SafeTensors::deserialize(&file).map_err(|error| damaged(error.to_string()))?;
    let array = |name: &str, dtype: Dtype| {
        let tensor = tensors.tensor(name).map_err(|error| damaged(error.to_string()))?;
        if tensor.dtype() != dtype || tensor.shape() != [length] {
            return Err(damaged(format!("{name} has another form")));
        }
        Ok(tensor)
    };
    let single = |name: &str| array(name, Dtype::F32).map(|tensor| numbers(tensor.data()));
    let half = |name: &str| array(name, Dtype::BF16).map(|tensor| half_numbers(tensor.data()));
    let halved = tensors.tensor("first").is_ok_and(|tensor| tensor.dtype() == Dtype::BF16);
    let moments = if halved {
        Moments::Half(Averages { first: half("first")?, second: half("second")? })
    } else {
        Moments::Single(Averages { first: single("first")?, second: single("second")? })
    };
    Ok(Some(Checkpoint { identity: identity.to_string(), position, trainable: single("trainable")?, moments }))
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn half_bytes(values: &[bf16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn half_numbers(bytes: &[u8]) -> Vec<bf16> {
    let (numbers, _) = bytes.as_chunks::<2>();
    numbers.iter().map(|bytes| bf16::from_le_bytes(*bytes)).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    fn some_state() -> (Position, Vec<f32>, Moments) {
        let position = Position {
            step: 7,
            epoch_loss: 1.25,
            epoch_predicted: 9,
            validation_losses: vec![0.1],
            best: Some(0.1),
            without_progress: 1,
        };
        let moments = Moments::Single(Averages { first: vec![0.5, -1e-30], second: vec![3.0, f32::MIN_POSITIVE] });
        (position, vec![1.0 / 3.0, -2.0], moments)
    }

    #[test]
    fn a_checkpoint_comes_back_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), "me", 2).unwrap(), None);
        let (position, trainable, moments) = some_state();
        write(dir.path(), "me", &position, &trainable, &moments).unwrap();
        let found = read(dir.path(), "me", 2).unwrap().unwrap();
        assert_eq!((found.position, found.trainable, found.moments), some_state());
        let halved = |value: f32| vec![bf16::from_f32(value), bf16::MIN_POSITIVE];
        let moments = Moments::Half(Averages { first: halved(-0.3), second: halved(7e9) });
        write(dir.path(), "me", &position, &trainable, &moments).unwrap();
        assert_eq!(read(dir.path(), "me", 2).unwrap().unwrap().moments, moments);
    }

    #[test]
    fn a_checkpoint_cut_while_it_was_written_is_not_picked_up() {
        let dir = tempfile::tempdir().unwrap();
        let (mut position, trainable, moments) = some_state();
        write(dir.path(), "me", &position, &trainable, &moments).unwrap();
        let whole = std::fs::read(dir.path().join(CHECKPOINT_FILE)).unwrap();
        // A process that dies while writing the next one leaves a part of it beside the last.
        std::fs::write(dir.path().join("checkpoint.part"), &whole[..whole.len() / 2]).unwrap();
        assert_eq!(read(dir.path(), "me", 2).unwrap().unwrap().position.step, 7);
        position.step = 8;
        write(dir.path(), "me", &position, &trainable, &moments).unwrap();
        assert_eq!(read(dir.path(), "me", 2).unwrap().unwrap().position.step, 8);
    }

    #[test]
    fn a_damaged_or_foreign_checkpoint_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (position, trainable, moments) = some_state();
        write(dir.path(), "me", &position, &trainable, &moments).unwrap();
        assert!(read(dir.path(), "you", 2).is_err());
        assert!(read(dir.path(), "me", 3).is_err());
        let path = dir.path().join(CHECKPOINT_FILE);
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 4, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read(dir.path(), "me", 2).is_err());
        }
    }
}
