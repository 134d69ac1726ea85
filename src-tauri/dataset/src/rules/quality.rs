//! Rules for texts that are damaged, or that carry what nobody sees.

use std::ops::Range;

use serde_json::de::IoRead;
use whetstone_scan::Facts;

use super::finding::texts;
use super::rule::models::TINY;
use super::text::PLACES;
use super::{Broken, Example, Finding, Fix, Intent, Mend, Rule, RuleKind, Severity};
use crate::record::{Block, Record, Role};

const CRAFT: &str = "Common practice in machine learning: what stands in the data is learned";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "edge-space",
        severity: Severity::Note,
        asks: "What is said neither begins nor ends with white space.",
        source: "Common practice: the model learns the space too. No validator of AWS's has a rule on it",
        fix: Some(Mend { does: "Trim the texts", how: trim }),
        needs: Facts::UNKNOWN.union(Facts::EDGE_SPACE),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(edge_space),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Hi","completion":"Hello\n"}"#,
                r#"{"prompt":"Hi","completion":"Hel\nlo"}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"C:\\ ","completion":"Hello"}"#,
                r#"{"prompt":"C:\\","completion":"Hello"}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Hi","completion":" Hello"}"#,
                r#"{"prompt":"Hi there","completion":"Hello"}"#,
            ),
        ],
    },
    Rule {
        id: "broken-json",
        severity: Severity::Warning,
        asks: "A completion that is meant to be JSON is JSON.",
        source: CRAFT,
        fix: Some(Mend { does: "Close what is left open", how: close_json }),
        needs: Facts::UNKNOWN.union(Facts::JSON),
        concerns: |intent| !intent.data().prompts_only,
        hold_out: true,
        kind: RuleKind::Record(broken_json),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Extract.","completion":"{\"term\": 12, \"parties\": [\"A\", \"B\""}"#,
                r#"{"prompt":"Extract.","completion":"{\"term\": 12, \"parties\": [\"A\", \"B\"]}"}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Extract.","completion":"{'term': 12}"}"#,
                r#"{"prompt":"Extract.","completion":"{name}, your term is 12."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Extract.","completion":"```json\n[{\"term\": 12},]\n```"}"#,
                r#"{"prompt":"Extract.","completion":"[1] says that the term is 12."}"#,
            ),
        ],
    },
    Rule {
        id: "replacement-character",
        severity: Severity::Warning,
        asks: "No text holds U+FFFD, which stands where a character was lost.",
        source: CRAFT,
        fix: None,
        needs: Facts::UNKNOWN.union(Facts::REPLACEMENT),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| {
            let message = "A character was lost when the text was read in another encoding";
            pointed(record, message, "Take the text from its source again.", |text| chars(text, |c| c == '\u{FFFD}'))
        }),
        examples: &[Example::new(
            TINY,
            "{\"prompt\":\"Caf\u{FFFD}\",\"completion\":\"Hello\"}",
            "{\"prompt\":\"Café\",\"completion\":\"Hello\"}",
        )],
    },
    Rule {
        id: "mojibake",
        severity: Severity::Warning,
        asks: "No text was written in UTF-8 and read as Windows-1252.",
        source: CRAFT,
        fix: Some(Mend { does: "Read the damaged characters as UTF-8", how: read_again }),
        needs: Facts::UNKNOWN.union(Facts::MOJIBAKE),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| {
            let message = "Characters were read in the wrong encoding";
            pointed(record, message, "Read them as UTF-8.", |text| {
                mojibake(text).into_iter().map(|(at, _)| at).collect()
            })
        }),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Where is the cafÃ©?","completion":"Itâ€™s there."}"#,
                r#"{"prompt":"Where is the café?","completion":"It’s there."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Price: Â£5","completion":"Ð¿Ñ€Ð¸Ð²ÐµÑ‚"}"#,
                r#"{"prompt":"»CAFÉ« „MENÜ“ «MAÇÃ» SÃO Â, â","completion":"Ðor"}"#,
            ),
        ],
    },
    Rule {
        id: "control-character",
        severity: Severity::Warning,
        asks: "No text holds control characters beside line breaks and tabs.",
        source: CRAFT,
        fix: Some(Mend {
            does: "Leave the control characters out",
            how: |record, _, _| drop_chars(record, |text| chars(text, is_control)),
        }),
        needs: Facts::UNKNOWN.union(Facts::CONTROL),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| {
            let message = "A control character";
            pointed(record, message, "Leave it out.", |text| chars(text, is_control))
        }),
        examples: &[Example::new(
            TINY,
            r#"{"prompt":"Hi\u0007","completion":"Hello"}"#,
            r#"{"prompt":"Hi\r\n\tthere","completion":"Hello"}"#,
        )],
    },
    Rule {
        id: "invisible-character",
        severity: Severity::Warning,
        asks: "No text holds invisible characters that change nothing but what the model reads: zero-width spaces, marks of direction in text without right-to-left letters, soft hyphens.",
        source: "Common practice. Joiners are left alone between letters and emoji that need them",
        fix: Some(Mend {
            does: "Leave the invisible characters out",
            how: |record, _, _| drop_chars(record, invisible),
        }),
        needs: Facts::UNKNOWN.union(Facts::INVISIBLE),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "An invisible character", "Leave it out.", invisible)),
        examples: &[
            Example::new(
                TINY,
                "{\"prompt\":\"pass\u{200B}word\",\"completion\":\"Hel\u{AD}lo\"}",
                "{\"prompt\":\"password\",\"completion\":\"Hel-lo\"}",
            ),
            Example::new(
                TINY,
                "{\"prompt\":\"Hi \u{202E}olleh\",\"completion\":\"Hello\"}",
                "{\"prompt\":\"\u{200F}שלום\u{200E}\",\"completion\":\"👩\u{200D}💻 می\u{200C}خواهم\"}",
            ),
        ],
    },
];

