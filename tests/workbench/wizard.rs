//! Putting a job together: drafts, the call, the first batch, recipes, clones, sweeps.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

use whetstone_contract::{
    Api, ConnectionState, CustomizationType, DraftId, ErrorCode, JobDraft, JobId, JobStatus, Nothing, RecipeRequest,
    SampleId, SavedDraft, Sweep, Teacher,
};

use crate::host::{Bench, Outcome, draft};

const PATIENCE: Duration = Duration::from_secs(240);

async fn support(bench: &Bench) -> Result<String, Box<dyn std::error::Error>> {
    Ok(bench.api.import_sample(SampleId { sample: "customer-support".into() }).await?.id)
}

#[tokio::test]
async fn a_draft_is_on_disk_when_saving_it_answers() -> Outcome {
    let folder = tempfile::tempdir()?;
    let job = draft("d-1", "later", &[("epochCount", "3")]);
    let saved = SavedDraft { id: "a".into(), goal: Some("support".into()), job, ..SavedDraft::default() };
    {
        let bench = Bench::open(folder.path()).await?;
        bench.api.save_draft(SavedDraft { id: "b".into(), ..SavedDraft::default() }).await?;
        bench.api.save_draft(saved.clone()).await?;
        bench.api.delete_draft(DraftId { draft: "b".into() }).await?;
    }
    let bench = Bench::open_when_free(folder.path()).await?;
    let drafts = bench.api.drafts(Nothing {}).await?;
    let found: Vec<SavedDraft> = drafts.into_iter().map(|draft| SavedDraft { changed_at: 0, ..draft }).collect();
    assert_eq!(found, [saved]);
    Ok(())
}

#[tokio::test]
async fn the_call_is_shown_before_a_draft_is_finished() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let unfinished = JobDraft { base_model: "amazon.nova-micro-v1:0:128k".into(), ..JobDraft::default() };
    let call = bench.api.show_call(unfinished).await?;
    assert!(call.cli.starts_with("aws bedrock create-model-customization-job \\\n  --customization-type FINE_TUNING"));
    assert!(call.python.contains("session.client(\"bedrock\", endpoint_url=\"http://127.0.0.1:"), "{}", call.python);
    assert!(call.placeholders.iter().any(|one| one == "the data"), "{:?}", call.placeholders);

    let distilled = JobDraft {
        customization_type: CustomizationType::Distillation,
        teacher: Some(Teacher { model: "amazon.nova-pro-v1:0".into(), longest_answer: Some(1000) }),
        ..draft("none", "distilled", &[])
    };
    let body: serde_json::Value = serde_json::from_str(&bench.api.show_call(distilled).await?.json)?;
    let teacher = &body["customizationConfig"]["distillationConfig"]["teacherModelConfig"];
    assert_eq!(teacher["teacherModelIdentifier"], "amazon.nova-pro-v1:0");
    assert_eq!(teacher["maxResponseLengthForInference"], 1000);
    Ok(())
}

#[tokio::test]
async fn the_first_batch_is_what_the_seed_draws_and_tells_apart_what_is_learnt() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let dataset = support(&bench).await?;
    let positions = async |seed: &str| {
        let batch = bench.api.first_batch(draft(&dataset, "b", &[("batchSize", "4"), ("seed", seed)])).await?;
        Ok::<_, Box<dyn std::error::Error>>((
            batch.records.iter().map(|record| record.position).collect::<Vec<_>>(),
            batch,
        ))
    };
    let (one, batch) = positions("1").await?;
    assert_eq!(one, positions("1").await?.0);
    assert_ne!(one, positions("2").await?.0);
    assert_eq!(batch.records.len(), 4);
    assert_eq!(batch.tokens, batch.records.iter().map(|record| record.tokens).sum::<u64>());
    for record in &batch.records {
        let learned: String =
            record.pieces.iter().filter(|piece| piece.learned).map(|piece| piece.text.as_str()).collect();
        assert!(learned.ends_with("<|end|>"), "{learned}");
        let line: serde_json::Value = serde_json::from_str(&record.line)?;
        let answer = learned.trim_end_matches("<|end|>").trim();
        assert!(line.to_string().contains(&serde_json::to_string(answer)?), "{answer} in {line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_recipe_makes_the_same_job_again_on_another_computer() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = support(&bench).await?;
    let job = draft(&dataset, "shared", &[("epochCount", "1"), ("learningRate", "0.002")]);
    let file = folder.path().join("shared.toml");
    *bench.host.new_file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.clone());
    let saved = bench.api.save_recipe(RecipeRequest { job: job.clone(), goal: Some("support".into()) }).await?;
    assert_eq!(saved.file, Some(file.display().to_string()));

    *bench.host.recipe.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.clone());
    let opened = bench.api.open_recipe(Nothing {}).await?.ok_or("nothing was opened")?;
    assert_eq!((opened.job, opened.goal.as_deref(), opened.missing.len()), (job.clone(), Some("support"), 0));

    let elsewhere = Bench::open(&folder.path().join("elsewhere")).await?;
    let cooked = elsewhere.api.cook(&file).await?;
    assert_eq!(JobDraft { dataset: dataset.clone(), ..cooked.clone() }, job);
    assert_eq!(elsewhere.api.plan_job(cooked).await?.problems, []);
    Ok(())
}

