//! One JSON document that is, or holds, a list of records: `{"examples": [{"input", "output"}, …]}`,
//! `[{"instruction", "output"}, …]`.
//!
//! Elements are cut out of the document one at a time by counting brackets, so the document may be
//! of any size, each element has its line, and one that is not valid costs only itself.

use std::io::Read;

use super::MAX_RECORD_BYTES;
use crate::error::ReadProblem;
use crate::input::{Input, excerpt};

/// Bytes looked at before the list must have begun.
const HEAD: u64 = 1_000_000;

/// The members under which a document may keep its records.
const LISTS: [&[u8]; 6] = [b"\"examples\"", b"\"data\"", b"\"records\"", b"\"items\"", b"\"rows\"", b"\"train\""];

/// What comes next in the list.
#[derive(Debug)]
pub(crate) enum Element {
    End,
    /// The element's bytes are in the buffer; it began here.
    Value {
        line: u64,
    },
    Broken(ReadProblem),
}

/// Reads up to and past the `[` of the list: the document itself, or the first of its members with a
/// well-known name. False where there is none: the input is then somewhere within the document.
pub(crate) fn enter_list<R: Read>(input: &mut Input<R>) -> std::io::Result<bool> {
    match skip_space(input)? {
        Some(b'[') => {
            input.take(b'[');
            return Ok(matches!(skip_space(input)?, Some(b'{' | b']')));
        }
        Some(b'{') => input.take(b'{'),
        _ => return Ok(false),
    }
    let mut text = Vec::new();
    while input.byte < HEAD {
        if skip_space(input)? != Some(b'"') || !value(input, &mut text, HEAD as usize)? {
            return Ok(false);
        }
        if skip_space(input)? != Some(b':') {
            return Ok(false);
        }
        input.take(b':');
        let next = skip_space(input)?;
        if LISTS.contains(&&text[..]) && next == Some(b'[') {
            input.take(b'[');
            return Ok(true);
        }
        if !value(input, &mut text, HEAD as usize)? || skip_space(input)? != Some(b',') {
            return Ok(false);
        }
        input.take(b',');
    }
    Ok(false)
}

/// The next element of the list that [`enter_list`] entered.
pub(crate) fn next_element<R: Read>(input: &mut Input<R>, text: &mut Vec<u8>) -> std::io::Result<Element> {
    if skip_space(input)? == Some(b',') {
        input.take(b',');
    }
    let (next, line, column) = (skip_space(input)?, input.line, input.column());
    let message = match next {
        Some(b']') => return Ok(Element::End),
        None => "The list is not closed: a ] is missing.".to_owned(),
        Some(_) if value(input, text, MAX_RECORD_BYTES)? => match skip_space(input)? {
            Some(b',' | b']') => return Ok(Element::Value { line }),
            _ => "This record is not followed by a comma or the end of the list.".to_owned(),
        },
        Some(_) if text.len() >= MAX_RECORD_BYTES => {
            format!("This record is longer than {} MB.", MAX_RECORD_BYTES / 1_000_000)
        }
        Some(_) => "This record is not complete: a quote or a bracket is not closed.".to_owned(),
    };
    Ok(Element::Broken(ReadProblem {
        line,
        column: Some(column),
        message,
        hint: "Mend the document here; what follows cannot be told apart.".to_owned(),
        excerpt: excerpt(text),
    }))
}

fn skip_space<R: Read>(input: &mut Input<R>) -> std::io::Result<Option<u8>> {
    loop {
        match input.peek()?.first().copied() {
            Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) => input.take(byte),
            other => return Ok(other),
        }
    }
}