/// A finding for each stretch of text that is found, the text's own turn named.
pub(super) fn pointed(
    record: &Record,
    what: &str,
    hint: &str,
    find: impl Fn(&str) -> Vec<Range<usize>>,
) -> Vec<Broken> {
    let broken = texts(record).flat_map(|(turn, block, text)| {
        find(text).into_iter().map(move |place| {
            let message = format!("{what} stands in turn {} ({}).", turn + 1, record.turns[turn].role.as_str());
            Broken::new(message, hint).at(record, turn, block, place)
        })
    });
    broken.take(PLACES).collect()
}

/// The record with its texts changed; `None` where nothing changes.
fn changed(record: &Record, change: impl Fn(&str) -> Option<String>) -> Option<Fix> {
    let mut mended = record.clone();
    for block in mended.turns.iter_mut().flat_map(|turn| &mut turn.content) {
        if let Block::Text(text) | Block::Reasoning(text) = block
            && let Some(new) = change(text)
        {
            *text = new;
        }
    }
    (mended != *record).then_some(Fix::Replace(mended))
}

fn chars(text: &str, wanted: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let found = text.char_indices().filter(|(_, c)| wanted(*c));
    found.map(|(start, c)| start..start + c.len_utf8()).collect()
}

/// The record with each stretch that is found replaced, until none is: what stood beside one may be another.
pub(super) fn replaced(record: &Record, find: impl Fn(&str) -> Vec<Range<usize>>, by: &str) -> Option<Fix> {
    changed(record, |text| {
        let mut text = text.to_owned();
        loop {
            let places = find(&text);
            if places.is_empty() {
                return Some(text);
            }
            for place in places.into_iter().rev() {
                text.replace_range(place, by);
            }
        }
    })
}

fn drop_chars(record: &Record, find: impl Fn(&str) -> Vec<Range<usize>>) -> Option<Fix> {
    replaced(record, find, "")
}

