//! What is attached to a prompt: kept as a copy, found there by programs, and refused in words by a model of text.

use std::path::Path;

use serde_json::Value;
use whetstone_contract::{
    Api, AttachRequest, Attachment, AttachmentId, Conversation, ConversationId, ErrorCode, Nothing, PromptMode,
};

use crate::connections::{account, new};
use crate::host::{Bench, Outcome};
use crate::life_cycle::prompt;

const LITE: &str = "amazon.nova-lite-v1:0";
/// The head of a PNG, which says that it is 4 by 4.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x04\0\0\0\x04\x08\x02\0\0\0\0\0\0\0";

/// Attaches files as the window does: chosen in the dialog, then named by their tokens.
async fn attach(bench: &Bench, files: &[&Path]) -> Result<Vec<Attachment>, Box<dyn std::error::Error>> {
    let chosen = files.iter().map(|file| (*file).to_owned()).collect();
    *bench.host.attachments.lock().map_err(|error| error.to_string())? = chosen;
    let mut attached = Vec::new();
    for file in bench.api.pick_attachments(Nothing {}).await? {
        attached.push(bench.api.attach_file(AttachRequest { token: file.token }).await?);
    }
    Ok(attached)
}

#[tokio::test]
async fn a_picture_is_offered_where_it_is_taken_sent_from_its_copy_and_refused_in_words() -> Outcome {
    let folder = tempfile::tempdir()?;
    let team = account(&folder.path().join("team"), 0, None).await?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    bench.wait_for_connection("this-computer", |one| one.current).await?;
    let takes = |models: &[whetstone_contract::PlayableModel], id: &str| {
        models.iter().find(|model| model.model_id == id).map(|model| (model.takes.images, model.takes.documents))
    };
    let here = bench.api.playable_models(Nothing {}).await?;
    assert!(here.iter().all(|model| (model.takes.images, model.takes.documents) == (0, 0)), "text is all that is here");
    bench.api.add_connection(new(&team)).await?;
    let there = bench.api.playable_models(Nothing {}).await?;
    assert_eq!(takes(&there, LITE), Some((20, 5)));
    assert_eq!(takes(&there, "amazon.nova-micro-v1:0"), Some((0, 0)));

    let (photo, rates) = (folder.path().join("it's a photo.png"), folder.path().join("rates.csv"));
    std::fs::write(&photo, PICTURE)?;
    std::fs::write(&rates, "month,rate\n1,2\n")?;
    let attached = attach(&bench, &[&photo, &rates]).await?;
    std::fs::write(&photo, "something else by now")?;
    let shown = bench.api.attached_picture(AttachmentId { id: attached[0].id.clone() }).await?;
    assert!(shown.url.starts_with("data:image/png;base64,iVBORw0KGgo"), "{}", shown.url);

    let mut asked = prompt(LITE, "What is in the picture?");
    asked.turns[0].attachments.clone_from(&attached);
    let copy = folder.path().join("home/attachments").join(&attached[0].id);
    assert_eq!(std::fs::read(&copy)?, PICTURE, "the copy is what was attached");
    let code = bench.api.prompt_code(asked.clone()).await?;
    let path = copy.display().to_string();
    for (program, reads) in [
        (&code.cli, format!("bytes@=\"fileb://{path}\"")),
        (&code.python, format!("\"bytes\": Path(\"{path}\").read_bytes()")),
        (&code.javascript, format!("\"bytes\": readFileSync(\"{path}\")")),
        (&code.rust, format!("types::ImageSource::Bytes(Blob::new(std::fs::read(\"{path}\")?))")),
    ] {
        assert!(program.contains(&reads), "{reads} in {program}");
        assert!(program.contains("rates"), "{program}");
    }

    // Whether a model can see is for the endpoint to say: what stands in for this one here cannot.
    let refused = bench.api.send_prompt(asked.clone()).await.err().ok_or("a model of text was shown a picture")?;
    assert_eq!(refused.code, ErrorCode::Validation);
    assert!(refused.message.contains("image content block"), "{}", refused.message);
    assert!(refused.hint.is_some_and(|hint| hint.contains("attached")));
    asked.mode = PromptMode::Completion;
    let refused = bench.api.send_prompt(asked).await.err().ok_or("a completion was sent without what was attached")?;
    assert_eq!(refused.code, ErrorCode::InvalidInput);
    Ok(())
}

#[tokio::test]
async fn copies_go_with_the_last_conversation_that_names_them() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let (kept, left) = (folder.path().join("kept.md"), folder.path().join("left.md"));
    std::fs::write(&kept, "kept")?;
    std::fs::write(&left, "never sent")?;
    let attached = attach(&bench, &[&kept, &left]).await?;
    let document = serde_json::json!({ "columns": [{ "exchanges": [{ "attachments": [&attached[0]] }] }] });
    for id in ["one", "two"] {
        let conversation =
            Conversation { id: id.into(), title: id.into(), changed_at: 0, document: Value::to_string(&document) };
        bench.api.save_conversation(conversation).await?;
    }
    drop(bench);

    let bench = Bench::open_when_free(&home).await?;
    let there = |index: usize| home.join("attachments").join(&attached[index].id).exists();
    assert_eq!((there(0), there(1)), (true, false), "what was never sent goes at the next start");
    bench.api.delete_conversation(ConversationId { conversation: "one".into() }).await?;
    assert!(there(0), "another conversation still names it");
    bench.api.delete_conversation(ConversationId { conversation: "two".into() }).await?;
    assert!(!there(0));
    Ok(())
}
