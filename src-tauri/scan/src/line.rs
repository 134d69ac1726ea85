//! One line of a known, ordinary shape, read without allocating; and the scanner that goes from line to line.
//!
//! What is read here is exactly JSON as RFC 8259 has it, in the members that the shapes know and in no others. As soon
//! as anything is out of the ordinary the line is [`Facts::UNKNOWN`]; whoever asked then parses it.

use std::ops::Range;

use crate::block::{Classify, Plain, Work};
use crate::escape::{hash_escaped, hash_text, hash_turn, unescape};
use crate::facts::{Digest, Facts, Limits};
use crate::text::{self, PADDING, Text};
use crate::words::Words;

/// The value of `schemaVersion` that every base model takes.
const VERSION: &[u8] = b"bedrock-conversation-2024";

/// Who speaks a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    System,
    User,
    Assistant,
}

impl Speaker {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `prompt` and `completion`.
    Pair,
    /// `messages` whose contents are strings; a system text, if any, beside them.
    Strings,
    /// The same with a system text as the first message.
    Chat,
    /// `messages` whose contents are lists of one text block.
    Blocks,
}

/// A text of a line, as it stands between its quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub speaker: Speaker,
    pub raw: Range<usize>,
    pub chars: u32,
    pub hash: u64,
}

/// What was seen of a line.
#[derive(Debug)]
pub struct Line<'a> {
    /// Without its line break.
    pub bytes: &'a [u8],
    pub facts: Facts,
    /// `None` where the fast path does not know the line; then there are no spans and the digest is empty.
    pub form: Option<Form>,
    /// A system text first, then the turns in their order; ranges of [`Line::bytes`].
    pub spans: &'a [Span],
    /// The value of `schemaVersion`.
    pub version: Option<&'a [u8]>,
    pub digest: Digest,
}

/// Bytes with what must follow them so that they can be read 64 at a time.
#[derive(Debug, Default)]
pub struct Padded {
    bytes: Vec<u8>,
    length: usize,
}

impl Padded {
    /// Takes whole lines; the room that they are in comes back with [`Padded::into_inner`].
    pub fn new(mut lines: Vec<u8>) -> Padded {
        let length = lines.len();
        lines.resize(length + PADDING, 0);
        Padded { bytes: lines, length }
    }

    pub fn into_inner(mut self) -> Vec<u8> {
        self.bytes.truncate(self.length);
        self.bytes
    }
}

/// Looks through lines. One a thread.
#[derive(Debug)]
pub struct Scanner {
    words: Words,
    limits: Limits,
    spans: Vec<Span>,
    scratch: Vec<u8>,
    decoded: Vec<u8>,
}

impl Scanner {
    pub fn new(words: Words, limits: Limits) -> Scanner {
        Scanner { words, limits, spans: Vec::new(), scratch: Vec::new(), decoded: Vec::new() }
    }

    /// Shows every line, the last also where it has no line break.
    pub fn scan(&mut self, lines: &Padded, visit: &mut impl FnMut(&Line<'_>)) {
        let work = Lines { scanner: self, lines, visit };
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(cpu) = crate::block::Avx512::detect() {
                return cpu.with(work);
            }
            if let Some(cpu) = crate::block::Avx2::detect() {
                return cpu.with(work);
            }
        }
        Plain.with(work);
    }

    /// The same with nothing but what every processor has.
    pub fn scan_plainly(&mut self, lines: &Padded, visit: &mut impl FnMut(&Line<'_>)) {
        Plain.with(Lines { scanner: self, lines, visit });
    }
}

struct Lines<'a, V> {
    scanner: &'a mut Scanner,
    lines: &'a Padded,
    visit: &'a mut V,
}