#[tokio::test]
async fn a_sweep_starts_a_job_for_each_value_or_none_at_all() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let dataset = support(&bench).await?;
    let job = draft(&dataset, "sweep", &[("epochCount", "1")]);
    let sweep = |values: &[&str]| Sweep {
        job: job.clone(),
        key: "learningRate".into(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    assert!(bench.api.start_sweep(sweep(&["0.001", "9"])).await.is_err());
    assert!(bench.api.start_sweep(sweep(&["0.001"])).await.is_err());
    assert_eq!(bench.api.jobs(Nothing {}).await?, [], "all or none");

    let started = bench.api.start_sweep(sweep(&["5e-4", "0.001", "0.002"])).await?;
    let names: BTreeSet<&str> = started.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["sweep-5e-4", "sweep-0-001", "sweep-0-002"]));
    for job in &started {
        let done = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
        assert_eq!(done.hyperparameters["epochCount"], "1");
    }
    let clone = bench.api.clone_job(JobId { job: started[0].id.clone() }).await?;
    assert_eq!(clone.job_name, "sweep-5e-4-2");
    assert_eq!(clone.hyperparameters["learningRate"], "5e-4");
    Ok(())
}

#[tokio::test]
async fn this_computer_says_before_the_start_that_it_cannot_reinforce() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let dataset = support(&bench).await?;
    let plan = bench
        .api
        .plan_job(JobDraft {
            customization_type: CustomizationType::ReinforcementFineTuning,
            base_model: "amazon.nova-2-lite-v1:0:256k".into(),
            grader: Some("arn:aws:lambda:us-east-1:123456789012:function:grade".into()),
            ..draft(&dataset, "rewarded", &[])
        })
        .await?;
    let problem = plan.problems.iter().find(|problem| problem.field == "customizationType").ok_or("not said")?;
    assert!(problem.message.contains("AWS Lambda function"), "{}", problem.message);
    Ok(())
}

/// Twelve conversations, one of which shows a picture from another bucket.
fn with_a_picture_elsewhere(folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let file = folder.join("pets.jsonl");
    let mut text = String::new();
    for number in 1..=12 {
        let image = r#"{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}},"#;
        let image = if number == 7 { image } else { "" };
        writeln!(
            text,
            r#"{{"schemaVersion":"bedrock-conversation-2024","messages":[{{"role":"user","content":[{image}{{"text":"question {number}"}}]}},{{"role":"assistant","content":[{{"text":"answer {number}"}}]}}]}}"#
        )?;
    }
    std::fs::write(&file, text)?;
    Ok(file)
}

#[tokio::test]
async fn media_in_another_bucket_are_told_before_the_upload() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&with_a_picture_elsewhere(folder.path())?, false).await?;
    let job = JobDraft {
        base_model: "amazon.nova-lite-v1:0:300k".into(),
        ..draft(&dataset.id, "pets", &[("epochCount", "1")])
    };
    let plan = bench.api.plan_job(job.clone()).await?;
    let problem = plan.problems.iter().find(|problem| problem.field == "dataset").ok_or("not said")?;
    assert_eq!(problem.message, "Record 7: The image lies in the bucket pets, the dataset in whetstone.");
    assert_eq!(plan.errors, 1);
    assert!(bench.api.start_job(job).await.is_err(), "and nothing is started");
    assert!(bench.api.jobs(Nothing {}).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_was_deleted_is_said_and_not_made_again() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let dataset = support(&bench).await?;
    bench.api.connection(Nothing {}).await?;
    bench.wait_for_connection("this-computer", |one| one.state == ConnectionState::Ready).await?;
    let bucket = folder.path().join("sandbox/s3/whetstone");
    std::fs::remove_dir_all(&bucket)?;
    let error = bench.api.start_job(draft(&dataset, "homeless", &[("epochCount", "1")])).await.err();
    let error = error.ok_or("it was started")?;
    assert_eq!(error.code, ErrorCode::NotFound, "{error}");
    assert!(error.message.contains("The bucket whetstone is not there any more"), "{error}");
    assert!(!bucket.exists());
    assert!(bench.api.jobs(Nothing {}).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_catalog_and_what_the_endpoint_lists_are_one_list() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let catalog = bench.api.catalog(Nothing {}).await?;
    assert_eq!(catalog.endpoint_problem, None);
    assert!(catalog.goals.iter().all(|goal| !goal.models.is_empty()));
    let first = &catalog.goals[0].models[0];
    assert_eq!(first.id, "whetstone.tiny-v1", "what trains here as itself comes first");
    assert!(!catalog.listed.iter().any(|model| model.from_endpoint), "the sandbox lists nothing that is not known");
    Ok(())
}
