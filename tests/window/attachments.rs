//! A picture beside a prompt, through the window: pasted, shown, refused where a model takes none, and told of when the
//! endpoint refuses it.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Outcome, Window};
use crate::secrets::account;

const PATIENCE: Duration = Duration::from_secs(60);
/// Pastes a picture that is drawn on the spot: no clipboard of the desktop is needed for that.
const PASTE: &str = "
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 48];
    const context = canvas.getContext('2d');
    for (const [at, colour] of ['teal', 'gold', 'crimson', 'navy'].entries()) {
        context.fillStyle = colour;
        context.fillRect(at * 16, 0, 16, 48);
    }
    const url = canvas.toDataURL('image/png');
    const bytes = Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (letter) => letter.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
    const field = document.querySelector('[data-testid=\"playground-input\"]');
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
";

#[tokio::test]
async fn a_pasted_picture_goes_only_to_models_that_take_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("account")).await?;
    let window = Window::open(&folder.path().join("app"), None).await?;
    window.go("#/playground").await?;
    window.get("playground-attach").await?;
    window.run(PASTE).await?;
    window.wait_text("attachments-obstacle", PATIENCE, |text| text.contains("takes no pictures")).await?;

    let keys = json!({
        "kind": "accessKey",
        "accessKeyId": team.keys().access_key_id(),
        "secretAccessKey": team.keys().secret_access_key(),
        "sessionToken": null,
    });
    let source = json!({ "kind": "keys", "keys": keys });
    let connection = json!({ "name": "Team", "source": source, "region": "us-east-1", "endpoint": team.endpoint() });
    window.call("add_connection", connection).await?;
    window.go("#/home").await?;
    window.go("#/playground").await?;
    window.choose("column-0-model", "amazon.nova-lite-v1:0").await?;
    window.run(PASTE).await?;
    window.wait_text("attachment", PATIENCE, |text| text.contains("Pasted picture.png")).await?;
    window.find("[data-testid=\"attachment\"] img").await?;
    window.fill("playground-input", "What is in the picture?").await?;
    window.picture("playground-attached").await?;

    window.choose("column-1-model", "amazon.nova-micro-v1:0").await?;
    window.wait_text("attachments-obstacle", PATIENCE, |text| text.contains("Micro takes no pictures")).await?;
    assert!(!window.get("playground-send").await?.is_enabled().await?, "nothing is sent without its picture");
    window.picture("playground-attached-refused").await?;
    window.click("column-1-close").await?;

    // The sandbox behind this address answers with a model of text, and says so as Bedrock does.
    window.click("playground-send").await?;
    window.wait_text("column-0-error", PATIENCE, |text| text.contains("image content block")).await?;
    window.wait_text("column-0-error", PATIENCE, |text| text.contains("send the prompt without it")).await?;
    window.picture("playground-attached-told").await?;
    team.stop().await;
    Ok(())
}
