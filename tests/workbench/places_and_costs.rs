//! What lies in S3, and what things cost, over the real sandbox.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use whetstone_cloud::profiles::Endpoints;
use whetstone_cloud::{Bandwidth, Cloud, Credentials, Endpoint, S3Uri, TransferOptions};
use whetstone_contract::{
    AbandonedRequest, ActivityState, Api, AppEvent, CostItem, EndTimeRequest, ErrorCode, EstimateRequest,
    FolderRequest, JobDraft, JobStatus, Nothing, ObjectRequest, PlaceRequest, PreviewRequest, ReminderRequest,
    RunningKind, SettingsPatch,
};

use crate::host::{Bench, Outcome, draft};

const PATIENCE: Duration = Duration::from_secs(120);

/// Asks until it is so; every look is at the app's own record.
pub async fn until(is_so: impl AsyncFn() -> Result<bool, whetstone_contract::AppError>) -> Outcome {
    let began = Instant::now();
    while !is_so().await? {
        if began.elapsed() > PATIENCE {
            return Err("it did not get there".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The way another program would reach the sandbox that the app runs.
async fn beside(bench: &Bench, home: &Path) -> Result<(Cloud, aws_sdk_bedrock::Client), Box<dyn std::error::Error>> {
    bench.api.base_models(Nothing {}).await?;
    let endpoint = bench.api.connection(Nothing {}).await?.endpoint.ok_or("no endpoint")?;
    let port = endpoint.rsplit(':').next().ok_or("no port")?.parse()?;
    let lines = whetstone_sandbox::environment(&home.join("sandbox"), port)?;
    let value = |name: &str| {
        let line = lines.lines().find(|line| line.contains(&format!("{name}=")))?;
        Some(line.split_once('=')?.1.trim_matches(['\'', '"']).to_owned())
    };
    let (id, secret) = (value("AWS_ACCESS_KEY_ID").ok_or("no key")?, value("AWS_SECRET_ACCESS_KEY").ok_or("no key")?);
    let credentials = Credentials::Static { id: id.clone(), secret: secret.clone(), session: None };
    let cloud =
        Cloud::connect(Endpoint { region: "us-east-1".into(), endpoints: Endpoints::all(&endpoint), credentials })?;
    let bedrock = aws_sdk_bedrock::Client::from_conf(
        aws_sdk_bedrock::Config::builder()
            .behavior_version(aws_sdk_bedrock::config::BehaviorVersion::latest())
            .region(aws_sdk_bedrock::config::Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(aws_sdk_bedrock::config::Credentials::new(id, secret, None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    );
    Ok((cloud, bedrock))
}

#[tokio::test]
async fn an_object_is_found_seen_brought_here_and_opened() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let (cloud, _) = beside(&bench, &home).await?;
    cloud.ensure_bucket("shared").await?;
    let text = "text,category\nWhere is my card?,card_arrival\n";
    let file = folder.path().join("data.csv");
    std::fs::write(&file, text)?;
    for key in ["data.csv", "deep/er/data.csv", "deep/other.csv"] {
        let to = S3Uri { bucket: "shared".into(), key: key.into() };
        cloud.upload_file(&file, &to, TransferOptions::new(folder.path().join("journal"))).join().await?;
    }
    let buckets = bench.api.buckets(Nothing {}).await?;
    let names: Vec<&str> = buckets.iter().map(|bucket| bucket.name.as_str()).collect();
    assert_eq!(names, ["shared", "whetstone"], "this computer has a bucket of its own");
    let place = |prefix: &str| PlaceRequest { bucket: "shared".into(), prefix: prefix.into(), after: None };
    let top = bench.api.list_place(place("")).await?;
    assert_eq!((top.folders[0].prefix.as_str(), top.objects[0].key.as_str()), ("deep/", "data.csv"));
    let deep = bench.api.list_place(place("deep/")).await?;
    assert_eq!((deep.folders[0].name.as_str(), deep.objects[0].name.as_str()), ("er", "other.csv"));
    let none = bench.api.list_place(PlaceRequest { bucket: "not-there".into(), ..place("") }).await;
    assert_eq!(none.map_err(|error| error.code), Err(ErrorCode::NotFound));

    let object = || ObjectRequest { bucket: "shared".into(), key: "data.csv".into() };
    let preview = bench.api.preview_object(object()).await?;
    assert_eq!((preview.text.as_deref(), preview.cut, preview.bytes), (Some(text), false, text.len() as u64));

    let picked = bench.api.fetch_object(object()).await?;
    assert_eq!(picked.name, "data.csv");
    let read = bench.api.preview_file(PreviewRequest { token: picked.token, reading: None }).await?;
    assert_eq!(read.columns, ["text", "category"]);

    assert!(bench.api.download_object(object()).await?.is_none(), "the dialog was closed");
    let to = folder.path().join("chosen.csv");
    *bench.host.new_file.lock().map_err(|_| "poisoned")? = Some(to.clone());
    let activity = bench.api.download_object(object()).await?.ok_or("no activity")?;
    until(async || {
        let all = bench.api.activities(Nothing {}).await?;
        Ok(all.iter().any(|one| one.id == activity.activity && one.state == ActivityState::Done))
    })
    .await?;
    assert_eq!(std::fs::read_to_string(&to)?, text);
    let request = FolderRequest { bucket: "shared".into(), prefix: "deep/".into() };
    assert!(bench.api.download_folder(request).await?.is_none(), "the dialog was closed");
    Ok(())
}

#[tokio::test]
async fn parts_that_nobody_will_complete_are_found_and_removed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let (cloud, _) = beside(&bench, &home).await?;
    assert!(bench.api.abandoned_uploads(Nothing {}).await?.is_empty(), "there is no bucket yet");
    cloud.ensure_bucket("whetstone").await?;
    let file = folder.path().join("large");
    std::fs::write(&file, vec![7; 40 * 1024 * 1024])?;
    let options = TransferOptions {
        bandwidth: Arc::new(Bandwidth::limited(Some(40_000_000))),
        ..TransferOptions::new(folder.path().join("journal"))
    };
    let to = S3Uri { bucket: "whetstone".into(), key: "left/behind".into() };
    let mut upload = cloud.upload_file(&file, &to, options);
    // Four parts begin together, so by now one has arrived.
    while upload.next_progress().await.ok_or("it ended")?.bytes < 34 * 1024 * 1024 {}
    upload.stop().await;
    let found = bench.api.abandoned_uploads(Nothing {}).await?;
    assert_eq!((found.len(), found[0].key.as_str()), (1, "left/behind"));
    assert!(found[0].parts > 0 && found[0].bytes >= 8 * 1024 * 1024, "{found:?}");
    let one = &found[0];
    let request = AbandonedRequest { bucket: one.bucket.clone(), key: one.key.clone(), id: one.id.clone() };
    bench.api.remove_abandoned_upload(request).await?;
    assert!(bench.api.abandoned_uploads(Nothing {}).await?.is_empty());
    Ok(())
}

/// The file of this length somewhere below.
fn file_of(folder: &Path, length: u64) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let metadata = entry.metadata().ok()?;
        if metadata.is_dir() {
            file_of(&entry.path(), length)
        } else {
            (metadata.len() == length).then(|| entry.path())
        }
    })
}

#[tokio::test]
async fn a_large_object_that_is_not_what_was_uploaded_is_not_taken() -> Outcome {
    const LENGTH: usize = 20 * 1024 * 1024 + 3;
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let (cloud, _) = beside(&bench, &home).await?;
    cloud.ensure_bucket("shared").await?;
    let (file, back) = (folder.path().join("large"), folder.path().join("back"));
    let content: Vec<u8> = (0..LENGTH).map(|n| (n % 251) as u8).collect();
    std::fs::write(&file, &content)?;
    let place = S3Uri { bucket: "shared".into(), key: "large".into() };
    let options = || TransferOptions::new(folder.path().join("journal"));
    let sent = cloud.upload_file(&file, &place, options()).join().await?;
    let brought = cloud.download_file(&place, &back, options()).join().await?;
    assert_eq!((sent.unchecked, brought.unchecked), (0, 0));
    assert!(std::fs::read(&back)? == content);

    std::fs::remove_file(&back)?;
    let stored = file_of(&home.join("sandbox"), LENGTH as u64).ok_or("no such object")?;
    let mut damaged = content;
    damaged[13_000_000] ^= 1;
    // As a disk damages it: without a trace in the file's own times, or it would be taken for another object.
    let written = std::fs::metadata(&stored)?.modified()?;
    std::fs::write(&stored, damaged)?;
    std::fs::File::options().write(true).open(&stored)?.set_modified(written)?;
    let error = cloud.download_file(&place, &back, options()).join().await.err().ok_or("it was taken")?;
    assert!(error.message.contains("checksums differ"), "{error}");
    assert!(!back.exists());
    Ok(())
}

#[tokio::test]
async fn a_job_is_priced_from_the_endpoints_list_before_it_starts() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&crate::host::colours(folder.path())?, false).await?;
    let request = EstimateRequest {
        dataset: dataset.id.clone(),
        base_model: "amazon.nova-2-lite-v1:0:256k".into(),
        epochs: Some(3),
        region: None,
    };
    let cost = bench.api.estimate(request.clone()).await?;
    assert_eq!((cost.headline.as_str(), cost.start_usd, cost.billed), ("Free", Some(0.0), false));
    assert!(cost.prices_from.contains("from the price list"), "{}", cost.prices_from);
    let training = cost.lines.iter().find(|line| line.item == CostItem::Training).ok_or("no training")?;
    let rate = training.rate.as_ref().ok_or("no rate")?;
    // The sandbox's list says where it has a price from; that is what is shown, and not "AWS".
    assert!(rate.date == "2026-08-02" && rate.source.contains("public project"), "{rate:?}");
    #[expect(clippy::cast_precision_loss, reason = "few tokens")]
    let expected = cost.training_tokens as f64 * 3.0 / 1000.0 * rate.usd;
    assert!((training.usd.ok_or("unknown")? - expected).abs() < 1e-9);
    let unknown = EstimateRequest { region: Some("eu-west-3".into()), ..request };
    let cost = bench.api.estimate(unknown).await?;
    let training = cost.lines.iter().find(|line| line.item == CostItem::Training).ok_or("no training")?;
    assert!(training.usd.is_none() && training.note.starts_with("Unknown in eu-west-3"), "{}", training.note);
    Ok(())
}

