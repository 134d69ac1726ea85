//! Telephone numbers, payment cards and bank accounts.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern;
use super::stretches::{around_numbers, within};

/// The place of a match that no letter or digit touches.
pub(super) fn alone(text: &str, place: &Range<usize>) -> bool {
    let joined = |c: char| c.is_alphanumeric() || c == '_';
    !text[..place.start].ends_with(joined) && !text[place.end..].starts_with(joined)
}

pub(super) fn digits(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect()
}

const LEAST_OF_A_PHONE: usize = 9;

pub(super) fn phones(text: &str) -> Vec<Range<usize>> {
    static PHONE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            // With a country code.
            r"\+[1-9][0-9]{0,2}(?:[ .\-/]?\(?[0-9]+\)?){1,6}",
            // The North American form.
            r"|(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[.-][0-9]{4}",
            // Any digits behind a word for it.
            r"|(?i:\b(?:phone|telephone|tel|mobile|cell|fax|call|whatsapp|telefon|handy|mobil|téléphone|portable|teléfono|telefone|telefono)\b[a-z ]{0,12}[.:]{0,2} ?)(\(?0[0-9()]*(?:[ ./-]?[0-9]+){1,6})",
        ))
    });
    let mut phones = Vec::new();
    for stretch in around_numbers(text, LEAST_OF_A_PHONE) {
        let found = PHONE.captures_iter(&text[stretch.clone()]);
        phones.extend(found.filter_map(|found| {
            let worded = found.get(1);
            let place = within(&stretch, worded.or(found.get(0))?.range());
            is_phone(text, &place, worded.is_some()).then_some(place)
        }));
    }
    phones
}

/// Whether what has the form of a telephone number is one.
fn is_phone(text: &str, place: &Range<usize>, worded: bool) -> bool {
    let number = digits(&text[place.clone()]);
    let before = text[..place.start].chars().next_back();
    let apart = worded || !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '/' | '='));
    let ends = !text[place.end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (LEAST_OF_A_PHONE..=15).contains(&number.len()) && apart && ends && !is_fiction(&number)
}

/// Numbers that are kept for books and films: 555-01xx in North America, some ranges of Ofcom's in the United Kingdom.
fn is_fiction(number: &[u8]) -> bool {
    let text: String = number.iter().map(|digit| char::from(b'0' + digit)).collect();
    let american = text.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&text);
    let british = text.strip_prefix("44").or(text.strip_prefix('0')).unwrap_or_default();
    let kept = |prefix: &str| british.starts_with(prefix);
    (american.len() == 10 && american[3..].starts_with("55501"))
        || ["7700900", "2079460", "1632960", "1134960", "1614960"].into_iter().any(kept)
}

/// Numbers that payment providers publish for tests.
const TEST_CARDS: [&str; 12] = [
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "4000056655665556",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "3056930009020004",
    "3566002020360505",
];

pub(super) fn cards(text: &str) -> Vec<Range<usize>> {
    static CARD: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"[0-9]{13,19}|[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{3})?|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}")
    });
    let stretches = around_numbers(text, 13).into_iter();
    let found = stretches.flat_map(|stretch| {
        let found = CARD.find_iter(&text[stretch.clone()]);
        found.map(|found| within(&stretch, found.range())).collect::<Vec<_>>()
    });
    let found = found.filter(|place| {
        let number = digits(&text[place.clone()]);
        let spelled: String = number.iter().map(|digit| char::from(b'0' + digit)).collect();
        let varied = number.iter().any(|digit| *digit != number[0]);
        alone(text, place) && is_issued(&spelled) && luhn(&number) && varied && !TEST_CARDS.contains(&spelled.as_str())
    });
    found.collect()
}

/// Whether an issuer has numbers that begin so and are so long.
fn is_issued(number: &str) -> bool {
    let prefix = |length: usize| number[..length].parse::<u32>().unwrap_or(0);
    let length = number.len();
    match prefix(4) {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        2221..=2720 | 5100..=5599 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3600..=3699 | 3800..=3999 => length == 14,
        3528..=3589 => (16..=19).contains(&length),
        6011 | 6440..=6599 | 6200..=6299 => (16..=19).contains(&length),
        _ => false,
    }
}

