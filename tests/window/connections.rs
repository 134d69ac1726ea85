//! From a profile of the AWS configuration files to a connection that a job would be let in with, through the window.

use std::time::Duration;

use fantoccini::Locator;

use crate::harness::{Outcome, Window, by_id};
use crate::secrets::account;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_profile_becomes_a_connection_with_a_bucket_and_a_role() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("account")).await?;
    let config = folder.path().join("config");
    std::fs::write(
        &config,
        format!(
            "[profile team]\naws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\nendpoint_url = {}\n\
             [profile build]\nrole_arn = arn:aws:iam::111122223333:role/build\nsource_profile = builder\n\
             [staging]\nregion = eu-west-1\n",
            team.keys().access_key_id(),
            team.keys().secret_access_key(),
            team.endpoint()
        ),
    )?;
    let none = folder.path().join("none");
    let variables = [("AWS_CONFIG_FILE", config.as_path()), ("AWS_SHARED_CREDENTIALS_FILE", none.as_path())];
    let window = Window::open_in(&folder.path().join("app"), None, &variables).await?;

    window.click("connection-card").await?;
    window.click("connection-menu-manage").await?;
    window.click("connection-add").await?;
    let broken = window.find("[data-testid=\"profile\"][data-profile=\"build\"]").await?;
    let why = broken.prop("innerText").await?.unwrap_or_default();
    assert!(why.contains("\"builder\" does not exist") && why.contains("line 6"), "{why}");
    window.wait_text("profile-problems", PATIENCE, |text| text.contains("[profile staging]")).await?;
    window.find("[data-testid=\"profile\"][data-profile=\"team\"] input").await?.click().await?;
    window.picture("connection-profiles").await?;
    window.click("connection-add-confirm").await?;

    window.wait_text("connection-account", PATIENCE, |text| text == team.account()).await?;
    window.wait_text("connection-card", PATIENCE, |text| text.contains(team.account())).await?;
    window.fill("place-bucket", "team-tuning").await?;
    window.click("place-create-bucket").await?;
    window.wait_gone("place-create-bucket").await?;
    window.click("place-create-role").await?;
    window.fill("role-prefix", "whetstone").await?;
    window.wait_text("role-text", PATIENCE, |text| text.contains("arn:aws:s3:::team-tuning/whetstone/*")).await?;
    window.picture("connection-role").await?;
    window.click("role-create").await?;
    window.wait_gone("role-dialog").await?;

    window.click("doctor-run").await?;
    window.find("[data-testid=\"doctor\"][data-state=\"ok\"]").await?;
    let failed = window.client.find_all(Locator::Css("[data-testid=\"doctor-check\"][data-state=\"failed\"]")).await?;
    assert!(failed.is_empty(), "{}", window.text("doctor").await?);
    window.picture("connection-ready").await?;

    window.click("connection-menu").await?;
    window.find(&by_id("connection-menu-this-computer")).await?;
    window.picture("connection-switch").await?;
    window.click("connection-menu-this-computer").await?;
    window.wait_text("connection-card", PATIENCE, |text| text.contains("sandbox")).await?;
    window.go("#/settings/connections").await?;
    window.find("[data-testid=\"connection-row\"][data-connection=\"this-computer\"]").await?;
    window.picture("connection-list").await?;
    team.stop().await;
    Ok(())
}

#[tokio::test]
async fn without_profiles_the_window_says_how_to_make_one() -> Outcome {
    let folder = tempfile::tempdir()?;
    let none = folder.path().join("none");
    let variables = [("AWS_CONFIG_FILE", none.as_path()), ("AWS_SHARED_CREDENTIALS_FILE", none.as_path())];
    let window = Window::open_in(&folder.path().join("app"), None, &variables).await?;
    window.go("#/settings/connections").await?;
    window.click("connection-add").await?;
    window.wait_text("profiles-empty", PATIENCE, |text| text.contains("aws configure sso")).await?;
    window.picture("connection-no-profiles").await?;
    Ok(())
}
