//! A training run from outside: its folder, its process and its events, on a model made on the spot.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use whetstone_tuner::pretraining::{Recipe, pretrain};
use whetstone_tuner::{
    Approach, Decay, EarlyStopping, LanguageModel, LoraSettings, MODEL_FOLDER, Objective, Role, RunEvent, RunSpec,
    SampleOptions, Savings, StopReason, TunerError, Turn, WorkerEnd, run_worker,
};

const COLOURS: [&str; 4] = ["red", "green", "blue", "grey"];

/// A base model of a few thousand weights, made once for all tests of this process.
fn base() -> &'static Path {
    static BASE: OnceLock<TempDir> = OnceLock::new();
    BASE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let text: Vec<String> = (0..700)
            .map(|index| {
                let colour = COLOURS[index % 4];
                format!("The {colour} door has number {index}. Behind it stands a {colour} chair. Nobody sits there.")
            })
            .collect();
        fs::write(dir.path().join("doors.txt"), text.join("\n\n")).unwrap();
        let recipe = Recipe {
            vocabulary: 300,
            hidden: 64,
            gated: 96,
            layers: 1,
            context: 96,
            rounds: 8,
            batch_size: 8,
            learning_rate: 3e-3,
            warmup_steps: 5,
            seed: 1,
            threads: 2,
        };
        let mut losses = Vec::new();
        let model = dir.path().join("model");
        let summary = pretrain(dir.path(), &model, &recipe, &mut |_, _, loss| losses.push(loss)).unwrap();
        assert!(summary.held_out_loss < losses[0] / 2.0, "{summary:?}");
        dir
    })
    .path()
}

fn records(count: usize, offset: usize) -> String {
    (offset..offset + count)
        .map(|index| {
            let colour = COLOURS[index * 7 % 4];
            let turns = [
                Turn::new(Role::User, format!("Which colour has door {index}, the {colour} one?")),
                Turn::new(Role::Assistant, colour),
            ];
            serde_json::json!({ "turns": turns }).to_string() + "\n"
        })
        .collect()
}

fn spec(approach: Approach) -> RunSpec {
    RunSpec {
        model: Some(base().join("model")),
        training: "train.jsonl".into(),
        validation: vec!["validation.jsonl".into()],
        objective: Objective::Completion,
        approach,
        epochs: 3,
        batch_size: 8,
        learning_rate: 5e-3,
        decay: Decay::Cosine,
        warmup_steps: 3,
        seed: 11,
        threads: 2,
        savings: Savings::default(),
        validate_every: Some(4),
        early_stopping: None,
        checkpoint_every_seconds: 3600,
    }
}

fn folder(spec: &RunSpec) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("train.jsonl"), records(50, 0)).unwrap();
    fs::write(dir.path().join("validation.jsonl"), records(10, 100)).unwrap();
    spec.write(dir.path()).unwrap();
    dir
}

/// Runs until the end, or until `steps` steps are taken.
fn work(dir: &Path, steps: Option<u64>) -> (Result<WorkerEnd, TunerError>, Vec<RunEvent>) {
    let asked = Cell::new(0);
    let mut lines = Vec::new();
    let result = run_worker(dir, &mut lines, || {
        asked.set(asked.get() + 1);
        steps.is_some_and(|steps| asked.get() >= steps)
    });
    let events = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (result, events.map(|line| serde_json::from_slice(line).unwrap()).collect())
}

/// What must repeat: everything but how fast it went.
fn figures(events: &[RunEvent]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match event {
            RunEvent::Step { step, epoch, loss, learning_rate, tokens, .. } => {
                Some(format!("{step} {epoch} {loss} {learning_rate} {tokens}"))
            }
            RunEvent::Validation { .. } | RunEvent::Finished { .. } => Some(format!("{event:?}")),
            _ => None,
        })
        .collect()
}

fn answer(dir: &Path, question: &str) -> String {
    let model = LanguageModel::load(&dir.join(MODEL_FOLDER)).unwrap();
    let options = SampleOptions { max_tokens: 8, temperature: 0.0, ..SampleOptions::default() };
    let turns = [Turn::new(Role::User, question)];
    model.generate(&turns, &options, &mut |_| ControlFlow::Continue(())).unwrap().text
}

