//! A dataset over its whole life: opened where it lies, filtered, mended, undone, saved, changed beneath.

use whetstone_contract::{
    Api, AppEvent, BulkEdit, ConversionRequest, DatasetId, DiffRequest, EditManyRequest, FileChoice, FileChoiceRequest,
    FileState, FindFrom, FindQuery, FindRequest, FindScope, FindingListRequest, FindingsReport, FindingsRequest,
    FixRequest, NewSnapshot, Nothing, ReplaceRequest, RowWindow, RowsRequest, SaveRequest, Selection, SelectionRequest,
    Span, SplitMethod, SplitRequest, StatisticsRequest, View,
};

use crate::host::{Bench, Outcome};

const MODEL: &str = "amazon.nova-micro-v1:0:128k";

/// Conversations of which every tenth holds a reserved word, in bytes that no writer of ours would choose.
fn lines() -> Vec<String> {
    let line = |number: usize| {
        let word = if number.is_multiple_of(10) { "User: " } else { "" };
        format!(
            r#"{{ "schemaVersion":"bedrock-conversation-2024","messages":[{{"role":"user","content":[{{"text":"{word}question \u00e9 {number}"}}]}}, {{"role":"assistant","content":[{{"text":"answer {number}"}}]}}] }}"#
        )
    };
    (0..200).map(line).collect()
}

fn view(dataset: &str, filter: &str) -> View {
    View { dataset: dataset.to_owned(), base_model: MODEL.to_owned(), filter: filter.to_owned(), sort: None }
}

async fn rows(bench: &Bench, view: View) -> Result<RowWindow, Box<dyn std::error::Error>> {
    loop {
        let request = RowsRequest { view: view.clone(), columns: vec!["prompt".into()], offset: 0, count: 1000 };
        let window = bench.api.rows(request).await?;
        if window.coverage.complete {
            return Ok(window);
        }
    }
}

async fn findings(bench: &Bench, dataset: &str) -> Result<FindingsReport, Box<dyn std::error::Error>> {
    findings_for(bench, dataset, MODEL).await
}

async fn findings_for(bench: &Bench, dataset: &str, model: &str) -> Result<FindingsReport, Box<dyn std::error::Error>> {
    loop {
        let request =
            FindingsRequest { dataset: dataset.to_owned(), base_model: model.to_owned(), customization_type: None };
        let report = bench.api.findings(request).await?;
        if report.coverage.complete {
            return Ok(report);
        }
    }
}

#[tokio::test]
async fn a_file_is_mended_in_place_and_saved_byte_for_byte() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("talk.jsonl");
    let before = lines();
    std::fs::write(&file, before.join("\n"))?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.open_in_place(&file).await?.id;
    assert_eq!(rows(&bench, view(&dataset, "")).await?.total, 200);

    let report = findings(&bench, &dataset).await?;
    let reserved = report.rules.iter().find(|rule| rule.rule == "reserved-word").ok_or("the rule found nothing")?;
    assert_eq!((reserved.findings, reserved.fix.is_some()), (20, true));
    let found = rows(&bench, view(&dataset, "finding:reserved-word")).await?;
    assert_eq!(found.total, 20);
    assert_eq!((found.rows[1].position, found.rows[1].cells[0].as_str()), (10, "User: question é 10"));
    let list = FindingListRequest {
        dataset: dataset.clone(),
        base_model: MODEL.into(),
        rule: Some("reserved-word".into()),
        offset: 0,
        count: 5,
    };
    let list = bench.api.finding_list(list).await?;
    assert_eq!((list.total, list.findings[0].marks[0].start, list.findings[0].marks[0].end), (20, 0, 5));

    let fix = FixRequest {
        dataset: dataset.clone(),
        base_model: MODEL.into(),
        rule: Some("reserved-word".into()),
        selection: None,
    };
    assert_eq!(bench.api.fix_findings(fix).await?.records, 20);
    assert_eq!(findings(&bench, &dataset).await?.errors, 0);
    let which = || DatasetId { dataset: dataset.clone() };
    bench.api.undo(which()).await?;
    assert_eq!(findings(&bench, &dataset).await?.errors, 20);
    bench.api.redo(which()).await?;
    assert_eq!(std::fs::read_to_string(&file)?, before.join("\n"), "nothing is written before the save");

    let saved = bench.api.save_dataset(SaveRequest { dataset: dataset.clone(), replace_changed: false }).await?;
    assert!(saved.file.is_some() && !saved.summary.unsaved);
    let after = std::fs::read_to_string(&file)?;
    for (number, (old, new)) in before.iter().zip(after.split('\n')).enumerate() {
        assert_eq!(old == new, !number.is_multiple_of(10), "line {}: {new}", number + 1);
        assert!(!new.contains("User:"), "line {}: {new}", number + 1);
    }
    assert_eq!(after.split('\n').count(), 200);
    Ok(())
}

