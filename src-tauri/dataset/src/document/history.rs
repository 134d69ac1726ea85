//! Which steps were made, in which order, and how many of them are in force.

use super::journal::Event;
use super::step::{Content, Step};

/// A step of the journal. What it changed is read from there when it is taken back.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// Where it begins in the journal.
    pub at: u64,
    /// Names the state after it.
    pub state: u64,
    /// In words, with how many records it concerned.
    pub label: String,
    pub records: u64,
    pub position: u64,
}

/// Where the label of a step that is written before its records are counted will say their number.
const HOLE: &str = "{}";

/// The label of a step that changes records wherever it finds something to change.
pub(super) fn label_in(label: &str) -> String {
    format!("{label} in {HOLE}")
}

/// `1 record`, `12,000 records`.
pub(super) fn records_in_words(count: u64) -> String {
    let digits = count.to_string();
    let mut words = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            words.push(',');
        }
        words.push(digit);
    }
    words + if count == 1 { " record" } else { " records" }
}

impl Made {
    fn new(at: u64, state: u64, step: &Step) -> Made {
        let records = step.records();
        let label = step.label.replace(HOLE, &records_in_words(records));
        Made { at, state, label, records, position: step.position }
    }
}

#[derive(Debug, Default)]
pub(super) struct History {
    steps: Vec<Made>,
    /// How many of the steps are in force; the rest can be redone.
    done: usize,
    /// How many steps there ever were.
    made: u64,
}

impl History {
    /// The number of the present state; 0 is the opening.
    pub fn state(&self) -> u64 {
        self.last().map_or(0, |step| step.state)
    }

    /// How many steps there ever were; no state has a higher number.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// The step that undo takes back.
    pub fn last(&self) -> Option<&Made> {
        self.done.checked_sub(1).and_then(|last| self.steps.get(last))
    }

    /// The step that redo makes again.
    pub fn next(&self) -> Option<&Made> {
        self.steps.get(self.done)
    }

    /// A new step; what could have been redone is gone with it.
    pub fn push(&mut self, at: u64, step: &Step) {
        self.made += 1;
        self.steps.truncate(self.done);
        self.steps.push(Made::new(at, self.made, step));
        self.done += 1;
    }

    pub fn back(&mut self) {
        self.done -= 1;
    }

    pub fn forth(&mut self) {
        self.done += 1;
    }
}

/// Builds history and content up from a journal.
#[derive(Debug)]
pub(super) struct Replay {
    pub history: History,
    pub content: Content,
    /// The steps in force and those that can be redone, as long as they are needed.
    steps: Vec<Step>,
}

impl Replay {
    pub fn new(content: Content) -> Replay {
        Replay { history: History::default(), content, steps: Vec::new() }
    }

    /// Whether this event can follow those before it; it is in force then.
    pub fn event(&mut self, event: Event) -> bool {
        match event {
            Event::Step(at, step) => {
                if !self.content.make(&step) {
                    return false;
                }
                self.steps.truncate(self.history.done);
                self.history.push(at, &step);
                self.steps.push(step);
                true
            }
            Event::Undo => match self.history.done.checked_sub(1).and_then(|last| self.steps.get(last)) {
                Some(step) if self.content.take_back(step) => {
                    self.history.back();
                    true
                }
                _ => false,
            },
            Event::Redo => match self.steps.get(self.history.done) {
                Some(step) if self.content.make_again(step) => {
                    self.history.forth();
                    true
                }
                _ => false,
            },
        }
    }
}
