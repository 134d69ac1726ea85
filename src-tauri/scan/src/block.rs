//! Sixty-four bytes at once: which of them belong to which class, as bits of a word.
//!
//! This is where the speed comes from, and the only place with `unsafe`. The same function is compiled three times: for
//! any processor, for AVX2 and for AVX-512. The intrinsics themselves are safe within a function that enables its
//! features; what the compiler cannot know is that the processor has them. [`Avx2`] and [`Avx512`] can only be had from
//! a check at run time, so holding one is the proof that each of the calls marked `unsafe` below needs. No pointer is
//! read, no length is assumed. A property test holds the three to each other.

/// Bit `i` tells about byte `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Masks {
    pub quote: u64,
    pub backslash: u64,
    /// Below 0x20.
    pub control: u64,
    pub digit: u64,
    /// `A-Z a-z 0-9 _ + / = -`
    pub token: u64,
    /// `:`, `[`, `<`, `@` and 0x7F.
    pub anchor: u64,
    /// Beyond ASCII.
    pub high: u64,
    /// A byte of UTF-8 that continues a char.
    pub continuation: u64,
    /// 0xC2, 0xC3, 0xE2 and 0xEF: the first bytes of chars that some fact is about.
    pub lead: u64,
}

/// A way of telling the classes of 64 bytes.
pub trait Classify: Copy {
    fn classify(self, block: &[u8; 64]) -> Masks;
    /// Runs `work` compiled for this processor.
    fn with<W: Work>(self, work: W) -> W::Output;
}

/// Something to do with a [`Classify`], inlined into a function that enables its features.
pub trait Work {
    type Output;
    fn run<C: Classify>(self, classify: C) -> Self::Output;
}

/// Any processor.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

const QUOTE: u16 = 1;
const BACKSLASH: u16 = 1 << 1;
const CONTROL: u16 = 1 << 2;
const DIGIT: u16 = 1 << 3;
const TOKEN: u16 = 1 << 4;
const ANCHOR: u16 = 1 << 5;
const HIGH: u16 = 1 << 6;
const CONTINUATION: u16 = 1 << 7;
const LEAD: u16 = 1 << 8;

const CLASSES: [u16; 256] = classes();

const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = match b {
            b'"' => QUOTE,
            b'\\' => BACKSLASH,
            0..=0x1F => CONTROL,
            b'0'..=b'9' => DIGIT | TOKEN,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'+' | b'/' | b'=' | b'-' => TOKEN,
            b':' | b'[' | b'<' | b'@' | 0x7F => ANCHOR,
            0x80..=0xBF => HIGH | CONTINUATION,
            0xC2 | 0xC3 | 0xE2 | 0xEF => HIGH | LEAD,
            0xC0.. => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    table
}

impl Classify for Plain {
    #[inline(always)]
    fn classify(self, block: &[u8; 64]) -> Masks {
        let mut masks = Masks::default();
        for (place, byte) in block.iter().enumerate() {
            let class = CLASSES[usize::from(*byte)];
            let bit = |of: u16| u64::from(class & of != 0) << place;
            masks.quote |= bit(QUOTE);
            masks.backslash |= bit(BACKSLASH);
            masks.control |= bit(CONTROL);
            masks.digit |= bit(DIGIT);
            masks.token |= bit(TOKEN);
            masks.anchor |= bit(ANCHOR);
            masks.high |= bit(HIGH);
            masks.continuation |= bit(CONTINUATION);
            masks.lead |= bit(LEAD);
        }
        masks
    }

