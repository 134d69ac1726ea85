//! Connections beside "This computer": another sandbox stands for an account, reached by its address and typed-in keys.

use std::path::Path;
use std::time::Duration;

use whetstone_contract::{
    Api, BucketWish, CheckId, CheckState, Connection, ConnectionId, ConnectionKind, ConnectionSource, ConnectionState,
    DoctorReport, DoctorRequest, ErrorCode, JobDetail, JobId, JobStatus, KeysAgain, NewConnection, Nothing,
    PlayableKind, RoleWish, Secret, SecretKeeping, TypedKeys,
};
use whetstone_sandbox::{Sandbox, SandboxConfig, WorkerCommand, WorkerLimits};

use crate::host::{Bench, Outcome, colours, draft};
use crate::life_cycle::prompt;

const PATIENCE: Duration = Duration::from_secs(240);
const BUCKET: &str = "tuning-data";

/// A sandbox that stands for someone's account, with faults or without.
pub async fn account(folder: &Path, port: u16, faults: Option<&str>) -> Result<Sandbox, Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join("faults.toml");
    if let Some(faults) = faults {
        std::fs::write(&file, faults)?;
    }
    let worker = WorkerCommand { program: env!("CARGO_BIN_EXE_whetstone").into(), args: vec!["train-worker".into()] };
    let config = SandboxConfig {
        data_dir: folder.join("data"),
        port,
        region: "us-east-1".into(),
        worker,
        limits: WorkerLimits::default(),
        faults: faults.map(|_| file),
    };
    Ok(Sandbox::start(config).await?)
}

pub fn keys_of(sandbox: &Sandbox) -> TypedKeys {
    TypedKeys::AccessKey {
        access_key_id: Secret(sandbox.keys().access_key_id().to_owned()),
        secret_access_key: Secret(sandbox.keys().secret_access_key().to_owned()),
        session_token: None,
    }
}

pub fn new(sandbox: &Sandbox) -> NewConnection {
    NewConnection {
        name: Some("Team".into()),
        source: ConnectionSource::Keys { keys: keys_of(sandbox) },
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.endpoint()),
    }
}

fn id(connection: &Connection) -> ConnectionId {
    ConnectionId { connection: connection.id.clone() }
}

/// A bucket and a role, created as the window would.
pub async fn with_place(bench: &Bench, connection: &Connection) -> Result<Connection, Box<dyn std::error::Error>> {
    let wish = BucketWish { connection: connection.id.clone(), name: BUCKET.into() };
    bench.api.create_bucket(wish).await?;
    Ok(bench.api.create_role(role_wish(connection)).await?.connection)
}

fn role_wish(connection: &Connection) -> RoleWish {
    RoleWish {
        connection: connection.id.clone(),
        name: None,
        bucket: BUCKET.into(),
        prefix: "whetstone".into(),
        kms_key: None,
        vpc: false,
    }
}

