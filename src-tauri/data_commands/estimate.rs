//! What a job on a file would cost, and its model afterwards: each figure with its source and date.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use whetstone_contract::{Charged, CostEstimate, TokenSource};
use whetstone_workbench::estimate_from_catalog;

use super::model;
use super::stats::statistics_of;
use crate::command_line::{USAGE, print};

#[derive(Args)]
pub struct EstimateCall {
    file: PathBuf,
    /// The base model that would be tuned.
    #[arg(long, value_name = "ID")]
    model: String,
    /// How often each record is learned from; the model's default where it is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Whose prices; the first Region where the model can be tuned where it is left out.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn estimate_file(call: &EstimateCall) -> ExitCode {
    match estimated(call) {
        Ok(cost) => {
            let printed = print(|out| if call.json { write_json(out, &cost) } else { tell(out, &cost) });
            if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("whetstone: {message}");
            ExitCode::from(USAGE)
        }
    }
}

fn estimated(call: &EstimateCall) -> Result<CostEstimate, String> {
    let model = model(&call.model)?;
    let numbers = statistics_of(&call.file, model)?;
    let counted_by = TokenSource { exact: model.local, name: numbers.counted_by.clone(), note: None };
    Ok(estimate_from_catalog(model, call.region.as_deref(), numbers.whole.total(), counted_by, call.epochs))
}

fn write_json(out: &mut dyn Write, cost: &CostEstimate) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, cost)?;
    out.write_all(b"\n")
}

fn tell(out: &mut dyn Write, cost: &CostEstimate) -> std::io::Result<()> {
    writeln!(out, "{}: {}. {}", cost.base_model_name, cost.headline, cost.note)?;
    writeln!(
        out,
        "{} tokens ({}) × {} epochs = {}",
        cost.training_tokens, cost.token_source.name, cost.epochs, cost.billed_tokens
    )?;
    if !cost.lines.is_empty() {
        writeln!(out, "Prices in {}:", cost.region)?;
    }
    for line in &cost.lines {
        let amount = match (line.usd, line.charged) {
            (Some(usd), Charged::Once) => format!("{usd:.4} USD once"),
            (Some(usd), _) => format!("{usd:.2} USD a month"),
            (None, Charged::ByTheToken) if line.rate.is_some() => "by use".to_owned(),
            (None, _) => "unknown".to_owned(),
        };
        let label = &line.label;
        match &line.rate {
            Some(rate) => writeln!(
                out,
                "  {label:<28} {amount:<22} {} USD per {} ({}, {})",
                rate.usd, rate.unit, rate.source, rate.date
            )?,
            None => writeln!(out, "  {label:<28} {amount:<22} {}", line.note)?,
        }
    }
    Ok(())
}
