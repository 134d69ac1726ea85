//! What a dataset is made of, in numbers: lengths, turns, labels, languages, duplicates, and what a
//! training is paid for.
//!
//! A [`Statistics`] is gathered record by record and may be gathered in parts that are put together.
//! Tokens are counted by whoever asks: the counter says its name, so that an estimate is never taken
//! for a count.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::record::{Block, Record, Role};
use crate::rules::language;

/// Completions longer than this are answers, not labels.
const LABEL_CHARS: usize = 64;
/// A dataset with more different completions than this is not one of labels.
const MOST_LABELS: usize = 1_000;
/// A label stands for several records; otherwise the completions are answers that happen to be short.
const RECORDS_A_LABEL: u64 = 3;
/// Telling a language takes long, so that only so many records are asked, evenly spread.
const LANGUAGES_ASKED: u64 = 20_000;

/// How tokens are counted.
pub struct TokenCounter<'a> {
    /// In words: `whetstone.tiny-v1's tokenizer`, `estimate: 6 characters a token`.
    pub name: String,
    pub count: &'a (dyn Fn(&str) -> u64 + Sync),
}

/// The numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    pub records: u64,
    /// Lines that hold no record.
    pub broken: u64,
    /// What counted the tokens.
    pub counted_by: String,
    /// Tokens of the whole record.
    pub whole: Lengths,
    /// Tokens of all that stands before the completion.
    pub context: Lengths,
    /// Tokens of the completion.
    pub completion: Lengths,
    /// Characters of the whole record.
    pub characters: Lengths,
    /// Tokens of the system texts, which are part of the context.
    pub system_tokens: u64,
    /// Records that a training would read, and their tokens.
    pub training_records: u64,
    pub training_tokens: u64,
    /// Turns beside the system text, and how many records have so many.
    pub turns: BTreeMap<u32, u64>,
    /// Completions and their records, the most frequent first; `None` where completions are no labels.
    pub labels: Option<Vec<(String, u64)>>,
    /// Languages in English words, the most frequent first.
    pub languages: Vec<(String, u64)>,
    /// Records whose language was asked; the rest are taken to be alike.
    pub languages_asked: u64,
    /// Records that repeat another one's input and answer.
    pub duplicates: u64,
    /// Records that repeat another one's input with another answer.
    pub contradictions: u64,
    /// Records that hold a picture, a video, a document, reasoning, a tool: by that word.
    pub attachments: BTreeMap<&'static str, u64>,
}

/// Lengths of many records in rising order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lengths(Vec<u32>);

impl Lengths {
    pub fn sorted(&self) -> &[u32] {
        &self.0
    }

    pub fn total(&self) -> u64 {
        self.0.iter().copied().map(u64::from).sum()
    }

    pub fn least(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }

    pub fn most(&self) -> u32 {
        self.0.last().copied().unwrap_or(0)
    }

    /// The length that this share of the records does not exceed; 0 where there are none.
    pub fn at_share(&self, share: f64) -> u32 {
        let rank = (self.0.len() as f64 * share).ceil().max(1.0) as usize;
        self.0.get(rank - 1).copied().unwrap_or(0)
    }

    /// What share of all tokens the longest records hold, where `share` of the records are taken.
    pub fn held_by_longest(&self, share: f64) -> f64 {
        let taken = (self.0.len() as f64 * share).ceil() as usize;
        let held: u64 = self.0.iter().rev().take(taken).copied().map(u64::from).sum();
        held as f64 / self.total().max(1) as f64
    }
}

/// Statistics on the way.
pub struct StatisticsBuilder<'a> {
    counter: &'a TokenCounter<'a>,
    /// Every so many records one is asked for its language.
    every: u64,
    seen: u64,
    numbers: Statistics,
    inputs: HashMap<u64, u64>,
    labels: Option<HashMap<String, u64>>,
    languages: HashMap<&'static str, u64>,
}

impl<'a> StatisticsBuilder<'a> {
    /// `expected` is how many records there will be, as far as it is known.
    pub fn new(counter: &'a TokenCounter<'a>, expected: u64) -> Self {
        Self {
            counter,
            every: expected.div_ceil(LANGUAGES_ASKED).max(1),
            seen: 0,
            numbers: Statistics { counted_by: counter.name.clone(), ..Statistics::default() },
            inputs: HashMap::new(),
            labels: Some(HashMap::new()),
            languages: HashMap::new(),
        }
    }

