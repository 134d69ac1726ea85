//! Views: a filter and an order, evaluated once and looked at in windows.

use std::collections::BTreeMap;
use std::sync::Arc;

use whetstone_contract as contract;
use whetstone_contract::{
    AppError, ColumnChoice, Completion, Coverage, DatasetPart, FilterHelp, FilterRequest, LocateRequest, Located,
    PositionsRequest, RowWindow, RowsRequest, Selection, Span, TextProblem,
};
use whetstone_dataset::{
    Column, Filter, FilterError, FilterInput, IdSet, Intent, Record, Row, Severity, State, View, check_record,
    complete, rules, sort,
};

use super::opened::{Opened, ViewKey};
use super::show::{byte_at, show_severity, show_split, utf16};
use super::{Datasets, from_document};
use crate::background::{Standing, Watched};
use crate::{models, tokens};

/// The most rows a window of the table asks for.
const MOST_ROWS: u32 = 1_000;
/// A table cell shows no more than this; the record itself is whole.
const CELL_CHARS: usize = 300;
/// Members beside the turns are looked for in so many of the first records.
const COLUMNS_FROM: u64 = 200;

/// What a view comes to.
pub enum Viewed {
    /// All records in their order.
    All(State),
    Some(State, Arc<View>),
    UnderWay(Coverage),
    Broken(TextProblem),
}

impl Datasets {
    pub async fn rows(self: &Arc<Self>, asked: RowsRequest) -> Result<RowWindow, AppError> {
        let model = models::intent(&asked.view.base_model)?;
        self.work(asked.view.dataset.clone(), move |opened| {
            let (state, index) = opened.state()?;
            let records = state.len();
            let (from, to) = (asked.offset, asked.offset.saturating_add(u64::from(asked.count.min(MOST_ROWS))));
            let mut window = RowWindow {
                total: records,
                records,
                coverage: index,
                offset: asked.offset,
                rows: Vec::new(),
                token_source: tokens::source(&model),
                problem: None,
            };
            let rows = match evaluate(opened, &asked.view, state)? {
                Viewed::All(state) => state.rows(from..to),
                Viewed::Some(state, view) => {
                    window.total = view.len();
                    state.rows_of(&view.ids(from..to))
                }
                Viewed::UnderWay(coverage) => {
                    window.total = 0;
                    if window.coverage.complete {
                        window.coverage = coverage;
                    }
                    Ok(Vec::new())
                }
                Viewed::Broken(problem) => {
                    window.total = 0;
                    window.problem = Some(problem);
                    Ok(Vec::new())
                }
            };
            let rows = rows.map_err(|error| from_document(&error))?;
            window.rows = rows.iter().map(|row| show_row(opened, row, &asked.columns, model)).collect();
            Ok(window)
        })
        .await
    }

    pub async fn positions(self: &Arc<Self>, asked: PositionsRequest) -> Result<Vec<Span>, AppError> {
        self.work(asked.view.dataset.clone(), move |opened| {
            let state = opened.whole()?;
            match wait(opened, &asked.view, state)? {
                (state, None) => Ok(vec![Span { start: asked.places.start, end: asked.places.end.min(state.len()) }]),
                (state, Some(view)) => {
                    let ids = view.ids(asked.places.start..asked.places.end);
                    let mut positions: Vec<u64> = state.positions_of(&ids).into_iter().flatten().collect();
                    positions.sort_unstable();
                    Ok(joined(&positions))
                }
            }
        })
        .await
    }

    pub async fn locate(self: &Arc<Self>, asked: LocateRequest) -> Result<Located, AppError> {
        self.work(asked.view.dataset.clone(), move |opened| {
            let (state, _) = opened.state()?;
            let offset = match evaluate(opened, &asked.view, state)? {
                Viewed::All(state) => (asked.position < state.len()).then_some(asked.position),
                Viewed::Some(state, view) => state.id_at(asked.position).and_then(|id| view.index_of(id)),
                Viewed::UnderWay(_) | Viewed::Broken(_) => None,
            };
            Ok(Located { offset })
        })
        .await
    }

