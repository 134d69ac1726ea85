//! Answers: the prompt is read once, then one token at a time is drawn and read, with the keys and
//! values of everything before kept.

use std::ops::ControlFlow;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::TunerError;
use crate::kernels::attention::{self, HeadRows};
use crate::kernels::lanes::{highest, widest};
use crate::kernels::rope::Turn as Rotation;
use crate::network::{Network, Pass};
use crate::tokenizer::TurnTokenizer;

/// How an answer is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleOptions {
    /// The most tokens of an answer; the model's context may allow fewer.
    pub max_tokens: usize,
    /// 0 always takes the likeliest token; higher is more varied.
    pub temperature: f32,
    /// Only the likeliest tokens that together reach this probability are drawn from.
    pub top_p: f32,
    /// Only so many of the likeliest tokens are drawn from; all where it is `None`.
    pub top_k: Option<usize>,
    /// The answer ends before the first of these.
    pub stop_sequences: Vec<String>,
    /// The same seed gives the same answer.
    pub seed: u64,
}

impl Default for SampleOptions {
    /// As the model has it: nothing is left out, up to 512 tokens.
    fn default() -> SampleOptions {
        SampleOptions {
            max_tokens: 512,
            temperature: 1.0,
            top_p: 1.0,
            top_k: None,
            stop_sequences: Vec::new(),
            seed: 0,
        }
    }
}

/// A part of an answer as it is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The text that goes on from the pieces before.
    pub text: &'a str,
    /// Tokens drawn so far.
    pub tokens: usize,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model ended its turn.
    EndOfTurn,
    /// `max_tokens`, or the end of the model's context, was reached.
    MaxTokens,
    /// One of the stop sequences came up.
    StopSequence,
    /// The caller broke off.
    Cancelled,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// The whole text, without any stop sequence.
    pub text: String,
    /// Tokens read as the prompt, with its role markers.
    pub input_tokens: usize,
    /// Tokens drawn, the end marker included.
    pub output_tokens: usize,
    /// Why it ended.
    pub stop: StopReason,
    /// The stop sequence that came up, where one did.
    pub stop_sequence: Option<String>,
}

/// Keys and values of all tokens read so far.
pub(crate) struct Memory {
    layers: Vec<(Vec<f32>, Vec<f32>)>,
    length: usize,
    pass: Pass,
}

impl Memory {
    /// A memory of nothing.
    pub fn new(network: &Network) -> Memory {
        Memory {
            layers: vec![(Vec::new(), Vec::new()); network.config.num_hidden_layers],
            length: 0,
            pass: Pass::default(),
        }
    }

    /// Reads `tokens` (at least one) and returns the logits of what follows them.
    pub fn read(&mut self, network: &Network, weights: &[f32], tokens: &[u32]) -> &mut [f32] {
        let heads = network.heads();
        let fused_width = network.config.attention_width();
        let key_start = heads.queries * heads.width;
        let key_width = heads.keys * heads.width;
        let (layers, first) = (&mut self.layers, self.length);
        let mut scratch = std::mem::take(&mut self.pass.scratch);
        let last = [tokens.len() - 1];
        network.run_layers(weights, tokens, &last, &mut self.pass, 1, |layer, trace| {
            let (keys, values) = &mut layers[layer];
            for (index, row) in trace.fused.chunks_exact_mut(fused_width).enumerate() {
                let turned = heads.queries + heads.keys;
                network.rotations.turn(row, turned, first + index, Rotation::Forward);
                keys.extend_from_slice(&row[key_start..key_start + key_width]);
                values.extend_from_slice(&row[key_start + key_width..]);
            }
            let rows = |values, stride| HeadRows { values, start: 0, stride };
            attention::forward(
                heads,
                rows(&trace.fused, fused_width),
                rows(keys, key_width),
                rows(values, key_width),
                tokens.len(),
                first,
                &mut trace.attended,
                &mut trace.log_sums,
                &mut scratch,
            );
        });
        self.pass.scratch = scratch;
        self.length += tokens.len();
        network.logits(weights, &mut self.pass, 1);
        &mut self.pass.head.logits
    }
}

