//! From a file to an answer, and what happens when the program ends in between.

use std::time::Duration;

use whetstone_contract::{
    Api, ChartAxis, ChartFile, ChartPalette, ChartRange, ChartRequest, ChartSeries, CompareRequest, DeploymentStatus,
    ErrorCode, JobId, JobStatus, NotesRequest, Nothing, PlayableKind, PromptMode, PromptRequest, PromptRole,
    PromptTurn, SaveChartRequest, SplitMethod, SplitRequest,
};

use crate::host::{Bench, Outcome, colours, draft};

const PATIENCE: Duration = Duration::from_secs(240);

pub fn prompt(model_id: &str, text: &str) -> PromptRequest {
    PromptRequest {
        request: format!("ask {model_id}"),
        model_id: model_id.to_owned(),
        mode: PromptMode::Chat,
        system: None,
        turns: vec![PromptTurn { role: PromptRole::User, text: text.to_owned(), attachments: Vec::new() }],
        temperature: 0.0,
        top_p: 1.0,
        top_k: None,
        max_tokens: 16,
        stop_sequences: Vec::new(),
    }
}

fn chart_of(jobs: &[&str]) -> ChartRequest {
    ChartRequest {
        jobs: jobs.iter().map(|job| (*job).to_owned()).collect(),
        width: 640,
        height: 240,
        density: 1.0,
        smoothing: 0.6,
        log_scale: false,
        clip_outliers: false,
        axis: ChartAxis::Step,
        series: ChartSeries::Both,
        range: None,
        palette: ChartPalette {
            ink: "#1d1c1a".into(),
            faint_ink: "#8b877f".into(),
            grid: "#e2dfd8".into(),
            training: "#0b6b74".into(),
            validation: "#c0721a".into(),
        },
        run_colours: vec!["#0b6b74".into(), "#c0721a".into()],
    }
}

#[tokio::test]
async fn a_file_becomes_a_tuned_model_that_knows_what_its_base_does_not() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    assert_eq!(dataset.records, 40);
    let method = SplitMethod::Ratio { validation_percent: 10, hold_out_percent: 10 };
    let split = SplitRequest { dataset: dataset.id.clone(), method, seed: 7, replace_frozen: false };
    let split = bench.api.split_dataset(split).await?.split.ok_or("no split")?;
    assert_eq!((split.training, split.validation, split.hold_out), (32, 4, 4));

    let draft = draft(&dataset.id, "colours", &[("epochCount", "20"), ("batchSize", "8"), ("learningRate", "0.002")]);
    let plan = bench.api.plan_job(draft.clone()).await?;
    assert_eq!(plan.problems, []);
    let job = bench.api.start_job(draft.clone()).await?;
    let done = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let progress = done.progress.ok_or("no progress")?;
    assert_eq!(progress.total_steps, Some(20 * 4), "32 records in batches of 8, twenty times");
    assert!(progress.training_loss < 0.5 && progress.validation_loss.is_some(), "{progress:?}");
    assert!(done.summary.training_loss.is_some() && done.summary.validation_loss.is_some());

    let chart = bench.api.job_chart(chart_of(&[&job.id])).await?;
    assert_eq!(chart.training_points, 80);
    assert!(chart.svg.is_some_and(|svg| svg.starts_with("<svg")));

    bench.api.deploy(JobId { job: job.id.clone() }).await?;
    let active = |status: DeploymentStatus| status == DeploymentStatus::Active;
    bench.wait_for(&job.id, PATIENCE, |job| job.deployment.as_ref().is_some_and(|one| active(one.status))).await?;
    let models = bench.api.playable_models(Nothing {}).await?;
    let of = |kind| models.iter().find(|model| model.kind == kind).map(|model| model.model_id.clone());
    let question = "Tell me the colour of the \"grass\", please";
    let tuned = bench.api.send_prompt(prompt(&of(PlayableKind::Tuned).ok_or("no tuned model")?, question)).await?;
    let base = bench.api.send_prompt(prompt(&of(PlayableKind::Base).ok_or("no base model")?, question)).await?;
    assert_eq!(tuned.text.trim(), "green");
    assert_eq!(tuned.stop_reason, "end_turn");
    assert_ne!(base.text.trim(), "green");
    assert_eq!(bench.host.streamed("deployment"), tuned.text, "what was streamed is what was answered");

    let again = bench.api.start_job(draft).await;
    assert_eq!(again.err().map(|error| error.code), Some(ErrorCode::InvalidInput), "the name is taken");
    Ok(())
}

