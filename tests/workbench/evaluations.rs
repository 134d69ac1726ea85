//! Did it help? Models asked the same records through the real sandbox, killed in the middle, and the verdict.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use whetstone_contract::{
    Api, Candidate, ChartPalette, ConnectionSource, DeploymentStatus, ErrorCode, Evaluation, EvaluationChartRequest,
    EvaluationDraft, EvaluationFile, EvaluationId, EvaluationPart, EvaluationRowKind, EvaluationRowsRequest,
    EvaluationState, ExportEvaluation, JobId, JobStatus, KeysAgain, NewConnection, Nothing, Outcome as Shown,
    PlayableKind, SplitMethod, SplitRequest,
};

use crate::asked::Proxy;
use crate::connections::{account, keys_of};
use crate::host::{Bench, Outcome, colours, draft};

const PATIENCE: Duration = Duration::from_secs(240);

fn candidate(model: &str, tuned: bool, examples: u32) -> Candidate {
    Candidate {
        model_id: model.to_owned(),
        name: if tuned { "tuned".into() } else { "base".into() },
        base_model: Some("whetstone.tiny-v1".into()),
        tuned,
        stand_in: false,
        examples,
        system: None,
    }
}

fn evaluation_of(dataset: &str, part: EvaluationPart, candidates: Vec<Candidate>) -> EvaluationDraft {
    EvaluationDraft {
        name: "colours".into(),
        dataset: dataset.to_owned(),
        part,
        records: None,
        seed: 1,
        candidates,
        max_tokens: 12,
        temperature: 0.0,
        metric: None,
    }
}

