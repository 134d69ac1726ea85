//! `whetstone tune --local`: a model tuned on this computer, by nothing but the command.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Folder, Outcome, conversation, keys, whetstone};

const COLOURS: [&str; 3] = ["red", "green", "blue"];

fn records(count: usize) -> String {
    let line = |index: usize| conversation(&format!("Which colour has door {index}?"), COLOURS[index % 3]);
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_model_is_tuned_here_and_its_result_is_told_again() -> Outcome {
    let folder = Folder::new()?;
    let training = folder.write("training.jsonl", records(40))?;
    let validation = folder.write("validation.jsonl", records(6))?;
    let (first, second) = (folder.path("first"), folder.path("second"));
    let full = ["tune", "--local", "whetstone.tiny-v1", "--epochs", "2", "--batch-size", "8", "--json", "--training"];
    let tune = |more: &[&str]| {
        let files = [training.as_path(), "--validation".as_ref(), &validation, "--output".as_ref(), &first];
        let more = more.iter().map(std::path::Path::new);
        whetstone(&full, &files.into_iter().chain(more).collect::<Vec<_>>())
    };
    let output = tune(&[])?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let told = ["model", "adapter", "records", "shortened_records", "steps", "training_loss", "validation_losses"];
    assert_eq!(keys(&report), [told.as_slice(), &["memory_forecast"]].concat());
    assert_eq!((&report["records"], &report["steps"], &report["adapter"]), (&40.into(), &10.into(), &Value::Null));
    let validation_loss = report["validation_losses"][0].as_f64().ok_or("no validation loss")?;
    assert!(validation_loss > 0.0 && report["training_loss"].as_f64() > Some(0.0), "{report}");
    let progress = String::from_utf8(output.stderr)?;
    assert!(progress.contains("40 records, 10 steps") && progress.contains("epoch 2 of 2"), "{progress}");

    // The folder keeps its run: the same command tells it again, another one is refused.
    assert_eq!(tune(&[])?.stdout, output.stdout);
    let refused = tune(&["--seed", "2"])?;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    folder.write("training.jsonl", records(41))?;
    let refused = tune(&[])?;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");

    // What was tuned is a model's folder like any other.
    let adapters =
        ["tune", "--lora", "4", "--lora-targets", "q_proj,v_proj", "--decay", "linear", "--epochs", "1", "--json"];
    let model = first.join("model");
    let files = ["--local".as_ref(), model.as_path(), "--training".as_ref(), &training, "--output".as_ref(), &second];
    let output = whetstone(&adapters, &files)?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let adapter = std::path::Path::new(report["adapter"].as_str().ok_or("no adapter")?);
    let config: Value = serde_json::from_slice(&std::fs::read(adapter.join("adapter_config.json"))?)?;
    assert_eq!((&config["r"], &config["target_modules"]), (&4.into(), &serde_json::json!(["q_proj", "v_proj"])));
    Ok(())
}

#[test]
fn what_cannot_be_tuned_here_is_refused_in_words() -> Outcome {
    let folder = Folder::new()?;
    let training = folder.write("training.jsonl", records(4))?;
    let broken = folder.write("broken.jsonl", "{")?;
    let empty = folder.path("empty");
    std::fs::create_dir(&empty)?;
    let bundled = std::path::PathBuf::from("whetstone.tiny-v1");
    let cases: [(&[&str], &std::path::Path, &std::path::Path, i32, &str); 5] = [
        (&[], &folder.path("missing"), &training, 2, "no model's folder"),
        (&[], &empty, &training, 1, "config.json"),
        (&[], &bundled, &broken, 2, "broken.jsonl"),
        (&["--lora", "4", "--lora-targets", "fc1"], &bundled, &training, 1, "fc1"),
        (&["--learning-rate", "0"], &bundled, &training, 1, "learning rate"),
    ];
    for (index, (more, model, data, status, words)) in cases.into_iter().enumerate() {
        let output = folder.path(&format!("run-{index}"));
        let files = ["--local".as_ref(), model, "--training".as_ref(), data, "--output".as_ref(), &output];
        let ended = whetstone(&[&["tune"], more].concat(), &files)?;
        assert_eq!(ended.status.code(), Some(status), "{ended:?}");
        let said = String::from_utf8(ended.stderr)?;
        assert!(said.contains(words), "{said}");
    }
    // Without the model, there is nothing to do with the rest.
    assert_eq!(whetstone(&["tune", "--epochs", "2"], &[])?.status.code(), Some(2));
    Ok(())
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_goes_on_where_it_was() -> Outcome {
    use std::io::{BufRead, BufReader, Read};

    let folder = Folder::new()?;
    let training = folder.write("training.jsonl", records(16))?;
    let output = folder.path("run");
    let mut told = Vec::new();
    for _ in 0..2 {
        let mut run = Command::new(env!("CARGO_BIN_EXE_whetstone"))
            .args(["tune", "--local", "whetstone.tiny-v1", "--epochs", "100000", "--training"])
            .args([training.as_path(), "--output".as_ref(), &output])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut errors = BufReader::new(run.stderr.take().ok_or("no standard error")?);
        let (mut line, mut said) = (String::new(), String::new());
        // The first step of the run, or of what is left of it.
        while !line.starts_with("epoch") {
            line.clear();
            assert_ne!(errors.read_line(&mut line)?, 0, "{said}");
            said += &line;
        }
        assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status()?.success());
        errors.read_to_string(&mut said)?;
        assert_eq!(run.wait()?.code(), Some(1), "{said}");
        assert!(said.contains("the same command goes on from there"), "{said}");
        told.push(said);
    }
    assert!(!told[0].contains("going on from step") && told[1].contains("going on from step"), "{told:?}");
    Ok(())
}
