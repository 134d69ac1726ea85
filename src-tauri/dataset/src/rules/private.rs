//! Rules for what should not be learned: personal data and secrets.
//!
//! Found is what bears a check digit, a known prefix or an unmistakable form; a name or an address in prose is not.
//! Numbers and names that are set aside for examples are no finding. Only the texts of a record are looked at, not what
//! stands inside tools.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use whetstone_scan::Facts;

use self::stretches::{around_ats, within};
use super::quality::{pointed, replaced};
use super::rule::models::TINY;
use super::{Example, Fix, Mend, Rule, RuleKind, Severity};
use crate::record::Record;

mod identity;
mod numbers;
mod stretches;

const PRIVACY: &str = "Data protection: what a model has learned it may say to anyone. AWS advises against personal data in training data; no validator looks for it";
const HINT: &str = "Mask it, unless the model must know it.";

type Find = fn(&str) -> Vec<Range<usize>>;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "mail-address",
        severity: Severity::Warning,
        asks: "No text holds a mail address, but for those of example domains.",
        source: PRIVACY,
        fix: Some(Mend { does: "Put [EMAIL] in its place", how: |record, _, _| masked(record, mails, "[EMAIL]") }),
        needs: Facts::UNKNOWN.union(Facts::AT),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "A mail address", HINT, mails)),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Write to jane.doe@gmail.com, please.","completion":"Done."}"#,
                r#"{"prompt":"Write to jane.doe@example.com, please.","completion":"Done."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Is it anna+shop@mail.uni-ulm.de?","completion":"Yes."}"#,
                r#"{"prompt":"Is it @anna, git@github.com:a/b, logo@2x.png, pkg@1.2.3 or root@localhost?","completion":"No."}"#,
            ),
        ],
    },
    Rule {
        id: "phone-number",
        severity: Severity::Warning,
        asks: "No text holds a telephone number: one with a country code, one in the North American form, or digits behind a word such as phone. Numbers kept for fiction are none.",
        source: PRIVACY,
        fix: Some(Mend {
            does: "Put [PHONE] in its place",
            how: |record, _, _| masked(record, numbers::phones, "[PHONE]"),
        }),
        needs: Facts::UNKNOWN.union(Facts::DIGITS),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "A telephone number", HINT, numbers::phones)),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Call +49 30 901820 or (212) 736-5000.","completion":"Done."}"#,
                r#"{"prompt":"Call (212) 555-0143.","completion":"On 2024-05-12 10:30, order 2127365000 for 1,234,567,890 was sent."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"My phone: 0151 23456789","completion":"Noted."}"#,
                r#"{"prompt":"My order: 0151 23456789","completion":"Noted."}"#,
            ),
        ],
    },
    Rule {
        id: "card-number",
        severity: Severity::Warning,
        asks: "No text holds a payment card's number: an issuer's prefix, the right length and the right check digit. Numbers that are made for tests are none.",
        source: PRIVACY,
        fix: Some(Mend {
            does: "Put [CARD] in its place",
            how: |record, _, _| masked(record, numbers::cards, "[CARD]"),
        }),
        needs: Facts::UNKNOWN.union(Facts::CARD),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "A payment card's number", HINT, numbers::cards)),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"My card is 4539 1488 0343 6467.","completion":"Noted."}"#,
                r#"{"prompt":"My card is 4539 1488 0343 6468.","completion":"Noted."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"5425233430109903","completion":"Noted."}"#,
                r#"{"prompt":"4111 1111 1111 1111, or 1700000000000000003","completion":"Noted."}"#,
            ),
        ],
    },
    Rule {
        id: "iban",
        severity: Severity::Warning,
        asks: "No text holds an IBAN: a country's length, and the right check digits.",
        source: PRIVACY,
        fix: Some(Mend {
            does: "Put [IBAN] in its place",
            how: |record, _, _| masked(record, numbers::ibans, "[IBAN]"),
        }),
        needs: Facts::UNKNOWN.union(Facts::IBAN),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "An IBAN", HINT, numbers::ibans)),
        examples: &[Example::new(
            TINY,
            r#"{"prompt":"Pay to DE75 5121 0800 1245 1261 99, please.","completion":"Done."}"#,
            r#"{"prompt":"Pay to DE76 5121 0800 1245 1261 99, please.","completion":"Done."}"#,
        )],
    },
    Rule {
        id: "national-id",
        severity: Severity::Warning,
        asks: "No text holds a national number of identity: social security numbers of the US, national insurance numbers of the UK, German tax ids, French NIR, Spanish DNI and NIE, Brazilian CPF, each by form and check digits.",
        source: PRIVACY,
        fix: Some(Mend { does: "Put [ID] in its place", how: |record, _, _| masked(record, identity::ids, "[ID]") }),
        needs: Facts::UNKNOWN.union(Facts::DIGITS).union(Facts::DIGIT_LETTER),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "A national number of identity", HINT, identity::ids)),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"My SSN is 536-22-8145.","completion":"Noted."}"#,
                r#"{"prompt":"My part is 936-22-8145, or 123-45-6789.","completion":"Noted."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"NINO: AB 12 34 56 C","completion":"Noted."}"#,
                r#"{"prompt":"Part: QQ 12 34 56 C, or AB 12 34 56 E","completion":"Noted."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Steuer-ID 86095742719","completion":"Notiert."}"#,
                r#"{"prompt":"Auftrag 86095742710","completion":"Notiert."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"NIR 2 55 08 14 168 025 38","completion":"Noté."}"#,
                r#"{"prompt":"NIR 2 55 08 14 168 025 39","completion":"Noté."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"DNI 54362315K, NIE X-2482300-W","completion":"Anotado."}"#,
                r#"{"prompt":"DNI 54362315L, pieza 12345678Z","completion":"Anotado."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"CPF 529.982.247-25","completion":"Anotado."}"#,
                r#"{"prompt":"CPF 529.982.247-26, 111.111.111-11","completion":"Anotado."}"#,
            ),
        ],
    },
    Rule {
        id: "secret",
        severity: Severity::Warning,
        asks: "No text holds a key or a token: of AWS, GitHub, GitLab, Slack, Stripe, Google or providers of models, a private key, a JSON Web Token.",
        source: PRIVACY,
        fix: Some(Mend { does: "Put [SECRET] in its place", how: |record, _, _| masked(record, secrets, "[SECRET]") }),
        needs: Facts::UNKNOWN.union(Facts::TOKEN),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "A key or token", "Mask it, and have it revoked.", secrets)),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Use AKIA4XZQ7MNB2LKWJ3TR.","completion":"Done."}"#,
                r#"{"prompt":"Use AKIAIOSFODNN7EXAMPLE.","completion":"Done."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"sk-aB3dE5fG7hI9jK1lM3nO5pQ7","completion":"Done."}"#,
                r#"{"prompt":"sk-learn-is-a-library-for-models","completion":"Done."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx\n-----END RSA PRIVATE KEY-----","completion":"Done."}"#,
                r#"{"prompt":"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w\n-----END PUBLIC KEY-----","completion":"Done."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.dozjgNryP4J3jVmNHl0w5N","completion":"Done."}"#,
                r#"{"prompt":"eyJhbGciOiJIUzI1NiJ9 is a header","completion":"Done."}"#,
            ),
        ],
    },
    Rule {
        id: "ip-address",
        severity: Severity::Note,
        asks: "No text holds an IP address of the public internet. Private ones, those for documentation and those of public resolvers are none.",
        source: PRIVACY,
        fix: Some(Mend { does: "Put [IP] in its place", how: |record, _, _| masked(record, addresses, "[IP]") }),
        needs: Facts::UNKNOWN.union(Facts::DOTTED).union(Facts::COLON_HEX),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Record(|record, _| pointed(record, "A public IP address", HINT, addresses)),
        examples: &[
            Example::new(
                TINY,
                r#"{"prompt":"Ping 81.169.145.68.","completion":"Done."}"#,
                r#"{"prompt":"Ping 192.168.0.1, 203.0.113.7 or 8.8.8.8 with v1.22.33.44.","completion":"Done."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Is it 207.51.2.14?","completion":"Yes."}"#,
                r#"{"prompt":"Is it 207.5.2.1, or section 207.51.2.14?","completion":"Yes."}"#,
            ),
            Example::new(
                TINY,
                r#"{"prompt":"Ping 2a00:1450:4001:82b::200e.","completion":"Done."}"#,
                r#"{"prompt":"Ping 2001:db8::1, ::1 or fe80::1:2:3 at 12:34:56:78.","completion":"Done."}"#,
            ),
        ],
    },
];

