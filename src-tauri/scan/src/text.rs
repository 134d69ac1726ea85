//! One text, looked through once: where it ends, how many chars it has, and its facts.

use crate::block::Classify;
use crate::facts::Facts;
use crate::words::Words;

/// So many bytes must follow the last text: it is read 64 at a time, and a little is looked ahead.
pub const PADDING: usize = 128;

/// Chars of a Windows-1252 reading of UTF-8 begin, behind its first, with one of these.
const SECOND_OF_MOJIBAKE: [u8; 5] = [0xC2, 0xC5, 0xC6, 0xCB, 0xE2];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    /// Of the closing quotation mark, or of the end where there is none.
    pub end: usize,
    pub chars: u32,
    pub facts: Facts,
    /// There are escapes that the shortest JSON has not; facts, chars and hash are those of the decoded text only.
    pub unusual: bool,
}

/// Looks through the text of a line that begins behind a quotation mark, up to the one that closes it; `None` where it
/// is not JSON.
#[inline(always)]
pub(crate) fn quoted<C: Classify>(cpu: C, bytes: &[u8], start: usize, words: &Words) -> Option<Text> {
    look::<C, true>(cpu, bytes, start, bytes.len(), words)
}

/// Looks through a decoded text: all of `bytes` but the padding behind it.
#[inline(always)]
pub(crate) fn plain<C: Classify>(cpu: C, bytes: &[u8], words: &Words) -> Option<Text> {
    look::<C, false>(cpu, bytes, 0, bytes.len() - PADDING, words)
}

#[inline(always)]
fn look<C: Classify, const QUOTED: bool>(
    cpu: C,
    bytes: &[u8],
    start: usize,
    limit: usize,
    words: &Words,
) -> Option<Text> {
    let mut seen = Seen::<QUOTED> {
        bytes,
        start,
        words,
        facts: if words.are_anywhere() { Facts::WORD } else { Facts::empty() },
        chain: Chain::default(),
        colon: 0,
        colons: 0,
    };
    let mut position = start;
    let mut run = 0;
    let mut carried = 0;
    let (mut escapes, mut continuations) = (0, 0);
    let mut unusual = false;
    let end = loop {
        let block: &[u8; 64] = bytes.get(position..)?.first_chunk()?;
        let masks = cpu.classify(block);
        let (mut escaped, mut escaping, mut stop) = (0, 0, 0);
        if QUOTED {
            if masks.backslash | carried != 0 {
                (escaped, escaping) = escapes_of(masks.backslash, &mut carried);
            }
            stop = (masks.quote & !escaped) | masks.control;
        } else if limit - position < 64 {
            stop = 1 << (limit - position);
        }
        // All bits below the lowest that is set, or all there are.
        let within = stop.wrapping_sub(1) & !stop;
        if QUOTED {
            escaping &= within;
            if escaping != 0 {
                escapes += escaping.count_ones();
                unusual |= seen.escapes(position, escaping)?;
            }
        } else if masks.control & within != 0 {
            seen.controls(position, masks.control & within);
        }
        run = seen.tokens(masks.token & within & !escaped, run);
        let digits = masks.digit & within;
        if digits != 0 {
            seen.digits(position, digits);
        }
        let anchors = masks.anchor & within;
        if anchors != 0 {
            seen.anchors(position, anchors);
        }
        if masks.high & within != 0 {
            continuations += (masks.continuation & within).count_ones();
            seen.beyond_ascii(position, masks.lead & within);
        }
        if stop != 0 {
            let end = position + stop.trailing_zeros() as usize;
            if QUOTED && bytes[end] != b'"' {
                return None;
            }
            break end;
        }
        position += 64;
    };
    seen.finish_chain();
    let facts = seen.facts | edges::<QUOTED>(&bytes[start..end]);
    let length = u32::try_from(end - start).ok()?;
    Some(Text { end, chars: length - continuations - escapes, facts, unusual })
}