/// Takes one JSON value, checked only for its brackets and quotes. False where it does not end
/// within the file or the bound.
fn value<R: Read>(input: &mut Input<R>, text: &mut Vec<u8>, limit: usize) -> std::io::Result<bool> {
    text.clear();
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    while let Some(byte) = input.peek()?.first().copied() {
        let ends_scalar =
            depth == 0 && !in_text && matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\r' | b'\n');
        if ends_scalar {
            return Ok(!text.is_empty());
        }
        if text.len() >= limit {
            return Ok(false);
        }
        let run = if in_text && !escaped { plain_run(input.peek()?, limit - text.len()) } else { 0 };
        if run > 0 {
            text.extend_from_slice(&input.peek()?[..run]);
            input.take_run(run);
            continue;
        }
        input.take(byte);
        text.push(byte);
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => continue,
            }
        } else {
            match byte {
                b'"' => in_text = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => continue,
            }
        }
        if depth == 0 && !in_text && matches!(byte, b'"' | b'}' | b']') {
            return Ok(true);
        }
    }
    Ok(depth == 0 && !in_text && !text.is_empty())
}

/// How many of these bytes of a text mean nothing but themselves.
fn plain_run(bytes: &[u8], most: usize) -> usize {
    let bytes = &bytes[..bytes.len().min(most)];
    bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r')).unwrap_or(bytes.len())
}

/// An element's text on one line: what lies between its texts loses its space, and nothing else.
pub(crate) fn one_line(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    for &byte in text {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = byte == b'"';
        }
        line.push(byte);
    }
    line
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn elements(text: &str) -> Option<Vec<Result<(u64, String), ReadProblem>>> {
        let mut input = Input::new(Cursor::new(text.as_bytes())).unwrap();
        if !enter_list(&mut input).unwrap() {
            return None;
        }
        let mut all = Vec::new();
        let mut buffer = Vec::new();
        loop {
            match next_element(&mut input, &mut buffer).unwrap() {
                Element::End => return Some(all),
                Element::Value { line } => {
                    all.push(Ok((line, String::from_utf8(buffer.clone()).unwrap())));
                }
                Element::Broken(problem) => {
                    all.push(Err(problem));
                    return Some(all);
                }
            }
        }
    }

    #[test]
    fn elements_are_cut_out_with_their_lines() {
        let text = "{\"version\": {\"a\": [1]},\n \"examples\": [\n  {\"input\": \"a } ] \\\" b\"},\n  {\"output\": [1, {}]} , 7\n]}";
        let cut: Vec<(u64, String)> = elements(text).unwrap().into_iter().map(Result::unwrap).collect();
        assert_eq!(
            cut,
            [
                (3, "{\"input\": \"a } ] \\\" b\"}".to_owned()),
                (4, "{\"output\": [1, {}]}".to_owned()),
                (4, "7".to_owned()),
            ]
        );
        assert_eq!(elements("{\"examples\":[]}").unwrap().len(), 0);
        assert_eq!(elements(" [ {\"a\": 1},\n{} ]").unwrap().len(), 2);
        assert_eq!(elements("{\"version\": 1, \"data\": [{}]}").unwrap().len(), 1);
    }

    #[test]
    fn an_element_is_put_on_one_line_with_its_numbers_and_texts_as_they_are() {
        let text = b"{\n  \"a\" : [ 1.50,\t2e3 ],\n \"b\": \"x \\\" y \\\\\" }";
        assert_eq!(one_line(text), b"{\"a\":[1.50,2e3],\"b\":\"x \\\" y \\\\\"}");
    }

    #[test]
    fn what_holds_no_list_of_examples_is_not_entered() {
        for text in ["", "[1]", "{}", "{\"examples\": {}}", "{\"prompt\":\"x\"}", "{\"a\"", "{\"examples\" []"] {
            assert!(elements(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_unclosed_element_is_named_by_its_line() {
        let read = elements("{\"examples\": [\n{\"input\": \"a\"},\n{\"input\": \"b\n").unwrap();
        assert!(read[0].is_ok());
        let problem = read[1].as_ref().unwrap_err();
        assert_eq!((problem.line, problem.column), (3, Some(1)));
    }
}
