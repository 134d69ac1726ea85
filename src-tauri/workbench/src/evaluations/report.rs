//! The report: one file that opens anywhere without a network, or the answers as a table, or all of it as JSON.
//!
//! Everything in it that comes from a record or a model is escaped: a report is opened in a browser.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use whetstone_charts::Palette;
use whetstone_contract::{
    Agreement, AppError, Evaluation, EvaluationFile, EvaluationRowKind, ExportEvaluation, MetricCell, MetricRow,
    SavedChart,
};

use super::duel::preference_pairs;
use super::record::name_of;
use super::rows::{chosen, confusion_picture};
use super::scores::Scores;
use crate::Workbench;
use crate::errors::from_io;
use crate::files::write_whole;

const STYLE: &str = include_str!("report.css");
/// Rows of a kind that the file shows; the CSV and JSON files have all.
const SHOWN: usize = 12;

impl Workbench {
    pub(crate) async fn write_report(&self, asked: ExportEvaluation) -> Result<SavedChart, AppError> {
        let record = self.evaluations.get(&asked.evaluation)?;
        let extension = match asked.what {
            EvaluationFile::Html => "html",
            EvaluationFile::Csv => "csv",
            EvaluationFile::Json => "json",
            EvaluationFile::Preferences => "jsonl",
        };
        let suggested = format!("{}.{extension}", record.draft.name.replace(['/', '\\'], "-"));
        let Some(path) = self.host.pick_new_file(&suggested).await else { return Ok(SavedChart { name: None }) };
        self.report_to(&asked.evaluation, asked.what, &path).await?;
        Ok(SavedChart { name: path.file_name().map(|name| name.to_string_lossy().into_owned()) })
    }

    /// Writes the report of an evaluation to a path.
    ///
    /// # Errors
    /// There is no such evaluation, or the file cannot be written.
    pub async fn report_to(&self, id: &str, what: EvaluationFile, path: &Path) -> Result<(), AppError> {
        let scores = self.scores_of(id).await?;
        let shown = self.evaluated(id).await?;
        let text = match what {
            EvaluationFile::Html => page(&scores, &shown)?,
            EvaluationFile::Csv => table(&scores),
            EvaluationFile::Json => whole(&scores, &shown),
            EvaluationFile::Preferences => preference_pairs(&scores, &self.evaluations.votes(id)?),
        };
        write_whole(path, text.as_bytes()).map_err(|error| from_io("The report", &error))
    }
}

/// A row a record: what was asked, the reference, and each answer with its score.
fn table(scores: &Scores) -> String {
    let names: Vec<String> = scores.candidates().iter().map(name_of).collect();
    let heads = names.iter().flat_map(|name| {
        let of = |what: &str| format!("{name}: {what}");
        [name.clone(), of(scores.metric.id()), of("input tokens"), of("output tokens"), of("USD")]
    });
    let mut text = line(["position", "prompt", "reference"].map(str::to_owned).into_iter().chain(heads));
    for (at, case) in scores.cases.iter().enumerate() {
        let answers = scores.answers.iter().zip(&scores.alone).enumerate();
        let cells = answers.flat_map(|(candidate, (answers, alone))| {
            let answer = &answers[at];
            let count = |tokens: Option<u64>| tokens.map_or_else(String::new, |tokens| tokens.to_string());
            // What is not known is left empty.
            let usd = scores.usd(candidate, at).map_or_else(String::new, |usd| usd.to_string());
            let (read, written) = (count(answer.input_tokens), count(answer.output_tokens));
            [answer.text.clone(), alone[at].to_string(), read, written, usd]
        });
        let first = [case.position.to_string(), case.prompt().to_owned(), case.reference.clone()];
        text += &line(first.into_iter().chain(cells));
    }
    text
}