    pub async fn columns(self: &Arc<Self>, dataset: String) -> Result<Vec<ColumnChoice>, AppError> {
        self.work(dataset, |opened| {
            let (state, _) = opened.state()?;
            let rows = state.rows(0..COLUMNS_FROM).map_err(|error| from_document(&error))?;
            let column = |id: &str, label: &str, number: bool, preset: bool, sortable: bool| ColumnChoice {
                id: id.to_owned(),
                label: label.to_owned(),
                number,
                preset,
                sortable,
            };
            let mut columns = vec![
                column("prompt", "Prompt", false, true, true),
                column("completion", "Completion", false, true, true),
                column("system", "System", false, false, false),
                column("turns", "Turns", true, false, true),
                column("characters", "Characters", true, false, true),
            ];
            for row in &rows {
                for name in row.record_or_empty().extra.keys() {
                    if !columns.iter().any(|known| known.id == *name) {
                        columns.push(column(name, name, false, false, false));
                    }
                }
            }
            Ok(columns)
        })
        .await
    }

    pub async fn filter_help(self: &Arc<Self>, asked: FilterRequest) -> Result<FilterHelp, AppError> {
        let model = models::intent(&asked.base_model)?;
        self.work(asked.dataset, move |_| {
            let names: BTreeMap<String, IdSet> = rule_names().map(|name| (name, IdSet::new())).collect();
            let count = |record: &Record| sum(tokens::of_record(&model, record));
            let input = FilterInput { tokens: &count, findings: &names, selected: None };
            let found = complete(&asked.text, byte_at(&asked.text, asked.cursor), &input);
            let (start, end) = (utf16(&asked.text, found.replace.start), utf16(&asked.text, found.replace.end));
            let completions = found.items.into_iter().map(|item| Completion {
                label: item.insert.trim().to_owned(),
                note: item.detail,
                insert: item.insert,
                start,
                end,
            });
            Ok(FilterHelp {
                problem: Filter::parse(&asked.text).err().map(|error| filter_problem(&asked.text, &error)),
                completions: completions.collect(),
            })
        })
        .await
    }
}

/// What the view comes to, if that is known within a moment.
pub fn evaluate(opened: &Arc<Opened>, view: &contract::View, state: State) -> Result<Viewed, AppError> {
    if view.filter.trim().is_empty() && view.sort.is_none() {
        return Ok(Viewed::All(state));
    }
    let filter = match Filter::parse(&view.filter) {
        Ok(filter) => filter,
        Err(error) => return Ok(Viewed::Broken(filter_problem(&view.filter, &error))),
    };
    let key = key(opened, view);
    let standing = opened.views.ask(
        key,
        || opened.watched(format!("Filter {}", opened.document().meta().name), "Filtering", DatasetPart::View),
        computation(opened, view, filter, state.clone())?,
    )?;
    Ok(match standing {
        Standing::Ready(found) => Viewed::Some(state, found),
        Standing::UnderWay(coverage, _) => Viewed::UnderWay(coverage),
    })
}

/// What the view comes to, however long it takes; `None` for all records in their order.
pub fn wait(opened: &Arc<Opened>, view: &contract::View, state: State) -> Result<(State, Option<Arc<View>>), AppError> {
    if view.filter.trim().is_empty() && view.sort.is_none() {
        return Ok((state, None));
    }
    let filter = Filter::parse(&view.filter).map_err(|error| {
        let problem = filter_problem(&view.filter, &error);
        let refused = AppError::new(contract::ErrorCode::InvalidInput, problem.message);
        refused.hint(problem.hint.unwrap_or_default())
    })?;
    let found = opened.views.wait(
        key(opened, view),
        || opened.watched(format!("Filter {}", opened.document().meta().name), "Filtering", DatasetPart::View),
        {
            let compute = computation(opened, view, filter, state.clone())?;
            move |watched, _| compute(watched)
        },
    )?;
    Ok((state, Some(found)))
}

pub fn key(opened: &Opened, view: &contract::View) -> ViewKey {
    ViewKey { arrangement: opened.arrangement(), view: view.clone() }
}

fn computation(
    opened: &Arc<Opened>,
    view: &contract::View,
    filter: Filter,
    state: State,
) -> Result<impl FnOnce(&Watched) -> Result<View, AppError> + Send + 'static, AppError> {
    let model = models::intent(&view.base_model)?;
    let order = view.sort.as_ref().map(|sort| Ok((sort_column(&sort.column)?, sort.descending))).transpose()?;
    // Only a filter that speaks of findings waits for them.
    let asks_findings = view.filter.contains("finding");
    let opened = Arc::clone(opened);
    Ok(move |watched: &Watched| {
        let checked = if asks_findings { Some(super::findings::wait(&opened, model)?) } else { None };
        let none = BTreeMap::new();
        let count = |record: &Record| sum(tokens::of_record(&model, record));
        let findings = checked.as_ref().map_or(&none, |checked| &checked.sets);
        let input = FilterInput { tokens: &count, findings, selected: None };
        let found = filter.run(&state, &input, watched);
        let found = match order {
            Some((column, descending)) => {
                found.and_then(|found| sort(&state, &found, column, descending, &input, watched))
            }
            None => found,
        };
        found.map_err(|error| from_document(&error))
    })
}