#[tokio::test]
async fn find_replace_bulk_edits_and_snapshots_work_on_a_view() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("talk.jsonl");
    std::fs::write(&file, lines().join("\n") + "\n")?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.open_in_place(&file).await?.id;
    let snapshot =
        bench.api.create_snapshot(NewSnapshot { dataset: dataset.clone(), name: "as it came".into() }).await?;

    let query = FindQuery {
        text: r"question (\S) (\d+)".into(),
        regex: true,
        match_case: true,
        whole_words: false,
        scope: FindScope::Prompt,
    };
    let find = FindRequest {
        view: view(&dataset, "prompt:User"),
        query: query.clone(),
        replacement: Some("Q$2".into()),
        from: FindFrom::Hit { index: 0 },
        count: 50,
    };
    let found = loop {
        let found = bench.api.find(find.clone()).await?;
        if found.coverage.complete {
            break found;
        }
    };
    assert_eq!((found.hits, found.window.len()), (20, 20));
    let hit = &found.window[1];
    assert_eq!((hit.position, hit.start, hit.end, hit.replacement.as_deref()), (10, 6, 19, Some("Q10")));
    let all = Selection::View { view: view(&dataset, "prompt:User") };
    let replace = ReplaceRequest {
        dataset: dataset.clone(),
        selection: all.clone(),
        query,
        replacement: "Q$2".into(),
        only: None,
    };
    assert_eq!(bench.api.replace(replace).await?.records, 20);
    let set = EditManyRequest {
        dataset: dataset.clone(),
        selection: all,
        edit: BulkEdit::SetSystem { text: "Be brief.".into() },
    };
    assert_eq!(bench.api.edit_records(set).await?.records, 20);
    assert_eq!(rows(&bench, view(&dataset, "has:system")).await?.total, 20);

    let two = Selection::Positions { spans: vec![Span { start: 1, end: 3 }] };
    bench.api.delete_records(SelectionRequest { dataset: dataset.clone(), selection: two }).await?;
    let diff =
        DiffRequest { dataset: dataset.clone(), snapshot: snapshot.id.clone(), kind: None, offset: 0, count: 100 };
    let diff = bench.api.diff_snapshot(diff).await?;
    assert_eq!((diff.changed, diff.removed, diff.added, diff.entries.len()), (20, 2, 0, 22));
    let restore = whetstone_contract::SnapshotRequest { dataset: dataset.clone(), snapshot: snapshot.id };
    bench.api.restore_snapshot(restore).await?;
    assert_eq!(rows(&bench, view(&dataset, "has:system")).await?.total, 0);
    assert_eq!(bench.api.dataset(DatasetId { dataset }).await?.records, 200);
    Ok(())
}

#[tokio::test]
async fn a_file_that_changed_beneath_is_not_written_over() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("talk.jsonl");
    std::fs::write(&file, lines().join("\n") + "\n")?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.open_in_place(&file).await?.id;
    let one = Selection::Positions { spans: vec![Span { start: 0, end: 1 }] };
    bench.api.delete_records(SelectionRequest { dataset: dataset.clone(), selection: one }).await?;

    let theirs = lines()[..50].join("\n") + "\n";
    let beside = folder.path().join("beside");
    std::fs::write(&beside, &theirs)?;
    std::fs::rename(&beside, &file)?;
    let saved = bench.api.save_dataset(SaveRequest { dataset: dataset.clone(), replace_changed: false }).await?;
    assert!(saved.file.is_none());
    assert_eq!(saved.summary.file.state, FileState::Changed);
    assert_eq!(std::fs::read_to_string(&file)?, theirs);

    let reload = FileChoiceRequest { dataset: dataset.clone(), choice: FileChoice::Reload };
    let summary = bench.api.choose_file(reload).await?;
    assert_eq!(summary.file.state, FileState::AsItWas);
    let told = bench.host.told_of(|event| matches!(event, AppEvent::DatasetsChanged { .. }));
    assert!(told > 0, "the window hears of it");
    Ok(())
}