#[tokio::test]
async fn what_is_out_of_range_is_said_before_anything_is_sent() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let mut draft = draft(&dataset.id, "not a name", &[("epochCount", "0"), ("nonsense", "1")]);
    draft.model_name = "two--hyphens".into();
    let plan = bench.api.plan_job(draft.clone()).await?;
    let fields: Vec<&str> = plan.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["epochCount", "nonsense", "jobName", "modelName"]);
    let refused = bench.api.start_job(draft).await.err().ok_or("it was started")?;
    assert_eq!(refused.code, ErrorCode::InvalidInput);
    assert_eq!(bench.api.jobs(Nothing {}).await?, []);
    Ok(())
}

#[tokio::test]
async fn too_few_records_stand_in_the_way_of_a_job() -> Outcome {
    let folder = tempfile::tempdir()?;
    let few = folder.path().join("few.jsonl");
    std::fs::write(&few, "{\"prompt\":\"a\",\"completion\":\"b\"}\n")?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&few, false).await?;
    let plan = bench.api.plan_job(draft(&dataset.id, "few", &[])).await?;
    assert!(plan.problems.iter().any(|problem| problem.field == "dataset"), "{:?}", plan.problems);
    Ok(())
}

#[tokio::test]
async fn a_stopped_job_leaves_no_model() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let job = bench.api.start_job(draft(&dataset.id, "stopped", &[("epochCount", "50"), ("batchSize", "1")])).await?;
    bench.wait_for(&job.id, PATIENCE, |job| job.progress.is_some()).await?;
    bench.api.stop_job(JobId { job: job.id.clone() }).await?;
    let stopped = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Stopped).await?;
    assert_eq!(stopped.output_model_arn, None);
    let refused = bench.api.deploy(JobId { job: job.id }).await.err().map(|error| error.code);
    assert_eq!(refused, Some(ErrorCode::Refused));
    Ok(())
}

#[tokio::test]
async fn one_data_folder_is_open_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let _first = Bench::open(folder.path()).await?;
    let second = Bench::open(folder.path()).await;
    assert!(second.is_err_and(|error| error.to_string().contains("already open")));
    Ok(())
}