    fn with<W: Work>(self, work: W) -> W::Output {
        work.run(self)
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "argued for at the head of the module")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Classify, Masks, Work};

    /// Proof that the processor has AVX2 and the bit instructions that came with it.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx2(());

    /// Proof that the processor has AVX-512 with byte operations.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx512(());

    impl Avx2 {
        pub fn detect() -> Option<Avx2> {
            let has = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            has.then_some(Avx2(()))
        }
    }

    impl Avx512 {
        pub fn detect() -> Option<Avx512> {
            Avx2::detect()?;
            let has = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            has.then_some(Avx512(()))
        }
    }

    /// Classes by the two halves of a byte: a byte is in a class when both halves have the class's bit.
    /// 1 `+ / -` and `=` apart from `?`, 2 digits, 4 `A-O a-o`, 8 `P-Z p-z`, 16 `_`, 32 `=`, 64 `: <`, 128 `[`.
    const LOW: [u8; 16] = [
        2 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        2 | 4 | 8,
        4 | 8 | 64,
        1 | 4 | 128,
        4 | 64,
        1 | 4 | 32,
        4,
        1 | 4 | 16,
    ];
    const HIGH: [u8; 16] = [0, 0, 1, 2 | 32 | 64, 4, 8 | 16 | 128, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    const TOKEN: i8 = 1 | 2 | 4 | 8 | 16 | 32;
    const DIGIT: i8 = 2;
    const ANCHOR: i8 = -64;

    impl Classify for Avx2 {
        #[inline(always)]
        fn classify(self, block: &[u8; 64]) -> Masks {
            // SAFETY: `self` is the proof that the processor has these features.
            unsafe { classify_avx2(block) }
        }

        fn with<W: Work>(self, work: W) -> W::Output {
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn run<W: Work>(work: W, proof: Avx2) -> W::Output {
                work.run(proof)
            }
            // SAFETY: `self` is the proof that the processor has these features.
            unsafe { run(work, self) }
        }
    }

    impl Classify for Avx512 {
        #[inline(always)]
        fn classify(self, block: &[u8; 64]) -> Masks {
            // SAFETY: `self` is the proof that the processor has these features.
            unsafe { classify_avx512(block) }
        }

        fn with<W: Work>(self, work: W) -> W::Output {
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn run<W: Work>(work: W, proof: Avx512) -> W::Output {
                work.run(proof)
            }
            // SAFETY: `self` is the proof that the processor has these features.
            unsafe { run(work, self) }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn classify_avx2(block: &[u8; 64]) -> Masks {
        let halves: [[u8; 32]; 2] = bytemuck::cast(*block);
        let (low, high) = (half(halves[0]), half(halves[1]));
        let join = |a: u32, b: u32| u64::from(a) | u64::from(b) << 32;
        let mut masks = Masks {
            quote: join(low.quote, high.quote),
            backslash: join(low.backslash, high.backslash),
            control: join(low.control, high.control),
            digit: join(low.digit, high.digit),
            token: join(low.token, high.token),
            anchor: join(low.anchor, high.anchor),
            high: join(low.high, high.high),
            continuation: 0,
            lead: 0,
        };
        if masks.high != 0 {
            let (a, b) = (rare(halves[0]), rare(halves[1]));
            masks.continuation = join(a.0, b.0);
            masks.lead = join(a.1, b.1);
        }
        masks
    }

    struct Half {
        quote: u32,
        backslash: u32,
        control: u32,
        digit: u32,
        token: u32,
        anchor: u32,
        high: u32,
    }

    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn half(bytes: [u8; 32]) -> Half {
        let v: __m256i = bytemuck::cast(bytes);
        let mask = |v: __m256i| _mm256_movemask_epi8(v).cast_unsigned();
        let is = |byte: u8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte.cast_signed()));
        let low_table = _mm256_broadcastsi128_si256(bytemuck::cast(LOW));
        let high_table = _mm256_broadcastsi128_si256(bytemuck::cast(HIGH));
        let nibble = _mm256_set1_epi8(0x0F);
        let class = _mm256_and_si256(
            _mm256_shuffle_epi8(low_table, _mm256_and_si256(v, nibble)),
            _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16::<4>(v), nibble)),
        );
        let zero = _mm256_setzero_si256();
        let none = |of: i8| mask(_mm256_cmpeq_epi8(_mm256_and_si256(class, _mm256_set1_epi8(of)), zero));
        let control = _mm256_set1_epi8(0x1F);
        let others = _mm256_or_si256(is(b'@'), is(0x7F));
        Half {
            quote: mask(is(b'"')),
            backslash: mask(is(b'\\')),
            control: mask(_mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v)),
            digit: !none(DIGIT),
            token: !none(TOKEN),
            anchor: !none(ANCHOR) | mask(others),
            high: mask(v),
        }
    }

    /// Continuation and lead bytes, looked for only where something is beyond ASCII.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn rare(bytes: [u8; 32]) -> (u32, u32) {
        let v: __m256i = bytemuck::cast(bytes);
        let is = |v: __m256i, byte: u8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte.cast_signed()));
        // Seen as signed numbers, 0x80 to 0xBF are those below -64.
        let continuation = _mm256_cmpgt_epi8(_mm256_set1_epi8(-64), v);
        let latin = is(_mm256_and_si256(v, _mm256_set1_epi8(-2)), 0xC2);
        let lead = _mm256_or_si256(latin, _mm256_or_si256(is(v, 0xE2), is(v, 0xEF)));
        (_mm256_movemask_epi8(continuation).cast_unsigned(), _mm256_movemask_epi8(lead).cast_unsigned())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn classify_avx512(block: &[u8; 64]) -> Masks {
        let v: __m512i = bytemuck::cast(*block);
        let set = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let is = |byte: u8| _mm512_cmpeq_epi8_mask(v, set(byte));
        let nibble = set(0x0F);
        let low_table = _mm512_broadcast_i32x4(bytemuck::cast(LOW));
        let high_table = _mm512_broadcast_i32x4(bytemuck::cast(HIGH));
        let class = _mm512_and_si512(
            _mm512_shuffle_epi8(low_table, _mm512_and_si512(v, nibble)),
            _mm512_shuffle_epi8(high_table, _mm512_and_si512(_mm512_srli_epi16::<4>(v), nibble)),
        );
        let of = |bits: i8| _mm512_test_epi8_mask(class, _mm512_set1_epi8(bits));
        let mut masks = Masks {
            quote: is(b'"'),
            backslash: is(b'\\'),
            control: _mm512_cmplt_epu8_mask(v, set(0x20)),
            digit: of(DIGIT),
            token: of(TOKEN),
            anchor: of(ANCHOR) | is(b'@') | is(0x7F),
            high: _mm512_movepi8_mask(v),
            continuation: 0,
            lead: 0,
        };
        if masks.high != 0 {
            masks.continuation = _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(-64));
            masks.lead = is(0xC2) | is(0xC3) | is(0xE2) | is(0xEF);
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_processor_sees_the_same_classes(block: [u8; 64]) {
            let expected = Plain.classify(&block);
            #[cfg(target_arch = "x86_64")]
            {
                if let Some(avx2) = Avx2::detect() {
                    prop_assert_eq!(avx2.classify(&block), expected);
                }
                if let Some(avx512) = Avx512::detect() {
                    prop_assert_eq!(avx512.classify(&block), expected);
                }
            }
        }
    }

    #[test]
    fn every_byte_is_in_the_class_it_is_said_to_be_in() {
        for byte in 0..=255u8 {
            let masks = Plain.classify(&[byte; 64]);
            assert_eq!(masks.digit != 0, byte.is_ascii_digit());
            assert_eq!(masks.token != 0, byte.is_ascii_alphanumeric() || b"_+/=-".contains(&byte));
            assert_eq!(masks.anchor != 0, b":[<@\x7F".contains(&byte));
            assert_eq!(masks.high != 0, !byte.is_ascii());
            #[cfg(target_arch = "x86_64")]
            {
                assert!(Avx2::detect().is_none_or(|avx2| avx2.classify(&[byte; 64]) == masks));
                assert!(Avx512::detect().is_none_or(|avx512| avx512.classify(&[byte; 64]) == masks));
            }
        }
    }
}
