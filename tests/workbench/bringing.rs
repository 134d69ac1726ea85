//! A copy and an import that a killed program left under way: each is there once, whatever was lost on the way.

use std::path::Path;
use std::time::Duration;

use whetstone_cloud::profiles::Endpoints;
use whetstone_cloud::{Cloud, Credentials, CustomModelSummary, Endpoint};
use whetstone_contract::{
    ActivityState, Api, CopyRequest, ImportModelRequest, JobDraft, JobStatus, KeysAgain, ModelArn, Nothing, OwnKind,
};
use whetstone_sandbox::Sandbox;

use crate::connections::{account, keys_of, new, with_place};
use crate::host::{Bench, Outcome, colours, draft};
use crate::places_and_costs::until;

const PATIENCE: Duration = Duration::from_secs(240);
/// Each attempt is carried out, and none of them is answered to the end.
const LOST: &str = r#"
[[fault]]
operation = "CreateModelCopyJob"
kind = "truncated"
[[fault]]
operation = "CreateModelImportJob"
kind = "truncated"
"#;

fn port_of(sandbox: &Sandbox) -> Result<u16, Box<dyn std::error::Error>> {
    Ok(sandbox.endpoint().rsplit(':').next().unwrap_or_default().parse()?)
}

async fn models_in(team: &Sandbox, region: &str) -> Result<Vec<CustomModelSummary>, Box<dyn std::error::Error>> {
    let (id, secret) = (team.keys().access_key_id().to_owned(), team.keys().secret_access_key().to_owned());
    let credentials = Credentials::Static { id, secret, session: None };
    let endpoints = Endpoints::all(&team.endpoint());
    Ok(Cloud::connect(Endpoint { region: region.into(), endpoints, credentials })?.custom_models().await?)
}

/// What the first program does; answers with the connection's id. A copy and an import are under way then.
async fn first_program(home: &Path, team: &Sandbox, folder: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let bench = Bench::open(home).await?;
    let dataset = bench.import(&colours(folder)?, false).await?;
    let draft = draft(&dataset.id, "travels", &[("epochCount", "1")]);
    let job = bench.api.start_job(draft.clone()).await?;
    let here = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let choose = |to: &Path| {
        *bench.host.folder.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(to.to_owned());
    };
    choose(folder);
    let arn = here.output_model_arn.ok_or("no model")?;
    let written = bench.api.export_model(ModelArn { arn }).await?.ok_or("nothing was written")?;

    let connection = bench.api.add_connection(new(team)).await?;
    with_place(&bench, &connection).await?;
    let there = JobDraft { base_model: "amazon.nova-lite-v1:0:300k".into(), ..draft };
    let job = bench.api.start_job(there).await?;
    let there = bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    let model = there.output_model_arn.ok_or("no model")?;
    bench.api.copy_model(CopyRequest { model, region: "us-west-2".into(), name: "over-there".into() }).await?;
    choose(Path::new(&written.folder));
    bench.api.import_model(ImportModelRequest { name: "came-in".into() }).await?.ok_or("the dialog was closed")?;
    until(async || {
        let all = bench.api.activities(Nothing {}).await?;
        let asked_again = all.iter().filter(|one| one.phase.contains("asked again"));
        Ok(asked_again.count() == 2)
    })
    .await?;
    Ok(connection.id)
}

#[test]
fn a_copy_and_an_import_whose_answers_are_lost_are_made_once_and_followed_after_a_kill() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (home, there) = (folder.path().join("home"), folder.path().join("team"));
    let sandboxes = tokio::runtime::Runtime::new()?;
    let team = sandboxes.block_on(account(&there, 0, Some(LOST)))?;
    let port = port_of(&team)?;

    // A runtime of its own, which ends like a killed program: whatever is under way is dropped where it stands.
    let program = tokio::runtime::Runtime::new()?;
    let connection = program.block_on(first_program(&home, &team, folder.path()))?;
    program.shutdown_background();

    sandboxes.block_on(async {
        team.stop().await;
        let team = account(&there, port, None).await?;
        let bench = Bench::open_when_free(&home).await?;
        bench.api.renew_keys(KeysAgain { connection: connection.clone(), keys: keys_of(&team) }).await?;
        until(async || {
            let all = bench.api.activities(Nothing {}).await?;
            let done = all.iter().filter(|one| one.state == ActivityState::Done);
            Ok(done.filter(|one| one.title.starts_with("Copy ") || one.title.starts_with("Import ")).count() == 2)
        })
        .await?;
        let copies = models_in(&team, "us-west-2").await?;
        assert_eq!(copies.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["over-there"]);
        let own = bench.api.own_models(Nothing {}).await?;
        let imported: Vec<_> = own.iter().filter(|model| model.kind == OwnKind::Imported).collect();
        assert_eq!(imported.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["came-in"]);

        // Nothing is left that a further start would take up.
        drop(bench);
        let bench = Bench::open_when_free(&home).await?;
        bench.api.renew_keys(KeysAgain { connection, keys: keys_of(&team) }).await?;
        let all = bench.api.activities(Nothing {}).await?;
        assert!(all.iter().all(|one| !one.title.starts_with("Copy ")), "{all:?}");
        Ok(())
    })
}
