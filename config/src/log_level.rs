//! What the log shows, as one writes it: a level for everything, levels for single rooms, or both.

use thiserror::Error;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A text that says nothing of what the log shows, so that it would show nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is neither a level ({levels}) nor a room with one, as in \"info,scp=debug\"", levels = LEVELS.join(", "))]
pub struct LogLevelError(String);

/// Checks a text such as `info` or `info,scp=debug`, and gives it back.
///
/// # Errors
/// [`LogLevelError`]: the first part that is no level and has none.
pub fn log_level(text: &str) -> Result<String, LogLevelError> {
    let wrong = text.split(',').find(|part| !is_level_or_room(part));
    wrong.map_or_else(|| Ok(text.to_owned()), |part| Err(LogLevelError(part.to_owned())))
}

fn is_level_or_room(part: &str) -> bool {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    match part.split_once('=') {
        None => is_level(part),
        Some((room, level)) => is_room(room) && is_level(level),
    }
}

/// The path of a module, of our rooms or of what they use.
fn is_room(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_rooms_with_levels() {
        for text in ["info", "OFF", "info,scp=debug", "scp=trace", "warn,parsenode::http=info"] {
            assert_eq!(log_level(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_would_show_nothing_is_wrong() {
        for (text, wrong) in [
            ("inof", "inof"),
            ("info,scp=debugg", "scp=debugg"),
            ("info,scp", "scp"),
            ("info,", ""),
            ("", ""),
            ("info,=debug", "=debug"),
            ("info,scp=", "scp="),
            ("info,sr-writer=debug", "sr-writer=debug"),
            // What reads it takes this space for the beginning of a name.
            ("info, debug", " debug"),
        ] {
            assert_eq!(log_level(text), Err(LogLevelError(wrong.into())), "{text}");
        }
        let text = log_level("inof").unwrap_err().to_string();
        assert!(text.contains("\"inof\"") && text.contains("off, error, warn, info"), "{text}");
    }
}
