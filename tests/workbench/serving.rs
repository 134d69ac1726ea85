//! The account's own models: served, asked, turned, copied, taken out and brought in, and deleted in an order that works.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use whetstone_contract::{
    ActivityState, Api, AppError, Block, BlockKind, Conversation, ConversationId, ConversationSearch, CopyRequest,
    DatasetId, ErrorCode, ImportModelRequest, InsertRequest, JobDraft, JobStatus, ModelArn, Nothing, OwnKind, OwnModel,
    PlayableKind, RecordBody, ServeRequest, ServingWay, Turn, TurnRequest,
};

use crate::host::{Bench, Outcome, colours, draft};
use crate::life_cycle::prompt;
use crate::places_and_costs::until;

const PATIENCE: Duration = Duration::from_secs(240);
/// One that is served both ways, with a dated price of the hour.
const BOTH_WAYS: &str = "amazon.nova-lite-v1:0:300k";

fn now() -> Result<i64, Box<dyn std::error::Error>> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

async fn tuned(bench: &Bench, dataset: &str, name: &str, base: &str) -> Result<OwnModel, Box<dyn std::error::Error>> {
    let job = JobDraft { base_model: base.into(), ..draft(dataset, name, &[("epochCount", "1")]) };
    let job = bench.api.start_job(job).await?;
    bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let all = bench.api.own_models(Nothing {}).await?;
    Ok(all.into_iter().find(|model| model.name == name).ok_or("the model is not listed")?)
}

async fn find(bench: &Bench, arn: &str) -> Result<Option<OwnModel>, Box<dyn std::error::Error>> {
    Ok(bench.api.own_models(Nothing {}).await?.into_iter().find(|model| model.arn == arn))
}

async fn until_it_answers(bench: &Bench, model: &str) -> Outcome {
    until(async || {
        let found = bench.api.own_models(Nothing {}).await?;
        let served = found.iter().filter(|one| one.arn == model).flat_map(|one| &one.served_by);
        Ok(served.clone().count() > 0
            && served
                .into_iter()
                .all(|one| one.turning_to.is_none() && matches!(one.status.as_str(), "Active" | "InService")))
    })
    .await
}

async fn until_done(bench: &Bench, activity: &str) -> Outcome {
    let state = async || -> Result<Option<ActivityState>, AppError> {
        let all = bench.api.activities(Nothing {}).await?;
        Ok(all.iter().find(|one| one.id == activity).map(|one| one.state))
    };
    until(async || Ok(state().await? != Some(ActivityState::Running))).await?;
    let all = bench.api.activities(Nothing {}).await?;
    assert_eq!(state().await?, Some(ActivityState::Done), "{all:?}");
    Ok(())
}

fn serve(model: &str, way: ServingWay, name: &str) -> ServeRequest {
    ServeRequest { model: model.into(), way, name: name.into(), units: 1, commitment: None, ends_at: None }
}

