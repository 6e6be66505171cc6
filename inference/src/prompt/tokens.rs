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
