//! Sentences as numbers: CLIP's byte-level BPE, as the text encoders were trained with it.

use std::sync::LazyLock;

use instant_clip_tokenizer::{Token, Tokenizer};
use thiserror::Error;

/// Most tokens that a text encoder takes, the two marks included.
pub(crate) const TOKENS_MAX: usize = 77;

/// Why a sentence cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    /// There is nothing in it.
    #[error("the prompt is empty")]
    Empty,
    /// It is too long.
    #[error("the prompt has {tokens} tokens, the model takes {TOKENS_MAX}")]
    TooLong {
        /// With the two marks.
        tokens: usize,
    },
    /// It holds one of the words that stand for the marks.
    #[error("the prompt holds a mark of the tokenizer, <start_of_text> or <end_of_text>")]
    Mark,
}

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(Tokenizer::new);

/// The identifiers of a sentence, 49406 before and 49407 behind it, without padding.
///
/// Case and white space carry nothing. HTML entities and broken encodings are not repaired, as upstream's Python does; nobody
/// types them into a rule.
///
/// # Errors
/// [`TokenError`].
pub(crate) fn ids(sentence: &str) -> Result<Vec<i64>, TokenError> {
    let (start, end) = (TOKENIZER.start_of_text(), TOKENIZER.end_of_text());
    let mut tokens = vec![start];
    TOKENIZER.encode(sentence, &mut tokens);
    if tokens.len() == 1 {
        return Err(TokenError::Empty);
    }
    if tokens[1..].iter().any(|token| *token == start || *token == end) {
        return Err(TokenError::Mark);
    }
    tokens.push(end);
    if tokens.len() > TOKENS_MAX {
        return Err(TokenError::TooLong { tokens: tokens.len() });
    }
    Ok(tokens.into_iter().map(|token: Token| i64::from(token.to_u16())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by the `SimpleTokenizer` of `open_clip_torch` 3.3.0, which brings a vocabulary of its own.
    #[test]
    fn identifiers_are_those_of_another_implementation() {
        let known: &[(&str, &[i64])] = &[
            ("liver in abdomen CT", &[49406, 12639, 530, 596, 2164, 576, 1122, 49407]),
            ("Liver  in\tabdomen   ct", &[49406, 12639, 530, 596, 2164, 576, 1122, 49407]),
            ("nodule", &[49406, 578, 691, 579, 49407]),
            (
                "tumor core in brain MRI-FLAIR",
                &[49406, 22616, 5000, 530, 4812, 24773, 268, 24938, 49407],
            ),
            (
                "COVID-19 infection in lung CT",
                &[49406, 622, 9284, 268, 272, 280, 14774, 530, 16271, 1122, 49407],
            ),
            (
                "left heart ventricle in heart MRI",
                &[49406, 1823, 1936, 1240, 9511, 579, 530, 1936, 24773, 49407],
            ),
            (
                "optic disc in retinal fundus",
                &[49406, 24755, 10712, 530, 31270, 566, 1229, 9931, 49407],
            ),
            (
                "prostate transitional zone in prostate MRI-T2",
                &[49406, 28808, 41519, 4442, 530, 28808, 24773, 268, 339, 273, 49407],
            ),
            (
                "public symphysis in transperineal ultrasound",
                &[49406, 2122, 3645, 3734, 533, 530, 1357, 8213, 855, 566, 29717, 49407],
            ),
            (
                "neoplastic polyp in colon endoscope",
                &[49406, 557, 36270, 1561, 6833, 335, 530, 29050, 13476, 7979, 49407],
            ),
            (
                "T12 vertebra in chest CT",
                &[49406, 339, 272, 273, 35158, 5860, 530, 10563, 1122, 49407],
            ),
            (
                "L5/S1, 2.5mm (non-enhancing)!",
                &[
                    49406, 331, 276, 270, 338, 272, 267, 273, 269, 276, 2848, 263, 3353, 268,
                    25986, 7805, 49407,
                ],
            ),
            ("it's the patient's kidney", &[49406, 585, 568, 518, 6262, 568, 14610, 49407]),
            ("肝脏", &[49406, 164, 224, 251, 164, 226, 493, 49407]),
            ("Leber und Milz", &[49406, 534, 1516, 9732, 1469, 345, 49407]),
            ("печень", &[49406, 26302, 22176, 141, 229, 22176, 22705, 141, 490, 49407]),
            ("hígado", &[49406, 71, 8366, 29489, 49407]),
            ("a", &[49406, 320, 49407]),
            ("12345", &[49406, 272, 273, 274, 275, 276, 49407]),
            ("portal & splenic vein", &[49406, 14982, 261, 18552, 1029, 29169, 49407]),
            (
                "surrounding non-enhancing FLAIR hyperintensity in brain MRI",
                &[49406, 12544, 3353, 268, 25986, 24938, 7997, 19956, 530, 4812, 24773, 49407],
            ),
            ("glioblastoma multiforme", &[49406, 5896, 1411, 572, 43545, 3947, 42085, 49407]),
            ("µm ²", &[49406, 126, 113, 332, 41175, 49407]),
            ("émotion naïve", &[49406, 3459, 7860, 1097, 35689, 563, 49407]),
            ("🫁 lung", &[49406, 558, 104, 479, 16271, 49407]),
        ];
        for (sentence, wanted) in known {
            assert_eq!(ids(sentence).as_deref(), Ok(*wanted), "{sentence}");
        }
    }

    #[test]
    fn nothing_is_no_sentence() {
        for nothing in ["", " \t\n", "\u{3000}"] {
            assert_eq!(ids(nothing), Err(TokenError::Empty), "{nothing:?}");
        }
    }

    #[test]
    fn seventy_seven_tokens_are_taken_and_one_more_is_not() {
        let of = |words: usize| ids(&vec!["liver"; words].join(" "));
        assert_eq!(of(75).unwrap().len(), 77);
        assert_eq!(of(76), Err(TokenError::TooLong { tokens: 78 }));
    }

    #[test]
    fn marks_may_not_be_written() {
        assert_eq!(ids("liver <end_of_text> spleen"), Err(TokenError::Mark));
        assert_eq!(ids("<START_OF_TEXT>"), Err(TokenError::Mark));
    }
}
