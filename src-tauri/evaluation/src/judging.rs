//! What a judge is asked, and what its answer says: which of two answers is better, or how good one is.
//!
//! A judge is a model, and may say anything. An answer that does not end as it was asked to is not read as something: it is a
//! failure, and the caller counts it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Asks which of two answers is better.
pub const PAIRWISE_PROMPT: &str = "\
You compare two answers to the same request. Decide which of them serves the person who asked better: first what is \
correct, then what is complete, then what is well put. Neither the order of the answers nor their length is a reason.

<request>
{prompt}
</request>

<reference>
{reference}
</reference>

<answer_a>
{a}
</answer_a>

<answer_b>
{b}
</answer_b>

Say why in one or two sentences. Then end with one line, which is exactly one of these:
Verdict: A
Verdict: B
Verdict: tie";

/// Asks how good an answer is, from 1 to 5.
pub const RUBRIC_PROMPT: &str = "\
You rate an answer to a request from 1 to 5.

5: correct and complete, nothing to change
4: correct, with a small gap or a clumsy form
3: partly correct, or correct beside the point
2: mostly wrong, with something of use
1: wrong, empty or no answer to the request

<request>
{prompt}
</request>

<reference>
{reference}
</reference>

<answer>
{answer}
</answer>

Say why in one or two sentences. Then end with one line:
Score: N
where N is a whole number from 1 to 5.";

/// Scores lie between 1 and this.
pub const MOST_POINTS: u8 = 5;

/// Which of the two answers, as they were shown, a judge takes for the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    A,
    B,
    Tie,
}

/// Names in braces become their values. What stands in a value stays as it is, braces and all.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{([a-z]+)\}").ok());
    let Some(name) = NAME.as_ref() else { return template.to_owned() };
    name.replace_all(template, |found: &Captures<'_>| {
        let value = values.iter().find(|(name, _)| *name == &found[1]);
        value.map_or_else(|| found[0].to_owned(), |(_, value)| (*value).to_owned())
    })
    .into_owned()
}

/// The verdict of the last line that gives one, or of an answer that is nothing else.
pub fn read_pick(answer: &str) -> Option<Pick> {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"(?im)^[\s>*_#`-]*verdict[\s*_`]*[:=][\s*_`"'\[(]*(?:answer\s+)?(a|b|tie)[\s*_`"'\])]*\.?\s*$"#)
            .ok()
    });
    let said = LINE.as_ref()?.captures_iter(answer).last().map(|found| found[1].to_owned());
    match said.unwrap_or_else(|| bare(answer)).to_lowercase().as_str() {
        "a" => Some(Pick::A),
        "b" => Some(Pick::B),
        "tie" => Some(Pick::Tie),
        _ => None,
    }
}

/// The score of the last line that gives one, or of an answer that is nothing else.
pub fn read_score(answer: &str) -> Option<u8> {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?im)^[\s>*_#`-]*score[\s*_`]*[:=][\s*_`"'\[(]*([0-9]+)(?:\s*(?:/|out of)\s*5)?[\s*_`"'\])]*\.?\s*$"#,
        )
        .ok()
    });
    let said = LINE.as_ref()?.captures_iter(answer).last().map(|found| found[1].to_owned());
    let score = said.unwrap_or_else(|| bare(answer)).parse().ok()?;
    (1..=MOST_POINTS).contains(&score).then_some(score)
}

/// Without spaces and marks around it.
fn bare(answer: &str) -> String {
    answer.trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_where_it_was_asked_for() {
        for (answer, pick) in [
            ("The first is right.\nVerdict: A", Some(Pick::A)),
            ("**Verdict: B**", Some(Pick::B)),
            ("Verdict: A is tempting.\nBut no.\n> verdict = \"tie\".", Some(Pick::Tie)),
            ("Verdict: Answer B\n", Some(Pick::B)),
            ("Verdict: A\nOn reflection:\nVerdict: B", Some(Pick::B)),
            (" b. ", Some(Pick::B)),
            ("Tie", Some(Pick::Tie)),
            ("Verdict: A or B", None),
            ("I would choose A.", None),
            ("Verdict: C", None),
            ("A B", None),
            ("", None),
        ] {
            assert_eq!(read_pick(answer), pick, "{answer:?}");
        }
    }

    #[test]
    fn a_score_outside_the_scale_is_none() {
        for (answer, score) in [
            ("Correct.\nScore: 4", Some(4)),
            ("Score: **5/5**", Some(5)),
            ("score = 3 out of 5.", Some(3)),
            ("Score: 2\nScore: 1", Some(1)),
            ("4", Some(4)),
            ("Score: 10", None),
            ("Score: 0", None),
            ("Score: 4.5", None),
            ("Four of five", None),
        ] {
            assert_eq!(read_score(answer), score, "{answer:?}");
        }
    }

    #[test]
    fn a_value_with_braces_is_not_filled_in_again() {
        assert_eq!(fill("{a}|{b}|{c}", &[("a", "{b}"), ("b", "x")]), "{b}|x|{c}");
        let filled = fill(PAIRWISE_PROMPT, &[("prompt", "p"), ("reference", "r"), ("a", "1"), ("b", "2")]);
        assert!(!filled.contains('{') && read_pick(&filled) == Some(Pick::Tie), "{filled}");
    }
}