fn learns(approach: Approach) {
    let dir = folder(&RunSpec { epochs: 5, ..spec(approach) });
    fs::write(dir.path().join("train.jsonl"), records(300, 200)).unwrap();
    let (result, events) = work(dir.path(), None);
    assert_eq!(result.unwrap(), WorkerEnd::Finished);
    assert!(matches!(events[0], RunEvent::Started { total_steps: 190, records: 300, resumed_from: None, .. }));
    let Some(RunEvent::Finished { steps: 190, training_loss, validation_losses }) = events.last() else {
        panic!("{:?}", events.last());
    };
    let [validation] = validation_losses.as_slice() else { panic!("{validation_losses:?}") };
    assert!(*training_loss < 0.1 && *validation < 0.2, "{training_loss} {validation}");
    assert_eq!(answer(dir.path(), "Which colour has door 503, the grey one?"), "grey");
    assert!(!dir.path().join("checkpoint").exists());
}

#[test]
fn each_set_of_validation_data_is_measured_and_a_run_that_no_longer_gets_better_ends() {
    let patient = EarlyStopping { patience: 2, threshold: 0.05 };
    let validation = vec!["validation.jsonl".into(), "other.jsonl".into()];
    // At this rate, nothing gets better by so much.
    let stopped = RunSpec {
        learning_rate: 1e-6,
        epochs: 9,
        validate_every: None,
        validation,
        early_stopping: Some(patient),
        ..spec(Approach::Full)
    };
    let dir = folder(&stopped);
    fs::write(dir.path().join("other.jsonl"), records(7, 300)).unwrap();
    let (result, events) = work(dir.path(), None);
    assert_eq!(result.unwrap(), WorkerEnd::Finished);
    assert!(matches!(events[0], RunEvent::Started { total_steps: 63, .. }));
    let measured: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            RunEvent::Validation { set, step, epoch, loss } => Some((*step, *epoch, *set, *loss)),
            _ => None,
        })
        .collect();
    let places: Vec<_> = measured.iter().map(|(step, epoch, set, _)| (*step, *epoch, *set)).collect();
    assert_eq!(places, [(6, 0, 0), (6, 0, 1), (13, 1, 0), (13, 1, 1), (20, 2, 0), (20, 2, 1)]);
    let Some(RunEvent::Finished { steps: 21, validation_losses, .. }) = events.last() else {
        panic!("{:?}", events.last());
    };
    assert_eq!(*validation_losses, [measured[4].3, measured[5].3]);
    assert_ne!(validation_losses[0], validation_losses[1]);
    // Started once more, it tells the same end.
    let (_, again) = work(dir.path(), None);
    assert!(matches!(again[0], RunEvent::Started { total_steps: 63, resumed_from: Some(21), .. }));
    assert_eq!(again.last(), events.last());
}

#[test]
fn full_tuning_teaches_the_model_to_answer_what_it_has_not_seen() {
    learns(Approach::Full);
}

#[test]
fn adapters_teach_the_model_to_answer_what_it_has_not_seen() {
    learns(Approach::Lora(LoraSettings::of_rank(8)));
}

#[test]
fn the_same_seed_gives_the_same_losses_and_another_seed_does_not() {
    let run = |seed| {
        let dir = folder(&RunSpec { seed, ..spec(Approach::Lora(LoraSettings::of_rank(4))) });
        figures(&work(dir.path(), None).1)
    };
    let first = run(11);
    assert_eq!(first, run(11));
    assert_ne!(first, run(12));
}

#[test]
fn a_run_that_was_interrupted_repeats_the_uninterrupted_one() {
    for approach in [Approach::Full, Approach::Lora(LoraSettings::of_rank(4))] {
        let whole = folder(&spec(approach.clone()));
        let expected = figures(&work(whole.path(), None).1);
        let dir = folder(&spec(approach));
        let mut told = Vec::new();
        for steps in [3, 5, 6] {
            let (result, events) = work(dir.path(), Some(steps));
            assert_eq!(result.unwrap(), WorkerEnd::ParentGone);
            told.extend(figures(&events));
        }
        let (result, events) = work(dir.path(), None);
        assert_eq!(result.unwrap(), WorkerEnd::Finished);
        assert!(matches!(events[0], RunEvent::Started { resumed_from: Some(14), .. }), "{:?}", events[0]);
        told.extend(figures(&events));
        assert_eq!(told, expected);
        let weights = |dir: &TempDir| fs::read(dir.path().join(MODEL_FOLDER).join("model.safetensors")).unwrap();
        assert!(weights(&dir) == weights(&whole), "the resumed run's weights differ");
    }
}

