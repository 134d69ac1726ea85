//! What the pictures show, made by real work: datasets of every kind of trouble, trained and failed jobs, a model that is
//! served by the hour, a finished evaluation. Made once and kept, since it takes some minutes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Outcome, Window, by_id};

const TRAINING: Duration = Duration::from_secs(900);
const HOUR: u64 = 3_600_000;

type Made<T> = Result<T, Box<dyn std::error::Error>>;

pub struct Stage {
    folder: PathBuf,
}

impl Stage {
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The data folder of an app that has been worked with.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Where files lie that an app without a past opens.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join("files").join(name)
    }

    pub async fn set(&self) -> Outcome {
        let made = self.folder.join("made");
        if made.exists() {
            return Ok(());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
        std::fs::create_dir_all(self.folder.join("files"))?;
        std::fs::write(self.file("support-messy.jsonl"), messy()?)?;
        std::fs::write(self.file("pets.jsonl"), pets()?)?;
        std::fs::write(self.file("kunden.csv"), table())?;
        std::fs::write(
            self.file("broken.jsonl"),
            "{\"prompt\":\"one\",\"completion\":\"1\"}\n{\"prompt\": \"broken\n",
        )?;
        std::fs::write(self.file("picture.csv"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0")?;
        std::fs::copy("fuzz/corpus/xlsx/pairs.xlsx", self.file("pairs.xlsx"))?;
        for name in ["support-messy.jsonl", "pets.jsonl"] {
            let window = Window::open(&self.home(), Some(&self.file(name))).await?;
            window.click("import-confirm").await?;
            window.find(&by_id("table-row")).await?;
        }
        let window = Window::open(&self.home(), None).await?;
        train(&window).await?;
        serve(&window).await?;
        evaluate(&window).await?;
        Ok(std::fs::write(made, "")?)
    }
}

/// The id of a job or a dataset.
pub async fn id_of(window: &Window, list: &str, name: &str) -> Made<String> {
    let all = window.call(list, json!({})).await?;
    let found = all.as_array().into_iter().flatten().find(|one| one["name"] == name);
    Ok(found
        .and_then(|one| one["id"].as_str())
        .ok_or_else(|| format!("none of the {list} is named {name}"))?
        .to_owned())
}

pub async fn start(window: &Window, dataset: &str, model: &str, name: &str, settings: Value) -> Outcome {
    let draft = json!({ "baseModel": model, "dataset": dataset, "jobName": name, "modelName": name,
        "hyperparameters": settings });
    window.call("start_job", draft).await?;
    Ok(())
}

pub async fn wait_for_jobs(window: &Window) -> Outcome {
    let began = Instant::now();
    while began.elapsed() < TRAINING {
        let jobs = window.call("jobs", json!({})).await?;
        let ended = |job: &Value| matches!(job["status"].as_str(), Some("completed" | "failed" | "stopped"));
        if jobs.as_array().is_some_and(|jobs| jobs.iter().all(ended)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err("the jobs do not end".into())
}

async fn train(window: &Window) -> Outcome {
    let support = window.call("import_sample", json!({ "sample": "customer-support" })).await?["id"].clone();
    window.call("import_sample", json!({ "sample": "legal-clauses" })).await?;
    let split = json!({ "dataset": support, "seed": 1, "replaceFrozen": false,
        "method": { "kind": "ratio", "validationPercent": 10, "holdOutPercent": 10 } });
    window.call("split_dataset", split).await?;
    let support = support.as_str().unwrap_or_default();
    let settings = |rate: &str| json!({ "epochCount": "2", "learningRate": rate });
    start(window, support, "whetstone.tiny-v1", "support-answers", settings("0.001")).await?;
    start(window, support, "whetstone.tiny-v1", "support-slower", settings("0.0003")).await?;
    start(window, support, "amazon.nova-lite-v1:0:300k", "support-nova", json!({ "epochCount": "1" })).await?;
    let pets = id_of(window, "datasets", "pets").await?;
    start(window, &pets, "amazon.nova-lite-v1:0:300k", "pets-with-pictures", json!({ "epochCount": "1" })).await?;
    wait_for_jobs(window).await
}

async fn serve(window: &Window) -> Outcome {
    let models = window.call("own_models", json!({})).await?;
    let nova = models.as_array().into_iter().flatten().find(|model| model["name"] == "support-nova");
    let arn = nova.ok_or("the model support-nova was not made")?["arn"].clone();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let ends = u64::try_from(now)? + 8 * HOUR;
    let wish = json!({ "model": arn, "way": "provisioned", "name": "support-by-the-hour", "units": 1,
        "commitment": null, "endsAt": ends });
    window.call("serve_model", wish).await?;
    Ok(())
}

async fn evaluate(window: &Window) -> Outcome {
    let job = id_of(window, "jobs", "support-answers").await?;
    window.go(&format!("#/jobs/{job}")).await?;
    window.click("job-deploy").await?;
    window.click("job-evaluate").await?;
    window.wait_text("evaluation-cost", TRAINING, |text| text == "Free").await?;
    window.fill("evaluation-max-tokens", "48").await?;
    window.click("evaluation-start").await?;
    window.wait_text("evaluation-state", TRAINING, |text| text == "Done").await?;
    Ok(())
}

/// Pairs with something to find: an empty answer, a label left over, the same twice, personal data, a stray character.
fn messy() -> Made<String> {
    let mut text = String::new();
    let mut pair =
        |prompt: &str, completion: &str| writeln!(text, "{}", json!({ "prompt": prompt, "completion": completion }));
    for number in 1..=40 {
        pair(
            &format!("Where is my order {}?", 48_200 + number),
            &format!(
                "Order {} left our store this morning and arrives within {} days.",
                48_200 + number,
                2 + number % 4
            ),
        )?;
    }
    pair("My parcel says delivered but it is not here.", "I am sorry about that. User: asked for a trace.")?;
    pair("Do you ship to Iceland?", "")?;
    pair("Is there a student price?", "There is: 10 % with a valid card.")?;
    pair("Is there a student price?", "There is: 10 % with a valid card.")?;
    pair("Is there a student price?", "No, there is none.")?;
    pair("Whom do I write to?", "Write to maria.lopez@example.com or call +44 20 7946 0958.")?;
    pair("  Can I pick it up in the shop? ", "Of course. Choose “Collect” at the check-out.\u{200b}")?;
    pair("The café’s menu", "The cafÃ© opens at nine.")?;
    Ok(text)
}

/// Conversations of which one shows a picture that was never uploaded: only the endpoint can know that.
fn pets() -> Made<String> {
    let mut text = String::new();
    for number in 1..=12 {
        let mut asked = vec![json!({ "text": format!("What animal is number {number}?") })];
        if number == 7 {
            let place = json!({ "uri": "s3://whetstone/cat.png", "bucketOwner": "111122223333" });
            asked.insert(0, json!({ "image": { "format": "png", "source": { "s3Location": place } } }));
        }
        let turns = json!([{ "role": "user", "content": asked },
            { "role": "assistant", "content": [{ "text": format!("Number {number} is a cat.") }] }]);
        writeln!(text, "{}", json!({ "schemaVersion": "bedrock-conversation-2024", "messages": turns }))?;
    }
    Ok(text)
}

/// As a spreadsheet in German saves it: semicolons, and umlauts in Windows-1252.
fn table() -> Vec<u8> {
    let mut bytes = b"Frage;Antwort;Abteilung\r\n".to_vec();
    for (asked, said) in
        [("Wo ist der Schl\u{fc}ssel?", "Unter der Matte."), ("Gibt es S\u{fc}\u{df}es?", "In der K\u{fc}che.")]
    {
        for number in 1..=6 {
            let line = format!("{asked} ({number});{said};Empfang\r\n");
            bytes.extend(line.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')));
        }
    }
    bytes
}