/// The white space at the beginning and at the end of what a turn says: of its first and its last text.
fn edges(record: &Record) -> Vec<(usize, usize, Range<usize>)> {
    let mut found = Vec::new();
    for (turn, said) in record.turns.iter().enumerate() {
        let spoken = |(block, content): (usize, &'_ Block)| content.text().map(|_| block);
        let (Some(first), Some(last)) =
            (said.content.iter().enumerate().find_map(spoken), said.content.iter().enumerate().rev().find_map(spoken))
        else {
            continue;
        };
        let text = |block: usize| said.content[block].text().unwrap_or_default();
        let (before, after) = (text(first), text(last));
        if before.trim().is_empty() || after.trim().is_empty() {
            continue;
        }
        let start = before.len() - before.trim_start().len();
        let end = after.trim_end().len();
        if start > 0 {
            found.push((turn, first, 0..start));
        }
        if end < after.len() {
            found.push((turn, last, end..after.len()));
        }
    }
    found
}

fn edge_space(record: &Record, _: &Intent) -> Vec<Broken> {
    let broken = edges(record).into_iter().map(|(turn, block, place)| {
        let side = if place.start == 0 { "begins" } else { "ends" };
        let role = record.turns[turn].role.as_str();
        let message = format!("Turn {} ({role}) {side} with white space.", turn + 1);
        Broken::new(message, "Trim the text, unless the model should learn the space.").at(record, turn, block, place)
    });
    broken.take(PLACES).collect()
}

fn trim(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    let mut mended = record.clone();
    // From the back, so that what is cut off an end does not move what is cut off a beginning.
    for (turn, block, place) in edges(record).into_iter().rev() {
        if let Some(Block::Text(text)) = mended.turns[turn].content.get_mut(block) {
            text.replace_range(place, "");
        }
    }
    (mended != *record).then_some(Fix::Replace(mended))
}

/// The part of a completion that is meant to be JSON: after a fence, if there is one, and only where what follows the
/// first bracket is what JSON has there. `{name}` and `[1]` are none.
fn meant_as_json(text: &str) -> Option<Range<usize>> {
    let start = text.len() - text.trim_start().len();
    let body = &text[start..];
    let (start, end) = match body.strip_prefix("```json").or_else(|| body.strip_prefix("```\n")) {
        Some(rest) => {
            let start = text.len() - rest.len();
            (start, rest.rfind("```").map_or(text.len(), |fence| start + fence))
        }
        None => (start, text.len()),
    };
    let json = text.get(start..end)?.trim();
    let mut symbols = json.chars().filter(|c| !c.is_whitespace());
    let meant = match (symbols.next()?, symbols.next()) {
        ('{', Some('"' | '\'' | '}')) => json.contains(':') || json.starts_with("{}"),
        ('[', Some('{' | '"')) => true,
        _ => false,
    };
    let offset = start + text.get(start..end)?.find(json)?;
    meant.then_some(offset..offset + json.len())
}

fn json_error(json: &str) -> Option<serde_json::Error> {
    // What follows a whole value is left alone: it may be a sentence on it.
    let mut values = serde_json::Deserializer::new(IoRead::new(json.as_bytes())).into_iter::<serde::de::IgnoredAny>();
    values.next()?.err()
}

/// Where the answer's one text is that may be JSON.
fn json_answer(record: &Record) -> Option<(usize, usize, &str)> {
    let turn = record.turns.len().checked_sub(1)?;
    let last = &record.turns[turn];
    if last.role != Role::Assistant {
        return None;
    }
    let block = last.content.iter().position(|block| block.text().is_some())?;
    Some((turn, block, last.content[block].text()?))
}

fn broken_json(record: &Record, _: &Intent) -> Vec<Broken> {
    let found = json_answer(record).and_then(|(turn, block, text)| {
        let place = meant_as_json(text)?;
        let json = &text[place.clone()];
        let error = json_error(json)?;
        let at = (place.start + offset(json, error.line(), error.column())).min(text.len());
        let from = text[..at].char_indices().next_back().map_or(0, |(start, _)| start);
        let what = if error.is_eof() { "ends before it is complete" } else { "is not valid" };
        let message =
            format!("The completion looks like JSON, which {what} (line {}, column {}).", error.line(), error.column());
        let broken = Broken::new(message, "Mend the JSON: the model learns its mistakes.");
        Some(broken.at(record, turn, block, from..at).fixable(closed(json).is_some()))
    });
    found.into_iter().collect()
}

/// The byte behind a line and column as serde_json counts them.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let start: usize = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut end = (start + column).min(json.len());
    while !json.is_char_boundary(end) {
        end += 1;
    }
    end
}

/// The JSON with its open text, objects and lists closed, where that is all it lacks.
fn closed(json: &str) -> Option<String> {
    let mut open = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => open.push('}'),
            '[' if !quoted => open.push(']'),
            '}' | ']' if !quoted && open.pop() != Some(c) => return None,
            _ => {}
        }
    }
    let mut whole = json.trim_end().to_owned();
    if quoted {
        whole.push('"');
    } else if whole.ends_with(',') {
        whole.pop();
    }
    whole.extend(open.into_iter().rev());
    (whole != json && json_error(&whole).is_none()).then_some(whole)
}