#[test]
fn what_dropout_leaves_out_and_half_averages_repeat_after_an_interruption() {
    let left_out = LoraSettings { dropout: 0.2, ..LoraSettings::of_rank(4) };
    let run = RunSpec {
        decay: Decay::Linear,
        savings: Savings { half_averages: true, gradient_checkpointing: true, ..Savings::default() },
        ..spec(Approach::Lora(left_out))
    };
    let whole = folder(&run);
    let expected = figures(&work(whole.path(), None).1);
    let dir = folder(&run);
    let mut told = figures(&work(dir.path(), Some(5)).1);
    told.extend(figures(&work(dir.path(), None).1));
    assert_eq!(told, expected);
    let without = folder(&RunSpec { approach: Approach::Lora(LoraSettings::of_rank(4)), ..run });
    assert_ne!(figures(&work(without.path(), None).1), expected);
}

#[test]
fn a_step_in_small_portions_learns_the_same() {
    let losses = |tokens_at_once| {
        let savings = Savings { tokens_at_once, ..Savings::default() };
        let dir = folder(&RunSpec { savings, ..spec(Approach::Full) });
        let step = |event: RunEvent| if let RunEvent::Step { loss, .. } = event { Some(loss) } else { None };
        work(dir.path(), None).1.into_iter().filter_map(step).collect::<Vec<f64>>()
    };
    let (whole, portions) = (losses(None), losses(Some(1)));
    assert_eq!(whole.len(), 21);
    assert!(whole.iter().zip(&portions).all(|(a, b)| (a - b).abs() < 1e-4), "{whole:?} {portions:?}");
}

#[test]
fn a_worker_started_on_a_finished_run_tells_its_result_again() {
    let dir = folder(&spec(Approach::Full));
    let (_, first) = work(dir.path(), None);
    let (result, again) = work(dir.path(), None);
    assert_eq!(result.unwrap(), WorkerEnd::Finished);
    assert_eq!(again.last(), first.last());
    assert!(matches!(again[0], RunEvent::Started { resumed_from: Some(21), .. }));
    assert_eq!(again.len(), 2);
}

#[test]
fn settings_and_data_that_cannot_work_fail_with_the_reason() {
    let nothing_to_measure = RunSpec {
        validation: Vec::new(),
        early_stopping: Some(EarlyStopping { patience: 1, threshold: 0.0 }),
        ..spec(Approach::Full)
    };
    let cases: [(RunSpec, &str); 5] = [
        (nothing_to_measure, "early stopping"),
        (RunSpec { epochs: 0, ..spec(Approach::Full) }, "epochs"),
        (spec(Approach::Lora(LoraSettings::of_rank(65))), "from 1 to the model's width, 64"),
        (RunSpec { training: "missing.jsonl".into(), ..spec(Approach::Full) }, "missing.jsonl"),
        (RunSpec { learning_rate: 1e30, ..spec(Approach::Full) }, "learning rate"),
    ];
    for (spec, reason) in cases {
        let dir = folder(&spec);
        let (result, events) = work(dir.path(), None);
        assert!(result.is_err());
        let Some(RunEvent::Failed { message }) = events.last() else { panic!("{events:?}") };
        assert!(message.contains(reason), "{message}");
        assert!(!dir.path().join(MODEL_FOLDER).exists());
    }
}

#[test]
fn a_checkpoint_of_other_settings_is_refused() {
    let dir = folder(&spec(Approach::Full));
    work(dir.path(), Some(2)).0.unwrap();
    RunSpec { learning_rate: 1e-4, ..spec(Approach::Full) }.write(dir.path()).unwrap();
    let (result, _) = work(dir.path(), None);
    assert!(matches!(result, Err(TunerError::Checkpoint(_))));
}