fn sort_column(id: &str) -> Result<Column, AppError> {
    match id {
        "prompt" => Ok(Column::Prompt),
        "completion" => Ok(Column::Completion),
        "turns" => Ok(Column::Turns),
        "characters" => Ok(Column::Chars),
        "tokens" => Ok(Column::Tokens),
        "position" => Ok(Column::Position),
        _ => Err(AppError::new(contract::ErrorCode::InvalidInput, format!("The table cannot be sorted by {id}."))),
    }
}

/// The records of a selection, as a set.
pub fn select(opened: &Arc<Opened>, selection: &Selection) -> Result<IdSet, AppError> {
    let state = opened.whole()?;
    match selection {
        Selection::Positions { spans } => {
            let mut set = IdSet::new();
            for span in spans {
                set = &set | &state.set_of(span.start..span.end);
            }
            Ok(set)
        }
        Selection::View { view } => Ok(match wait(opened, view, state)? {
            (state, None) => state.all(),
            (_, Some(view)) => view.to_set(),
        }),
    }
}

/// The names that a filter may ask findings by.
pub fn rule_names() -> impl Iterator<Item = String> {
    let severities = ["error", "warning", "note"].map(str::to_owned);
    rules().map(|rule| rule.id.to_owned()).chain(severities)
}

fn filter_problem(text: &str, error: &FilterError) -> TextProblem {
    TextProblem {
        message: error.message.clone(),
        hint: Some(error.hint.clone()),
        start: utf16(text, error.at.start),
        end: utf16(text, error.at.end),
    }
}

fn show_row(opened: &Opened, row: &Row, columns: &[String], model: Intent<'static>) -> contract::Row {
    let record = row.record_or_empty();
    let (worst, findings) = findings_of(opened, row, &record, model);
    contract::Row {
        position: row.position,
        cells: columns.iter().map(|column| cell(column, row, &record)).collect(),
        tokens: sum(tokens::of_record(&model, &record)),
        split: row.split.map(show_split),
        worst: worst.map(show_severity),
        findings,
        edited: row.edited,
    }
}

/// What is known to be wrong with a row: from the check of the whole dataset where it is of this state, else from a look
/// at the record by itself.
fn findings_of(opened: &Opened, row: &Row, record: &Record, model: Intent<'static>) -> (Option<Severity>, u32) {
    if let Some(checked) = super::findings::known(opened, &model) {
        return checked.marks(row.id);
    }
    if row.record.is_err() {
        return (Some(Severity::Error), 1);
    }
    let found = check_record(record, &model);
    (found.iter().map(|finding| finding.severity).min(), u32::try_from(found.len()).unwrap_or(u32::MAX))
}

fn cell(column: &str, row: &Row, record: &Record) -> String {
    let cut = |text: &str| text.chars().take(CELL_CHARS).collect::<String>();
    if row.record.is_err() {
        // A line that is no record is shown as it is, so that one sees what to mend.
        return if column == "prompt" { cut(&String::from_utf8_lossy(&row.text)) } else { String::new() };
    }
    match column {
        "prompt" => cut(&record.prompt()),
        "completion" => cut(&record.completion()),
        "system" => cut(&record.system().unwrap_or_default()),
        "turns" => record.turns.len().to_string(),
        "characters" => record.chars().to_string(),
        member => match record.extra.get(member) {
            Some(serde_json::Value::String(text)) => cut(text),
            Some(value) => cut(&value.to_string()),
            None => String::new(),
        },
    }
}

pub fn sum((prompt, completion): (u64, u64)) -> u64 {
    prompt + completion
}

/// Rising positions as stretches.
fn joined(positions: &[u64]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for &position in positions {
        match spans.last_mut() {
            Some(last) if last.end == position => last.end += 1,
            _ => spans.push(Span { start: position, end: position + 1 }),
        }
    }
    spans
}