/// As RFC 4180 has it. A cell that a spreadsheet would take for a formula is set off with an apostrophe.
fn line(cells: impl Iterator<Item = String>) -> String {
    let cell = |text: String| {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
        let text = if formula { format!("'{text}") } else { text };
        if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    cells.map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

fn whole(scores: &Scores, shown: &Evaluation) -> String {
    let rows: Vec<_> = scores
        .cases
        .iter()
        .enumerate()
        .map(|(at, case)| {
            let answers: Vec<_> = scores
                .answers
                .iter()
                .zip(&scores.alone)
                .map(|(answers, alone)| {
                    json!({ "text": answers[at].text, "error": answers[at].error, "score": alone[at],
                            "inputTokens": answers[at].input_tokens, "outputTokens": answers[at].output_tokens,
                            "milliseconds": answers[at].total_ms })
                })
                .collect();
            json!({ "case": case, "answers": answers })
        })
        .collect();
    let all =
        json!({ "whetstone": scores.record.version, "evaluation": shown, "examples": scores.examples, "rows": rows });
    format!("{all:#}\n")
}

fn page(scores: &Scores, shown: &Evaluation) -> Result<String, AppError> {
    let mut page = String::new();
    let title = escaped(&shown.summary.name);
    // Writing into a String cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <style>{STYLE}</style></head><body><main><p class=\"over\">Evaluation · {title}</p>"
    );
    if let Some(verdict) = scores.headline() {
        let _ = write!(page, "<h1>{}</h1><p class=\"lead\">{}</p>", escaped(&verdict.heading), escaped(&verdict.words));
    }
    if shown.summary.stand_in {
        page += "<p class=\"note\">Stand-in: on this computer the bundled small model answered in the place of a Bedrock model. These figures are not that model's.</p>";
    }
    for verdict in scores.verdicts.iter().filter(|one| Some(one.candidate) != shown.headline_verdict) {
        let _ = write!(page, "<p><b>{}.</b> {}</p>", escaped(&verdict.heading), escaped(&verdict.words));
    }
    let names: Vec<String> = scores.candidates().iter().map(name_of).collect();
    page += "<h2>Metrics</h2>";
    page += &metric_table(&names, &scores.metrics);
    for table in &shown.slices {
        let _ = write!(page, "<h2>By {}</h2>", escaped(&table.by.to_lowercase()));
        let rows: Vec<(String, Vec<Option<MetricCell>>)> = table
            .slices
            .iter()
            .map(|slice| {
                (format!("{} ({})", slice.name, slice.records), slice.cells.iter().cloned().map(Some).collect())
            })
            .collect();
        page += &cells_table(&table.by, &names, &rows, None);
    }
    page += &judged(shown, &names);
    page += &people(shown, &names);
    page += &pictures(scores, shown, &names)?;
    page += &rows(scores, shown, &names);
    page += "<h2>What to try next</h2><ul>";
    for words in &shown.next {
        let _ = write!(page, "<li>{}</li>", escaped(words));
    }
    page += "</ul>";
    page += &repeat(scores, shown);
    page += "</main></body></html>\n";
    Ok(page)
}

fn metric_table(names: &[String], metrics: &[MetricRow]) -> String {
    let rows = |metrics: &[&MetricRow]| -> Vec<(String, Vec<Option<MetricCell>>)> {
        metrics.iter().map(|row| (row.label.clone(), row.cells.clone())).collect()
    };
    let shares: Vec<&MetricRow> = metrics.iter().filter(|row| row.unit.is_none()).collect();
    let mut html = if shares.is_empty() { String::new() } else { cells_table("Metric", names, &rows(&shares), None) };
    for row in metrics.iter().filter(|row| row.unit.is_some()) {
        html += &cells_table("", names, &rows(&[row]), row.unit.as_deref());
    }
    html
}

fn cells_table(by: &str, names: &[String], rows: &[(String, Vec<Option<MetricCell>>)], unit: Option<&str>) -> String {
    let mut html = format!("<table><thead><tr><th>{}</th>", escaped(by));
    for name in names {
        let _ = write!(html, "<th>{}</th>", escaped(name));
    }
    html += "</tr></thead><tbody>";
    for (name, cells) in rows {
        let _ = write!(html, "<tr><th>{}</th>", escaped(name));
        for cell in cells {
            html += &cell.as_ref().map_or_else(|| "<td>–</td>".to_owned(), |cell| cell_html(cell, unit));
        }
        html += "</tr>";
    }
    html + "</tbody></table>"
}

fn cell_html(cell: &MetricCell, unit: Option<&str>) -> String {
    let figure = |value: f64| match unit {
        None => format!("{:.1}", value * 100.0),
        Some(_) if value.abs() < 1.0 => format!("{value:.4}"),
        Some(_) => format!("{value:.1}"),
    };
    let mut html = format!(
        "<td><b>{} {}</b><small>{} to {}</small>",
        figure(cell.value),
        unit.unwrap_or("%"),
        figure(cell.low),
        figure(cell.high)
    );
    if let Some(difference) = &cell.difference {
        let class = match difference.outcome {
            whetstone_contract::Outcome::Better => "better",
            whetstone_contract::Outcome::Worse => "worse",
            whetstone_contract::Outcome::NoClearDifference => "same",
        };
        let sign = if difference.value >= 0.0 { "+" } else { "−" };
        let p = if difference.p < 0.001 { "p &lt; 0.001".to_owned() } else { format!("p = {:.3}", difference.p) };
        let _ = write!(html, "<small class=\"{class}\">{sign}{} · {p}</small>", figure(difference.value.abs()));
    }
    html + "</td>"
}

fn judged(shown: &Evaluation, names: &[String]) -> String {
    let Some(found) = &shown.judged else { return String::new() };
    let mut html = format!(
        "<h2>A judge: {}</h2><p>{} of {} answers of the judge end with a verdict that could be read; the others count for \
         nobody.</p>",
        escaped(&found.judge.name),
        found.answered - found.unreadable,
        found.asked
    );
    for one in &found.comparisons {
        let name = &names[one.win_rate.candidate as usize];
        let _ = write!(html, "<p><b>{}.</b> {}", escaped(name), escaped(&one.win_rate.words));
        if one.unreadable > 0 {
            let _ = write!(html, " {} records are left out, since a verdict could not be read.", one.unreadable);
        }
        if let (Some(agree), Some(first)) = (one.orders_agree, one.first_shown) {
            let (agree, first) = (agree * 100.0, first * 100.0);
            let _ = write!(
                html,
                " Both orders led to the same verdict on {agree:.0} % of the records; {first:.0} % of the verdicts for a side \
                 went to the answer shown first."
            );
        }
        html += &one.people.as_ref().map_or_else(String::new, |found| format!(" With people: {}", agreement(found)));
        html += "</p>";
    }
    if let Some(row) = &found.scores {
        html += &metric_table(names, std::slice::from_ref(row));
    }
    let _ = write!(
        html,
        "<h3>The judge’s prompt</h3><article><p class=\"prompt\">{}</p></article>",
        escaped(&found.judge.prompt)
    );
    html
}

fn people(shown: &Evaluation, names: &[String]) -> String {
    let mut html = String::new();
    for one in &shown.people {
        let name = &names[one.win_rate.candidate as usize];
        let raters: Vec<String> = one.raters.iter().map(|rater| format!("{} ({})", rater.name, rater.votes)).collect();
        let _ = write!(
            html,
            "<h2>People</h2><p><b>{}.</b> {} Votes, blind, by {}; {} that both are bad.{}</p>",
            escaped(name),
            escaped(&one.win_rate.words),
            escaped(&raters.join(", ")),
            one.both_bad,
            one.agreement.as_ref().map_or_else(String::new, |found| format!(" Among each other: {}", agreement(found)))
        );
    }
    html
}

fn agreement(found: &Agreement) -> String {
    let kappa = found.kappa.map_or_else(String::new, |kappa| format!(", {} {kappa:.2}", found.measure));
    format!("the same on {:.0} % of {} records{kappa}.", found.share * 100.0, found.records)
}

fn pictures(scores: &Scores, shown: &Evaluation, names: &[String]) -> Result<String, AppError> {
    let mut html = String::new();
    let palette = Palette {
        ink: "#1c1b19".to_owned(),
        faint_ink: "#6b6760".to_owned(),
        grid: "#e3e0d9".to_owned(),
        training: "#0b6770".to_owned(),
        validation: "#b5600c".to_owned(),
    };
    if !shown.has_labels {
        return Ok(html);
    }
    html += "<h2>Which label was taken for which</h2><p class=\"quiet\">A row a wanted label, a column an answered one.</p>";
    for (at, name) in names.iter().enumerate() {
        let picture = confusion_picture(scores, at, 880, &palette)?;
        if let Some(svg) = picture.svg {
            let _ = write!(
                html,
                "<h3>{}</h3><figure>{svg}<figcaption>{}</figcaption></figure>",
                escaped(name),
                escaped(&picture.description)
            );
        }
    }
    Ok(html)
}

fn rows(scores: &Scores, shown: &Evaluation, names: &[String]) -> String {
    let Some(candidate) = shown.headline_verdict else { return String::new() };
    let mut html = String::new();
    for (which, heading) in [
        (EvaluationRowKind::Won, "Rows it gained"),
        (EvaluationRowKind::Lost, "Rows it lost"),
        (EvaluationRowKind::Worst, "Its worst rows"),
        (EvaluationRowKind::Random, "Rows at random"),
    ] {
        let places = chosen(scores, candidate as usize, which);
        let _ = write!(html, "<h2>{heading}</h2>");
        if places.is_empty() {
            html += "<p class=\"quiet\">None.</p>";
            continue;
        }
        if places.len() > SHOWN {
            let _ = write!(html, "<p class=\"quiet\">{SHOWN} of {}.</p>", places.len());
        }
        for at in places.into_iter().take(SHOWN) {
            let case = &scores.cases[at];
            let _ = write!(
                html,
                "<article><p class=\"prompt\">{}</p><dl><dt>Reference</dt><dd>{}</dd>",
                escaped(case.prompt()),
                escaped(&case.reference)
            );
            for (name, (answers, alone)) in names.iter().zip(scores.answers.iter().zip(&scores.alone)) {
                let answer = answers[at].error.as_deref().unwrap_or(&answers[at].text);
                let _ = write!(
                    html,
                    "<dt>{} <small>{:.2}</small></dt><dd>{}</dd>",
                    escaped(name),
                    alone[at],
                    escaped(answer)
                );
            }
            html += "</dl></article>";
        }
    }
    html
}

/// Everything that is needed to do it again.
fn repeat(scores: &Scores, shown: &Evaluation) -> String {
    let record = &scores.record;
    let facts = [
        ("Whetstone", record.version.clone()),
        ("Endpoint", format!("{}, account {}, {}", record.connection_name, record.account, record.region)),
        ("Dataset", format!("{} ({}), part {:?}", record.dataset_name, record.draft.dataset, record.draft.part)),
        (
            "Records",
            format!(
                "{} of {} drawn, {} compared",
                record.records,
                record.draft.records.map_or_else(|| "all".to_owned(), |n| n.to_string()),
                shown.compared
            ),
        ),
        ("Seed", record.draft.seed.to_string()),
        ("Temperature", record.draft.temperature.to_string()),
        ("Longest answer", format!("{} tokens", record.draft.max_tokens)),
        ("Verdict by", shown.metric_label.clone()),
        ("No answer", format!("{} times the endpoint gave none; they count as wrong", shown.refused_by_endpoint)),
    ];
    let mut html = "<h2>How to repeat it</h2><table class=\"facts\"><tbody>".to_owned();
    for (name, value) in facts {
        let _ = write!(html, "<tr><th>{name}</th><td>{}</td></tr>", escaped(&value));
    }
    for candidate in scores.candidates() {
        let system = candidate.system.as_deref().map_or_else(String::new, |text| format!(" · system text: {text}"));
        let value = format!("{} · {} examples{system}", candidate.model_id, candidate.examples);
        let _ = write!(html, "<tr><th>{}</th><td>{}</td></tr>", escaped(&candidate.name), escaped(&value));
    }
    html += "</tbody></table>";
    if !scores.examples.is_empty() {
        html += "<h3>Examples in the prompts</h3>";
        for (prompt, completion) in &scores.examples {
            let _ = write!(
                html,
                "<article><p class=\"prompt\">{}</p><p>{}</p></article>",
                escaped(prompt),
                escaped(completion)
            );
        }
    }
    html += "<h3>Methods</h3><ul>";
    for words in &shown.methods {
        let _ = write!(html, "<li>{}</li>", escaped(words));
    }
    html + "</ul>"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_a_formula_is_set_off() {
        let cells = ["a", "say \"hi\", now", "=1+1", "-3.5", "two\nlines"].map(str::to_owned);
        assert_eq!(line(cells.into_iter()), "a,\"say \"\"hi\"\", now\",'=1+1,-3.5,\"two\nlines\"\r\n");
    }

    #[test]
    fn what_a_model_says_is_text() {
        assert_eq!(escaped("<b>\"&"), "&lt;b&gt;&quot;&amp;");
    }
}
