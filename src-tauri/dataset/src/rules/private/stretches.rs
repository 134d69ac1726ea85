//! Where in a text something can be found at all, so that only that is looked through by expressions.
//!
//! Most of a text has neither an `@` nor a long number, and going through it byte by byte is many times quicker than
//! an expression is. A stretch reaches from white space to white space, so that nothing in it is cut.

use std::ops::Range;

/// What an expression may want to see before a number, such as the word for a telephone, and behind it.
const REACH: usize = 40;

/// The place in the text of something that was found in a stretch of it.
pub(super) fn within(stretch: &Range<usize>, found: Range<usize>) -> Range<usize> {
    stretch.start + found.start..stretch.start + found.end
}

/// Around each `@`.
pub(super) fn around_ats(text: &str) -> Vec<Range<usize>> {
    joined(text, memchr::memchr_iter(b'@', text.as_bytes()).map(|place| place..place + 1))
}

/// Around numbers of so many digits or more, at most three of ` -.()/+` between two of them.
pub(super) fn around_numbers(text: &str, least: usize) -> Vec<Range<usize>> {
    joined(text, Numbers { bytes: text.as_bytes(), at: 0, least })
}

fn joined(text: &str, places: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for place in places {
        // White space stands behind each stretch, so that nothing before it is looked through again.
        let floor = stretches.last().map_or(0, |last| last.end);
        let back = place.start.saturating_sub(REACH);
        let from = (place.end + REACH).min(bytes.len()).max(floor);
        let end = match bytes[from..].iter().position(u8::is_ascii_whitespace) {
            _ if from == floor && floor > 0 => floor,
            space => space.map_or(bytes.len(), |space| from + space),
        };
        match stretches.last_mut() {
            Some(last) if back <= floor => last.end = end,
            _ => {
                let before = bytes[floor..back].iter().rposition(u8::is_ascii_whitespace);
                stretches.push(before.map_or(floor, |space| floor + space + 1)..end);
            }
        }
    }
    stretches
}

/// Digits with little between them.
struct Numbers<'a> {
    bytes: &'a [u8],
    at: usize,
    least: usize,
}

impl Iterator for Numbers<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let start = self.at + self.bytes[self.at..].iter().position(u8::is_ascii_digit)?;
            let (mut digits, mut end, mut place) = (0, start, start);
            while let Some(byte) = self.bytes.get(place).filter(|_| place - end <= 3) {
                match byte {
                    b'0'..=b'9' => {
                        digits += 1;
                        end = place + 1;
                    }
                    b' ' | b'-' | b'.' | b'(' | b')' | b'/' | b'+' => {}
                    _ => break,
                }
                place += 1;
            }
            self.at = end;
            if digits >= self.least {
                return Some(start..end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stretch_holds_the_number_and_what_is_said_of_it() {
        let filler = "word ".repeat(30);
        let text = format!("{filler}My telephone: (0151) 234 567-89. {filler}");
        let found = around_numbers(&text, 9);
        assert_eq!(found.len(), 1);
        let stretch = &text[found[0].clone()];
        assert!(stretch.contains("My telephone: (0151) 234 567-89.") && stretch.len() < 120, "{stretch}");
        assert!(around_numbers(&text, 13).is_empty());
        let text = "é@b 1-(2)3";
        for found in [around_ats(text), around_numbers(text, 3)] {
            assert_eq!(found.iter().map(|stretch| &text[stretch.clone()]).collect::<Vec<_>>(), [text]);
        }
    }

    proptest! {
        #[test]
        fn stretches_are_apart_and_end_at_white_space(text in "([a-z]{1,30}|[0-9]{1,12}|[ .é@+-]){0,60}", least in 1usize..10) {
            for stretches in [around_numbers(&text, least), around_ats(&text)] {
                let mut last = None;
                for stretch in stretches {
                    prop_assert!(last.is_none_or(|last| last < stretch.start));
                    let before = text[..stretch.start].chars().next_back();
                    let after = text[stretch.end..].chars().next();
                    prop_assert!(before.is_none_or(|c| c.is_ascii_whitespace()) && after.is_none_or(|c| c.is_ascii_whitespace()));
                    last = Some(stretch.end);
                }
            }
        }
    }
}
