//! The prompt library: every save a version, none lost.

use whetstone_contract::{Api, ErrorCode, LibraryPrompt, PromptId, PromptSearch, PromptVersionId, SavePrompt};

use crate::host::{Bench, Outcome};

fn named(name: &str, text: &str) -> SavePrompt {
    SavePrompt { id: None, name: name.into(), text: text.into(), system: None }
}

async fn found(bench: &Bench, text: Option<&str>) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let all = bench.api.prompts(PromptSearch { text: text.map(str::to_owned) }).await?;
    Ok(all.into_iter().map(|one| one.name).collect())
}

#[tokio::test]
async fn a_saved_prompt_keeps_every_version_through_a_restart_and_brings_one_back() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    let bench = Bench::open(&home).await?;
    let first = bench.api.save_prompt(named(" Triage ", "Sort this: {{ticket}}")).await?;
    assert_eq!((first.name.as_str(), first.version), ("Triage", 1));
    let again = |text: &str, system: Option<&str>| SavePrompt {
        id: Some(first.id.clone()),
        system: system.map(str::to_owned),
        ..named("Triage", text)
    };
    assert_eq!(bench.api.save_prompt(again("Sort this: {{ticket}}", Some("  "))).await?.version, 1, "nothing changed");
    let second = bench.api.save_prompt(again("File this: {{ticket}}", Some("Be brief."))).await?;
    assert_eq!(second.version, 2);
    drop(bench);

    let bench = Bench::open_when_free(&home).await?;
    let which = || PromptId { id: first.id.clone() };
    let versions = bench.api.prompt_versions(which()).await?;
    assert_eq!(versions, [second.clone(), first.clone()]);
    let back = bench.api.restore_prompt(PromptVersionId { id: first.id.clone(), version: 1 }).await?;
    assert_eq!(back, LibraryPrompt { version: 3, changed_at: back.changed_at, ..first.clone() });
    assert_eq!(bench.api.prompt_versions(which()).await?.len(), 3);
    for version in [0, 4] {
        let wrong = bench.api.restore_prompt(PromptVersionId { id: first.id.clone(), version }).await;
        assert_eq!(wrong.err().map(|error| error.code), Some(ErrorCode::NotFound));
    }
    bench.api.delete_prompt(which()).await?;
    assert_eq!(found(&bench, None).await?, Vec::<String>::new());
    let gone = bench.api.save_prompt(again("too late", None)).await;
    assert_eq!(gone.err().map(|error| error.code), Some(ErrorCode::NotFound));
    Ok(())
}

#[tokio::test]
async fn prompts_are_found_by_what_their_newest_version_says() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(folder.path()).await?;
    let one = bench.api.save_prompt(named("Refunds", "About MONEY that comes back")).await?;
    let system = Some("You answer in Welsh.".to_owned());
    bench.api.save_prompt(SavePrompt { system, ..named("Opening hours", "When is it open?") }).await?;
    assert_eq!(found(&bench, Some("money")).await?, ["Refunds"]);
    assert_eq!(found(&bench, Some(" welsh ")).await?, ["Opening hours"]);
    assert_eq!(found(&bench, Some("")).await?.len(), 2);
    bench.api.save_prompt(SavePrompt { id: Some(one.id), ..named("Refunds", "About what comes back") }).await?;
    assert_eq!(found(&bench, Some("money")).await?, Vec::<String>::new());
    for wrong in [named(" ", "text"), named(&"n".repeat(121), "text"), named("name", " \n")] {
        assert_eq!(bench.api.save_prompt(wrong).await.err().map(|error| error.code), Some(ErrorCode::InvalidInput));
    }
    Ok(())
}