#[tokio::test]
async fn two_runs_are_compared_and_what_was_seen_of_them_is_kept() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let method = SplitMethod::Ratio { validation_percent: 20, hold_out_percent: 0 };
    let split = SplitRequest { dataset: dataset.id.clone(), method, seed: 7, replace_frozen: false };
    bench.api.split_dataset(split).await?;
    let settings = |rate| [("epochCount", "2"), ("batchSize", "8"), ("learningRate", rate)];
    let slow = bench.api.start_job(draft(&dataset.id, "slow", &settings("0.0005"))).await?.id;
    let quick = bench.api.start_job(draft(&dataset.id, "quick", &settings("0.002"))).await?.id;
    for job in [&slow, &quick] {
        bench.wait_for(job, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    }
    let notified = bench.host.notified.lock().map_err(|_| "poisoned")?.clone();
    assert_eq!(notified.len(), 2, "{notified:?}");

    let compared = bench.api.compare_jobs(CompareRequest { jobs: vec![slow.clone(), quick.clone()] }).await?;
    let differing: Vec<&str> =
        compared.settings.iter().filter(|row| row.differs).map(|row| row.name.as_str()).collect();
    assert_eq!(differing, ["learningRate"]);
    assert!(compared.data.iter().all(|row| !row.differs), "{:?}", compared.data);

    let both = bench.api.job_chart(chart_of(&[&slow, &quick])).await?;
    assert_eq!((both.training_points, both.lines.len()), (16, 4));
    let zoomed = ChartRequest { range: Some(ChartRange { from: 2.0, to: 5.0 }), ..chart_of(&[&slow]) };
    let zoomed = bench.api.job_chart(zoomed).await?;
    let read: Vec<f64> =
        zoomed.lines.iter().filter(|line| !line.validation).flat_map(|line| line.points.iter().map(|p| p.at)).collect();
    assert_eq!(read, [2.0, 3.0, 4.0, 5.0]);
    let timed = bench.api.job_chart(ChartRequest { axis: ChartAxis::Time, ..chart_of(&[&slow]) }).await?;
    assert!(timed.lines.iter().all(|line| line.points.is_sorted_by(|a, b| a.at <= b.at)), "time goes on");

    let csv = folder.path().join("loss.csv");
    *bench.host.new_file.lock().map_err(|_| "poisoned")? = Some(csv.clone());
    let save = SaveChartRequest { chart: chart_of(&[&slow, &quick]), what: ChartFile::Csv, png: None };
    assert_eq!(bench.api.save_chart(save).await?.name.as_deref(), Some("loss.csv"));
    let rows = std::fs::read_to_string(&csv)?;
    assert_eq!(rows.lines().count(), 1 + 2 * (8 + 2), "every step and every validation of both");

    bench.api.save_notes(NotesRequest { job: slow.clone(), notes: "too slow".into() }).await?;
    let remains = bench.api.job_remains(JobId { job: slow.clone() }).await?;
    let files: Vec<&str> = remains.artifacts.iter().map(|file| file.name.as_str()).collect();
    assert!(files.contains(&"training_artifacts/step_wise_training_metrics.csv"), "{files:?}");
    assert!(remains.artifacts.iter().all(|file| file.bytes > 0));

    // What is known only here is gone; the endpoint still tells of both jobs.
    drop(bench);
    std::fs::remove_file(home.join("whetstone.db"))?;
    let bench = Bench::open_when_free(&home).await?;
    let found = bench.until_listed(2).await?;
    assert!(found.iter().all(|job| job.elsewhere && job.status == JobStatus::Completed), "{found:?}");
    let again = bench.api.job(JobId { job: found[0].id.clone() }).await?;
    assert!(again.hyperparameters.contains_key("learningRate"));
    assert_eq!(bench.api.job_chart(chart_of(&[&found[0].id])).await?.training_points, 8);
    assert_eq!(bench.api.find_jobs(Nothing {}).await?, 0, "none is found twice");
    Ok(())
}

#[tokio::test]
async fn notes_and_events_outlive_a_restart() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let job = bench.api.start_job(draft(&dataset.id, "kept", &[("epochCount", "1"), ("batchSize", "8")])).await?.id;
    bench.wait_for(&job, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let kept = bench.api.save_notes(NotesRequest { job: job.clone(), notes: "first try".into() }).await?;
    drop(bench);
    let bench = Bench::open_when_free(&home).await?;
    let again = bench.api.job(JobId { job }).await?;
    assert_eq!((again.notes.as_str(), &again.events), ("first try", &kept.events));
    let told: Vec<&str> = again.events.iter().map(|event| event.text.as_str()).collect();
    for seen in ["the upload begins", "accepted the job", "Training: completed", "The job is completed"] {
        assert!(told.iter().any(|text| text.contains(seen)), "{seen}: {told:?}");
    }
    assert_eq!(bench.api.find_jobs(Nothing {}).await?, 0, "the job is known by its ARN");
    Ok(())
}