#[tokio::test]
async fn a_model_is_served_by_the_hour_turned_copied_and_deleted_with_what_answers_for_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let first = tuned(&bench, &dataset.id, "first", BOTH_WAYS).await?;
    let second = tuned(&bench, &dataset.id, "second", BOTH_WAYS).await?;
    let lineage = first.lineage.as_ref().ok_or("no lineage")?;
    assert_eq!((lineage.dataset.as_deref(), lineage.job_name.as_str()), (Some(dataset.id.as_str()), "first"));
    assert!(first.stand_in && first.kind == OwnKind::Custom && first.storage.is_some(), "{first:?}");

    let plan = bench.api.serving_plan(ModelArn { arn: first.arn.clone() }).await?;
    let ways: Vec<_> = plan.ways.iter().map(|one| one.way).collect();
    assert_eq!((ways, plan.suggested_name.as_str()), (vec![ServingWay::OnDemand, ServingWay::Provisioned], "first"));
    let hour = plan.ways[1].rates.first().ok_or("no price of the hour")?;
    assert!(hour.usd > 0.0 && !hour.source.is_empty() && !hour.date.is_empty(), "{hour:?}");

    let ends_at = Some(now()? + 3_600_000);
    let wish = ServeRequest { ends_at, ..serve(&first.arn, ServingWay::Provisioned, "by-the-hour") };
    let served = bench.api.serve_model(wish).await?.arn;
    until_it_answers(&bench, &first.arn).await?;
    let shown = find(&bench, &first.arn).await?.ok_or("gone")?.served_by.remove(0);
    assert_eq!((shown.arn.as_str(), shown.ends_at, shown.hourly_usd), (served.as_str(), ends_at, Some(hour.usd)));
    assert_eq!(shown.asked_at, None);

    let playable = bench.api.playable_models(Nothing {}).await?;
    let one = playable.iter().find(|one| one.model_id == served).ok_or("it cannot be asked")?;
    assert_eq!((one.kind, one.served_as.as_deref()), (PlayableKind::Tuned, Some("by-the-hour")));
    let reply = bench.api.send_prompt(prompt(&served, "Colour of the \"sky\", please")).await?;
    assert_eq!(reply.cost.usd, Some(0.0));
    let sent: serde_json::Value = serde_json::from_str(&reply.raw_request)?;
    assert_eq!(sent["messages"][0]["content"][0]["text"], "Colour of the \"sky\", please");
    let back: serde_json::Value = serde_json::from_str(&reply.raw_response)?;
    assert_eq!(back["output"]["message"]["content"][0]["text"], reply.text.as_str());
    assert!(find(&bench, &first.arn).await?.ok_or("gone")?.served_by[0].asked_at.is_some());

    bench.api.turn_served(TurnRequest { served: served.clone(), model: second.arn.clone() }).await?;
    until_it_answers(&bench, &second.arn).await?;
    assert!(find(&bench, &first.arn).await?.ok_or("gone")?.served_by.is_empty());

    let copy = CopyRequest { model: second.arn.clone(), region: "us-west-2".into(), name: "over-there".into() };
    let here = CopyRequest { region: "us-east-1".into(), ..copy.clone() };
    assert_eq!(bench.api.copy_model(here).await.err().map(|error| error.code), Some(ErrorCode::InvalidInput));
    until_done(&bench, &bench.api.copy_model(copy).await?.activity).await?;

    let deployed = bench.api.serve_model(serve(&second.arn, ServingWay::OnDemand, "by-the-token")).await?.arn;
    until_it_answers(&bench, &second.arn).await?;
    let removal = bench.api.removal(ModelArn { arn: second.arn.clone() }).await?;
    let order: Vec<_> = removal.steps.iter().map(|step| step.arn.as_str()).collect();
    assert_eq!((order, removal.refused), (vec![deployed.as_str(), served.as_str(), second.arn.as_str()], None));
    until_done(&bench, &bench.api.remove_model(ModelArn { arn: second.arn.clone() }).await?.activity).await?;
    assert!(find(&bench, &second.arn).await?.is_none());
    assert!(bench.api.playable_models(Nothing {}).await?.iter().all(|one| one.model_id != served));
    Ok(())
}

