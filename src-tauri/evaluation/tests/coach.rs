//! The coach on recorded loss curves. `tests/curves/runs.toml` says how each was made and what is wrong with it;
//! `scripts/record-curves` records them anew. Thresholds were chosen on the curves of the set `choose`, and only there.
#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]
#![expect(clippy::print_stdout, reason = "each verdict is worth seeing where one fails")]

use std::path::Path;

use serde::Deserialize;
use whetstone_evaluation::coach::{Change, Fault, Finding, Run, coach};

#[derive(Deserialize)]
struct List {
    runs: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    name: String,
    /// `choose` or `judge`.
    set: String,
    /// What is known to be wrong, from the settings.
    fault: String,
    training_records: u64,
    #[serde(default = "once")]
    repeated: u64,
    epochs: u32,
    batch_size: u32,
    learning_rate: f64,
    lora_rank: Option<u32>,
}

fn once() -> u64 {
    1
}

type Points = Vec<(f64, f64)>;

impl Recorded {
    fn curves(&self) -> (Points, Points) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/curves/{}.csv", self.name));
        let (mut training, mut validation) = (Vec::new(), Vec::new());
        for row in csv::Reader::from_path(path).unwrap().records() {
            let row = row.unwrap();
            let number = |at: usize| row[at].parse::<f64>();
            let step = number(0).unwrap();
            training.push((step, number(2).unwrap()));
            validation.extend(number(3).ok().map(|loss| (step, loss)));
        }
        (training, validation)
    }

    fn coached(&self) -> Vec<Finding> {
        let (training, validation) = self.curves();
        let records = self.training_records * self.repeated;
        let steps_per_epoch = records.div_ceil(u64::from(self.batch_size)) as f64;
        // What the bundled model is tuned with, in full and by adapter (docs/sandbox.md).
        let usual = if self.lora_rank.is_some() { 0.002 } else { 0.001 };
        coach(&Run {
            training: &training,
            validation: &validation,
            steps_per_epoch: Some(steps_per_epoch),
            total_steps: Some(steps_per_epoch * f64::from(self.epochs)),
            epochs: Some(f64::from(self.epochs)),
            learning_rate: Some(self.learning_rate),
            usual_learning_rate: Some(usual),
            training_records: Some(records),
        })
    }

    fn fault(&self) -> Option<Fault> {
        match self.fault.as_str() {
            "none" => None,
            "divergence" => Some(Fault::Divergence),
            "rateTooHigh" => Some(Fault::RateTooHigh),
            "tooLittleData" => Some(Fault::TooLittleData),
            "memorised" => Some(Fault::Memorised),
            "overfitting" => Some(Fault::Overfitting),
            "plateau" => Some(Fault::Plateau),
            other => panic!("{other} is no fault"),
        }
    }
}

fn recorded(set: &str) -> Vec<Recorded> {
    let list: List = toml::from_str(include_str!("curves/runs.toml")).unwrap();
    list.runs.into_iter().filter(|run| run.set == set).collect()
}

/// How many of a set's curves with a fault are told rightly, of how many; each curve's verdict is printed.
fn judged(set: &str) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for run in recorded(set) {
        let findings = run.coached();
        let told = findings.first().map(|finding| finding.fault);
        println!(
            "{} {}: {:?}, known {:?}",
            if told == run.fault() { "right" } else { "WRONG" },
            run.name,
            told,
            run.fault()
        );
        match run.fault() {
            None => assert_eq!(told, None, "{} is healthy and alarmed the coach: {:?}", run.name, findings),
            Some(fault) => {
                all += 1;
                right += usize::from(told == Some(fault));
            }
        }
    }
    println!("{set}: {right} of {all}");
    (right, all)
}

#[test]
fn faults_are_told_rightly_in_eighteen_of_twenty_curves_that_no_threshold_has_seen() {
    let (right, all) = judged("judge");
    assert_eq!(all, 20);
    assert!(right >= 18, "{right} of {all}");
    assert_eq!(recorded("judge").iter().filter(|run| run.fault().is_none()).count(), 5);
}

#[test]
fn the_curves_that_thresholds_were_chosen_on_are_all_told_rightly() {
    let (right, all) = judged("choose");
    assert_eq!(right, all);
}

#[test]
fn half_a_healthy_training_alarms_no_one() {
    for run in recorded("judge").into_iter().chain(recorded("choose")).filter(|run| run.fault().is_none()) {
        let (training, validation) = run.curves();
        for part in [4, 3, 2] {
            let steps = training.len() / part;
            let findings = coach(&Run {
                training: &training[..steps],
                validation: &validation.iter().copied().filter(|(step, _)| *step < steps as f64).collect::<Vec<_>>(),
                steps_per_epoch: Some(training.len() as f64 / f64::from(run.epochs)),
                total_steps: Some(training.len() as f64),
                epochs: Some(f64::from(run.epochs)),
                learning_rate: Some(run.learning_rate),
                usual_learning_rate: Some(run.learning_rate),
                training_records: Some(run.training_records),
            });
            assert_eq!(findings, [], "{} after a {part}th", run.name);
        }
    }
}

#[test]
fn a_loss_that_is_no_number_is_a_divergence_whatever_else_there_is() {
    let training: Vec<(f64, f64)> =
        (0..40).map(|step| (f64::from(step), if step < 30 { 4.0 } else { f64::NAN })).collect();
    let run = Run {
        training: &training,
        validation: &[],
        steps_per_epoch: None,
        total_steps: None,
        epochs: None,
        learning_rate: Some(0.01),
        usual_learning_rate: Some(0.001),
        training_records: None,
    };
    let findings = coach(&run);
    assert_eq!(findings[0].fault, Fault::Divergence);
    assert_eq!(findings[0].change, Some(Change::LearningRate(0.001)));
    assert!(findings[0].seen.contains("step 30"), "{}", findings[0].seen);
}

#[test]
fn the_advice_for_overfitting_ends_the_training_where_validation_was_best() {
    let run = recorded("judge").into_iter().find(|run| run.fault() == Some(Fault::Overfitting)).unwrap();
    let (_, validation) = run.curves();
    let best = validation.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
    let steps_per_epoch = run.training_records.div_ceil(u64::from(run.batch_size)) as f64;
    let epochs = ((best + 1.0) / steps_per_epoch).ceil() as u32;
    let findings = run.coached();
    assert_eq!(findings[0].change, Some(Change::Epochs(epochs)), "{findings:?}");
}

#[test]
fn a_few_steps_and_none_say_nothing() {
    let training = [(0.0, 4.0), (1.0, 9.0), (2.0, 9.5)];
    for training in [&training[..], &[]] {
        let run = Run {
            training,
            validation: &[],
            steps_per_epoch: None,
            total_steps: None,
            epochs: None,
            learning_rate: None,
            usual_learning_rate: None,
            training_records: Some(8),
        };
        assert_eq!(coach(&run), []);
    }
}
