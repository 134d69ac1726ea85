//! Text to tokens and back, and how turns are laid out as one sequence.
//!
//! A turn is its role's marker, then its text; an assistant's turn ends with the end marker:
//! `<|user|> Hello<|assistant|> Good day<|end|>`. Text is always encoded with one space before it,
//! so that a first word has the same tokens as one further on; decoding takes that space off again.
//! The markers' spellings inside a text are plain text: nobody can end a turn by writing `<|end|>`.

use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, DecoderWrapper, PreTokenizerWrapper, Tokenizer, TokenizerBuilder};

use crate::chat_template::ChatTemplate;
use crate::{Role, TunerError, Turn};

const END: &str = "<|end|>";
const SYSTEM: &str = "<|system|>";
const USER: &str = "<|user|>";
const ASSISTANT: &str = "<|assistant|>";

/// A tokenizer, and how turns are laid out with it.
pub(crate) struct TurnTokenizer {
    tokenizer: Tokenizer,
    dialogue: Dialogue,
    ends: Vec<u32>,
}

/// How a conversation becomes one sequence.
enum Dialogue {
    /// By the four markers of this crate's own models.
    Markers(Markers),
    /// By the template that came with the model.
    Template(Box<ChatTemplate>),
    /// Not at all: the model goes on from a text.
    None,
}

struct Markers {
    end: u32,
    system: u32,
    user: u32,
    assistant: u32,
}

/// What a model's folder says about its answers beside the tokenizer itself.
#[derive(Debug, Default)]
pub(crate) struct Conventions {
    /// Tokens that end an answer.
    pub ends: Vec<u32>,
    /// How turns are laid out.
    pub template: Option<String>,
    /// The text that every sequence begins with.
    pub begin: Option<String>,
    /// The text that ends a sequence.
    pub end: Option<String>,
}

/// A conversation's tokens, and for each whether the model is to learn to predict it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LaidOut {
    pub tokens: Vec<u32>,
    pub learned: Vec<bool>,
}

/// A stretch of a conversation as the model reads it, markers spelled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaidOutPiece {
    pub text: String,
    pub tokens: usize,
    /// Whether training learns to predict it.
    pub learned: bool,
}

impl TurnTokenizer {
    /// Reads a `tokenizer.json`.
    pub fn parse(json: &[u8]) -> Result<TurnTokenizer, TunerError> {
        TurnTokenizer::with_markers(tokenizer(json)?)
    }