#[tokio::test]
async fn splits_statistics_and_conversion_say_what_they_come_to() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("talk.jsonl");
    std::fs::write(&file, lines().join("\n") + "\n")?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.open_in_place(&file).await?.id;
    let method = SplitMethod::Count { validation: 30, hold_out: 20 };
    let split = SplitRequest { dataset: dataset.clone(), method, seed: 3, replace_frozen: false };
    let seen = bench.api.preview_split(split.clone()).await?;
    assert_eq!((seen.training, seen.validation, seen.hold_out), (150, 30, 20));
    let made = bench.api.split_dataset(split).await?.split.ok_or("no split")?;
    assert_eq!((made.training, made.validation, made.hold_out), (150, 30, 20));
    assert_eq!(rows(&bench, view(&dataset, "split:validation")).await?.total, 30);

    let numbers = loop {
        let request = StatisticsRequest { dataset: dataset.clone(), base_model: MODEL.into() };
        let numbers = bench.api.statistics(request).await?;
        if numbers.coverage.complete {
            break numbers;
        }
    };
    assert_eq!((numbers.records, numbers.cost.records, numbers.token_source.exact), (200, 150, false));

    let out = folder.path().join("pairs.jsonl");
    let text = String::from_utf8(converted(&bench, &dataset, ["prompt-completion", "jsonl", "none"], &out).await?)?;
    assert_eq!(text.lines().count(), 200);
    assert!(text.starts_with(r#"{"prompt":"User: question é 0","completion":"answer 0"}"#), "{text:.200}");
    // What is in its form already keeps its bytes.
    let own = converted(&bench, &dataset, ["conversation", "jsonl", "none"], &out).await?;
    assert_eq!(own, format!("{}\n", lines().join("\n")).into_bytes());
    let table = String::from_utf8(converted(&bench, &dataset, ["", "csv", "none"], &out).await?)?;
    assert!(table.contains("\r\nquestion é 1,answer 1,"), "{table:.200}");
    let examples = converted(&bench, &dataset, ["", "examples", "none"], &out).await?;
    let examples: serde_json::Value = serde_json::from_slice(&examples)?;
    assert_eq!(examples["examples"][199]["input"], "question é 199");
    let packed = converted(&bench, &dataset, ["", "csv", "gz"], &out).await?;
    assert_eq!(packed[..2], [0x1F, 0x8B]);
    Ok(())
}

/// What a dataset of 200 records is converted to, none being left out.
async fn converted(
    bench: &Bench,
    dataset: &str,
    [schema, format, compression]: [&str; 3],
    out: &std::path::Path,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    *bench.host.new_file.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(out.to_owned());
    let request = ConversionRequest {
        dataset: dataset.to_owned(),
        selection: None,
        schema: schema.into(),
        format: format.into(),
        compression: compression.into(),
    };
    let converted = bench.api.convert_dataset(request).await?;
    assert_eq!((converted.report.records, converted.report.left_out), (200, 0));
    assert_eq!(converted.bytes, std::fs::metadata(out)?.len());
    Ok(std::fs::read(out)?)
}

#[tokio::test]
async fn near_duplicates_are_found_when_they_are_asked_for() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pairs.jsonl");
    let asked = |text: &str| format!(r#"{{"prompt":"{text}","completion":"It is on its way."}}"#);
    let lines = [
        asked("Where is my new card? I have waited for it for two weeks now."),
        asked("How do I change the address that my parcels are sent to?"),
        asked("where is my new card, I have waited for it for two weeks now!"),
    ];
    std::fs::write(&file, lines.join("\n"))?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.open_in_place(&file).await?.id;
    let report = findings(&bench, &dataset).await?;
    assert!(report.near.is_none() && report.rules.iter().all(|rule| rule.rule != "near-duplicate"));

    let request =
        || FindingsRequest { dataset: dataset.clone(), base_model: MODEL.to_owned(), customization_type: None };
    let mut report = bench.api.find_near_duplicates(request()).await?;
    while report.near.as_ref().is_none_or(|near| !near.complete) {
        report = bench.api.findings(request()).await?;
    }
    let near = report.rules.iter().find(|rule| rule.rule == "near-duplicate").ok_or("none was found")?;
    assert_eq!(near.findings, 1);
    assert_eq!(rows(&bench, view(&dataset, "finding:near-duplicate")).await?.rows[0].position, 2);
    let fix = FixRequest {
        dataset: dataset.clone(),
        base_model: MODEL.into(),
        rule: Some(near.rule.clone()),
        selection: None,
    };
    let fixed = bench.api.fix_findings(fix).await?;
    assert_eq!((fixed.summary.records, fixed.label.as_str()), (2, "Fix findings in 1 record"));
    // What was found was found in other records than there are now.
    assert!(findings(&bench, &dataset).await?.near.is_none());
    let undone = bench.api.undo(DatasetId { dataset }).await?;
    assert_eq!((undone.summary.records, undone.records), (3, 1));
    Ok(())
}

/// No language model takes pictures with captions, and the wizard trains none; what is known of their data still counts.
#[tokio::test]
async fn captions_are_checked_for_a_model_that_makes_pictures() -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("pets.jsonl");
    let caption =
        |number: usize, text: &str| format!(r#"{{"image-ref":"s3://pets/{number}.png","caption":"{text} {number}"}}"#);
    let mut lines: Vec<String> = (0..9).map(|number| caption(number, "a cat on a mat, number")).collect();
    lines[4] = r#"{"image-ref":"s3://pets/4.png","caption":"ox"}"#.into();
    std::fs::write(&file, lines.join("\n") + "\n")?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.open_in_place(&file).await?.id;

    let models = bench.api.data_models(Nothing {}).await?;
    let painter = models.iter().find(|model| model.id == "amazon.titan-image-generator-v2:0").ok_or("not offered")?;
    assert!(!painter.tuned && models.iter().any(|model| model.tuned && model.id == MODEL));
    assert_eq!(findings_for(&bench, &dataset, MODEL).await?.errors, 9, "a model of text cannot read them");
    let report = findings_for(&bench, &dataset, &painter.id).await?;
    assert_eq!(report.errors, 1, "{:?}", report.rules);
    let view = View { base_model: painter.id.clone(), ..view(&dataset, "finding:error") };
    assert_eq!(rows(&bench, view).await?.rows[0].position, 4);
    Ok(())
}
