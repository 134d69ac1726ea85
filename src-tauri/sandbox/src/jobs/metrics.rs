//! The two CSV files of a job: a row a step, and a row a validation. Each file is put into S3 whole: a reader never
//! sees half of one.

use std::fmt::Write;

use crate::s3::store::{ObjectStore, StoreError};

/// Step, epoch, loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row(pub(super) u64, pub(super) u32, pub(super) f64);

#[derive(Debug, Default)]
pub(super) struct Metrics {
    steps: Vec<Row>,
    validations: Vec<Row>,
    changed: bool,
}

impl Metrics {
    /// Training starts at `step`: rows from there on will be told again.
    pub(super) fn start_at(&mut self, step: u64) {
        self.steps.retain(|row| row.0 < step);
        self.validations.retain(|row| row.0 < step);
        self.changed = true;
    }

    pub(super) fn step(&mut self, row: Row) {
        self.steps.push(row);
        self.changed = true;
    }

    pub(super) fn validation(&mut self, row: Row) {
        self.validations.push(row);
        self.changed = true;
    }

    /// Puts what changed since the last call into S3 under `prefix`.
    pub(super) fn flush(&mut self, store: &ObjectStore, bucket: &str, prefix: &str) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        let steps = csv("training_loss", &self.steps);
        let key = format!("{prefix}training_artifacts/step_wise_training_metrics.csv");
        store.put(bucket, &key, steps.as_bytes(), "text/csv")?;
        if !self.validations.is_empty() {
            let validations = csv("validation_loss", &self.validations);
            let key = format!("{prefix}validation_artifacts/post_fine_tuning_validation/validation_metrics.csv");
            store.put(bucket, &key, validations.as_bytes(), "text/csv")?;
        }
        self.changed = false;
        Ok(())
    }
}

fn csv(loss: &str, rows: &[Row]) -> String {
    let mut text = format!("step_number,epoch_number,{loss},perplexity\n");
    for Row(step, epoch, value) in rows {
        // Writing into a String does not fail.
        writeln!(text, "{step},{epoch},{value},{}", value.exp()).unwrap_or_default();
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn rows_after_a_checkpoint_are_told_again_and_stand_once() {
        let folder = tempfile::tempdir().unwrap();
        let home = crate::home::Home::open(folder.path()).unwrap();
        let store = ObjectStore::open(&home, "us-east-1").unwrap();
        store.create_bucket("bucket", "us-east-1", 0).unwrap();
        let mut metrics = Metrics::default();
        metrics.start_at(0);
        metrics.step(Row(0, 0, 1.0));
        metrics.step(Row(1, 0, 0.25));
        metrics.flush(&store, "bucket", "out/").unwrap();
        metrics.start_at(1);
        metrics.step(Row(1, 0, 0.5));
        metrics.step(Row(2, 1, 0.0));
        metrics.flush(&store, "bucket", "out/").unwrap();
        let text = std::fs::read_to_string(
            folder.path().join("s3/bucket/out/training_artifacts/step_wise_training_metrics.csv"),
        );
        let expected = format!(
            "step_number,epoch_number,training_loss,perplexity\n0,0,1,{}\n1,0,0.5,{}\n2,1,0,1\n",
            1_f64.exp(),
            0.5_f64.exp()
        );
        assert_eq!(text.unwrap(), expected);
    }
}
