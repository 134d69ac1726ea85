//! Where the pieces of a JSON text lie, and in plain words what is wrong with a text that is none.
//!
//! Written by hand because the parser we use gives values, not the bytes they came from, and names
//! faults in the words of a parser ("EOF while parsing a value"). What it accepts and what is accepted
//! here is the same (a property test and a fuzz target hold the two together).

use std::ops::Range;

/// As deep as the parser goes.
const MAX_DEPTH: usize = 127;

/// A value and the bytes it takes.
#[derive(Debug)]
pub(crate) struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar,
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    /// With its quotes.
    pub key_span: Range<usize>,
    pub key: String,
    pub value: Node,
}

/// What is wrong, and the byte at which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub at: usize,
    pub message: String,
}

/// The value that the whole text is.
pub(crate) fn outline(text: &[u8]) -> Result<Node, Fault> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(Fault { at: error.valid_up_to(), message: "This is not written in UTF-8.".to_owned() });
    }
    let mut walk = Walk { text, at: 0, depth: 0 };
    walk.space();
    let node = walk.value()?;
    walk.space();
    match text.get(walk.at) {
        None => Ok(node),
        Some(b'{') => walk.fault("A second object begins here: each record must stand on a line of its own."),
        Some(_) => walk.fault("There is something after the end of the value."),
    }
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        fault_at(self.at, message)
    }

    fn value(&mut self) -> Result<Node, Fault> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => self.string().map(|_| Kind::Scalar)?,
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| Kind::Scalar)?,
            _ => self.word().map(|()| Kind::Scalar)?,
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Kind, Fault>) -> Result<Kind, Fault> {
        if self.depth == MAX_DEPTH {
            return self.fault(format!("Objects and lists are nested here deeper than {MAX_DEPTH} levels."));
        }
        self.depth += 1;
        let kind = inner(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<Kind, Fault> {
        let opened = self.at;
        let unclosed = || fault_at(opened, "The object that begins here is not closed: a } is missing.");
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.space();
            match self.peek() {
                None => return unclosed(),
                Some(b'}') if members.is_empty() => break,
                Some(b'}') => return self.fault("There is a comma too many before this }."),
                Some(b'"') => {}
                Some(b'\'') => return self.fault("A name must stand in double quotes (\"), not in single ones."),
                Some(b',') if members.is_empty() => return self.fault("There is a comma too many here."),
                Some(b',') => return self.fault("There are two commas in a row."),
                Some(_) => return self.fault("A name in double quotes is missing here."),
            }
            let key_start = self.at;
            let key = self.string()?;
            let key_span = key_start..self.at;
            self.space();
            match self.peek() {
                Some(b':') => self.at += 1,
                None => return unclosed(),
                Some(_) => return self.fault(format!("A colon is missing between \"{}\" and its value.", short(&key))),
            }
            self.space();
            match self.peek() {
                None => return unclosed(),
                Some(b',' | b'}') => return self.fault(format!("The value of \"{}\" is missing.", short(&key))),
                Some(_) => {}
            }
            let value = self.value()?;
            members.push(Member { key_span, key, value });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                None => return unclosed(),
                Some(b']') => return self.fault("This ] closes nothing: the object around it needs a }."),
                Some(b'"') => {
                    return self.fault(
                        "A comma is missing before this, or a quote in the text before it is not written as \\\".",
                    );
                }
                Some(_) => return self.fault("A comma is missing before this."),
            }
        }
        self.at += 1;
        Ok(Kind::Object(members))
    }

    fn array(&mut self) -> Result<Kind, Fault> {
        let opened = self.at;
        let unclosed = || fault_at(opened, "The list that begins here is not closed: a ] is missing.");
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            match self.peek() {
                None => return unclosed(),
                Some(b']') if items.is_empty() => break,
                Some(b']') => return self.fault("There is a comma too many before this ]."),
                Some(b',') => return self.fault("A value is missing before this comma."),
                Some(_) => {}
            }
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                None => return unclosed(),
                Some(b'}') => return self.fault("This } closes nothing: the list around it needs a ]."),
                Some(_) => return self.fault("A comma is missing before this."),
            }
        }
        self.at += 1;
        Ok(Kind::Array(items))
    }

    /// Passes over a text and gives what it says.
    fn string(&mut self) -> Result<String, Fault> {
        let opened = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return fault_at(opened, "The text that begins here is not closed: a \" is missing."),
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(byte @ 0..0x20) => {
                    return self.fault(match byte {
                        b'\n' | b'\r' => "A line break inside a text must be written as \\n.".to_owned(),
                        b'\t' => "A tab inside a text must be written as \\t.".to_owned(),
                        _ => format!("A control character inside a text must be written as \\u{byte:04x}."),
                    });
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let said = serde_json::from_slice(&self.text[opened..self.at]);
        said.or_else(|_| fault_at(opened, "This text cannot be read."))
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.code_unit(self.at) {
                None => return self.fault("After \\u there must be four hexadecimal digits."),
                Some(0xD800..=0xDBFF) => match self.code_unit(self.at + 6) {
                    Some(0xDC00..=0xDFFF) => self.at += 12,
                    _ => {
                        return self.fault("This escape is the first half of a character; its second half is missing.");
                    }
                },
                Some(0xDC00..=0xDFFF) => {
                    return self.fault("This escape is the second half of a character; its first half is missing.");
                }
                Some(_) => self.at += 6,
            },
            // A text that ends in a backslash is found to be unclosed.
            None => self.at += 1,
            Some(_) => return self.fault("JSON knows no such escape; write a backslash as \\\\."),
        }
        Ok(())
    }

    /// The number in `\uXXXX` at a place.
    fn code_unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let wrong = || {
            fault_at(
                start,
                "This is no number as JSON writes them: no leading zero, digits on both sides of the point.",
            )
        };
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.digits();
        if whole == 0 || whole > 1 && self.text[self.at - whole] == b'0' {
            return wrong();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return wrong();
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return wrong();
            }
        }
        match serde_json::from_slice::<serde_json::Number>(&self.text[start..self.at]) {
            Ok(_) => Ok(()),
            Err(_) => fault_at(start, "This number is too large."),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self) -> Result<(), Fault> {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        match &rest[..length] {
            b"true" | b"false" | b"null" => {
                self.at += length;
                Ok(())
            }
            b"True" => self.fault("JSON writes this as true."),
            b"False" => self.fault("JSON writes this as false."),
            b"None" | b"NULL" | b"Null" | b"nil" => self.fault("JSON writes this as null."),
            b"NaN" | b"nan" | b"Infinity" => self.fault("JSON has no such number; write null, or leave it out."),
            b"" => match rest.first() {
                None => self.fault("There is nothing here."),
                Some(b'\'') => self.fault("A text must stand in double quotes (\"), not in single ones."),
                Some(_) => self.fault("A value is missing here."),
            },
            _ => self.fault("A text must stand in double quotes."),
        }
    }
}

