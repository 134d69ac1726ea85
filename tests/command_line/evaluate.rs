//! `whetstone evaluate RECIPE`: models asked the records of a dataset, and the verdict as an exit status.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::{Folder, Outcome, whetstone};

const TUNE: &str = r#"
recipe = 1
name = "colours"

[model]
base = "whetstone.tiny-v1"
type = "FINE_TUNING"

[data]
file = "colours.csv"
validation_percent = 0
hold_out_percent = 50
seed = 3

[hyperparameters]
epochCount = "8"
batchSize = "4"

[job]
name = "colours"
model_name = "colours"
"#;

const EVALUATE: &str = r#"
evaluation = 1
name = "colours on hold-out"
dataset = "colours.csv"
max_tokens = 12
"#;

const BASE: &str = "\n[[models]]\nmodel = \"whetstone.tiny-v1\"\n";
const TUNED: &str = "\n[[models]]\njob = \"colours\"\n";

/// Forty ways to ask for one of four labels.
fn colours() -> Result<String, std::fmt::Error> {
    let things = [
        ("sky", "blue"),
        ("sea", "blue"),
        ("ice", "blue"),
        ("grass", "green"),
        ("leaf", "green"),
        ("sun", "yellow"),
        ("lemon", "yellow"),
        ("corn", "yellow"),
        ("blood", "red"),
        ("rose", "red"),
    ];
    let mut text = String::from("text,category\n");
    for (thing, colour) in things {
        for question in ["What colour is the", "Tell me the colour of the", "Name the colour of the", "Colour of"] {
            writeln!(text, "\"{question} \"\"{thing}\"\", please\",{colour}")?;
        }
    }
    Ok(text)
}

#[test]
fn a_recipe_is_evaluated_and_its_verdict_is_the_exit_status() -> Outcome {
    let folder = Folder::new()?;
    folder.write("colours.csv", colours()?)?;
    let home = folder.path("home");
    let data = ["--data", home.to_str().ok_or("a path that is no text")?];
    let run = |arguments: &[&str], recipe: &Path| whetstone(&[arguments, &data].concat(), &[recipe]);
    let tuned = run(&["tune"], &folder.write("tune.toml", TUNE)?)?;
    assert_eq!(tuned.status.code(), Some(0), "{tuned:?}");

    let helped = folder.write("helped.toml", format!("{EVALUATE}{BASE}{TUNED}"))?;
    let report = folder.path("report.html");
    let report = report.to_str().ok_or("a path that is no text")?;
    let wanted = ["evaluate", "--json", "--must-help", "--at-least", "exact_match=0.4", "--report", report];
    let output = run(&wanted, &helped)?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!((&found["summary"]["state"], &found["compared"]), (&"done".into(), &20.into()));
    assert_eq!(found["verdicts"][0]["outcome"], "better");
    assert!(std::fs::read_to_string(report)?.contains("Yes, it helped"));

    // The other way round: the same answers, compared again without a question.
    let harmed = folder.write("harmed.toml", format!("{EVALUATE}{TUNED}{BASE}"))?;
    let output = run(&["evaluate", "--must-help", "--at-least", "exact_match=0.9"], &harmed)?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr)?;
    for words in ["40 prompts, 40 answered already", "exact_match is below 0.9", "not shown to be better"] {
        assert!(told.contains(words), "{told}");
    }

    let judge = "\n[judge]\nmodel = \"whetstone.tiny-v1\"\nprompt = \"{a} or {b}?\"\nmax_tokens = 4\n";
    let output = run(&["evaluate"], &folder.write("judged.toml", format!("{EVALUATE}{BASE}{TUNED}{judge}"))?)?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8(output.stdout)?.contains("verdicts could be read"));

    for broken in ["evaluation = 7", "evaluation = 1\nname = \"x\"\n", &format!("{EVALUATE}colour = 1\n{BASE}{TUNED}")]
    {
        assert_eq!(run(&["evaluate"], &folder.write("broken.toml", broken)?)?.status.code(), Some(2), "{broken}");
    }
    let elsewhere = format!("{EVALUATE}{BASE}{TUNED}").replace("colours.csv", "flavours.csv");
    let output = run(&["evaluate"], &folder.write("elsewhere.toml", elsewhere)?)?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr)?.contains("no dataset “flavours.csv”"));
    Ok(())
}