/// Answers a prompt (at least one token), telling `on_text` each new piece of the text as it is certain.
pub(crate) fn generate(
    network: &Network,
    weights: &[f32],
    tokenizer: &TurnTokenizer,
    prompt: Vec<u32>,
    options: &SampleOptions,
    on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
) -> Result<Generated, TunerError> {
    let limit = network.config.context() - 1;
    if prompt.len() > limit {
        let tokens = prompt.len();
        return Err(TunerError::PromptTooLong { tokens, limit });
    }
    let room = options.max_tokens.min(limit + 1 - prompt.len());
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let mut memory = Memory::new(network);
    let mut decoder = tokenizer.decoder();
    let mut speech = Speech::new(&options.stop_sequences);
    let mut output_tokens = 0;
    let mut stop = StopReason::MaxTokens;
    let input_tokens = prompt.len();
    let mut unread = prompt;
    while output_tokens < room {
        let logits = memory.read(network, weights, &unread);
        let token = draw(logits, options, &mut random);
        output_tokens += 1;
        if tokenizer.ends().contains(&token) {
            stop = StopReason::EndOfTurn;
            break;
        }
        if let ControlFlow::Break(reason) = speech.say(&decoder.push(token)?, output_tokens, on_text) {
            stop = reason;
            break;
        }
        unread = vec![token];
    }
    if matches!(stop, StopReason::EndOfTurn | StopReason::MaxTokens)
        && let ControlFlow::Break(reason) = speech.end(&decoder.finish()?, output_tokens, on_text)
    {
        stop = reason;
    }
    let stop_sequence = speech.stopped_by.filter(|_| stop == StopReason::StopSequence);
    Ok(Generated { text: speech.said, input_tokens, output_tokens, stop, stop_sequence })
}

/// The likeliest token, the first among equals.
pub(crate) fn likeliest(logits: &[f32]) -> u32 {
    let most = widest!(highest(logits));
    logits.iter().position(|logit| *logit == most).unwrap_or_default() as u32
}

/// Draws a token; what `logits` hold afterwards is not defined.
fn draw(logits: &mut [f32], options: &SampleOptions, random: &mut ChaCha8Rng) -> u32 {
    if options.temperature <= 0.0 {
        return likeliest(logits);
    }
    let mut order: Vec<u32> = (0..logits.len() as u32).collect();
    order.sort_unstable_by(|a, b| {
        let (x, y) = (logits[*a as usize], logits[*b as usize]);
        y.total_cmp(&x).then(a.cmp(b))
    });
    let highest = logits[order[0] as usize];
    let mut total = 0.0;
    for value in logits.iter_mut() {
        *value = ((*value - highest) / options.temperature).exp();
        total += *value;
    }
    let wanted = options.top_p.clamp(0.0, 1.0) * total;
    let mut reached = 0.0;
    let mut kept = 0;
    let most = options.top_k.map_or(order.len(), |most| most.clamp(1, order.len()));
    while kept < most && (kept == 0 || reached < wanted) {
        reached += logits[order[kept] as usize];
        kept += 1;
    }
    let mut left = random.random::<f32>() * reached;
    for token in &order[..kept] {
        left -= logits[*token as usize];
        if left < 0.0 {
            return *token;
        }
    }
    order[kept - 1]
}

/// Lets text through as soon as it cannot become part of a stop sequence any more.
struct Speech<'a> {
    stops: Vec<&'a str>,
    said: String,
    held: String,
    stopped_by: Option<String>,
}