#[tokio::test]
async fn a_job_belongs_to_the_connection_it_was_started_with() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;

    let connection = bench.api.add_connection(new(&team)).await?;
    assert_eq!((connection.state, connection.current), (ConnectionState::Ready, true), "{connection:?}");
    assert_eq!(connection.identity.as_ref().map(|identity| identity.account.as_str()), Some(team.account()));
    let models = bench.api.base_models(Nothing {}).await?;
    assert!(
        models.iter().all(|model| model.id != "whetstone.tiny-v1"),
        "what is on this computer is not offered there"
    );

    let draft = draft(&dataset.id, "colours", &[("epochCount", "2")]);
    let plan = bench.api.plan_job(draft.clone()).await?;
    let fields: Vec<&str> = plan.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["bucket", "roleArn"], "a place is chosen first");
    with_place(&bench, &connection).await?;
    let plan = bench.api.plan_job(draft.clone()).await?;
    assert_eq!(plan.problems, []);
    assert!(plan.training_uri.starts_with("s3://tuning-data/whetstone/datasets/"), "{}", plan.training_uri);

    let job = bench.api.start_job(draft).await?;
    assert_eq!((job.connection.as_str(), job.connection_name.as_str()), (connection.id.as_str(), "Team"));
    let here = bench.api.choose_connection(ConnectionId { connection: "this-computer".into() }).await?;
    assert!(here.current && here.state == ConnectionState::Ready);
    let done = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    assert!(done.output_model_arn.is_some_and(|arn| arn.contains(team.account())), "it ran in the team's account");
    let playable = bench.api.playable_models(Nothing {}).await?;
    assert!(playable.iter().all(|model| model.kind == PlayableKind::Base), "its model answers there, and not here");

    drop(bench);
    let bench = Bench::open_when_free(&home).await?;
    let connections = bench.api.connections(Nothing {}).await?;
    assert_eq!(connections.iter().map(|one| one.current).collect::<Vec<_>>(), [true, false], "the choice is kept");
    assert_eq!(bench.api.jobs(Nothing {}).await?.len(), 1, "jobs of other connections stay listed");
    team.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_here_is_carried_over_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    let mut draft = draft(&dataset.id, "colours", &[("epochCount", "1")]);
    draft.base_model = "amazon.nova-micro-v1:0:128k".into();
    draft.output_uri = Some(format!("s3://{BUCKET}/whetstone/results/"));

    // It can be tried before there is a place for it.
    let tried = bench.api.rehearse(draft.clone()).await?;
    assert_eq!((tried.connection.as_str(), tried.stand_in), ("this-computer", true));
    let done = bench.wait_for(&tried.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let rehearsal = done.rehearsal.ok_or("it does not say what it was for")?;
    assert_eq!((rehearsal.connection_name.as_str(), rehearsal.known), ("Team", true));
    let rehearsed = || JobId { job: tried.id.clone() };
    let plan = bench.api.plan_carried(rehearsed()).await?;
    assert!(plan.problems.iter().any(|problem| problem.field == "roleArn"), "{:?}", plan.problems);
    assert!(bench.api.carry_over(rehearsed()).await.is_err(), "what is missing there is said there");

    with_place(&bench, &connection).await?;
    bench.api.choose_connection(ConnectionId { connection: "this-computer".into() }).await?;
    let carried = bench.api.carry_over(rehearsed()).await?;
    assert_eq!((carried.connection.as_str(), carried.name.as_str()), (connection.id.as_str(), "colours"));
    assert_eq!(bench.api.carry_over(rehearsed()).await?.id, carried.id, "a second click starts nothing");
    let there = bench.wait_for(&carried.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    assert_eq!(there.output_uri, format!("s3://{BUCKET}/whetstone/results/"), "the draft went on as it was");
    assert_eq!(there.hyperparameters, done.hyperparameters);
    assert_eq!(there.rehearsed_by.map(|job| job.id), Some(tried.id));
    Ok(())
}

/// An API key is all that some are given: enough to ask models, too little to tune one.
#[tokio::test]
async fn a_bedrock_api_key_asks_models_and_says_why_it_cannot_tune() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let with = |key: String| ConnectionSource::Keys { keys: TypedKeys::ApiKey { api_key: Secret(key) } };
    let key = whetstone_sandbox::api_key(&folder.path().join("team/data"))?;

    let wrong = NewConnection { source: with("ABSKnobodys".into()), ..new(&team) };
    let wrong = bench.api.add_connection(wrong).await?;
    assert_eq!((wrong.state, wrong.error.map(|e| e.code)), (ConnectionState::Failed, Some(ErrorCode::AccessDenied)));
    bench.api.remove_connection(ConnectionId { connection: wrong.id }).await?;

    let connection = bench.api.add_connection(NewConnection { source: with(key), ..new(&team) }).await?;
    assert_eq!((connection.state, connection.kind), (ConnectionState::Ready, ConnectionKind::ApiKey), "{connection:?}");
    assert_eq!(connection.identity, None, "nobody can ask whose it is");
    let models = bench.api.playable_models(Nothing {}).await?;
    let base = models.iter().find(|model| model.kind == PlayableKind::Base).ok_or("no base model")?;
    let reply = bench.api.send_prompt(prompt(&base.model_id, "What colour is the sky?")).await?;
    assert!(reply.output_tokens.is_some_and(|tokens| tokens > 0), "{reply:?}");

    let plan = bench.api.plan_job(draft(&dataset.id, "colours", &[])).await?;
    let problem = plan.problems.first().ok_or("nothing hinders it")?;
    assert!(problem.field == "bucket" && problem.message.contains("Bedrock API key"), "{problem:?}");
    let refused = bench.api.place_choices(id(&connection)).await.err().ok_or("IAM took an API key")?;
    assert_eq!((refused.code, refused.message.contains("Bedrock alone")), (ErrorCode::AccessDenied, true));
    team.stop().await;
    Ok(())
}

