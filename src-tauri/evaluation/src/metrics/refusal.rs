//! Answers that decline to answer, told by how they begin.

/// Ways in which models decline, in lower case with straight apostrophes. English: another language is not recognised.
const BEGINNINGS: [&str; 14] = [
    "i can't",
    "i cannot",
    "i can not",
    "i'm sorry",
    "i am sorry",
    "sorry, ",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "i won't",
    "i will not",
    "as an ai",
    "unfortunately, i can",
];

/// Whether an answer begins by declining.
pub fn is_refusal(answer: &str) -> bool {
    let start: String = answer.trim_start().chars().take(40).collect();
    let start = start.to_lowercase().replace('’', "'");
    BEGINNINGS.iter().any(|beginning| start.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declining_is_recognised_and_an_answer_is_not() {
        for answer in ["I’m sorry, but I can't help with that.", "  As an AI language model, I", "I cannot answer."] {
            assert!(is_refusal(answer), "{answer}");
        }
        for answer in ["card_arrival", "You can't cancel after Friday.", "", "The seller is sorry."] {
            assert!(!is_refusal(answer), "{answer}");
        }
    }
}