/// Which bytes are escaped by a backslash before them, and which backslashes escape.
#[inline(always)]
fn escapes_of(backslash: u64, carried: &mut u64) -> (u64, u64) {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    // In a run of backslashes every second one is escaped. Subtracting carries through each run and so tells whether
    // it began on an odd or an even place.
    let able = backslash & !*carried;
    let codes = ((able << 1) | ODD).wrapping_sub(able) ^ ODD;
    let escaped = codes ^ (backslash | *carried);
    let escaping = codes & backslash;
    *carried = escaping >> 63;
    (escaped, escaping)
}

struct Seen<'a, const QUOTED: bool> {
    bytes: &'a [u8],
    start: usize,
    words: &'a Words,
    facts: Facts,
    chain: Chain,
    /// The last colon between hexadecimal digits, and how many stand close to each other.
    colon: usize,
    colons: u32,
}

/// Digits with little between them.
#[derive(Default)]
struct Chain {
    /// Of the first digit, and behind the last.
    first: usize,
    end: usize,
    digits: usize,
    groups: usize,
    /// Digits of the last group.
    group: usize,
    /// Every group but the last has two digits.
    pairs: bool,
    dots: u32,
}

impl<const QUOTED: bool> Seen<'_, QUOTED> {
    /// Says whether some escape is one that the shortest JSON has not; `None` where one is not JSON's at all.
    #[inline(always)]
    fn escapes(&mut self, position: usize, mut escaping: u64) -> Option<bool> {
        let mut unusual = false;
        while escaping != 0 {
            match self.bytes[position + escaping.trailing_zeros() as usize + 1] {
                b'n' | b'"' | b'\\' | b't' | b'r' => {}
                b'b' | b'f' => self.facts |= Facts::CONTROL,
                b'u' | b'/' => unusual = true,
                _ => return None,
            }
            escaping &= escaping - 1;
        }
        Some(unusual)
    }

    fn controls(&mut self, position: usize, mut controls: u64) {
        while controls != 0 {
            if !matches!(self.bytes[position + controls.trailing_zeros() as usize], b'\n' | b'\t' | b'\r') {
                self.facts |= Facts::CONTROL;
            }
            controls &= controls - 1;
        }
    }

    /// Takes the run that the block before ended with, and gives the one that this block ends with.
    #[inline(always)]
    fn tokens(&mut self, token: u64, run: u32) -> u32 {
        let two = token & (token >> 1);
        let four = two & (two >> 2);
        let eight = four & (four >> 4);
        if run + token.trailing_ones() >= 16 || eight & (eight >> 8) != 0 {
            self.facts |= Facts::TOKEN;
        }
        token.leading_ones().min(16)
    }

    #[inline(always)]
    fn digits(&mut self, position: usize, mut digits: u64) {
        while digits != 0 {
            let first = digits.trailing_zeros();
            let length = (digits >> first).trailing_ones();
            self.group(position + first as usize, length as usize);
            // Adding to the lowest digit carries through its group.
            digits &= digits.wrapping_add(1 << first);
        }
    }

    #[inline(always)]
    fn group(&mut self, first: usize, length: usize) {
        let chain = &mut self.chain;
        let gap = first - chain.end;
        if chain.digits > 0 && gap == 0 {
            // The group goes on from the block before.
            chain.digits += length;
            chain.group += length;
            chain.end += length;
            return;
        }
        let joined = chain.digits > 0
            && gap <= 3
            && self.bytes[chain.end..first].iter().all(|b| matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/' | b'+'));
        if !joined {
            self.finish_chain();
            self.chain =
                Chain { first, end: first + length, digits: length, groups: 1, group: length, pairs: true, dots: 0 };
            self.iban(first);
            return;
        }
        let dotted = gap == 1 && self.bytes[chain.end] == b'.';
        chain.dots = if dotted { chain.dots + 1 } else { 0 };
        if chain.dots >= 3 {
            self.facts |= Facts::DOTTED;
        }
        chain.pairs &= chain.group == 2;
        chain.digits += length;
        chain.groups += 1;
        chain.group = length;
        chain.end = first + length;
    }

    #[inline(always)]
    fn finish_chain(&mut self) {
        if self.chain.digits >= 6 {
            self.long_chain();
        }
    }

    #[inline(never)]
    fn long_chain(&mut self) {
        let chain = &self.chain;
        if chain.digits >= 9 {
            self.facts |= Facts::DIGITS;
        }
        if chain.digits >= 13 {
            self.facts |= Facts::CARD;
        }
        let bytes = self.bytes;
        let (first, end) = (chain.first, chain.end);
        let letter = |place: usize| place >= self.start && bytes[place].is_ascii_alphabetic();
        let before = first > self.start && letter(first - 1);
        let pairs = chain.groups == 3 && chain.pairs && chain.group == 2;
        let alone_before = first >= self.start + 2
            && matches!(bytes[first - 1], b' ' | b'-')
            && letter(first - 2)
            && !(first >= self.start + 3 && self.is_word(first - 3));
        let alone_behind =
            matches!(bytes[end], b' ' | b'-') && letter(end + 1) && !bytes[end + 2].is_ascii_alphanumeric();
        let alone = chain.groups == 1 && (7..=8).contains(&chain.digits) && (alone_before || alone_behind);
        if before || letter(end) || pairs || alone {
            self.facts |= Facts::DIGIT_LETTER;
        }
    }

    /// Whether a letter or digit of the text stands here, and not the letter of an escape.
    fn is_word(&self, place: usize) -> bool {
        let escape = QUOTED && place > self.start && self.bytes[place - 1] == b'\\';
        self.bytes[place].is_ascii_alphanumeric() && !escape
    }

    #[inline(always)]
    fn iban(&mut self, digits: usize) {
        if digits >= self.start + 2
            && self.bytes[digits - 1].is_ascii_alphabetic()
            && self.bytes[digits - 2].is_ascii_alphabetic()
        {
            self.iban_from(digits);
        }
    }

    #[inline(never)]
    fn iban_from(&mut self, digits: usize) {
        let begins = digits == self.start + 2 || !self.is_word(digits - 3);
        if !begins || !self.bytes[digits + 1].is_ascii_digit() {
            return;
        }
        let mut place = digits + 2;
        let mut found = 0;
        while found < 10 {
            if matches!(self.bytes[place], b' ' | b'-') {
                place += 1;
            }
            if !self.bytes[place].is_ascii_alphanumeric() {
                return;
            }
            place += 1;
            found += 1;
        }
        self.facts |= Facts::IBAN;
    }

    #[inline(always)]
    fn anchors(&mut self, position: usize, mut anchors: u64) {
        while anchors != 0 {
            let place = position + anchors.trailing_zeros() as usize;
            anchors &= anchors - 1;
            match self.bytes[place] {
                b'@' => self.at(place),
                0x7F => self.facts |= Facts::CONTROL,
                byte => {
                    if self.words.stand_at(self.bytes, self.start, place) {
                        self.facts |= Facts::WORD;
                    }
                    if byte == b':' {
                        self.colon(place);
                    }
                }
            }
        }
    }

    fn at(&mut self, place: usize) {
        let beside = |byte: u8| !byte.is_ascii_whitespace();
        let before = place > self.start && beside(self.bytes[place - 1]);
        let behind = self.bytes[place + 1];
        if before && beside(behind) && !(QUOTED && behind == b'"') {
            self.facts |= Facts::AT;
        }
    }

    #[inline(always)]
    fn colon(&mut self, place: usize) {
        let bytes = self.bytes;
        let hex_before = place > self.start && bytes[place - 1].is_ascii_hexdigit();
        if bytes[place + 1] == b':' {
            if hex_before || bytes[place + 2].is_ascii_hexdigit() {
                self.facts |= Facts::COLON_HEX;
            }
        } else if hex_before && bytes[place + 1].is_ascii_hexdigit() {
            self.colons = if place - self.colon <= 5 { self.colons + 1 } else { 1 };
            self.colon = place;
            if self.colons >= 4 {
                self.facts |= Facts::COLON_HEX;
            }
        }
    }

    #[inline(always)]
    fn beyond_ascii(&mut self, position: usize, mut leads: u64) {
        self.facts |= Facts::NON_ASCII;
        while leads != 0 {
            let place = position + leads.trailing_zeros() as usize;
            leads &= leads - 1;
            let (second, third) = (self.bytes[place + 1], self.bytes[place + 2]);
            self.facts |= match (self.bytes[place], second, third) {
                (0xC2, 0xAD, _) => Facts::INVISIBLE,
                (0xC2, 0x80..=0x9F, _) => Facts::CONTROL,
                (0xC3, 0x82..=0xB4, third) if SECOND_OF_MOJIBAKE.contains(&third) => Facts::MOJIBAKE,
                (0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE) | (0xE2, 0x81, 0xA0..=0xAF) => Facts::INVISIBLE,
                (0xEF, 0xBB, 0xBF) => Facts::INVISIBLE,
                (0xEF, 0xBF, 0xBD) => Facts::REPLACEMENT,
                _ => continue,
            };
        }
    }
}

