//! From a file to an answer, and what happens when the program ends in between.

use std::time::Duration;

use whetstone_contract::{
    Api, ChartPalette, ChartRequest, DeploymentStatus, ErrorCode, JobId, JobStatus, Nothing, PlayableKind,
    PromptRequest, PromptRole, PromptTurn, SplitMethod, SplitRequest,
};

use crate::host::{Bench, Outcome, colours, draft};

const PATIENCE: Duration = Duration::from_secs(240);

fn prompt(model_id: &str, text: &str) -> PromptRequest {
    PromptRequest {
        request: format!("ask {model_id}"),
        model_id: model_id.to_owned(),
        system: None,
        turns: vec![PromptTurn { role: PromptRole::User, text: text.to_owned() }],
        temperature: 0.0,
        top_p: 1.0,
        max_tokens: 16,
        stop_sequences: Vec::new(),
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

    let palette = ChartPalette {
        ink: "#1d1c1a".into(),
        faint_ink: "#8b877f".into(),
        grid: "#e2dfd8".into(),
        training: "#0b6b74".into(),
        validation: "#c0721a".into(),
    };
    let chart =
        ChartRequest { job: job.id.clone(), width: 640, height: 240, smoothing: 0.6, log_scale: false, palette };
    let chart = bench.api.job_chart(chart).await?;
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