fn fault_at<T>(at: usize, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { at, message: message.into() })
}

fn short(key: &str) -> String {
    let mut letters = key.chars();
    let mut shown: String = letters.by_ref().take(40).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn what_is_wrong_is_said_in_plain_words_with_its_place() {
        for (text, at, said) in [
            ("", 0, "nothing here"),
            ("{\"a\":1", 0, "object that begins here is not closed"),
            ("{\"a\":[1, 2", 5, "list that begins here is not closed"),
            ("{\"a\":\"b", 5, "text that begins here is not closed"),
            ("{\"a\":\"b\\", 5, "text that begins here is not closed"),
            ("{\"a\" \"b\"}", 5, "A colon is missing between \"a\""),
            ("{\"a\":\"b\" \"c\":1}", 9, "A comma is missing"),
            ("{\"a\":\"say \"hi\" now\"}", 11, "comma is missing"),
            ("{\"a\":1,}", 7, "a comma too many before this }"),
            ("[1,]", 3, "a comma too many before this ]"),
            ("{\"a\":}", 5, "The value of \"a\" is missing"),
            ("{'a':1}", 1, "double quotes"),
            ("{\"a\":'b'}", 5, "double quotes"),
            ("{a:1}", 1, "A name in double quotes"),
            ("{\"a\":True}", 5, "as true"),
            ("{\"a\":None}", 5, "as null"),
            ("{\"a\":NaN}", 5, "no such number"),
            ("{\"a\":01}", 5, "no number"),
            ("{\"a\":1e999}", 5, "too large"),
            ("{\"a\":\"\\x\"}", 6, "no such escape"),
            ("{\"a\":\"\\ud800\"}", 6, "second half is missing"),
            ("{\"a\":\"\\udc00\"}", 6, "first half is missing"),
            ("{\"a\":\"b\tc\"}", 7, "written as \\t"),
            ("{\"a\":1} {\"a\":2}", 8, "a line of its own"),
            ("{\"a\":1]", 6, "needs a }"),
            ("[1}", 2, "needs a ]"),
        ] {
            let fault = outline(text.as_bytes()).unwrap_err();
            assert_eq!(fault.at, at, "{text}: {fault:?}");
            assert!(fault.message.contains(said), "{text}: {fault:?}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(outline(deep.as_bytes()).unwrap_err().message.contains("deeper"));
        assert!(serde_json::from_str::<Value>(&deep).is_err());
    }

    #[test]
    fn nesting_is_taken_as_deep_as_the_parser_takes_it() {
        for depth in [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert_eq!(outline(text.as_bytes()).is_ok(), serde_json::from_str::<Value>(&text).is_ok(), "{depth}");
        }
    }

    proptest! {
        #[test]
        fn the_same_texts_are_json_here_and_for_the_parser(text in "[\\[\\]{},:\"\\\\ \tua0e1.+-]{0,12}|[\\[{\"]{1,3}(\"a\":|1|,|null|true|\\]|\\}|\"b\"|\\\\u00e9| ){0,12}") {
            let theirs = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert_eq!(outline(text.as_bytes()).is_ok(), theirs);
        }
    }
}
