//! National numbers of identity, each by its form and its check digits.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::numbers::{alone, digits};
use super::pattern;
use super::stretches::{around_numbers, within};

/// A form, and whether what has it is a number that can have been given out.
type Form = (Regex, fn(&str) -> bool);

/// Each form has so many digits at least, before any letter within it.
const LEAST_DIGITS: usize = 6;

pub(super) fn ids(text: &str) -> Vec<Range<usize>> {
    static FORMS: LazyLock<[Form; 6]> = LazyLock::new(|| {
        [
            (pattern(r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}"), american as fn(&str) -> bool),
            (pattern(r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"), british),
            (pattern(r"[1-9][0-9]{10}|[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}"), german),
            (pattern(r"[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"), french),
            (pattern(r"[0-9]{8}[ -]?[A-Z]|[XYZ][ -]?[0-9]{7}[ -]?[A-Z]"), spanish),
            (pattern(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), brazilian),
        ]
    });
    let mut found: Vec<Range<usize>> = Vec::new();
    for stretch in around_numbers(text, LEAST_DIGITS) {
        for (form, holds) in FORMS.iter() {
            let places = form.find_iter(&text[stretch.clone()]).filter(|found| holds(found.as_str()));
            let places = places.map(|found| within(&stretch, found.range()));
            found.extend(places.filter(|place| alone(text, place) && !is_part_of_a_number(text, place)));
        }
    }
    found.sort_by_key(|place| place.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

/// Digits go on beyond a separator: `12-536-22-8145`.
fn is_part_of_a_number(text: &str, place: &Range<usize>) -> bool {
    let mut before = text[..place.start].chars().rev();
    let mut after = text[place.end..].chars();
    let goes_on = |separator: Option<char>, next: Option<char>| {
        separator.is_some_and(|c| matches!(c, '-' | '.' | '/')) && next.is_some_and(|c| c.is_ascii_digit())
    };
    goes_on(before.next(), before.next()) || goes_on(after.next(), after.next())
}

/// Social security number: no area 000, 666 or above 899, no group 00, no serial 0000, and none that was printed as an
/// example.
fn american(text: &str) -> bool {
    let number = digits(text);
    let of = |range: Range<usize>| number[range].iter().fold(0, |value: u32, &digit| value * 10 + u32::from(digit));
    let (area, group, serial) = (of(0..3), of(3..5), of(5..9));
    let example = matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999) | (123, 45, 6789));
    area > 0 && area != 666 && area < 900 && group > 0 && serial > 0 && !example
}

/// National insurance number: prefixes that are given out.
fn british(text: &str) -> bool {
    let mut letters = text.chars();
    let (Some(first), Some(second)) = (letters.next(), letters.next()) else { return false };
    !"DFIQUV".contains(first)
        && !"DFIOQUV".contains(second)
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&&text[..2])
}

/// Tax id: of the first ten digits exactly one stands two or three times, and ISO 7064 mod 11,10.
fn german(text: &str) -> bool {
    let number = digits(text);
    let mut counts = [0; 10];
    number[..10].iter().for_each(|&digit| counts[usize::from(digit)] += 1);
    let repeated = counts.iter().filter(|&&count| count > 1).count();
    let most = counts.iter().max().copied().unwrap_or(0);
    let product = number[..10].iter().fold(10, |product, &digit| {
        let sum = match (u32::from(digit) + product) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    repeated == 1 && most <= 3 && (11 - product) % 10 == u32::from(number[10])
}

/// Numéro d'inscription au répertoire: a month, and 97 less the rest by 97. Corsica's letters count as 19 and 18.
fn french(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| *c != ' ').collect();
    let month: u32 = compact[3..5].parse().unwrap_or(0);
    let (number, key) = compact.split_at(13);
    let number = number.replace("2A", "19").replace("2B", "18");
    let (Ok(number), Ok(key)) = (number.parse::<u64>(), key.parse::<u64>()) else { return false };
    // Beyond the twelve, codes for births whose month is not known.
    matches!(month, 1..=12 | 20 | 30..=42 | 50..=99) && 97 - number % 97 == key
}

/// DNI and NIE: the letter that the number leaves by 23. The numbers of specimens are left out.
fn spanish(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let compact: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let (Some((letter, number)), true) = (compact.split_last(), compact.len() == 9) else { return false };
    let value = number.iter().fold(0, |value: usize, &byte| {
        let digit = match byte {
            b'X'..=b'Z' => byte - b'X',
            _ => byte - b'0',
        };
        value * 10 + usize::from(digit)
    });
    LETTERS.get(value % 23) == Some(letter) && !matches!(value, 0 | 12_345_678 | 1_234_567)
}

/// CPF: two check digits by eleven.
fn brazilian(text: &str) -> bool {
    let number = digits(text);
    let check = |length: usize| {
        let weighted = number[..length].iter().zip((2..=length as u32 + 1).rev());
        let sum: u32 = weighted.map(|(&digit, weight)| u32::from(digit) * weight).sum();
        sum * 10 % 11 % 10 == u32::from(number[length])
    };
    let varied = number.iter().any(|digit| *digit != number[0]);
    varied && check(9) && check(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_identity_are_told_by_form_and_check_digits() {
        for (text, expected) in [
            ("536-22-8145, 536 22 8145", &["536-22-8145", "536 22 8145"][..]),
            ("000-22-8145 666-22-8145 536-00-8145 536-22-0000 078-05-1120", &[]),
            ("12-536-22-8145 536-22-8145-1 5536-22-8145 536228145", &[]),
            ("AB123456C JG 10 37 59 A", &["AB123456C", "JG 10 37 59 A"]),
            ("GB123456C DA123456C AO123456C AB123456E ab123456c", &[]),
            ("86095742719 or 86 095 742 719", &["86095742719", "86 095 742 719"]),
            ("86095742718 12345678901 11111111111", &[]),
            ("255081416802538", &["255081416802538"]),
            ("255141416802538 255081416802500", &[]),
            ("54362315K 54362315-K Y1234567X", &["54362315K", "54362315-K", "Y1234567X"]),
            ("54362315A 12345678Z 5436231K", &[]),
            ("529.982.247-25", &["529.982.247-25"]),
            ("52998224725 529.982.247-24", &[]),
        ] {
            let found: Vec<&str> = ids(text).into_iter().map(|place| &text[place]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