/// The most memory that the worker on `dir` ever took, as the kernel counts it.
#[cfg(target_os = "linux")]
fn measured_memory(dir: &Path) -> u64 {
    let mut worker = start(dir);
    let output = BufReader::new(worker.stdout.take().unwrap());
    let status = format!("/proc/{}/status", worker.id());
    let mut most = 0;
    // The run is over, its checkpoints and its model written, when its output ends; each line is a look.
    for line in output.lines() {
        assert!(!line.unwrap().contains("failed"));
        let status = fs::read_to_string(&status).unwrap_or_default();
        let field = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = field.and_then(|field| field.trim().strip_suffix(" kB")).and_then(|field| field.parse().ok());
        most = most.max(kilobytes.unwrap_or(0));
    }
    assert!(worker.wait().unwrap().success());
    most * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_that_a_run_takes_is_forecast() {
    // The bundled model with long records: so much that the program itself counts little.
    let long = |approach, savings| RunSpec {
        model: None,
        validation: Vec::new(),
        objective: Objective::AllTokens,
        epochs: 1,
        batch_size: 8,
        checkpoint_every_seconds: 0,
        savings,
        ..spec(approach)
    };
    let adapters = Approach::Lora(LoraSettings::of_rank(8));
    let all = Savings { gradient_checkpointing: true, half_averages: true, tokens_at_once: Some(300) };
    let (mut forecasts, mut peaks) = (Vec::new(), Vec::new());
    for (approach, savings) in [(Approach::Full, Savings::default()), (Approach::Full, all), (adapters, all)] {
        let run = long(approach, savings);
        let dir = folder(&run);
        let record = |index: usize| {
            let text = format!("Door {index} is open, and behind it is a long way down. ").repeat(20);
            serde_json::json!({ "turns": [Turn::new(Role::Assistant, text)] }).to_string() + "\n"
        };
        fs::write(dir.path().join("train.jsonl"), (0..8).map(record).collect::<String>()).unwrap();
        let forecast = run.forecast(dir.path()).unwrap().total();
        let measured = measured_memory(dir.path());
        let factor = forecast as f64 / measured as f64;
        assert!((0.8..1.5).contains(&factor), "forecast {forecast}, measured {measured}");
        forecasts.push(forecast);
        peaks.push(measured);
    }
    assert!(forecasts.is_sorted_by(|a, b| a > b), "{forecasts:?}");
    assert!(peaks.is_sorted_by(|a, b| a > b), "{peaks:?}");
}

fn start(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_whetstone-train-worker"))
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn long_run() -> TempDir {
    folder(&RunSpec { epochs: 100_000, checkpoint_every_seconds: 0, ..spec(Approach::Full) })
}

/// Reads events until one satisfies `wanted`.
fn wait_for(output: &mut impl BufRead, wanted: impl Fn(&RunEvent) -> bool) {
    let found = output.lines().any(|line| wanted(&serde_json::from_str(&line.unwrap()).unwrap()));
    assert!(found, "the worker's output ended early");
}

#[test]
fn a_worker_whose_standard_input_ends_keeps_a_checkpoint_and_stops() {
    let dir = long_run();
    let mut worker = start(dir.path());
    let mut output = BufReader::new(worker.stdout.take().unwrap());
    wait_for(&mut output, |event| matches!(event, RunEvent::Step { .. }));
    drop(worker.stdin.take());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(3));
    let last: RunEvent = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert!(matches!(last, RunEvent::Checkpoint { .. }), "{last:?}");
}

#[test]
fn a_second_worker_on_the_same_folder_is_refused() {
    let dir = long_run();
    let mut first = start(dir.path());
    let mut output = BufReader::new(first.stdout.take().unwrap());
    wait_for(&mut output, |event| matches!(event, RunEvent::Started { .. }));
    let (result, events) = work(dir.path(), None);
    assert!(matches!(result, Err(TunerError::Busy(_))));
    assert!(events.is_empty(), "a refused worker must not report the run as failed: {events:?}");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_worker_killed_at_any_moment_leaves_a_run_that_goes_on() {
    let dir = long_run();
    let mut reached = 0;
    for kill_after in [1, 2, 5] {
        let mut worker = start(dir.path());
        let mut output = BufReader::new(worker.stdout.take().unwrap());
        for _ in 0..kill_after {
            wait_for(&mut output, |event| matches!(event, RunEvent::Checkpoint { .. }));
        }
        worker.kill().unwrap();
        worker.wait().unwrap();
        let (result, events) = work(dir.path(), Some(1));
        assert_eq!(result.unwrap(), WorkerEnd::ParentGone);
        let RunEvent::Started { resumed_from: Some(step), .. } = events[0] else { panic!("{:?}", events[0]) };
        assert!(step >= reached + kill_after);
        reached = step;
    }
}

#[test]
fn a_run_killed_at_twenty_random_steps_repeats_the_uninterrupted_one() {
    for approach in [Approach::Full, Approach::Lora(LoraSettings::of_rank(4))] {
        let spec = RunSpec { epochs: 10, checkpoint_every_seconds: 0, ..spec(approach) };
        let whole = folder(&spec);
        let expected = figures(&work(whole.path(), None).1);
        let dir = folder(&spec);
        // A figure is told once more after a kill, and must then be the same.
        let mut told = std::collections::BTreeMap::new();
        let mut hear = |event: &RunEvent| {
            if let RunEvent::Step { step, .. } | RunEvent::Validation { step, .. } = event {
                let is_validation = matches!(event, RunEvent::Validation { .. });
                let figure = figures(std::slice::from_ref(event)).remove(0);
                let before = told.insert((*step, is_validation), figure.clone());
                assert!(before.is_none_or(|before| before == figure), "step {step} was not repeated");
            }
        };
        let mut random = ChaCha8Rng::seed_from_u64(20);
        for kill in 0..20 {
            let mut worker = start(dir.path());
            let output = BufReader::new(worker.stdout.take().unwrap());
            let mut left: u32 = random.random_range(1..4);
            for line in output.lines() {
                // A kill may cut the last line.
                let Ok(event) = serde_json::from_str::<RunEvent>(&line.unwrap()) else { break };
                hear(&event);
                left -= u32::from(matches!(event, RunEvent::Step { .. }));
                if left == 0 {
                    break;
                }
            }
            assert_eq!(left, 0, "the run ended before kill {kill}");
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
        let (result, events) = work(dir.path(), None);
        assert_eq!(result.unwrap(), WorkerEnd::Finished);
        events.iter().for_each(&mut hear);
        assert_eq!(told.into_values().collect::<Vec<_>>(), expected[..expected.len() - 1]);
        assert_eq!(figures(&events).last(), expected.last());
    }
}

#[test]
fn the_bundled_model_answers_within_its_limits() {
    let model = LanguageModel::tiny_v1().unwrap();
    let turns = [Turn::new(Role::User, "What did he say?")];
    let ask = |temperature, seed, max_tokens| {
        let options = SampleOptions { max_tokens, temperature, top_p: 0.9, seed, ..SampleOptions::default() };
        let mut heard = String::new();
        let generated = model
            .generate(&turns, &options, &mut |piece| {
                heard.push_str(piece.text);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(heard, generated.text);
        generated
    };
    let greedy = ask(0.0, 1, 12);
    assert_eq!(greedy, ask(0.0, 2, 12));
    assert_eq!(greedy.input_tokens, model.count_tokens(&turns));
    assert!(greedy.output_tokens <= 12);
    assert_eq!(ask(1.0, 3, 12), ask(1.0, 3, 12));
    assert_ne!(ask(1.0, 3, 12).text, ask(1.0, 4, 12).text);
    let far = ask(1.0, 5, usize::MAX);
    assert!(far.stop == StopReason::EndOfTurn || far.input_tokens + far.output_tokens == model.context_length());
    let long = [Turn::new(Role::User, "word ".repeat(model.context_length()))];
    let options = SampleOptions { max_tokens: 1, temperature: 0.0, ..SampleOptions::default() };
    let refused = model.generate(&long, &options, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(TunerError::PromptTooLong { .. })));
}

#[test]
fn a_listener_that_has_heard_enough_ends_the_answer() {
    let model = LanguageModel::tiny_v1().unwrap();
    let options = SampleOptions { max_tokens: 50, temperature: 0.0, ..SampleOptions::default() };
    let turns = [Turn::new(Role::User, "Tell me more.")];
    let generated = model.generate(&turns, &options, &mut |_| ControlFlow::Break(())).unwrap();
    assert_eq!(generated.stop, StopReason::Cancelled);
    assert!(generated.output_tokens < 50);
}