#[tokio::test]
async fn an_exported_model_that_is_imported_again_answers_as_it_did() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let model = tuned(&bench, &dataset.id, "travels", "whetstone.tiny-v1").await?;
    let arn = || ModelArn { arn: model.arn.clone() };
    assert!(bench.api.export_model(arn()).await?.is_none(), "the dialog was closed");
    let out = folder.path().join("out");
    std::fs::create_dir(&out)?;
    let choose = |to: &std::path::Path| {
        *bench.host.folder.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(to.to_owned());
    };
    choose(&out);
    let written = bench.api.export_model(arn()).await?.ok_or("nothing was written")?;
    assert!(
        ["config.json", "tokenizer.json"].iter().all(|file| written.files.iter().any(|one| one == file)),
        "{written:?}"
    );
    choose(&out);
    assert_eq!(bench.api.export_model(arn()).await.err().map(|error| error.code), Some(ErrorCode::Refused));

    let wish = || ImportModelRequest { name: "came-back".into() };
    choose(folder.path());
    assert_eq!(bench.api.import_model(wish()).await.err().map(|error| error.code), Some(ErrorCode::FileBroken));
    choose(std::path::Path::new(&written.folder));
    let activity = bench.api.import_model(wish()).await?.ok_or("the dialog was closed")?;
    until_done(&bench, &activity.activity).await?;
    let deployed = bench.api.serve_model(serve(&model.arn, ServingWay::OnDemand, "stays")).await?.arn;
    until_it_answers(&bench, &model.arn).await?;
    let playable = bench.api.playable_models(Nothing {}).await?;
    let imported = playable.iter().find(|one| one.kind == PlayableKind::Imported).ok_or("it is not there")?;
    for thing in ["sky", "grass", "blood"] {
        let question = format!("Colour of the \"{thing}\", please");
        let before = bench.api.send_prompt(prompt(&deployed, &question)).await?;
        let after = bench.api.send_prompt(prompt(&imported.model_id, &question)).await?;
        assert_eq!(before.text, after.text);
    }
    Ok(())
}

#[tokio::test]
async fn a_corrected_answer_is_a_record_that_the_next_job_has() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    tuned(&bench, &dataset.id, "before", "whetstone.tiny-v1").await?;
    let block = |text: &str| Block { kind: BlockKind::Text, text: text.into(), label: None };
    let said = |role: &str, text: &str| Turn { role: role.into(), content: vec![block(text)] };
    let turns = vec![said("user", "Colour of the \"moss\", please"), said("assistant", "green")];
    let insert = InsertRequest {
        dataset: dataset.id.clone(),
        position: dataset.records,
        records: vec![RecordBody::Turns { turns }],
    };
    bench.api.insert_records(insert).await?;
    let after = bench.api.dataset(DatasetId { dataset: dataset.id.clone() }).await?;
    assert_eq!(after.records, dataset.records + 1);
    let next = tuned(&bench, &dataset.id, "after", "whetstone.tiny-v1").await?;
    let lineage = next.lineage.ok_or("no lineage")?;
    assert_eq!(lineage.records, dataset.records + 1);
    // What was uploaded is a plain file of the sandbox's.
    let key = lineage.training_uri.strip_prefix("s3://").ok_or("no address")?;
    let uploaded = std::fs::read_to_string(folder.path().join("home/sandbox/s3").join(key))?;
    assert!(uploaded.lines().any(|line| line.contains("moss") && line.contains("green")), "{uploaded}");
    Ok(())
}

#[tokio::test]
async fn conversations_are_found_by_what_was_said_after_a_restart() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let keep = |id: &str, said: &str| Conversation {
        id: id.into(),
        title: format!("About {id}"),
        changed_at: 0,
        document: serde_json::json!({ "text": said }).to_string(),
    };
    let bench = Bench::open(&home).await?;
    bench.api.save_conversation(keep("a", "the \"sky\" is\nblue")).await?;
    bench.api.save_conversation(keep("b", "grass")).await?;
    bench.api.save_conversation(keep("c", "grass too")).await?;
    bench.api.delete_conversation(ConversationId { conversation: "c".into() }).await?;
    drop(bench);
    let bench = Bench::open_when_free(&home).await?;
    let ids = async |text: Option<&str>| -> Result<Vec<String>, Box<dyn std::error::Error>> {
        let found = bench.api.conversations(ConversationSearch { text: text.map(str::to_owned) }).await?;
        Ok(found.into_iter().map(|one| one.id).collect())
    };
    assert_eq!(ids(None).await?.len(), 2);
    assert_eq!(ids(Some("\"SKY\" is\nblue")).await?, ["a"]);
    assert_eq!(ids(Some("about b")).await?, ["b"]);
    assert!(ids(Some("nowhere")).await?.is_empty());
    Ok(())
}
