//! The smallest job that can be paid for: its price is said and agreed to before anything is created.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use whetstone_catalog::{BaseModel, DataFormat, LifecycleStatus, PriceItem, catalog};
use whetstone_cloud::{Cloud, CloudErrorCode, CreateJob, JobStatus, S3Uri, TrainingData, TransferOptions};

use crate::report::Report;
use crate::{Outcome, csv_files, words};

/// In US dollars, for the training.
const MOST: f64 = 1.0;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Far more than a token has letters in any language: the estimate is to be too high rather than too low.
const LETTERS_A_TOKEN: f64 = 2.0;

pub struct Wanted {
    pub role: String,
    pub bucket: String,
}

struct Offer {
    model: &'static BaseModel,
    data: String,
    usd: f64,
    said: String,
}

pub async fn run(cloud: &Cloud, region: &str, wanted: &Wanted, report: &mut Report) -> Outcome<()> {
    report.section("A paid job");
    let offer = cheapest(region)?;
    report.line(&offer.said);
    if offer.usd > MOST {
        return Err(format!("that is more than {MOST:.2} USD: refused"));
    }
    print!("Start it? Type yes: ");
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| error.to_string())?;
    if answer.trim() != "yes" {
        report.note("Nobody agreed to the price; no job was started.");
        return Ok(());
    }

    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let name = format!("whetstone-live-{seconds}");
    let folder = std::env::temp_dir().join(&name);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let file = folder.join("training.jsonl");
    std::fs::write(&file, &offer.data).map_err(|error| error.to_string())?;
    let to = S3Uri { bucket: wanted.bucket.clone(), key: format!("{name}/training.jsonl") };
    let options = TransferOptions::new(folder.join("upload"));
    cloud.upload_file(&file, &to, options).join().await.map_err(words)?;
    let job = CreateJob {
        name: name.clone(),
        model_name: name.clone(),
        role_arn: wanted.role.clone(),
        base_model: offer.model.id.clone(),
        customization_type: "FINE_TUNING".into(),
        hyperparameters: BTreeMap::from([("epochCount".to_owned(), "1".to_owned())]),
        training: TrainingData::File(to.to_string()),
        validation_uri: None,
        output_uri: format!("s3://{}/{name}/output/", wanted.bucket),
        purpose: None,
        kms_key: None,
        vpc: None,
        job_tags: Vec::new(),
        model_tags: Vec::new(),
        client_token: name.clone(),
    };
    let arn = cloud.create_job(job).await.map_err(words)?;
    report.line(&format!("created {arn}"));
    follow(cloud, &arn, report).await?;
    match cloud.delete_custom_model(&name).await {
        Ok(()) => report.line("the custom model was deleted, so that nothing goes on costing"),
        Err(error) if error.code == CloudErrorCode::NotFound => report.line("there is no custom model to delete"),
        Err(error) => report.note(&format!(
            "**The custom model {name} is kept and billed by the month** ({error}). Delete it: \
             aws bedrock delete-custom-model --model-identifier {name}"
        )),
    }
    Ok(())
}

async fn follow(cloud: &Cloud, arn: &str, report: &mut Report) -> Outcome<()> {
    let mut pause = FIRST_PAUSE;
    let mut files = Vec::new();
    loop {
        let job = cloud.job(arn).await.map_err(words)?;
        if files.is_empty() {
            files = csv_files(cloud, &job).await;
            if !files.is_empty() && !job.status.is_over() {
                report.settled("loss files appear while the job is under way");
            }
        }
        if job.status.is_over() {
            report.settled(&format!("a job of the smallest size ends as {}", job.status.as_str()));
            if let Some(message) = &job.failure_message {
                report.line(&format!("it says: {message}"));
            }
            if job.status == JobStatus::Completed {
                for file in csv_files(cloud, &job).await {
                    report.settled(&format!("a loss file lies at `<output>/model-customization-job-<id>/{file}`"));
                }
            }
            return Ok(());
        }
        println!("   {}", job.status.as_str());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The job that costs least among the models that can be tuned here and have a dated price.
fn cheapest(region: &str) -> Outcome<Offer> {
    let takes_jobs = |model: &&BaseModel| {
        !model.local
            && model.tunable_in(region)
            && model.lifecycle.status == LifecycleStatus::Active
            && model.data.format == DataFormat::Conversation
    };
    let offers = catalog().models().iter().filter(takes_jobs).filter_map(|model| offer(model, region));
    let least = offers.min_by(|a, b| a.usd.total_cmp(&b.usd));
    least.ok_or_else(|| format!("no model that can be tuned in {region} has a dated price: refused"))
}

fn offer(model: &'static BaseModel, region: &str) -> Option<Offer> {
    let price = |what| {
        let here = |price: &&whetstone_catalog::Price| {
            price.what == what && price.region.as_deref().is_none_or(|named| named == region)
        };
        model.prices.iter().find(here)
    };
    let (training, storage) = (price(PriceItem::Training)?, price(PriceItem::Storage)?);
    let records = model.data.min_records.max(8);
    let mut data = String::new();
    for number in 0..records {
        writeln!(
            data,
            "{{\"schemaVersion\":\"bedrock-conversation-2024\",\"messages\":[{{\"role\":\"user\",\"content\":[{{\"text\":\
             \"Which number comes after {number}?\"}}]}},{{\"role\":\"assistant\",\"content\":[{{\"text\":\"{}\"}}]}}]}}",
            number + 1
        )
        .ok()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let tokens = data.len() as f64 / LETTERS_A_TOKEN;
    let trained = tokens / 1000.0 * training.usd;
    // How less than a month of storage is billed is not documented, so a whole month's is said beside it.
    let said = format!(
        "{} on {records} records, 1 epoch: at most {trained:.4} USD for training ({} USD per {}, {}, {}). \
         The model it makes is deleted afterwards; until then it is billed {} USD a month ({}, {}).",
        model.id,
        training.usd,
        training.unit,
        training.source,
        training.date,
        storage.usd,
        storage.source,
        storage.date
    );
    Some(Offer { model, data, usd: trained, said })
}