impl<V: FnMut(&Line<'_>)> Work for Lines<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<C: Classify>(self, cpu: C) {
        let Lines { scanner, lines, visit } = self;
        let all = &lines.bytes[..lines.length];
        let mut at = 0;
        while at < all.len() {
            let mut reader = Reader::new(cpu, &lines.bytes, at, scanner);
            let seen = reader.record();
            let found = reader.found;
            let end = match seen {
                Some(end) => end,
                None => memchr::memchr(b'\n', &all[at..]).map_or(all.len(), |length| at + length),
            };
            let line = &all[at..end];
            // Beyond its texts and its version a known line is of ASCII alone, and what its texts are of has been seen.
            let version = found.version.clone().unwrap_or_default();
            let ascii = !found.facts.contains(Facts::NON_ASCII) && line[version].is_ascii();
            let known = seen.is_some() && (ascii || simdutf8::basic::from_utf8(line).is_ok());
            let next = end + 1;
            if known {
                visit(&found.line(line, scanner));
            } else {
                let facts = Facts::all();
                visit(&Line { bytes: line, facts, form: None, spans: &[], version: None, digest: Digest::default() });
            }
            at = next;
        }
    }
}

/// Goes through one line.
struct Reader<'a, C> {
    cpu: C,
    bytes: &'a [u8],
    at: usize,
    start: usize,
    words: &'a Words,
    spans: &'a mut Vec<Span>,
    scratch: &'a mut Vec<u8>,
    decoded: &'a mut Vec<u8>,
    found: Found,
}

/// What was found beside the texts.
#[derive(Debug, Clone)]
struct Found {
    facts: Facts,
    form: Option<Form>,
    system: Option<Span>,
    version: Option<Range<usize>>,
}

