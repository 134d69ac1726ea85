//! Did it help? Models asked the same records through the real sandbox, killed in the middle, and the verdict.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use whetstone_contract::{
    Api, Candidate, ChartPalette, ConnectionSource, DeploymentStatus, DuelRequest, ErrorCode, Evaluation,
    EvaluationChartRequest, EvaluationDraft, EvaluationFile, EvaluationId, EvaluationPart, EvaluationRowKind,
    EvaluationRowsRequest, EvaluationState, ExportEvaluation, JobId, JobStatus, Judge, JudgeKind, JudgeRequest,
    JudgeRowKind, JudgeRowsRequest, KeysAgain, Measure, NewConnection, Nothing, Outcome as Shown, PlayableKind,
    SplitMethod, SplitRequest, Verdict, VoteChoice, VoteRequest,
};

use crate::asked::Proxy;
use crate::connections::{account, keys_of};
use crate::host::{Bench, Outcome, colours, draft};

const PATIENCE: Duration = Duration::from_secs(240);

fn candidate(model: &str, tuned: bool, examples: u32) -> Candidate {
    Candidate {
        model_id: model.to_owned(),
        name: if tuned { "tuned".into() } else { "base".into() },
        base_model: Some("whetstone.tiny-v1".into()),
        tuned,
        stand_in: false,
        examples,
        system: None,
    }
}

fn evaluation_of(dataset: &str, part: EvaluationPart, candidates: Vec<Candidate>) -> EvaluationDraft {
    EvaluationDraft {
        name: "colours".into(),
        dataset: dataset.to_owned(),
        part,
        records: None,
        seed: 1,
        candidates,
        max_tokens: 12,
        temperature: 0.0,
        metric: None,
        judge: None,
        measures: Vec::new(),
    }
}