fn masked(record: &Record, find: Find, mask: &str) -> Option<Fix> {
    replaced(record, find, mask)
}

/// A pattern of this program's own: a test compiles each.
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of the rules are valid")
}

fn mails(text: &str) -> Vec<Range<usize>> {
    static MAIL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"\b([A-Za-z0-9][A-Za-z0-9._%+-]*)@((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+([A-Za-z]{2,24}))\b")
    });
    const FILES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "svg", "webp"];
    const RESERVED: [&str; 4] = ["example", "test", "invalid", "localhost"];
    let real = |mail: &regex::Captures<'_>| {
        let (name, domain, top) = (&mail[1], mail[2].to_ascii_lowercase(), mail[3].to_ascii_lowercase());
        let example = ["example.com", "example.org", "example.net"]
            .iter()
            .any(|own| domain == *own || domain.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')));
        name != "git" && !example && !FILES.contains(&top.as_str()) && !RESERVED.contains(&top.as_str())
    };
    let mut found = Vec::new();
    for stretch in around_ats(text) {
        let mails = MAIL.captures_iter(&text[stretch.clone()]).filter(real);
        found.extend(mails.filter_map(|mail| Some(within(&stretch, mail.get(0)?.range()))));
    }
    found
}

fn secrets(text: &str) -> Vec<Range<usize>> {
    static SECRET: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
            r"|\bgh[pousr]_[A-Za-z0-9]{36,251}\b",
            r"|\bgithub_pat_[A-Za-z0-9_]{22,}",
            r"|\bglpat-[A-Za-z0-9_-]{20,}",
            r"|\bxox[abeoprs]-[A-Za-z0-9-]{16,}",
            r"|\b[rs]k_live_[A-Za-z0-9]{16,}",
            r"|\bAIza[A-Za-z0-9_-]{35}",
            r"|\bsk-[A-Za-z0-9_-]{20,}",
            r"|\beyJ[A-Za-z0-9_-]{13,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
            r"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}[A-Za-z0-9+/=\s]*(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----)?",
            r"|(?i:aws_secret_access_key|aws_secret_key|secretaccesskey)\W{1,4}[A-Za-z0-9/+]{40}\b",
        ))
    });
    let random = |text: &str| {
        let has = |test: fn(&u8) -> bool| text.bytes().any(|byte| test(&byte));
        has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
    };
    let found = SECRET.find_iter(text).filter(|found| {
        let text = found.as_str();
        !text.ends_with("EXAMPLE") && !text.ends_with("EXAMPLEKEY") && (!text.starts_with("sk-") || random(text))
    });
    found.map(|found| found.range()).collect()
}

