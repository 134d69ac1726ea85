//! The CSV files of a job: a row a step, and a row a validation. Each file is put into S3 whole: a reader never sees
//! half of one.
//!
//! AWS documents one validation file. Where there are several validators, each has one of that name in a folder of its
//! own, numbered in the order of the request. A run that validation ended early says so in a file beside the steps,
//! which is the sandbox's own: AWS documents none.

use std::fmt::Write;

use serde_json::json;

use crate::s3::store::{ObjectStore, StoreError};

/// Step, epoch, loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row(pub(super) u64, pub(super) u32, pub(super) f64);

#[derive(Debug, Default)]
pub(super) struct Metrics {
    steps: Vec<Row>,
    /// One list for each validator.
    validations: Vec<Vec<Row>>,
    /// Steps that the run is to take, and those after which it ended.
    planned: u64,
    ended_after: Option<u64>,
    changed: bool,
}

impl Metrics {
    pub(super) fn new(validators: usize) -> Self {
        Self { validations: vec![Vec::new(); validators], ..Self::default() }
    }

    /// Training starts at `step`: rows from there on will be told again.
    pub(super) fn start_at(&mut self, step: u64, planned: u64) {
        self.steps.retain(|row| row.0 < step);
        self.validations.iter_mut().for_each(|rows| rows.retain(|row| row.0 < step));
        self.planned = planned;
        self.changed = true;
    }

    pub(super) fn step(&mut self, row: Row) {
        self.steps.push(row);
        self.changed = true;
    }

    pub(super) fn validation(&mut self, validator: usize, row: Row) {
        if let Some(rows) = self.validations.get_mut(validator) {
            rows.push(row);
            self.changed = true;
        }
    }

    pub(super) fn ended_after(&mut self, steps: u64) {
        self.ended_after = Some(steps);
        self.changed = true;
    }

    /// Puts what changed since the last call into S3 under `prefix`.
    pub(super) fn flush(&mut self, store: &ObjectStore, bucket: &str, prefix: &str) -> Result<(), StoreError> {
        if !self.changed {
            return Ok(());
        }
        let put =
            |name: &str, text: String, kind: &str| store.put(bucket, &format!("{prefix}{name}"), text.as_bytes(), kind);
        put("training_artifacts/step_wise_training_metrics.csv", csv("training_loss", &self.steps), "text/csv")?;
        let alone = self.validations.len() == 1;
        for (index, rows) in self.validations.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let own = if alone { String::new() } else { format!("validator_{}/", index + 1) };
            let name = format!("validation_artifacts/post_fine_tuning_validation/{own}validation_metrics.csv");
            put(&name, csv("validation_loss", rows), "text/csv")?;
        }
        if let Some(steps) = self.ended_after.filter(|steps| *steps < self.planned) {
            let epochs = self.steps.last().map_or(0, |row| row.1 + 1);
            let text = json!({ "steps_trained": steps, "steps_planned": self.planned, "epochs_trained": epochs });
            put("training_artifacts/early_stopping.json", format!("{text}\n"), "application/json")?;
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
        let mut metrics = Metrics::new(2);
        metrics.start_at(0, 9);
        metrics.step(Row(0, 0, 1.0));
        metrics.step(Row(1, 0, 0.25));
        metrics.flush(&store, "bucket", "out/").unwrap();
        metrics.start_at(1, 9);
        metrics.step(Row(1, 0, 0.5));
        metrics.step(Row(2, 1, 0.0));
        metrics.validation(1, Row(2, 1, 0.0));
        metrics.ended_after(3);
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
        let out = folder.path().join("s3/bucket/out");
        let of_second = out.join("validation_artifacts/post_fine_tuning_validation/validator_2/validation_metrics.csv");
        let text = std::fs::read_to_string(of_second).unwrap();
        assert_eq!(text, "step_number,epoch_number,validation_loss,perplexity\n2,1,0,1\n");
        let text = std::fs::read_to_string(out.join("training_artifacts/early_stopping.json")).unwrap();
        assert_eq!(text, "{\"steps_trained\":3,\"steps_planned\":9,\"epochs_trained\":2}\n");
    }
}