    pub fn add_broken(&mut self) {
        self.numbers.broken += 1;
    }

    /// Takes a record in; `trained` says whether a training would read it.
    pub fn add(&mut self, record: &Record, trained: bool) {
        self.seen += 1;
        self.numbers.records += 1;
        let tokens = self.add_lengths(record);
        if trained {
            self.numbers.training_records += 1;
            self.numbers.training_tokens += tokens;
        }
        self.add_repetition(record);
        self.add_label(&record.completion());
        self.add_attachments(record);
        if (self.seen - 1).is_multiple_of(self.every) {
            self.numbers.languages_asked += 1;
            let texts: Vec<_> = record.turns.iter().map(|turn| turn.text()).collect();
            *self.languages.entry(language(&texts.join("\n")).unwrap_or("not told")).or_default() += 1;
        }
    }

    /// What is known after the records so far.
    pub fn so_far(&self) -> Statistics {
        self.sorted(self.numbers.clone())
    }

    pub fn finish(mut self) -> Statistics {
        let numbers = std::mem::take(&mut self.numbers);
        self.sorted(numbers)
    }

    fn sorted(&self, mut numbers: Statistics) -> Statistics {
        for lengths in [&mut numbers.whole, &mut numbers.context, &mut numbers.completion, &mut numbers.characters] {
            lengths.0.sort_unstable();
        }
        let languages = self.languages.iter().map(|(name, count)| ((*name).to_owned(), *count));
        numbers.languages = most_frequent(languages);
        let stand_for_several = |labels: &&HashMap<String, u64>| {
            !labels.is_empty() && labels.len() as u64 * RECORDS_A_LABEL <= numbers.records
        };
        let labels = self.labels.as_ref().filter(stand_for_several);
        numbers.labels = labels.map(|labels| most_frequent(labels.iter().map(|(name, count)| (name.clone(), *count))));
        numbers
    }

    /// Gives the tokens of the whole record.
    fn add_lengths(&mut self, record: &Record) -> u64 {
        let tokens = |text: &str| (self.counter.count)(text);
        let (mut context, mut completion) = (0, 0);
        let answered = record.context().len();
        for (index, turn) in record.turns.iter().enumerate() {
            let counted: u64 = turn
                .content
                .iter()
                .map(|block| match block {
                    Block::Text(text) | Block::Reasoning(text) => tokens(text),
                    _ => 0,
                })
                .sum();
            if index >= answered {
                completion += counted;
            } else {
                context += counted;
            }
            if turn.role == Role::System {
                self.numbers.system_tokens += counted;
            }
        }
        let length = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
        self.numbers.context.0.push(length(context));
        self.numbers.completion.0.push(length(completion));
        self.numbers.whole.0.push(length(context + completion));
        let spoken = record.turns.iter().filter(|turn| turn.role != Role::System).count();
        *self.numbers.turns.entry(length(spoken as u64)).or_default() += 1;
        self.numbers.characters.0.push(length(record.chars() as u64));
        context + completion
    }

    fn add_repetition(&mut self, record: &Record) {
        let answer = hash(&record.completion());
        match self.inputs.insert(hash(record.context()), answer) {
            Some(before) if before == answer => self.numbers.duplicates += 1,
            Some(_) => self.numbers.contradictions += 1,
            None => {}
        }
    }

    fn add_label(&mut self, completion: &str) {
        let label = completion.trim();
        let Some(labels) = &mut self.labels else { return };
        let fits = !label.is_empty() && !label.contains('\n') && label.chars().nth(LABEL_CHARS).is_none();
        if fits {
            *labels.entry(label.to_owned()).or_default() += 1;
        }
        if !fits || labels.len() > MOST_LABELS {
            self.labels = None;
        }
    }