    /// Learns a vocabulary of `size` tokens, markers and all bytes among them, from `texts`.
    pub fn learn<'a>(texts: impl Iterator<Item = &'a str> + Send, size: usize) -> Result<TurnTokenizer, TunerError> {
        let failed = |error: tokenizers::Error| TunerError::Model(format!("tokenizer: {error}"));
        let markers = [END, SYSTEM, USER, ASSISTANT].map(|marker| AddedToken::from(marker, true));
        let mut trainer = BpeTrainerBuilder::new()
            .vocab_size(size)
            .min_frequency(2)
            .show_progress(false)
            .special_tokens(markers.to_vec())
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build();
        let bytes = ByteLevel::new(false, true, true);
        let mut builder = TokenizerBuilder::<
            BPE,
            tokenizers::NormalizerWrapper,
            PreTokenizerWrapper,
            tokenizers::PostProcessorWrapper,
            DecoderWrapper,
        >::new()
        .with_model(BPE::default())
        .with_pre_tokenizer(Some(PreTokenizerWrapper::ByteLevel(bytes)))
        .with_decoder(Some(DecoderWrapper::ByteLevel(bytes)))
        .build()
        .map_err(failed)?;
        builder.train(&mut trainer, texts).map_err(failed)?;
        // Through its file form once, so that learning and loading give the very same tokenizer.
        let json = builder.to_string(true).map_err(failed)?;
        TurnTokenizer::parse(json.as_bytes())
    }

    fn with_markers(mut tokenizer: Tokenizer) -> Result<TurnTokenizer, TunerError> {
        let find = |marker: &str| {
            tokenizer.token_to_id(marker).ok_or_else(|| TunerError::Model(format!("tokenizer.json: no token {marker}")))
        };
        let markers =
            Markers { end: find(END)?, system: find(SYSTEM)?, user: find(USER)?, assistant: find(ASSISTANT)? };
        tokenizer.set_encode_special_tokens(true);
        Ok(TurnTokenizer { tokenizer, ends: vec![markers.end], dialogue: Dialogue::Markers(markers) })
    }

    /// Reads a `tokenizer.json` that may be anybody's: with this crate's markers, or with a
    /// template of its own.
    pub fn of_folder(json: &[u8], conventions: Conventions) -> Result<TurnTokenizer, TunerError> {
        let mut tokenizer = tokenizer(json)?;
        if [END, SYSTEM, USER, ASSISTANT].iter().all(|marker| tokenizer.token_to_id(marker).is_some()) {
            return TurnTokenizer::with_markers(tokenizer);
        }
        // Training pipelines leave these behind, and a prompt must be neither cut nor filled up.
        tokenizer.with_truncation(None).map_err(|error| TunerError::Model(format!("tokenizer.json: {error}")))?;
        tokenizer.with_padding(None);
        let Conventions { mut ends, template, begin, end } = conventions;
        ends.extend(end.as_deref().and_then(|text| tokenizer.token_to_id(text)));
        let texts = (begin.unwrap_or_default(), end.unwrap_or_default());
        let dialogue = match template {
            Some(source) => Dialogue::Template(Box::new(ChatTemplate::new(source, texts.0, texts.1)?)),
            None => Dialogue::None,
        };
        Ok(TurnTokenizer { tokenizer, dialogue, ends })
    }

    /// Whether there is a way to lay out turns.
    pub fn converses(&self) -> bool {
        !matches!(self.dialogue, Dialogue::None)
    }

    /// Whether a prompt is a text with the model's own special tokens spelled out in it.
    pub fn reads_special_tokens(&self) -> bool {
        !matches!(self.dialogue, Dialogue::Markers(_))
    }

    /// The form `tokenizer.json` holds.
    pub fn to_json(&self) -> Result<Vec<u8>, TunerError> {
        self.tokenizer
            .to_string(true)
            .map(String::into_bytes)
            .map_err(|error| TunerError::Model(format!("tokenizer: {error}")))
    }

    /// The number of tokens there are, those added to the vocabulary among them.
    pub fn size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// The tokens that end an assistant's turn.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// A record as it is trained on; with `everything`, all tokens are learned.
    pub fn lay_out(&self, turns: &[Turn], everything: bool) -> Result<LaidOut, TunerError> {
        let Dialogue::Markers(markers) = &self.dialogue else {
            return self.lay_out_by_template(turns, everything);
        };
        let mut laid_out = LaidOut::default();
        for turn in turns {
            let assistant = turn.role == Role::Assistant;
            laid_out.push(markers.of(turn.role), everything);
            for token in self.encode(&turn.text)? {
                laid_out.push(token, everything || assistant);
            }
            if assistant {
                laid_out.push(markers.end, true);
            }
        }
        Ok(laid_out)
    }

    /// As the model's own template has it, so that an answer begins in training as it does when the model
    /// is asked. Without a template, the turns are one text that begins and ends as the model's texts do,
    /// and the last of them is the answer.
    fn lay_out_by_template(&self, turns: &[Turn], everything: bool) -> Result<LaidOut, TunerError> {
        let mut laid_out = LaidOut::default();
        match &self.dialogue {
            Dialogue::Template(template) if !everything => {
                for (text, learned) in template.pieces(turns)? {
                    let tokens = self.spelled_out(&text, false)?;
                    // What a template writes after the end of a turn is never asked of the model.
                    let end = tokens.iter().rposition(|token| self.ends.contains(token));
                    let learned = if learned { end.map_or(tokens.len(), |end| end + 1) } else { 0 };
                    tokens.into_iter().enumerate().for_each(|(at, token)| laid_out.push(token, at < learned));
                }
            }
            _ => {
                let (answer, question) = turns.split_last().unzip();
                let answer = answer.map_or("", |turn| turn.text.as_str());
                let question: String = question.into_iter().flatten().map(|turn| turn.text.as_str()).collect();
                self.continuation(&question)?.into_iter().for_each(|token| laid_out.push(token, everything));
                self.spelled_out(answer, false)?.into_iter().for_each(|token| laid_out.push(token, true));
            }
        }
        // A template that ends no turn would leave a model that never ends an answer.
        let mut learned = laid_out.tokens.iter().zip(&laid_out.learned).rev().filter(|(_, learned)| **learned);
        let ends = learned.by_ref().take(3).any(|(token, _)| self.ends.contains(token));
        if let Some(end) = self.ends.first().filter(|_| !ends) {
            laid_out.push(*end, true);
        }
        Ok(laid_out)
    }

    /// The same as text, cut where learning begins and ends.
    pub fn spelled_pieces(&self, turns: &[Turn]) -> Result<Vec<LaidOutPiece>, TunerError> {
        let laid_out = self.lay_out(turns, false)?;
        let mut pieces = Vec::new();
        let mut at = 0;
        for stretch in laid_out.learned.chunk_by(|before, after| before == after) {
            let tokens = &laid_out.tokens[at..at + stretch.len()];
            let text = self.tokenizer.decode(tokens, false);
            let text = text.map_err(|error| TunerError::Model(format!("tokenizer: {error}")))?;
            pieces.push(LaidOutPiece { text, tokens: tokens.len(), learned: stretch[0] });
            at += stretch.len();
        }
        Ok(pieces)
    }

    /// The turns so far, and the marker after which the assistant answers.
    pub fn prompt(&self, turns: &[Turn]) -> Result<Vec<u32>, TunerError> {
        match &self.dialogue {
            Dialogue::Markers(markers) => {
                let mut tokens = self.lay_out(turns, true)?.tokens;
                tokens.push(markers.assistant);
                Ok(tokens)
            }
            // The template spells out the beginning itself.
            Dialogue::Template(template) => self.spelled_out(&template.lay_out(turns)?, false),
            Dialogue::None => Err(TunerError::Template("it comes without one".to_string())),
        }
    }

    /// A text to go on from. Where the model has special tokens of its own, they may be spelled out
    /// in it, and the one that begins every sequence is put before it once.
    pub fn continuation(&self, text: &str) -> Result<Vec<u32>, TunerError> {
        if !self.reads_special_tokens() {
            return self.encode(text);
        }
        let begun = self.spelled_out(text, false)?;
        match self.spelled_out("", true)?.first() {
            Some(begin) if begun.first() == Some(begin) => Ok(begun),
            _ => self.spelled_out(text, true),
        }
    }

    fn spelled_out(&self, text: &str, begun: bool) -> Result<Vec<u32>, TunerError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, begun)
            .map_err(|error| TunerError::Model(format!("tokenizer: {error}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// A text's tokens without any marker.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TunerError> {
        let encoding = self
            .tokenizer
            .encode_fast(format!(" {text}"), false)
            .map_err(|error| TunerError::Model(format!("tokenizer: {error}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// A decoder for one answer.
    pub fn decoder(&self) -> AnswerDecoder<'_> {
        let spaced = !self.reads_special_tokens();
        AnswerDecoder { tokenizer: &self.tokenizer, tokens: Vec::new(), told: 0, spaced }
    }
}

impl Markers {
    fn of(&self, role: Role) -> u32 {
        match role {
            Role::System => self.system,
            Role::User => self.user,
            Role::Assistant => self.assistant,
        }
    }
}

fn tokenizer(json: &[u8]) -> Result<Tokenizer, TunerError> {
    Tokenizer::from_bytes(json).map_err(|error| TunerError::Model(format!("tokenizer.json: {error}")))
}

impl LaidOut {
    fn push(&mut self, token: u32, learned: bool) {
        self.tokens.push(token);
        self.learned.push(learned);
    }
}

/// Turns an answer's tokens into text as they come, never cutting a character in two.
pub(crate) struct AnswerDecoder<'a> {
    tokenizer: &'a Tokenizer,
    tokens: Vec<u32>,
    told: usize,
    /// The text was encoded with a space before it, which is no part of it.
    spaced: bool,
}

impl AnswerDecoder<'_> {
    /// The text that `token` completes; empty while a character is unfinished.
    pub fn push(&mut self, token: u32) -> Result<String, TunerError> {
        self.tokens.push(token);
        self.fresh(false)
    }

    /// What is left when no more tokens come.
    pub fn finish(mut self) -> Result<String, TunerError> {
        self.fresh(true)
    }

    fn fresh(&mut self, last: bool) -> Result<String, TunerError> {
        let text = self
            .tokenizer
            .decode(&self.tokens, true)
            .map_err(|error| TunerError::Model(format!("tokenizer: {error}")))?;
        let text = if self.spaced { text.strip_prefix(' ').unwrap_or(&text) } else { &text };
        // Bytes of an unfinished character decode to the replacement character until it is whole.
        if !last && text.ends_with(char::REPLACEMENT_CHARACTER) {
            return Ok(String::new());
        }
        let fresh = text.get(self.told..).unwrap_or_default().to_string();
        self.told = text.len().max(self.told);
        Ok(fresh)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    fn tokenizer() -> TurnTokenizer {
        let texts = ["Hello, how do you do? How do you do, then?", "Café déjà vu"];
        TurnTokenizer::learn(texts.into_iter(), 300).unwrap()
    }

    fn markers(tokenizer: &TurnTokenizer) -> &Markers {
        let Dialogue::Markers(markers) = &tokenizer.dialogue else { panic!("a learned tokenizer has markers") };
        markers
    }

    fn spoken(tokenizer: &TurnTokenizer, text: &str) -> String {
        let mut decoder = tokenizer.decoder();
        let mut spoken = String::new();
        for token in tokenizer.encode(text).unwrap() {
            spoken += &decoder.push(token).unwrap();
        }
        spoken + &decoder.finish().unwrap()
    }

    #[test]
    fn any_text_comes_back_exactly_piece_by_piece() {
        let tokenizer = tokenizer();
        for text in ["", " ", "  two spaces", "line\nbreak\t", "naïve 日本語 🦀", "<|end|>", "a\u{0}b"] {
            assert_eq!(spoken(&tokenizer, text), text);
        }
    }

    #[test]
    fn a_markers_spelling_in_a_text_is_plain_text() {
        let tokenizer = tokenizer();
        let tokens = tokenizer.encode("say <|end|> or <|user|>").unwrap();
        assert!(!tokens.contains(&tokenizer.ends[0]));
        assert!(!tokens.contains(&markers(&tokenizer).user));
    }

    #[test]
    fn only_the_assistants_words_and_their_end_are_learned() {
        let tokenizer = tokenizer();
        let turns = [Turn::new(Role::User, "you"), Turn::new(Role::Assistant, "do")];
        let laid_out = tokenizer.lay_out(&turns, false).unwrap();
        let question = tokenizer.encode("you").unwrap().len();
        let answer = tokenizer.encode("do").unwrap().len();
        assert_eq!(laid_out.tokens[0], markers(&tokenizer).user);
        assert_eq!(laid_out.tokens[question + 1], markers(&tokenizer).assistant);
        assert_eq!(laid_out.tokens.last(), Some(&tokenizer.ends[0]));
        let mut learned = vec![false; question + 2];
        learned.extend(vec![true; answer + 1]);
        assert_eq!(laid_out.learned, learned);
        assert_eq!(tokenizer.prompt(&turns[..1]).unwrap(), laid_out.tokens[..question + 2]);
    }
}