impl<'a, C: Classify> Reader<'a, C> {
    #[inline(always)]
    fn new(cpu: C, bytes: &'a [u8], at: usize, scanner: &'a mut Scanner) -> Reader<'a, C> {
        scanner.spans.clear();
        let Scanner { words, spans, scratch, decoded, .. } = scanner;
        let found = Found { facts: Facts::empty(), form: None, system: None, version: None };
        Reader { cpu, bytes, at, start: at, words, spans, scratch, decoded, found }
    }

    /// Reads the line and gives the place of its line break; `None` where it is not known.
    #[inline(always)]
    fn record(&mut self) -> Option<usize> {
        self.take(b'{')?;
        let (mut prompt, mut completion, mut messages) = (None, None, false);
        loop {
            if self.is_next(b"\"messages\"") {
                self.member(10)?;
                if std::mem::replace(&mut messages, true) {
                    return None;
                }
                self.messages()?;
            } else if self.is_next(b"\"prompt\"") {
                self.member(8)?;
                let span = self.text(Speaker::User)?;
                prompt.replace(span).is_none().then_some(())?;
            } else if self.is_next(b"\"completion\"") {
                self.member(12)?;
                let span = self.text(Speaker::Assistant)?;
                completion.replace(span).is_none().then_some(())?;
            } else if self.is_next(b"\"system\"") {
                self.member(8)?;
                self.system()?;
            } else if self.is_next(b"\"schemaVersion\"") {
                self.member(15)?;
                self.version()?;
            } else {
                return None;
            }
            match self.next()? {
                b',' => self.spaces(),
                b'}' => break,
                _ => return None,
            }
        }
        self.spaces();
        (self.bytes[self.at] == b'\n' || self.at + PADDING == self.bytes.len()).then_some(())?;
        match (prompt, completion, messages) {
            (Some(prompt), Some(completion), false) => {
                self.form(Form::Pair)?;
                (self.found.system.is_none() && self.found.version.is_none()).then_some(())?;
                self.spans.extend([prompt, completion]);
            }
            (None, None, true) => {
                let blocks = self.found.form == Some(Form::Blocks);
                (blocks || self.found.version.is_none()).then_some(())?;
                if let Some(system) = self.found.system.take() {
                    (self.found.form != Some(Form::Chat)).then_some(())?;
                    self.spans.insert(0, system);
                }
            }
            _ => return None,
        }
        Some(self.at)
    }

    #[inline(always)]
    fn spaces(&mut self) {
        while matches!(self.bytes[self.at], b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        self.spaces();
        let byte = self.bytes[self.at];
        // The padding is of zeros, so that nothing is ever read beyond it.
        if byte == 0 {
            return None;
        }
        self.at += 1;
        Some(byte)
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())?;
        self.spaces();
        Some(())
    }

    #[inline(always)]
    fn is_next(&self, name: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(name)
    }

    /// Passes over a name of so many bytes and the colon behind it.
    #[inline(always)]
    fn member(&mut self, length: usize) -> Option<()> {
        self.at += length;
        self.take(b':')
    }

    /// Every message must be of one form.
    #[inline(always)]
    fn form(&mut self, form: Form) -> Option<()> {
        (*self.found.form.get_or_insert(form) == form).then_some(())
    }

    #[inline(always)]
    fn text(&mut self, speaker: Speaker) -> Option<Span> {
        (self.bytes[self.at] == b'"').then_some(())?;
        let start = self.at + 1;
        let Text { end, mut chars, mut facts, unusual } = text::quoted(self.cpu, self.bytes, start, self.words)?;
        self.at = end + 1;
        let raw = &self.bytes[start..end];
        let hash = if unusual {
            let hash = self.unusual(start, end)?;
            let seen = text::plain(self.cpu, self.decoded, self.words)?;
            (chars, facts) = (seen.chars, seen.facts);
            hash
        } else {
            hash_escaped(raw)
        };
        self.found.facts |= facts;
        Some(Span { speaker, raw: start - self.start..end - self.start, chars, hash })
    }

    /// Decodes a text into `decoded`, padded, and gives its hash.
    #[inline(never)]
    fn unusual(&mut self, start: usize, end: usize) -> Option<u64> {
        unescape(&self.bytes[start..end], self.decoded)?;
        // A line that is not UTF-8 is found out later.
        let hash = hash_text(str::from_utf8(self.decoded).ok()?, self.scratch);
        self.decoded.resize(self.decoded.len() + PADDING, 0);
        Some(hash)
    }

    #[inline(never)]
    fn version(&mut self) -> Option<()> {
        (self.bytes[self.at] == b'"').then_some(())?;
        let start = self.at + 1;
        let length = self.bytes[start..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
        (self.bytes[start + length] == b'"' && self.found.version.is_none()).then_some(())?;
        self.found.version = Some(start - self.start..start + length - self.start);
        self.at = start + length + 1;
        Some(())
    }

    #[inline(always)]
    fn system(&mut self) -> Option<()> {
        let span = if self.bytes[self.at] == b'[' {
            self.form(Form::Blocks)?;
            self.block(Speaker::System)?
        } else {
            self.form(Form::Strings)?;
            self.text(Speaker::System)?
        };
        self.found.system.replace(span).is_none().then_some(())
    }

    /// `[{"text": "…"}]`
    #[inline(always)]
    fn block(&mut self, speaker: Speaker) -> Option<Span> {
        const USUAL: &[u8] = b"[{\"text\":";
        if self.is_next(USUAL) {
            self.at += USUAL.len();
            self.spaces();
        } else {
            self.take(b'[')?;
            self.take(b'{')?;
            self.is_next(b"\"text\"").then_some(())?;
            self.member(6)?;
        }
        let span = self.text(speaker)?;
        if self.is_next(b"}]") {
            self.at += 2;
        } else {
            self.take(b'}')?;
            self.take(b']')?;
        }
        Some(span)
    }

    #[inline(always)]
    fn messages(&mut self) -> Option<()> {
        self.take(b'[')?;
        loop {
            self.message()?;
            match self.next()? {
                b',' => self.spaces(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn message(&mut self) -> Option<()> {
        self.take(b'{')?;
        let (mut speaker, mut content) = (None, None);
        loop {
            if self.is_next(b"\"role\"") {
                self.member(6)?;
                let role = self.role()?;
                speaker.replace(role).is_none().then_some(())?;
            } else if self.is_next(b"\"content\"") {
                self.member(9)?;
                let span = if self.bytes[self.at] == b'[' {
                    self.form(Form::Blocks)?;
                    self.block(Speaker::User)?
                } else {
                    let chat = self.found.form == Some(Form::Chat);
                    if !chat {
                        self.form(Form::Strings)?;
                    }
                    self.text(Speaker::User)?
                };
                content.replace(span).is_none().then_some(())?;
            } else {
                return None;
            }
            match self.next()? {
                b',' => self.spaces(),
                b'}' => break,
                _ => return None,
            }
        }
        let speaker = speaker?;
        if speaker == Speaker::System {
            // Only as the first of messages that are strings.
            (self.spans.is_empty() && self.found.form == Some(Form::Strings)).then_some(())?;
            self.found.form = Some(Form::Chat);
        }
        self.spans.push(Span { speaker, ..content? });
        Some(())
    }

    #[inline(always)]
    fn role(&mut self) -> Option<Speaker> {
        let (length, speaker) = if self.is_next(b"\"user\"") {
            (6, Speaker::User)
        } else if self.is_next(b"\"assistant\"") {
            (11, Speaker::Assistant)
        } else if self.is_next(b"\"system\"") {
            (8, Speaker::System)
        } else {
            return None;
        };
        self.at += length;
        Some(speaker)
    }
}

impl Found {
    #[inline(always)]
    fn line<'a>(self, bytes: &'a [u8], scanner: &'a Scanner) -> Line<'a> {
        let spans = scanner.spans.as_slice();
        let version = self.version.map(|place| &bytes[place]);
        let mut facts = self.facts;
        if self.form == Some(Form::Blocks) {
            match version {
                None => facts |= Facts::NO_VERSION,
                Some(version) if version != VERSION => facts |= Facts::OTHER_VERSION,
                Some(_) => {}
            }
        }
        let first = usize::from(spans.first().is_some_and(|span| span.speaker == Speaker::System));
        if first == 1 {
            facts |= Facts::SYSTEM;
        }
        let spoken = &spans[first..];
        if spoken.len() > scanner.limits.turns as usize {
            facts |= Facts::MULTI_TURN;
        }
        let in_order = spoken
            .iter()
            .enumerate()
            .all(|(place, span)| span.speaker == if place % 2 == 0 { Speaker::User } else { Speaker::Assistant });
        if !in_order || spoken.is_empty() || spoken.len() % 2 == 1 {
            facts |= Facts::ROLES;
        }
        let digest = digest(spans);
        if let Some(span) = spans.last().filter(|span| span.speaker == Speaker::Assistant)
            && text::begins_as_json(&bytes[span.raw.clone()])
        {
            facts |= Facts::JSON;
        }
        let limits = scanner.limits;
        let (context, completion) = (digest.context_chars, digest.completion_chars);
        if context > limits.context || completion > limits.completion || context + completion > limits.record {
            facts |= Facts::LONG;
        }
        Line { bytes, facts, form: self.form, spans, version, digest }
    }
}

#[inline(always)]
fn digest(spans: &[Span]) -> Digest {
    let (context, completion) = match spans.split_last() {
        Some((last, context)) if last.speaker == Speaker::Assistant => (context, Some(last)),
        _ => (spans, None),
    };
    let mut digest = Digest { completion: hash_escaped(b""), ..Digest::default() };
    for span in context {
        digest.context = hash_turn(digest.context, span.speaker.as_str(), span.hash);
        digest.context_chars += span.chars;
    }
    if let Some(span) = completion {
        digest.completion = span.hash;
        digest.completion_chars = span.chars;
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts and form of one line; every way of looking must see the same.
    fn seen(line: &str) -> (Facts, Option<Form>) {
        let words = Words::new(["System:", "\nHuman:", "[EOS]", "<image>"]);
        let limits = Limits { turns: 2, context: 1000, completion: 500, record: 1200 };
        let lines = Padded::new(format!("{line}\n").into_bytes());
        let mut found = Vec::new();
        let mut scanner = Scanner::new(words, limits);
        scanner.scan(&lines, &mut |line| found.push((line.facts, line.form, line.digest)));
        let mut plainly = Vec::new();
        scanner.scan_plainly(&lines, &mut |line| plainly.push((line.facts, line.form, line.digest)));
        assert_eq!(found, plainly, "{line}");
        assert_eq!(found.len(), 1, "{line}");
        (found[0].0, found[0].1)
    }

    fn pair(prompt: &str, completion: &str) -> String {
        format!(r#"{{"prompt": "{prompt}", "completion":"{completion}"}}"#)
    }

    /// Facts of a prompt, standing at each place of a block of 64 bytes.
    fn facts(text: &str) -> Facts {
        let plain = seen(&pair(&format!("ok {text}."), "b")).0;
        for before in 0..130 {
            let text = format!("ok{} {text}.", " ".repeat(before));
            assert_eq!(seen(&pair(&text, "b")).0, plain, "{text}");
        }
        plain
    }

    #[test]
    fn the_shapes_are_known_however_they_are_spaced() {
        let blocks = r#"{"schemaVersion":"bedrock-conversation-2024","system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}]}"#;
        assert_eq!(seen(blocks), (Facts::SYSTEM, Some(Form::Blocks)));
        let spaced = blocks.replace(':', " : ").replace(',', " , ").replace('[', "[ ").replace('}', "\t} ");
        let spaced = spaced.replace("bedrock - conversation", "bedrock-conversation");
        assert_eq!(seen(&spaced), (Facts::SYSTEM, Some(Form::Blocks)));
        assert_eq!(seen(&format!("{blocks}\r")), (Facts::SYSTEM, Some(Form::Blocks)));
        assert_eq!(seen(&pair("a", "b")), (Facts::empty(), Some(Form::Pair)));
        let strings = r#"{"system":"s","messages":[{"content":"a","role":"user"},{"role":"assistant","content":"b"}]}"#;
        assert_eq!(seen(strings), (Facts::SYSTEM, Some(Form::Strings)));
        let chat = r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
        assert_eq!(seen(chat), (Facts::SYSTEM, Some(Form::Chat)));
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_unknown() {
        for line in [
            "",
            " ",
            "{}",
            "[]",
            "null",
            r#"{"prompt":"a"}"#,
            r#"{"prompt":"a","completion":"b""#,
            r#"{"prompt":"a","completion":"b"}}"#,
            r#"{"prompt":"a","completion":"b"} x"#,
            r#"{"prompt":"a","completion":"b",}"#,
            r#"{"prompt":"a","completion":"b","id":1}"#,
            r#"{"prompt":"a","prompt":"a","completion":"b"}"#,
            r#"{"prompt":"a","completion":1}"#,
            r#"{"prompt":"a\x","completion":"b"}"#,
            r#"{"prompt":"a\ud800","completion":"b"}"#,
            "{\"prompt\":\"a\tb\",\"completion\":\"b\"}",
            r#"{"messages":[]}"#,
            r#"{"messages":[{"role":"user"}]}"#,
            r#"{"messages":[{"role":"tool","content":"a"}]}"#,
            r#"{"messages":[{"role":"user","content":"a","weight":0}]}"#,
            r#"{"messages":[{"role":"user","content":[{"text":"a"},{"text":"b"}]}]}"#,
            r#"{"messages":[{"role":"user","content":[]}]}"#,
            r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"text":"a"}]}]}"#,
            r#"{"schemaVersion":1,"messages":[{"role":"user","content":[{"text":"a"}]}]}"#,
        ] {
            assert_eq!(seen(line), (Facts::all(), None), "{line}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_unknown_and_the_lines_around_them_known() {
        let good = pair("a", "b");
        let bytes = [good.as_bytes(), b"{\"prompt\":\"\xFF\",\"completion\":\"b\"}", good.as_bytes()];
        let mut forms = Vec::new();
        let mut scanner = Scanner::new(Words::new([]), Limits::NONE);
        scanner.scan(&Padded::new(bytes.join(&b'\n')), &mut |line| forms.push(line.form));
        assert_eq!(forms, [Some(Form::Pair), None, Some(Form::Pair)]);
    }

    #[test]
    fn each_fact_is_told_where_it_holds_and_not_beside_it() {
        for (fact, holds, beside) in [
            (Facts::WORD, "a sYstem: b", "Ecosystem here : and system"),
            (Facts::WORD, "a human: b", "Humane: b"),
            (Facts::WORD, "a [eos] b", "[EO] b"),
            (Facts::WORD, "a <Image> b", "<img> b"),
            (Facts::AT, "to a@b.org", "10 @ 3"),
            (Facts::DIGITS, "call 030 / 901-820", "12 345 678"),
            (Facts::DIGITS, "(030) 901 820", "2024-05-12, 12:30"),
            (Facts::CARD, "4111 1111 1111 1", "4111 1111 1111"),
            (Facts::DIGIT_LETTER, "id 123456A", "id 12345A"),
            (Facts::DIGIT_LETTER, "id X-1234567", "on 2024-05-12 at"),
            (Facts::DIGIT_LETTER, "id 12345678-Z", "12345678 Zebras"),
            (Facts::DIGIT_LETTER, "AB 12 34 56 C", "12 34 567"),
            (Facts::DOTTED, "at 10.0.0.1", "in 10.0.0"),
            (Facts::COLON_HEX, "fe80::1", "ops::x"),
            (Facts::COLON_HEX, "1:2:3:4:5:6:7:8", "12:30:45"),
            (Facts::IBAN, "DE89 3704 0044 05", "XDE89 3704 0044 05"),
            (Facts::IBAN, "to\\nGB82WEST123456", "GB8 WEST123456"),
            (Facts::TOKEN, "AKIA567890123456", "AKIA56789012345"),
            (Facts::NON_ASCII, "é", "e"),
            (Facts::NON_ASCII, "\\u00e9", "\\n"),
            (Facts::REPLACEMENT, "\u{FFFD}", "\u{FFFC}"),
            (Facts::REPLACEMENT, "\\ufffd", "\\uff00"),
            (Facts::MOJIBAKE, "cafÃ©", "caféé"),
            (Facts::MOJIBAKE, "donâ€™t", "don’t"),
            (Facts::INVISIBLE, "a\u{200B}b", "a\u{2010}b"),
            (Facts::INVISIBLE, "a\u{AD}b", "a\u{AE}b"),
            (Facts::CONTROL, "a\\u0001b", "a\\tb"),
            (Facts::CONTROL, "a\u{7F}b", "a~b"),
            (Facts::CONTROL, "a\\bb", "a\\\\b"),
        ] {
            assert!(facts(holds).contains(fact), "{holds:?} has {fact:?}");
            assert!(!facts(beside).contains(fact), "{beside:?} has not {fact:?}");
        }
    }

    #[test]
    fn texts_are_judged_at_their_edges_and_by_their_length() {
        let edge = |text: &str| seen(&pair(text, "b")).0 & (Facts::EMPTY | Facts::EDGE_SPACE);
        assert_eq!(edge("a b"), Facts::empty());
        assert_eq!(edge("\\\"a\\\""), Facts::empty());
        for text in [" a", "a ", "\\na", "a\\t", "\u{3000}a", "a\\u00a0", "\\u2003é"] {
            assert_eq!(edge(text), Facts::EDGE_SPACE, "{text:?}");
        }
        for text in ["", " ", "\\n \\t", "\u{A0}"] {
            assert_eq!(edge(text), Facts::EMPTY | Facts::EDGE_SPACE, "{text:?}");
        }
        let json = |completion: &str| seen(&pair("a", completion)).0.contains(Facts::JSON);
        assert!(json("{") && json(" \\n[") && json("```json") && !json("a {") && !json("``"));
        let long = |prompt: usize, completion: usize| {
            seen(&pair(&"é".repeat(prompt), &"\\n".repeat(completion))).0.contains(Facts::LONG)
        };
        assert!(!long(1000, 200) && long(1001, 1) && long(1, 501) && long(1000, 201));
    }
}