#[tokio::test]
async fn provisioned_throughput_runs_on_the_meter_until_the_end_that_was_set() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let (_, bedrock) = beside(&bench, &home).await?;
    let patch = SettingsPatch { theme: None, monthly_budget_usd: Some(10.0), transfer_limit: None };
    assert_eq!(bench.api.patch_settings(patch).await?.monthly_budget_usd, Some(10.0));
    let dataset = bench.import(&crate::host::colours(folder.path())?, false).await?;
    // One whose tuned copies are served by the hour, with a dated price for that.
    let job = draft(&dataset.id, "metered", &[("epochCount", "1")]);
    let job = bench.api.start_job(JobDraft { base_model: "amazon.nova-lite-v1:0:300k".into(), ..job }).await?;
    let done = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let model = done.output_model_arn.ok_or("no model")?;
    let created = bedrock
        .create_provisioned_model_throughput()
        .provisioned_model_name("metered")
        .model_id(model)
        .model_units(1)
        .client_request_token("metered")
        .send()
        .await?;
    let arn = created.provisioned_model_arn;

    let running = bench.api.running_costs(Nothing {}).await?;
    assert!(!running.billed && running.month.so_far_usd == 0.0);
    let of = |kind| running.items.iter().filter(move |item| item.kind == kind).collect::<Vec<_>>();
    let metered = of(RunningKind::Provisioned)[0];
    assert_eq!((metered.arn.as_str(), metered.units, metered.ends_at), (arn.as_str(), 1, None));
    let rate = metered.rate.as_ref().ok_or("no rate")?;
    assert!(metered.hourly_usd == Some(rate.usd) && !rate.source.is_empty(), "{metered:?}");
    assert_eq!(of(RunningKind::Storage).len(), 1);

    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?;
    let past = EndTimeRequest { arn: arn.clone(), ends_at: Some(now - 1) };
    let refused = bench.api.set_end_time(past).await.map_err(|error| error.code);
    assert_eq!(refused.map(drop), Err(ErrorCode::InvalidInput));
    let far = bench.api.set_end_time(EndTimeRequest { arn: arn.clone(), ends_at: Some(now + 3_600_000) }).await?;
    assert_eq!(far.items.iter().find(|item| item.arn == arn).and_then(|item| item.ends_at), Some(now + 3_600_000));
    let reminder = folder.path().join("end.ics");
    *bench.host.new_file.lock().map_err(|_| "poisoned")? = Some(reminder.clone());
    assert!(bench.api.save_reminder(ReminderRequest { arn: arn.clone() }).await?);
    assert!(std::fs::read_to_string(reminder)?.contains("delete-provisioned-model-throughput"));

    let told = || bench.host.told_of(|event| matches!(event, AppEvent::RunningCostsChanged));
    let before = told();
    bench.api.set_end_time(EndTimeRequest { arn: arn.clone(), ends_at: Some(now + 2000) }).await?;
    until(async || Ok(told() >= before + 2)).await?;
    let running = bench.api.running_costs(Nothing {}).await?;
    assert!(running.items.iter().all(|item| item.arn != arn), "{running:?}");
    Ok(())
}