async fn until_ended(bench: &Bench, id: &str) -> Result<Evaluation, Box<dyn std::error::Error>> {
    let began = Instant::now();
    loop {
        let all = bench.api.evaluations(Nothing {}).await?;
        let one = all.iter().find(|one| one.id == id).ok_or("the evaluation is gone")?;
        if one.state != EvaluationState::Running {
            return Ok(bench.api.evaluation(EvaluationId { evaluation: id.to_owned() }).await?);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("it does not end: {one:#?}").into());
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn a_tuned_model_is_told_to_be_better_and_nothing_is_asked_twice() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?.id;
    let method = SplitMethod::Ratio { validation_percent: 0, hold_out_percent: 50 };
    bench.api.split_dataset(SplitRequest { dataset: dataset.clone(), method, seed: 3, replace_frozen: false }).await?;
    let job = bench.api.start_job(draft(&dataset, "colours", &[("epochCount", "8"), ("batchSize", "4")])).await?;
    bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    bench.api.deploy(JobId { job: job.id.clone() }).await?;
    let active = |status: Option<DeploymentStatus>| status == Some(DeploymentStatus::Active);
    bench.wait_for(&job.id, PATIENCE, |job| active(job.deployment.as_ref().map(|one| one.status))).await?;
    let playable = bench.api.playable_models(Nothing {}).await?;
    let tuned = playable.iter().find(|one| one.kind == PlayableKind::Tuned).ok_or("no tuned model")?;

    let base = "whetstone.tiny-v1";
    let candidates = vec![candidate(base, false, 0), candidate(base, false, 4), candidate(&tuned.model_id, true, 0)];
    let wanted = evaluation_of(&dataset, EvaluationPart::HoldOut, candidates);
    let plan = bench.api.plan_evaluation(wanted.clone()).await?;
    assert_eq!((plan.records, plan.prompts, plan.answered), (20, 60, 0), "{plan:?}");
    assert_eq!((plan.cost.headline.as_str(), plan.metrics[0].id.as_str()), ("Free", "exact_match"));
    assert!(plan.problems.is_empty() && plan.precision.contains("20 records"), "{plan:?}");

    let begun = bench.api.start_evaluation(wanted.clone()).await?;
    let found = until_ended(&bench, &begun.id).await?;
    assert_eq!((found.summary.state, found.compared), (EvaluationState::Done, 20), "{found:#?}");
    let verdict =
        found.verdicts.iter().find(|one| Some(one.candidate) == found.headline_verdict).ok_or("no verdict")?;
    assert_eq!((verdict.outcome, verdict.heading.as_str()), (Shown::Better, "Yes, it helped"), "{verdict:?}");
    assert_eq!(found.summary.outcome, Some(Shown::Better));
    let row = found.metrics.first().ok_or("no metric")?;
    let (first, last) = (row.cells[0].as_ref().ok_or("no cell")?, row.cells[2].as_ref().ok_or("no cell")?);
    assert!(first.value < 0.2 && last.value >= 0.4, "{row:?}");
    assert!(found.has_labels && found.slices.iter().any(|table| table.by == "Label"), "{:?}", found.slices);

    let asked =
        |which| EvaluationRowsRequest { evaluation: begun.id.clone(), candidate: 2, which, offset: 0, limit: 50 };
    let won = bench.api.evaluation_rows(asked(EvaluationRowKind::Won)).await?;
    assert_eq!((won.total, won.rows.len() as u64), (verdict.won, verdict.won));
    assert!(won.rows.iter().all(|row| row.answers[2].text == row.reference && row.answers[0].text != row.reference));
    assert_eq!(bench.api.evaluation_rows(asked(EvaluationRowKind::Random)).await?.total, 20);
    let palette = ChartPalette {
        ink: "#111111".into(),
        faint_ink: "#777777".into(),
        grid: "#dddddd".into(),
        training: "#0b6770".into(),
        validation: "#b5600c".into(),
    };
    let chart = EvaluationChartRequest { evaluation: begun.id.clone(), candidate: 2, width: 600, palette };
    assert!(bench.api.evaluation_chart(chart).await?.svg.is_some_and(|svg| svg.contains("yellow")));

    // Whatever was answered is known: a second evaluation of the same asks nobody.
    let plan = bench.api.plan_evaluation(wanted).await?;
    assert_eq!(plan.answered, 60);
    reports(&bench, &begun.id, folder.path()).await?;
    bench.api.delete_evaluation(EvaluationId { evaluation: begun.id.clone() }).await?;
    let gone = bench.api.evaluation(EvaluationId { evaluation: begun.id }).await;
    assert_eq!(gone.err().map(|error| error.code), Some(ErrorCode::NotFound));
    Ok(())
}

/// The three files: one that opens without a network, a table with a line a record, and all of it.
async fn reports(bench: &Bench, id: &str, folder: &Path) -> Outcome {
    for (what, name) in [
        (EvaluationFile::Html, "report.html"),
        (EvaluationFile::Csv, "report.csv"),
        (EvaluationFile::Json, "report.json"),
    ] {
        let path = folder.join(name);
        *bench.host.new_file.lock().map_err(|_| "poisoned")? = Some(path.clone());
        let saved = bench.api.export_evaluation(ExportEvaluation { evaluation: id.to_owned(), what }).await?;
        assert_eq!(saved.name.as_deref(), Some(name));
        let text = std::fs::read_to_string(path)?;
        match what {
            EvaluationFile::Html => {
                assert!(text.contains("Yes, it helped") && text.contains("<svg") && text.contains("whetstone.tiny-v1"));
                for asks in ["src=", "href=", "url(", "@import", "<script", "<link"] {
                    assert!(!text.contains(asks), "{asks} asks for something");
                }
            }
            EvaluationFile::Csv => assert_eq!(text.matches("\r\n").count(), 21, "{text}"),
            EvaluationFile::Json => {
                let all: serde_json::Value = serde_json::from_str(&text)?;
                assert_eq!(all["rows"].as_array().map(Vec::len), Some(20));
                assert_eq!(all["evaluation"]["verdicts"][1]["outcome"], "better");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_evaluation_goes_on_after_a_kill_and_waits_when_asked_to() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    // Slow enough that the end falls into the middle; a few are told that they are too many.
    let faults = "[[fault]]\noperation = \"ConverseStream\"\nnth = [70, 71, 75]\nkind = \"throttling\"\n\
                  [[fault]]\noperation = \"ConverseStream\"\nkind = \"latency\"\nmilliseconds = 40\n";
    let team = account(&folder.path().join("team"), 0, Some(faults)).await?;
    let proxy = Proxy::before(&team).await?;
    let connection = NewConnection {
        name: Some("Team".into()),
        source: ConnectionSource::Keys { keys: keys_of(&team) },
        region: team.region().to_owned(),
        endpoint: Some(proxy.url.clone()),
    };
    let colours = colours(folder.path())?;
    let (data, begin) = (home.clone(), connection.clone());
    // A runtime of its own, which ends like a killed program: whatever is under way is dropped where it stands.
    let (told, begun) = tokio::sync::oneshot::channel();
    let (kill, killed) = std::sync::mpsc::channel::<()>();
    let first = async move {
        let work = async {
            let bench = Bench::open(&data).await.map_err(|error| error.to_string())?;
            let team = bench.api.add_connection(begin).await.map_err(|error| error.to_string())?;
            let dataset = bench.import(&colours, false).await.map_err(|error| error.to_string())?;
            let models =
                vec![candidate("amazon.nova-micro-v1:0", false, 0), candidate("amazon.nova-lite-v1:0", false, 0)];
            let wanted = evaluation_of(&dataset.id, EvaluationPart::All, models);
            let begun = bench.api.start_evaluation(wanted).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((bench, team.id, begun))
        };
        match work.await {
            Ok((bench, team, begun)) => {
                told.send(Ok((team, begun.id, begun.prompts))).ok();
                std::future::pending::<()>().await;
                drop(bench);
            }
            Err(error) => drop(told.send(Err(error))),
        }
    };
    let program = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.spawn(first);
        killed.recv().ok();
        runtime.shutdown_background();
        Ok::<_, std::io::Error>(())
    });
    let (team_connection, id, prompts) = begun.await??;
    assert_eq!(prompts, 80);
    while proxy.asked().len() < 24 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(kill);
    program.join().map_err(|_| "the first program panicked")??;

    let bench = Bench::open_when_free(&home).await?;
    let before = proxy.asked().len();
    assert!(before < 60, "it was nearly through: {before}");
    bench.api.renew_keys(KeysAgain { connection: team_connection, keys: keys_of(&team) }).await?;
    let found = until_ended(&bench, &id).await?;
    assert_eq!((found.summary.state, found.compared), (EvaluationState::Done, 40), "{:?}", found.summary);

    let mut times: HashMap<String, usize> = HashMap::new();
    for asked in proxy.asked() {
        *times.entry(asked).or_default() += 1;
    }
    assert_eq!(times.len(), 80, "each record was put to each model");
    let again: usize = times.values().map(|count| count - 1).sum();
    // Only what was on its way when it ended, by four askers, and what the endpoint itself told to come again.
    assert!((3..=4 + 3).contains(&again), "{again} were asked again");
    Ok(())
}