async fn until_ended(bench: &Bench, id: &str) -> Result<Evaluation, Box<dyn std::error::Error>> {
    let began = Instant::now();
    loop {
        let all = bench.api.evaluations(Nothing {}).await?;
        let one = all.iter().find(|one| one.id == id).ok_or("the evaluation is gone")?;
        if one.state != EvaluationState::Running {
            return Ok(bench.api.evaluation(EvaluationId { evaluation: id.to_owned() }).await?);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("it does not end: {one:#?}").into());
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn a_tuned_model_is_told_to_be_better_and_nothing_is_asked_twice() -> Outcome {
    let folder = tempfile::tempdir()?;
    let bench = Bench::open(&folder.path().join("home")).await?;
    let dataset = bench.import(&colours(folder.path())?, false).await?.id;
    let method = SplitMethod::Ratio { validation_percent: 0, hold_out_percent: 50 };
    bench.api.split_dataset(SplitRequest { dataset: dataset.clone(), method, seed: 3, replace_frozen: false }).await?;
    let job = bench.api.start_job(draft(&dataset, "colours", &[("epochCount", "8"), ("batchSize", "4")])).await?;
    bench.wait_for(&job.id, PATIENCE, |job| job.summary.status == JobStatus::Completed).await?;
    bench.api.deploy(JobId { job: job.id.clone() }).await?;
    let active = |status: Option<DeploymentStatus>| status == Some(DeploymentStatus::Active);
    bench.wait_for(&job.id, PATIENCE, |job| active(job.deployment.as_ref().map(|one| one.status))).await?;
    let playable = bench.api.playable_models(Nothing {}).await?;
    let tuned = playable.iter().find(|one| one.kind == PlayableKind::Tuned).ok_or("no tuned model")?;

    let base = "whetstone.tiny-v1";
    let candidates = vec![candidate(base, false, 0), candidate(base, false, 4), candidate(&tuned.model_id, true, 0)];
    let mut wanted = evaluation_of(&dataset, EvaluationPart::HoldOut, candidates);
    wanted.measures = vec![Measure { name: "One word".into(), expression: r#"answer.matches("^[a-z]+$")"#.into() }];
    let mut mistaken = wanted.clone();
    mistaken.measures = vec![Measure { name: "Short".into(), expression: "size(anwser) < 9".into() }];
    let plan = bench.api.plan_evaluation(mistaken).await?;
    assert!(plan.problems.iter().any(|one| one.field == "measures" && one.message.contains("anwser")), "{plan:?}");
    let plan = bench.api.plan_evaluation(wanted.clone()).await?;
    assert_eq!((plan.records, plan.prompts, plan.answered), (20, 60, 0), "{plan:?}");
    assert_eq!((plan.cost.headline.as_str(), plan.metrics[0].id.as_str()), ("Free", "exact_match"));
    assert!(plan.problems.is_empty() && plan.precision.contains("20 records"), "{plan:?}");

    let begun = bench.api.start_evaluation(wanted.clone()).await?;
    let found = until_ended(&bench, &begun.id).await?;
    assert_eq!((found.summary.state, found.compared), (EvaluationState::Done, 20), "{found:#?}");
    let verdict =
        found.verdicts.iter().find(|one| Some(one.candidate) == found.headline_verdict).ok_or("no verdict")?;
    assert_eq!((verdict.outcome, verdict.heading.as_str()), (Shown::Better, "Yes, it helped"), "{verdict:?}");
    assert_eq!(found.summary.outcome, Some(Shown::Better));
    let row = found.metrics.first().ok_or("no metric")?;
    let (first, last) = (row.cells[0].as_ref().ok_or("no cell")?, row.cells[2].as_ref().ok_or("no cell")?);
    assert!(first.value < 0.2 && last.value >= 0.4, "{row:?}");
    let own = found.metrics.iter().find(|row| row.label == "One word").ok_or("no metric of its own")?;
    assert!(own.cells[2].as_ref().is_some_and(|cell| cell.value > 0.8), "a tuned model answers with a label: {own:?}");
    assert!(found.has_labels && found.slices.iter().any(|table| table.by == "Label"), "{:?}", found.slices);

    let asked =
        |which| EvaluationRowsRequest { evaluation: begun.id.clone(), candidate: 2, which, offset: 0, limit: 50 };
    let won = bench.api.evaluation_rows(asked(EvaluationRowKind::Won)).await?;
    assert_eq!((won.total, won.rows.len() as u64), (verdict.won, verdict.won));
    assert!(won.rows.iter().all(|row| row.answers[2].text == row.reference && row.answers[0].text != row.reference));
    assert_eq!(bench.api.evaluation_rows(asked(EvaluationRowKind::Random)).await?.total, 20);
    let palette = ChartPalette {
        ink: "#111111".into(),
        faint_ink: "#777777".into(),
        grid: "#dddddd".into(),
        training: "#0b6770".into(),
        validation: "#b5600c".into(),
    };
    let chart = EvaluationChartRequest { evaluation: begun.id.clone(), candidate: 2, width: 600, palette };
    assert!(bench.api.evaluation_chart(chart).await?.svg.is_some_and(|svg| svg.contains("yellow")));

    // Whatever was answered is known: a second evaluation of the same asks nobody.
    let plan = bench.api.plan_evaluation(wanted).await?;
    assert_eq!(plan.answered, 60);
    reports(&bench, &begun.id, folder.path()).await?;
    judged(&bench, &begun.id).await?;
    voted_on(&bench, &begun.id, folder.path(), verdict).await?;
    bench.api.delete_evaluation(EvaluationId { evaluation: begun.id.clone() }).await?;
    let gone = bench.api.evaluation(EvaluationId { evaluation: begun.id }).await;
    assert_eq!(gone.err().map(|error| error.code), Some(ErrorCode::NotFound));
    Ok(())
}

/// The three files: one that opens without a network, a table with a line a record, and all of it.
async fn reports(bench: &Bench, id: &str, folder: &Path) -> Outcome {
    for (what, name) in [
        (EvaluationFile::Html, "report.html"),
        (EvaluationFile::Csv, "report.csv"),
        (EvaluationFile::Json, "report.json"),
    ] {
        let path = folder.join(name);
        *bench.host.new_file.lock().map_err(|_| "poisoned")? = Some(path.clone());
        let saved = bench.api.export_evaluation(ExportEvaluation { evaluation: id.to_owned(), what }).await?;
        assert_eq!(saved.name.as_deref(), Some(name));
        let text = std::fs::read_to_string(path)?;
        match what {
            EvaluationFile::Html => {
                assert!(text.contains("Yes, it helped") && text.contains("<svg") && text.contains("whetstone.tiny-v1"));
                for asks in ["src=", "href=", "url(", "@import", "<script", "<link"] {
                    assert!(!text.contains(asks), "{asks} asks for something");
                }
            }
            EvaluationFile::Csv => assert_eq!(text.matches("\r\n").count(), 21, "{text}"),
            EvaluationFile::Json => {
                let all: serde_json::Value = serde_json::from_str(&text)?;
                assert_eq!(all["rows"].as_array().map(Vec::len), Some(20));
                assert_eq!(all["evaluation"]["verdicts"][1]["outcome"], "better");
            }
            EvaluationFile::Preferences => return Err("nobody has voted yet".into()),
        }
    }
    Ok(())
}

/// By a model that cannot judge: everything it is asked is asked once and kept, and what it says is counted as what it is.
async fn judged(bench: &Bench, id: &str) -> Outcome {
    let judge = Judge {
        model_id: "whetstone.tiny-v1".into(),
        name: "Tiny v1".into(),
        base_model: Some("whetstone.tiny-v1".into()),
        tuned: false,
        kind: JudgeKind::Pairwise,
        prompt: "{prompt} {a} or {b}?".into(),
        max_tokens: 4,
    };
    let asked = JudgeRequest { evaluation: id.to_owned(), judge };
    let mut without_room = asked.clone();
    without_room.judge.prompt = "Which is better, {a} or the other?".into();
    let refused = bench.api.start_judge(without_room).await;
    assert_eq!(refused.err().map(|error| error.code), Some(ErrorCode::InvalidInput));

    let plan = bench.api.plan_judge(asked.clone()).await?;
    assert!(plan.problems.is_empty() && plan.prompts >= 20 && plan.prompts % 2 == 0, "{plan:?}");
    assert_eq!((plan.answered, plan.cost.headline.as_str()), (0, "Free"));
    bench.api.start_judge(asked.clone()).await?;
    let found = until_ended(bench, id).await?;
    let judged = found.judged.as_ref().ok_or("nothing was judged")?;
    assert_eq!(
        (found.summary.state, judged.asked, judged.answered),
        (EvaluationState::Done, plan.prompts, plan.prompts)
    );
    assert_eq!(found.summary.outcome, Some(Shown::Better), "the verdict by the metric stays");
    let left_out: u64 = judged.comparisons.iter().map(|one| one.unreadable).sum();
    assert!(judged.unreadable > 0 && left_out > 0, "a model of words judges nothing: {judged:?}");
    let which = JudgeRowsRequest { evaluation: id.to_owned(), which: JudgeRowKind::Unreadable, offset: 0, limit: 5 };
    let rows = bench.api.judge_rows(which).await?;
    assert_eq!(rows.total, judged.unreadable);
    assert!(rows.rows.iter().all(|row| row.verdict.is_none() && row.prompt.contains(" or ")), "{rows:?}");
    assert_eq!(bench.api.plan_judge(asked).await?.answered, plan.prompts, "nothing is asked twice");
    Ok(())
}

/// By somebody who knows the answers: what they prefer is what the metric found, and it is a file to train from.
async fn voted_on(bench: &Bench, id: &str, folder: &Path, verdict: &Verdict) -> Outcome {
    let asked = DuelRequest { evaluation: id.to_owned(), candidate: verdict.candidate, rater: " Ann ".into() };
    let mut duel = bench.api.duel(asked.clone()).await?;
    assert_eq!(duel.total + duel.same, 20);
    let mut last = None;
    while let Some(turn) = duel.turn {
        let choice = if turn.left == turn.reference {
            VoteChoice::Left
        } else if turn.right == turn.reference {
            VoteChoice::Right
        } else {
            VoteChoice::BothBad
        };
        let DuelRequest { evaluation, candidate, rater } = asked.clone();
        let vote = VoteRequest { evaluation, candidate, rater, position: turn.position, choice };
        duel = bench.api.vote(vote.clone()).await?;
        last = Some(vote);
    }
    assert_eq!(duel.voted, duel.total);
    let last = last.ok_or("nobody voted")?;
    let undone = bench.api.undo_vote(asked).await?;
    assert_eq!((undone.voted, undone.turn.map(|turn| turn.position)), (duel.total - 1, Some(last.position)));
    bench.api.vote(last).await?;

    let found = bench.api.evaluation(EvaluationId { evaluation: id.to_owned() }).await?;
    let people = found.people.first().ok_or("nobody voted")?;
    assert_eq!((people.win_rate.won, people.win_rate.lost), (verdict.won, verdict.lost));
    assert_eq!((people.raters[0].name.as_str(), people.votes), ("Ann", duel.total));
    let path = folder.join("pairs.jsonl");
    *bench.host.new_file.lock().map_err(|_| "poisoned")? = Some(path.clone());
    let what = EvaluationFile::Preferences;
    bench.api.export_evaluation(ExportEvaluation { evaluation: id.to_owned(), what }).await?;
    assert_eq!(std::fs::read_to_string(path)?.lines().count() as u64, verdict.won + verdict.lost);
    Ok(())
}

#[tokio::test]
async fn an_evaluation_goes_on_after_a_kill_and_waits_when_asked_to() -> Outcome {
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    // Slow enough that the end falls into the middle; a few are told that they are too many.
    let faults = "[[fault]]\noperation = \"ConverseStream\"\nnth = [70, 71, 75]\nkind = \"throttling\"\n\
                  [[fault]]\noperation = \"ConverseStream\"\nkind = \"latency\"\nmilliseconds = 40\n";
    let team = account(&folder.path().join("team"), 0, Some(faults)).await?;
    let proxy = Proxy::before(&team).await?;
    let connection = NewConnection {
        name: Some("Team".into()),
        source: ConnectionSource::Keys { keys: keys_of(&team) },
        region: team.region().to_owned(),
        endpoint: Some(proxy.url.clone()),
    };
    let colours = colours(folder.path())?;
    let (data, begin) = (home.clone(), connection.clone());
    // A runtime of its own, which ends like a killed program: whatever is under way is dropped where it stands.
    let (told, begun) = tokio::sync::oneshot::channel();
    let (kill, killed) = std::sync::mpsc::channel::<()>();
    let first = async move {
        let work = async {
            let bench = Bench::open(&data).await.map_err(|error| error.to_string())?;
            let team = bench.api.add_connection(begin).await.map_err(|error| error.to_string())?;
            let dataset = bench.import(&colours, false).await.map_err(|error| error.to_string())?;
            let models =
                vec![candidate("amazon.nova-micro-v1:0", false, 0), candidate("amazon.nova-lite-v1:0", false, 0)];
            let wanted = evaluation_of(&dataset.id, EvaluationPart::All, models);
            let begun = bench.api.start_evaluation(wanted).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((bench, team.id, begun))
        };
        match work.await {
            Ok((bench, team, begun)) => {
                told.send(Ok((team, begun.id, begun.prompts))).ok();
                std::future::pending::<()>().await;
                drop(bench);
            }
            Err(error) => drop(told.send(Err(error))),
        }
    };
    let program = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.spawn(first);
        killed.recv().ok();
        runtime.shutdown_background();
        Ok::<_, std::io::Error>(())
    });
    let (team_connection, id, prompts) = begun.await??;
    assert_eq!(prompts, 80);
    while proxy.asked().len() < 24 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(kill);
    program.join().map_err(|_| "the first program panicked")??;

    let bench = Bench::open_when_free(&home).await?;
    let before = proxy.asked().len();
    assert!(before < 60, "it was nearly through: {before}");
    bench.api.renew_keys(KeysAgain { connection: team_connection, keys: keys_of(&team) }).await?;
    let found = until_ended(&bench, &id).await?;
    assert_eq!((found.summary.state, found.compared), (EvaluationState::Done, 40), "{:?}", found.summary);

    let mut times: HashMap<String, usize> = HashMap::new();
    for asked in proxy.asked() {
        *times.entry(asked).or_default() += 1;
    }
    assert_eq!(times.len(), 80, "each record was put to each model");
    let again: usize = times.values().map(|count| count - 1).sum();
    // Only what was on its way when it ended, by four askers, and what the endpoint itself told to come again.
    assert!((3..=4 + 3).contains(&again), "{again} were asked again");
    known_price(&bench).await
}

/// A base model's own tokens have a price where a dated source names one, and none where it does not.
async fn known_price(bench: &Bench) -> Outcome {
    let datasets = bench.api.datasets(Nothing {}).await?;
    let dataset = &datasets.first().ok_or("no dataset")?.id;
    let of = |base: &str, examples| Candidate { base_model: Some(base.into()), ..candidate(base, false, examples) };
    let lite = "amazon.nova-2-lite-v1:0:256k";
    let wanted = evaluation_of(dataset, EvaluationPart::All, vec![of(lite, 0), of(lite, 2)]);
    let cost = bench.api.plan_evaluation(wanted).await?.cost;
    assert!(cost.usd.is_some_and(|usd| usd > 0.0) && cost.notes[0].contains("0.00033 and 0.00275 USD"), "{cost:?}");
    let wanted = evaluation_of(dataset, EvaluationPart::All, vec![of(lite, 0), of("amazon.nova-micro-v1:0:128k", 0)]);
    let cost = bench.api.plan_evaluation(wanted).await?.cost;
    assert_eq!((cost.usd, cost.headline.as_str()), (None, "Price unknown"));
    Ok(())
}
