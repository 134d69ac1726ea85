//! Find and replace.

use std::sync::Arc;

use whetstone_contract as contract;
use whetstone_contract::{
    AppError, Change, DatasetPart, ErrorCode, FindFrom, FindQuery, FindRequest, FindScope, FindWindow, Hit,
    ReplaceRequest, TextProblem,
};
use whetstone_dataset::{Block, Find, FindError, FindField, Finder, Match, MatchChoice, Record, View};

use super::edits::{change, first_of};
use super::rows::{Viewed, evaluate, key, select};
use super::show::utf16;
use super::{Datasets, from_document};
use crate::background::{Standing, complete};
use crate::import::sentence;

const MOST_HITS: u32 = 200;
const EXPRESSION: &str = "Mend the expression, or search for the text as it stands.";

impl Datasets {
    pub async fn find(self: &Arc<Self>, asked: FindRequest) -> Result<FindWindow, AppError> {
        self.work(asked.view.dataset.clone(), move |opened| {
            let state = opened.whole()?;
            let mut answer =
                FindWindow { hits: 0, records: 0, coverage: complete(), first: 0, window: Vec::new(), problem: None };
            let finder = match compile(&asked.query) {
                Ok(finder) => finder,
                Err(error) => {
                    answer.problem = Some(problem(&asked.query.text, &error));
                    return Ok(answer);
                }
            };
            let (state, view) = match evaluate(opened, &asked.view, state)? {
                Viewed::All(state) => {
                    let all = Arc::new(View::all(&state));
                    (state, all)
                }
                Viewed::Some(state, view) => (state, view),
                Viewed::UnderWay(coverage) => {
                    answer.coverage = coverage;
                    return Ok(answer);
                }
                Viewed::Broken(filter) => {
                    answer.problem = Some(filter);
                    return Ok(answer);
                }
            };
            let known = (opened.edition(), key(opened, &asked.view), asked.query.clone());
            let standing = opened.finds.ask(
                known,
                || opened.watched(format!("Find \"{}\"", asked.query.text), "Searching", DatasetPart::Find),
                {
                    let (state, view, finder) = (state.clone(), Arc::clone(&view), finder);
                    move |watched| finder.run(&state, &view, watched).map_err(|error| from_document(&error))
                },
            )?;
            let found = match standing {
                Standing::Ready(found) => found,
                Standing::UnderWay(coverage, _) => {
                    answer.coverage = coverage;
                    return Ok(answer);
                }
            };
            (answer.hits, answer.records) = (found.matches(), found.records());
            answer.first = match asked.from {
                FindFrom::Hit { index } => index,
                FindFrom::Row { offset } => {
                    let at = view.id_at(offset).and_then(|id| state.position_of(id)).unwrap_or(offset);
                    found.first_in(&state, at).unwrap_or(0)
                }
            };
            let window = answer.first..answer.first.saturating_add(u64::from(asked.count.min(MOST_HITS)));
            let hits = found.window(&state, window, asked.replacement.as_deref());
            answer.window = hits
                .map_err(|error| from_document(&error))?
                .into_iter()
                .map(|hit| {
                    let row = state.row(hit.position).map_err(|error| from_document(&error))?;
                    let record = row.record_or_empty();
                    let text = text_at(&record, &hit.place);
                    Ok(Hit {
                        position: hit.position,
                        offset: view.index_of(hit.id).unwrap_or(hit.position),
                        turn: u32::try_from(hit.place.turn).unwrap_or(u32::MAX),
                        block: u32::try_from(hit.place.block).unwrap_or(u32::MAX),
                        start: utf16(text, hit.place.span.start),
                        end: utf16(text, hit.place.span.end),
                        before: hit.before,
                        text: hit.matched,
                        after: hit.after,
                        replacement: hit.replaced,
                    })
                })
                .collect::<Result<_, AppError>>()?;
            Ok(answer)
        })
        .await
    }

    pub async fn replace(self: &Arc<Self>, asked: ReplaceRequest) -> Result<Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let finder = compile(&asked.query).map_err(|error| {
                AppError::new(ErrorCode::InvalidInput, sentence(&error.to_string())).hint(EXPRESSION)
            })?;
            let set = select(opened, &asked.selection)?;
            let target = match (asked.only, set.iter().next()) {
                (Some(index), Some(id)) => MatchChoice::One { id, index: index as usize },
                _ => MatchChoice::Records(&set),
            };
            let changed = opened.long_edit("Replace", |document, watched| {
                document.replace_found(&finder, &asked.replacement, target, watched)
            })?;
            match asked.only {
                Some(_) => opened.edited(),
                None => opened.arranged(),
            }
            let first = first_of(&opened.whole()?, &set);
            change(opened, changed, set.len().saturating_sub(changed), first, false)
        })
        .await
    }
}

fn compile(query: &FindQuery) -> Result<Finder, FindError> {
    Find {
        text: query.text.clone(),
        regex: query.regex,
        case: query.match_case,
        whole_word: query.whole_words,
        field: match query.scope {
            FindScope::Everywhere => FindField::Any,
            FindScope::System => FindField::System,
            FindScope::Prompt => FindField::Prompt,
            FindScope::Completion => FindField::Completion,
        },
    }
    .compile()
}

fn problem(text: &str, error: &FindError) -> TextProblem {
    contract::TextProblem {
        message: sentence(&error.to_string()),
        hint: Some(EXPRESSION.to_owned()),
        start: 0,
        end: utf16(text, text.len()),
    }
}

/// The text of the block that a match stands in.
fn text_at<'a>(record: &'a Record, place: &Match) -> &'a str {
    match record.turns.get(place.turn).and_then(|turn| turn.content.get(place.block)) {
        Some(Block::Text(text) | Block::Reasoning(text)) => text,
        _ => "",
    }
}