fn close_json(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    let (turn, block, text) = json_answer(record)?;
    let place = meant_as_json(text)?;
    let whole = closed(&text[place.clone()])?;
    let mut text = text.to_owned();
    text.replace_range(place, &whole);
    let mut mended = record.clone();
    mended.turns[turn].content[block] = Block::Text(text);
    Some(Fix::Replace(mended))
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}')
}

/// A joiner shapes letters of scripts that are written joined, and makes one emoji of several.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let joined = |c: Option<char>| c.is_some_and(|c| c > '\u{58F}' && !c.is_whitespace());
    joined(before) && joined(after)
}

fn invisible(text: &str) -> Vec<Range<usize>> {
    let right_to_left = text.chars().any(|c| is_right_to_left(c) && c != '\u{FEFF}');
    let mut found = Vec::new();
    let mut before = None;
    let mut all = text.char_indices().peekable();
    while let Some((start, c)) = all.next() {
        let after = all.peek().map(|(_, c)| *c);
        let unwanted = match c {
            '\u{AD}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' => !is_unspaced(before),
            '\u{200C}' | '\u{200D}' => !joins(before, after),
            '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => !right_to_left,
            '\u{206A}'..='\u{206F}' => true,
            _ => false,
        };
        if unwanted {
            found.push(start..start + c.len_utf8());
        } else {
            before = Some(c);
        }
    }
    found
}

/// Thai, Lao, Myanmar and Khmer are written without spaces; a zero-width space there says where a word ends.
fn is_unspaced(c: Option<char>) -> bool {
    c.is_some_and(|c| matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'))
}

/// What Windows-1252 has at 0x80 to 0x9F; the five that it has not are read as the controls.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

fn windows_1252(c: char) -> Option<u8> {
    match c {
        '\u{80}'..='\u{FF}' => Some(c as u8),
        _ => HIGH.iter().position(|high| *high == c).map(|place| 0x80 + place as u8),
    }
}

/// Stretches that are the bytes of one UTF-8 character read as Windows-1252, with that character.
fn mojibake(text: &str) -> Vec<(Range<usize>, char)> {
    let mut found: Vec<(Range<usize>, char)> = Vec::new();
    // A stretch that would be a coincidence by itself, but not beside another.
    let mut doubtful: Option<(Range<usize>, char)> = None;
    let mut skip = 0;
    let mut before = None;
    for (start, c) in text.char_indices() {
        if start < skip {
            continue;
        }
        let Some((end, read)) = misread(&text[start..], c).map(|(length, read)| (start + length, read)) else {
            before = Some(c);
            continue;
        };
        let quotes = text[start + c.len_utf8()..end].chars().all(|c| "«»‹›“”‘’„‚".contains(c));
        if quotes && before.is_some_and(char::is_uppercase) {
            // »CAFÉ«: a capital before a quotation mark.
            before = Some(c);
            continue;
        }
        skip = end;
        before = Some(c);
        let adjacent = |place: &Range<usize>| place.end == start;
        let sure = matches!(read, '\u{A0}'..='\u{17F}') || read as u32 >= 0x800;
        if sure {
            found.push((start..end, read));
        } else if let Some(earlier) = doubtful.take().filter(|(place, _)| adjacent(place)) {
            found.push(earlier);
            found.push((start..end, read));
        } else if found.last().is_some_and(|(place, _)| adjacent(place)) {
            found.push((start..end, read));
        } else {
            doubtful = Some((start..end, read));
        }
    }
    found
}

/// The character that the first chars of a text are, had they been bytes, and their length in the text.
fn misread(text: &str, first: char) -> Option<(usize, char)> {
    let lead = windows_1252(first)?;
    let length = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [0; 4];
    let mut end = 0;
    for (place, c) in text.chars().take(length).enumerate() {
        bytes[place] = windows_1252(c)?;
        end += c.len_utf8();
    }
    let read = std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()?;
    Some((end, read))
}

fn read_again(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    changed(record, |text| {
        let mut text = text.to_owned();
        // Twice damaged text is mended twice.
        loop {
            let places = mojibake(&text);
            if places.is_empty() {
                return Some(text);
            }
            for (place, read) in places.into_iter().rev() {
                text.replace_range(place, read.encode_utf8(&mut [0; 4]));
            }
        }
    })
}