    fn add_attachments(&mut self, record: &Record) {
        let mut kinds: Vec<&'static str> = record
            .turns
            .iter()
            .flat_map(|turn| &turn.content)
            .filter_map(|block| match block {
                Block::Text(_) => None,
                Block::Image(_) => Some("image"),
                Block::Video(_) => Some("video"),
                Block::Document(_) => Some("document"),
                Block::Reasoning(_) => Some("reasoning"),
                Block::ToolUse(_) | Block::ToolResult(_) => Some("tool"),
                Block::Other(_) => Some("other"),
            })
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            *self.numbers.attachments.entry(kind).or_default() += 1;
        }
    }
}

/// Equal counts in the order of the alphabet, so that the same data gives the same picture.
fn most_frequent(counts: impl IntoIterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    counts
}

/// SipHash with fixed keys: equal hashes of different texts are not to be expected below some hundred
/// million records.
fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Turn;

    /// A word is a token.
    fn of(records: &[Record]) -> Statistics {
        let words = |text: &str| text.split_whitespace().count() as u64;
        let counter = TokenCounter { name: "words".to_owned(), count: &words };
        let mut builder = StatisticsBuilder::new(&counter, records.len() as u64);
        records.iter().for_each(|record| builder.add(record, true));
        builder.finish()
    }

    fn pair(prompt: &str, completion: &str) -> Record {
        Record::prompt_completion(None, prompt, completion)
    }

    #[test]
    fn lengths_are_told_apart_by_what_is_read_and_what_is_learnt() {
        let record = Record::new(vec![
            Turn::new(Role::System, "be brief"),
            Turn::new(Role::User, "a b c"),
            Turn::new(Role::Assistant, "d"),
            Turn::new(Role::User, "e f"),
            Turn::new(Role::Assistant, "g h i j"),
        ]);
        let numbers = of(&[record]);
        assert_eq!(numbers.context.sorted(), [8]);
        assert_eq!(numbers.completion.sorted(), [4]);
        assert_eq!(numbers.whole.sorted(), [12]);
        assert_eq!(numbers.system_tokens, 2);
        assert_eq!(numbers.turns, BTreeMap::from([(4, 1)]));
        assert_eq!(numbers.counted_by, "words");
    }

    #[test]
    fn repetitions_and_contradictions_are_different_things() {
        let numbers = of(&[pair("a", "1"), pair("a", "1"), pair("a", "2"), pair("b", "1")]);
        assert_eq!((numbers.duplicates, numbers.contradictions), (1, 1));
    }

    #[test]
    fn few_short_answers_are_labels_and_different_ones_are_not() {
        let labelled: Vec<Record> = (0..9).map(|n| pair(&format!("q{n}"), ["yes", "no", "yes"][n % 3])).collect();
        assert_eq!(of(&labelled).labels, Some(vec![("yes".to_owned(), 6), ("no".to_owned(), 3)]));
        let answers: Vec<Record> = (0..9).map(|n| pair("q", &format!("answer {n}"))).collect();
        assert_eq!(of(&answers).labels, None);
        let long = [pair("q", "a\nb"), pair("q", "a\nb"), pair("q", "a\nb")];
        assert_eq!(of(&long).labels, None);
        assert_eq!(of(&[]).labels, None);
    }

    #[test]
    fn shares_of_lengths_name_a_record_that_is_there() {
        let records: Vec<Record> = (1..=100).map(|n| pair(&"w ".repeat(n), "x")).collect();
        let whole = of(&records).whole;
        assert_eq!((whole.least(), whole.at_share(0.5), whole.at_share(0.95), whole.most()), (2, 51, 96, 101));
        let all: u64 = (2..=101).sum();
        assert_eq!(whole.total(), all);
        let longest: u64 = (92..=101).sum();
        assert!((whole.held_by_longest(0.1) - longest as f64 / all as f64).abs() < 1e-12);
        assert_eq!(Lengths::default().held_by_longest(0.1), 0.0);
    }

    #[test]
    fn attachments_are_counted_by_record() {
        let image = || Block::Image(serde_json::Value::Null);
        let mut turn = Turn::new(Role::User, "what is it");
        turn.content.extend([image(), image()]);
        let numbers = of(&[Record::new(vec![turn, Turn::new(Role::Assistant, "a cat")]), pair("a", "b")]);
        assert_eq!(numbers.attachments, BTreeMap::from([("image", 1)]));
    }
}
