//! What the texts of a line contain that could make some rule fire.

use bitflags::bitflags;

bitflags! {
    /// Each fact is a necessary condition, told of the decoded text: it may be set where no rule fires, never the
    /// other way round. A line that the fast path does not know has every one of them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Facts: u64 {
        /// The fast path does not know the line: other members, media, tools, odd roles, not JSON.
        const UNKNOWN = 1;
        /// There is a system text.
        const SYSTEM = 1 << 1;
        /// More spoken turns than the scanner's limit.
        const MULTI_TURN = 1 << 2;
        /// Spoken turns are not user, assistant, user, … ending with the assistant; also where there are none.
        const ROLES = 1 << 3;
        /// Messages without `schemaVersion`.
        const NO_VERSION = 1 << 4;
        /// A `schemaVersion` other than `bedrock-conversation-2024`.
        const OTHER_VERSION = 1 << 5;
        /// Some text is empty or all white space.
        const EMPTY = 1 << 6;
        /// Some text begins or ends with white space.
        const EDGE_SPACE = 1 << 7;
        /// One of the scanner's words occurs, whatever its case.
        const WORD = 1 << 8;
        /// An `@` with something other than white space on both sides.
        const AT = 1 << 9;
        /// Nine or more digits, at most three of ` -.()/+` between two of them.
        const DIGITS = 1 << 10;
        /// The same with thirteen or more.
        const CARD = 1 << 11;
        /// Six or more such digits with a letter directly before or after; or seven or eight in a row and a letter
        /// that stands alone, one of ` -` between; or three groups of two.
        const DIGIT_LETTER = 1 << 12;
        /// Four groups of one to three digits, a full stop between each.
        const DOTTED = 1 << 13;
        /// `::` beside a hexadecimal digit, or four or more colons in a run of colons and hexadecimal digits.
        const COLON_HEX = 1 << 14;
        /// Two letters at the beginning of a word, two digits, and ten or more letters and digits with at most a space
        /// or a hyphen between two of them.
        const IBAN = 1 << 15;
        /// Sixteen or more of `A-Z a-z 0-9 _ + / = -` in a row.
        const TOKEN = 1 << 16;
        /// Any char beyond ASCII.
        const NON_ASCII = 1 << 17;
        /// U+FFFD.
        const REPLACEMENT = 1 << 18;
        /// U+00C2 to U+00F4 directly before U+0080 to U+00BF or a char that Windows-1252 has at 0x80 to 0x9F.
        const MOJIBAKE = 1 << 19;
        /// U+00AD, U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F, U+FEFF.
        const INVISIBLE = 1 << 20;
        /// A control character other than line feed, tab and carriage return.
        const CONTROL = 1 << 21;
        /// The completion begins, after white space, with `{`, `[` or three backticks.
        const JSON = 1 << 22;
        /// More chars than the scanner's limits.
        const LONG = 1 << 23;
    }
}

/// More than this make a record [`Facts::MULTI_TURN`] or [`Facts::LONG`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Turns of user and assistant.
    pub turns: u32,
    /// Chars before the completion.
    pub context: u32,
    pub completion: u32,
    /// Context and completion together.
    pub record: u32,
}

impl Limits {
    pub const NONE: Limits = Limits { turns: u32::MAX, context: u32::MAX, completion: u32::MAX, record: u32::MAX };
}

/// What is kept of a record once it has been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// Hash of roles and texts before the completion; 0 where there are none.
    pub context: u64,
    /// Hash of the completion's text; that of the empty text where there is no completion.
    pub completion: u64,
    pub context_chars: u32,
    pub completion_chars: u32,
}