fn luhn(number: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| u32::from(if place % 2 == 1 { doubled(digit) } else { digit }))
        .sum();
    sum.is_multiple_of(10)
}

/// The length of an IBAN in each country of the registry.
const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

pub(super) fn ibans(text: &str) -> Vec<Range<usize>> {
    static IBAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}"));
    let mut found = Vec::new();
    for candidate in IBAN.find_iter(text) {
        let Some(length) = iban_length(&candidate.as_str()[..2]) else { continue };
        // Words in capitals may follow the number; its country says where it ends.
        let mut symbols = candidate.as_str().char_indices().filter(|(_, c)| c.is_ascii_alphanumeric());
        let Some((last, _)) = symbols.nth(length - 1) else { continue };
        let place = candidate.start()..candidate.start() + last + 1;
        if alone(text, &place) && is_iban(&text[place.clone()]) {
            found.push(place);
        }
    }
    found
}

fn iban_length(country: &str) -> Option<usize> {
    let entry = IBAN_LENGTHS.split(' ').find(|entry| entry.starts_with(country))?;
    entry[2..].parse().ok()
}

/// ISO 7064 mod 97-10: the first four symbols are put last, letters count from 10.
fn is_iban(text: &str) -> bool {
    let symbols: Vec<u32> = text.chars().filter_map(|c| c.to_digit(36)).collect();
    let rest = symbols[4..].iter().chain(&symbols[..4]).fold(0, |rest, &symbol| {
        let shifted = if symbol > 9 { rest * 100 } else { rest * 10 };
        (shifted + symbol) % 97
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(find: fn(&str) -> Vec<Range<usize>>, text: &str) -> Vec<&str> {
        find(text).into_iter().map(|place| &text[place]).collect()
    }

    #[test]
    fn telephone_numbers_are_told_from_other_digits() {
        for (text, expected) in [
            ("+4930901820", &["+4930901820"][..]),
            ("Ring +44 20 7123 4567!", &["+44 20 7123 4567"]),
            ("+1 (212) 736-5000", &["+1 (212) 736-5000"]),
            ("212-736-5000 or 212.736.5000", &["212-736-5000", "212.736.5000"]),
            ("Tel.: 030/901820-33", &["030/901820-33"]),
            ("call me on 06 12 34 56 78", &["06 12 34 56 78"]),
            // Fiction, arithmetic, dates, versions, amounts, serial numbers, too short, too long.
            ("+44 7700 900123, 020 7946 0123, +1 202-555-0143", &[]),
            ("2+12345678901", &[]),
            ("2024-05-12 10:30:00, 192.168.100.100", &[]),
            ("SN 212-736-50001, X212-736-5000, 12-212-736-5000", &[]),
            ("+49 30 12", &[]),
            ("+1234567890123456789", &[]),
            ("phone 12", &[]),
        ] {
            assert_eq!(found(phones, text), expected, "{text}");
        }
    }

    #[test]
    fn cards_need_an_issuer_a_length_and_a_check_digit() {
        for (text, expected) in [
            ("4539148803436467", &["4539148803436467"][..]),
            ("4539-1488-0343-6467.", &["4539-1488-0343-6467"]),
            ("3787 344936 71000", &["3787 344936 71000"]),
            ("4539148803436467x 14539148803436467 453914880343646", &[]),
            ("0000 0000 0000 0000, 4242 4242 4242 4242", &[]),
            ("7539148803436464", &[]),
        ] {
            assert_eq!(found(cards, text), expected, "{text}");
        }
    }

    #[test]
    fn ibans_end_where_their_country_says() {
        for (text, expected) in [
            ("DE75512108001245126199", &["DE75512108001245126199"][..]),
            ("to FR14 2004 1010 0505 0001 3M02 606 AND MORE", &["FR14 2004 1010 0505 0001 3M02 606"]),
            ("GB33BUKB20201555555555", &["GB33BUKB20201555555555"]),
            ("DE7551210800124512619", &[]),
            ("ZZ75512108001245126199", &[]),
            ("XDE75512108001245126199", &[]),
        ] {
            assert_eq!(found(ibans, text), expected, "{text}");
        }
    }
}