/// Says how the keys fared: with a keyring they are there, without one they are asked for again.
#[tokio::test]
async fn typed_in_keys_are_kept_by_the_keyring_or_asked_for_again() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    let keeping = connection.keeping.ok_or("nothing is said about the keys")?;
    drop(bench);

    let bench = Bench::open_when_free(&home).await?;
    let again = bench.api.reconnect(id(&connection)).await?;
    match keeping {
        SecretKeeping::Keyring => assert_eq!(again.state, ConnectionState::Ready, "{again:?}"),
        _ => {
            assert_eq!(again.error.map(|error| error.code), Some(ErrorCode::KeysNeeded));
            assert_eq!(again.keeping, Some(SecretKeeping::Gone));
            let keys = KeysAgain { connection: connection.id.clone(), keys: keys_of(&team) };
            assert_eq!(bench.api.renew_keys(keys).await?.state, ConnectionState::Ready);
        }
    }
    bench.api.remove_connection(id(&connection)).await?;
    assert_eq!(bench.api.connections(Nothing {}).await?.len(), 1);
    team.stop().await;
    Ok(())
}

#[tokio::test]
async fn another_account_behind_a_connection_is_a_question() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    let port: u16 = team.endpoint().rsplit(':').next().ok_or("no port")?.parse()?;
    team.stop().await;

    let other = account(&folder.path().join("other"), port, None).await?;
    let keys = KeysAgain { connection: connection.id.clone(), keys: keys_of(&other) };
    let asked = bench.api.renew_keys(keys).await?;
    if other.account() == connection.identity.as_ref().map_or("", |identity| identity.account.as_str()) {
        return Err("both sandboxes have one account, so nothing is shown".into());
    }
    assert_eq!(asked.error.map(|error| error.code), Some(ErrorCode::AccountChanged));
    let refused = bench.api.base_models(Nothing {}).await.err().map(|error| error.code);
    assert_eq!(refused, Some(ErrorCode::AccountChanged), "nothing is done with it until the person has said so");
    let accepted = bench.api.accept_account(id(&connection)).await?;
    assert_eq!(accepted.state, ConnectionState::Ready);
    assert_eq!(accepted.identity.map(|identity| identity.account).as_deref(), Some(other.account()));
    other.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_upload_whose_session_ends_goes_on_after_signing_in() -> Outcome {
    let folder = tempfile::tempdir()?;
    let faults = "[[fault]]\noperation = \"PutObject\"\nnth = [1]\nkind = \"expired-token\"\n";
    let team = account(&folder.path().join("team"), 0, Some(faults)).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    with_place(&bench, &connection).await?;
    let job = bench.api.start_job(draft(&dataset.id, "expired", &[("epochCount", "1")])).await?;

    let connection = bench.wait_for_connection(&connection.id, |one| one.state == ConnectionState::Failed).await?;
    assert_eq!(connection.error.map(|error| error.code), Some(ErrorCode::SignIn));
    let waiting: JobDetail = bench.api.job(JobId { job: job.id.clone() }).await?;
    assert_eq!(waiting.summary.status, JobStatus::Uploading, "the job waits for the person");

    bench.api.reconnect(ConnectionId { connection: connection.id }).await?;
    bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    team.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_throttled_upload_is_tried_again_by_itself() -> Outcome {
    let folder = tempfile::tempdir()?;
    // More refusals than the SDK tries in one call.
    let faults = "[[fault]]\noperation = \"CreateModelCustomizationJob\"\nnth = [1, 2, 3, 4]\nkind = \"throttling\"\n";
    let team = account(&folder.path().join("team"), 0, Some(faults)).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    with_place(&bench, &connection).await?;
    let job = bench.api.start_job(draft(&dataset.id, "throttled", &[("epochCount", "1")])).await?;
    bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    assert_eq!(bench.api.jobs(Nothing {}).await?.len(), 1, "and was created once");
    team.stop().await;
    Ok(())
}

async fn examined(bench: &Bench, model: Option<&str>, probe: bool) -> Result<DoctorReport, Box<dyn std::error::Error>> {
    let request = DoctorRequest {
        request: "doctor".into(),
        connection: None,
        model: model.map(str::to_owned),
        role_arn: None,
        bucket: None,
        probe,
    };
    Ok(bench.api.doctor(request).await?)
}

fn state_of(report: &DoctorReport, id: CheckId) -> Option<CheckState> {
    report.checks.iter().find(|check| check.id == id).map(|check| check.state)
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_with_what_the_app_created() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    with_place(&bench, &connection).await?;
    // Twice leaves one role.
    let again = bench.api.create_role(role_wish(&connection)).await?;
    assert!(again.done[0].contains("was there already"), "{:?}", again.done);

    let report = examined(&bench, Some("amazon.nova-lite-v1:0:300k"), true).await?;
    let bad: Vec<_> = report
        .checks
        .iter()
        .filter(|check| matches!(check.state, CheckState::Failed | CheckState::Warning | CheckState::Skipped))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(report.verdict, CheckState::Ok);
    assert_eq!(
        bench.host.told_of(|event| matches!(event, whetstone_contract::AppEvent::DoctorChecked { .. })),
        report.checks.len()
    );
    team.stop().await;
    Ok(())
}

/// Each link of the chain, broken one at a time.
#[tokio::test]
async fn the_doctor_names_the_link_that_is_broken() -> Outcome {
    let broken: &[(&str, &str, CheckId, CheckState)] = &[
        ("GetCallerIdentity", "expired-token", CheckId::Identity, CheckState::Failed),
        ("GetCallerIdentity", "access-denied", CheckId::Identity, CheckState::Failed),
        ("ListFoundationModels", "access-denied", CheckId::Bedrock, CheckState::Failed),
        ("GetFoundationModelAvailability", "access-denied", CheckId::ModelAccess, CheckState::Unknown),
        ("GetRole", "access-denied", CheckId::RoleTrust, CheckState::Unknown),
        ("SimulatePrincipalPolicy", "access-denied", CheckId::PassRole, CheckState::Unknown),
        ("HeadBucket", "access-denied", CheckId::BucketRegion, CheckState::Failed),
        ("ListObjectsV2", "access-denied", CheckId::BucketList, CheckState::Failed),
        ("PutObject", "access-denied", CheckId::BucketWrite, CheckState::Failed),
        ("ListServiceQuotas", "access-denied", CheckId::Quotas, CheckState::Unknown),
    ];
    let folder = tempfile::tempdir()?;
    for (index, (operation, kind, id, expected)) in broken.iter().enumerate() {
        let place = folder.path().join(index.to_string());
        let whole = account(&place.join("team"), 0, None).await?;
        let bench = Bench::open(&place.join("home")).await?;
        let connection = bench.api.add_connection(new(&whole)).await?;
        with_place(&bench, &connection).await?;
        let port: u16 = whole.endpoint().rsplit(':').next().ok_or("no port")?.parse()?;
        whole.stop().await;
        // The same account on the same port, with one thing broken.
        let faults = format!("[[fault]]\noperation = \"{operation}\"\nkind = \"{kind}\"\n");
        let team = account(&place.join("team"), port, Some(&faults)).await?;
        let report = examined(&bench, Some("amazon.nova-lite-v1:0:300k"), true).await?;
        let found = report.checks.iter().find(|check| check.id == *id).ok_or("not asked")?;
        assert_eq!(found.state, *expected, "{operation} {kind}: {report:#?}");
        if *kind == "access-denied" && *id != CheckId::Identity {
            let policy = found.mend.as_ref().and_then(|mend| mend.policy.clone());
            assert!(policy.is_some(), "{operation}: the statement is told: {found:?}");
        }
        team.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn the_doctor_tells_a_role_that_is_not_for_bedrock_and_a_bucket_that_is_not_there() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let connection = bench.api.add_connection(new(&team)).await?;
    let ask = |role: String, bucket: &str| DoctorRequest {
        request: "doctor".into(),
        connection: Some(connection.id.clone()),
        model: Some("amazon.titan-text-lite-v1:0:4k".into()),
        role_arn: Some(role),
        bucket: Some(bucket.to_owned()),
        probe: false,
    };
    let role = format!("arn:aws:iam::{}:role/nobody", team.account());
    let report = bench.api.doctor(ask(role, "not-there")).await?;
    assert_eq!(state_of(&report, CheckId::RoleTrust), Some(CheckState::Failed));
    assert_eq!(state_of(&report, CheckId::BucketRegion), Some(CheckState::Failed));
    assert_eq!(state_of(&report, CheckId::BucketList), Some(CheckState::Skipped));
    assert_ne!(state_of(&report, CheckId::Model), Some(CheckState::Ok), "a model at its end is no base model");
    assert_eq!(report.verdict, CheckState::Failed);
    let role = "arn:aws:iam::999999999999:role/elsewhere".to_owned();
    let report = bench.api.doctor(ask(role, "not-there")).await?;
    let trust = report.checks.iter().find(|check| check.id == CheckId::RoleTrust).ok_or("not asked")?;
    assert!(trust.answered.contains("is not a role of account"), "{trust:?}");
    team.stop().await;
    Ok(())
}