impl<'a> Speech<'a> {
    fn new(stops: &'a [String]) -> Speech<'a> {
        Speech {
            stops: stops.iter().map(String::as_str).filter(|stop| !stop.is_empty()).collect(),
            said: String::new(),
            held: String::new(),
            stopped_by: None,
        }
    }

    fn say(
        &mut self,
        text: &str,
        tokens: usize,
        on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<StopReason> {
        self.held += text;
        let found = self.stops.iter().filter_map(|stop| Some((self.held.find(stop)?, *stop))).min();
        let certain = found.map_or_else(|| self.held.len() - self.longest_beginning(), |(at, _)| at);
        self.stopped_by = found.map(|(_, stop)| stop.to_string());
        let rest = self.held.split_off(certain);
        let told = self.tell(tokens, on_text);
        self.held = rest;
        match found {
            Some(_) => ControlFlow::Break(StopReason::StopSequence),
            None => told,
        }
    }

    fn end(
        &mut self,
        text: &str,
        tokens: usize,
        on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<StopReason> {
        self.say(text, tokens, on_text)?;
        self.tell(tokens, on_text)
    }

    fn tell(
        &mut self,
        tokens: usize,
        on_text: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<StopReason> {
        if self.held.is_empty() {
            return ControlFlow::Continue(());
        }
        let piece = std::mem::take(&mut self.held);
        self.said += &piece;
        match on_text(Piece { text: &piece, tokens }) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(()) => ControlFlow::Break(StopReason::Cancelled),
        }
    }

    /// The length of the longest end of the held text with which a stop sequence begins.
    fn longest_beginning(&self) -> usize {
        let starts = self.held.char_indices().map(|(index, _)| index);
        starts
            .map(|start| &self.held[start..])
            .find(|end| self.stops.iter().any(|stop| stop.starts_with(end)))
            .map_or(0, str::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(temperature: f32, top_p: f32) -> SampleOptions {
        SampleOptions { max_tokens: 1, temperature, top_p, seed: 1, ..SampleOptions::default() }
    }

    fn said(pieces: &[&str], stops: &[&str]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut speech = Speech::new(&stops);
        let mut told = Vec::new();
        let mut listen = |piece: Piece<'_>| {
            told.push(piece.text.to_string());
            ControlFlow::Continue(())
        };
        let stopped = pieces.iter().any(|piece| speech.say(piece, 1, &mut listen).is_break());
        if !stopped {
            let _ = speech.end("", 1, &mut listen);
        }
        assert_eq!(told.concat(), speech.said);
        (told, stopped)
    }

    #[test]
    fn a_stop_sequence_is_never_told_even_when_it_comes_in_pieces() {
        assert_eq!(said(&["one S", "TO", "P two"], &["STOP"]), (vec!["one ".to_string()], true));
        assert_eq!(said(&["a S", "TO", "RY"], &["STOP"]).0.concat(), "a STORY");
        assert_eq!(said(&["ends in ST"], &["STOP"]).0.concat(), "ends in ST");
        assert_eq!(said(&["é\n", "\nx"], &["\n\n"]), (vec!["é".to_string()], true));
    }

    #[test]
    fn temperature_nothing_takes_the_likeliest_and_the_first_among_equals() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut logits = [0.0, 3.0, 3.0, -1.0];
        assert_eq!(draw(&mut logits, &options(0.0, 1.0), &mut random), 1);
    }

    #[test]
    fn tokens_come_as_often_as_their_probabilities_say() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut seen = [0; 3];
        for _ in 0..4000 {
            let mut logits = [1.0_f32.ln(), 2.0_f32.ln(), 5.0_f32.ln()];
            seen[draw(&mut logits, &options(1.0, 1.0), &mut random) as usize] += 1;
        }
        for (seen, share) in seen.iter().zip([0.125, 0.25, 0.625]) {
            assert!((f64::from(*seen) / 4000.0 - share).abs() < 0.03);
        }
    }

    #[test]
    fn top_k_leaves_all_but_the_likeliest_out() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let few = SampleOptions { top_k: Some(2), ..options(1.0, 1.0) };
        for _ in 0..200 {
            let mut logits = [1.0_f32.ln(), 2.0_f32.ln(), 5.0_f32.ln()];
            assert_ne!(draw(&mut logits, &few, &mut random), 0);
        }
    }

    #[test]
    fn top_p_leaves_the_unlikely_out() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let mut logits = [1.0_f32.ln(), 2.0_f32.ln(), 5.0_f32.ln()];
            assert_ne!(draw(&mut logits, &options(1.0, 0.8), &mut random), 0);
        }
    }
}