/// White space at the edges, and texts of nothing else.
#[inline(always)]
fn edges<const QUOTED: bool>(text: &[u8]) -> Facts {
    let ([first, ..], [.., last]) = (text, text) else { return Facts::EMPTY | Facts::EDGE_SPACE };
    let before_last = text.get(text.len().wrapping_sub(2)).unwrap_or(&b'a');
    let plain = first.is_ascii_graphic() && last.is_ascii_graphic();
    if plain && (!QUOTED || (*first != b'\\' && *before_last != b'\\')) {
        return Facts::empty();
    }
    rare_edges::<QUOTED>(text)
}

#[inline(never)]
fn rare_edges<const QUOTED: bool>(text: &[u8]) -> Facts {
    // A space behind a backslash ends a text whose last escape is that of a backslash.
    const SPACES: [u8; 5] = [b' ', b'n', b't', b'r', b'f'];
    let begins = match text {
        [b'\\', letter, ..] if QUOTED => SPACES.contains(letter),
        // No char of white space is longer than three bytes.
        _ => starts_with_space(&text[..text.len().min(3)]),
    };
    let ends = match text {
        [.., b'\\', letter] if QUOTED => SPACES.contains(letter),
        _ => ends_with_space(&text[text.len().saturating_sub(3)..]),
    };
    if !begins && !ends {
        return Facts::empty();
    }
    let mut decoded = Vec::new();
    let text = if QUOTED && crate::escape::unescape(text, &mut decoded).is_some() { &decoded } else { text };
    match str::from_utf8(text) {
        Ok(text) if !text.trim().is_empty() => Facts::EDGE_SPACE,
        _ => Facts::EMPTY | Facts::EDGE_SPACE,
    }
}

fn starts_with_space(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().next().is_some_and(|chunk| chunk.valid().starts_with(char::is_whitespace))
}

fn ends_with_space(bytes: &[u8]) -> bool {
    let last = bytes.utf8_chunks().last();
    last.is_some_and(|chunk| chunk.invalid().is_empty() && chunk.valid().ends_with(char::is_whitespace))
}

/// Whether a text of a line begins, behind white space, as JSON or a block of code would.
pub(crate) fn begins_as_json(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        match rest {
            [b'{' | b'[', ..] | [b'`', b'`', b'`', ..] => return true,
            [b' ', after @ ..] | [b'\\', b'n' | b't' | b'r', after @ ..] => rest = after,
            // Rarer white space is not looked through: it is taken for having JSON behind it.
            [first, ..] => return *first == b'\\' || !first.is_ascii(),
            [] => return false,
        }
    }
}