fn addresses(text: &str) -> Vec<Range<usize>> {
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"));
    let stands_alone = |place: &Range<usize>| {
        let before = text[..place.start].chars().next_back();
        let after = &text[place.end..];
        let joined = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-');
        let continues = after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit());
        !before.is_some_and(|c| joined(c) || c == '.') && !after.starts_with(joined) && !continues
    };
    let found = ADDRESS.find_iter(text).map(|found| found.range());
    let public = found.filter(|place| {
        let text = &text[place.clone()];
        let v4 = text.parse::<Ipv4Addr>().is_ok_and(is_public);
        let v6 = text.parse::<Ipv6Addr>().is_ok_and(|address| {
            let [first, second, ..] = address.segments();
            (0x2000..0x4000).contains(&first) && !(first == 0x2001 && second == 0xDB8)
        });
        v4 || v6
    });
    public.filter(|place| stands_alone(place) && !names_a_section(&text[..place.start])).collect()
}

/// Whether a text ends with a word behind which numbers of sections and versions stand: `Section 207.15.2.1`.
fn names_a_section(before: &str) -> bool {
    const WORDS: [&str; 20] = [
        "section",
        "sections",
        "clause",
        "clauses",
        "article",
        "articles",
        "paragraph",
        "paragraphs",
        "chapter",
        "part",
        "rule",
        "rules",
        "item",
        "annex",
        "appendix",
        "schedule",
        "version",
        "release",
        "sec",
        "abschnitt",
    ];
    let before = before.trim_end_matches([' ', '.', '\u{a0}']);
    let word = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    before.ends_with('§') || WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn is_public(address: Ipv4Addr) -> bool {
    const RESOLVERS: [[u8; 4]; 5] = [[8, 8, 8, 8], [8, 8, 4, 4], [1, 1, 1, 1], [1, 0, 0, 1], [9, 9, 9, 9]];
    let [first, second, third, fourth] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    // Mostly versions and numbers of sections: 1.2.3.4, 207.5.2.1. Of the addresses that there are hardly any is so.
    let small = second < 10 && third < 10 && (fourth < 10 || (first < 10 && fourth < 100));
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_broadcast()
        || shared
        || small
        || first == 0
        || first >= 224
        || RESOLVERS.contains(&address.octets()))
}
