//! Passcodes of users: a text file with a name and a salted hash a line.
//!
//! `name:$argon2id$v=19$…`; empty lines and lines that begin with `#` say nothing. Passcodes themselves are nowhere.

use std::collections::BTreeMap;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// What argon2id costs for a new line: kibibytes, passes, lanes. A check takes this much memory while it runs.
const COST: (u32, u32, u32) = (7 * 1024, 5, 1);
/// Dearest line that is taken, in kibibytes and passes: a check must not become an attack on ourselves.
const COST_MAX: (u32, u32) = (64 * 1024, 10);
/// Longest name and longest passcode that are looked at, in bytes.
const TEXT_BYTES_MAX: usize = 1024;
const SALT_BYTES: usize = 16;

/// What is wrong with a file of passcodes, or with a new passcode.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PasscodeError {
    /// A line is not `name:hash`.
    #[error("line {0}: not of the form NAME:HASH; `parsenode passcode NAME` prints one")]
    Form(usize),
    /// A hash is not argon2's, or costs more than is allowed.
    #[error("line {0}: the hash is not argon2id's, or dearer than 64 MiB and 10 passes")]
    Hash(usize),
    /// A name occurs twice.
    #[error("line {0}: the name {1:?} occurs twice")]
    Twice(usize, String),
    /// The file has no line: it is not written yet, most likely.
    #[error("no user in it; `parsenode passcode NAME` prints a line")]
    Nobody,
    /// A name or passcode that cannot be used.
    #[error("{0}")]
    Unusable(&'static str),
    /// The system gives no random numbers, or argon2 fails.
    #[error("no hash can be made: {0}")]
    Hashing(String),
}

/// Hashes by name.
#[derive(Debug, Clone, Default)]
pub struct Passcodes {
    hashes: BTreeMap<String, String>,
}

impl Passcodes {
    /// From the text of a file.
    ///
    /// # Errors
    /// [`PasscodeError`] with the number of the line, or when there is none: a shell empties the file before the program
    /// that fills it asks for the passcode.
    pub fn parse(text: &str) -> Result<Self, PasscodeError> {
        let mut hashes = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) = line.split_once(":$").ok_or(PasscodeError::Form(number))?;
            let hash = format!("${hash}");
            if name.is_empty() {
                return Err(PasscodeError::Form(number));
            }
            if !is_affordable(&hash) {
                return Err(PasscodeError::Hash(number));
            }
            if hashes.insert(name.to_owned(), hash).is_some() {
                return Err(PasscodeError::Twice(number, name.to_owned()));
            }
        }
        if hashes.is_empty() { Err(PasscodeError::Nobody) } else { Ok(Self { hashes }) }
    }

    /// How many users there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Whether this is the user's passcode. It takes as long for a name that is not there.
    #[must_use]
    pub fn verify(&self, name: &str, passcode: &Secret) -> bool {
        if name.len() > TEXT_BYTES_MAX || passcode.expose().len() > TEXT_BYTES_MAX {
            return false;
        }
        // For a name that is not there the same work is done for nothing, so that time does not tell which names are.
        let own = self.hashes.get(name);
        let hash = own.or_else(|| self.hashes.values().next());
        let fits = hash.is_some_and(|hash| is_passcode(hash, passcode));
        fits && own.is_some()
    }
}

fn is_affordable(hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let params = Params::try_from(&parsed);
    parsed.algorithm.as_str() == "argon2id"
        && parsed.hash.is_some()
        && params.is_ok_and(|p| p.m_cost() <= COST_MAX.0 && p.t_cost() <= COST_MAX.1)
}

fn is_passcode(hash: &str, passcode: &Secret) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(passcode.expose(), &hash).is_ok())
}

/// A line for a file of passcodes, with a salt of its own.
///
/// # Errors
/// [`PasscodeError`] for a name or passcode that cannot be used, or when the system gives no random numbers.
pub fn passcode_line(name: &str, passcode: &Secret) -> Result<String, PasscodeError> {
    let unusable = |text| Err(PasscodeError::Unusable(text));
    if name.is_empty() || name.len() > TEXT_BYTES_MAX || name.starts_with('#') {
        return unusable("a name has 1 to 1024 bytes and does not begin with #");
    }
    if name.contains([':', '\n', '\r']) || name.trim() != name {
        return unusable("a name has no colon, no line end, and no space at its ends");
    }
    if passcode.expose().is_empty() || passcode.expose().len() > TEXT_BYTES_MAX {
        return unusable("a passcode has 1 to 1024 bytes");
    }
    let failed = |error: &dyn std::fmt::Display| PasscodeError::Hashing(error.to_string());
    let mut bytes = [0; SALT_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|error| failed(&error))?;
    let salt = SaltString::encode_b64(&bytes).map_err(|error| failed(&error))?;
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(passcode.expose(), &salt).map_err(|error| failed(&error))?;
    Ok(format!("{name}:{hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn what_is_written_is_verified_and_nothing_else() {
        let line = passcode_line("ct 1", &secret("swordfish")).unwrap();
        assert!(!line.contains("swordfish"));
        let text = format!("# users\n\n{line}\n");
        let passcodes = Passcodes::parse(&text).unwrap();
        assert_eq!(passcodes.count(), 1);
        assert!(passcodes.verify("ct 1", &secret("swordfish")));
        assert!(!passcodes.verify("ct 1", &secret("Swordfish")));
        assert!(!passcodes.verify("ct 1", &secret("")));
        assert!(!passcodes.verify("ct 2", &secret("swordfish")), "a stranger");
        assert!(!Passcodes::default().verify("ct 1", &secret("swordfish")));
    }

    #[test]
    fn two_lines_for_one_passcode_differ() {
        let line = || passcode_line("a", &secret("x")).unwrap();
        assert_ne!(line(), line());
    }

    #[test]
    fn faults_have_the_number_of_their_line() {
        let line = passcode_line("a", &secret("x")).unwrap();
        let parse = |text: &str| Passcodes::parse(text).unwrap_err();
        assert_eq!(parse("\nsecret"), PasscodeError::Form(2));
        assert_eq!(parse("a:plain"), PasscodeError::Form(1), "a passcode is no hash");
        assert_eq!(parse("a:$6$salt$hash"), PasscodeError::Hash(1));
        assert_eq!(parse(&line.replace("m=7168", "m=999999")), PasscodeError::Hash(1));
        assert_eq!(parse(&line.replace("argon2id", "argon2d")), PasscodeError::Hash(1));
        assert_eq!(parse(&format!("{line}\n{line}")), PasscodeError::Twice(2, "a".into()));
    }

    #[test]
    fn a_file_that_is_not_written_yet_is_none() {
        for text in ["", "\n", "# users\n\n"] {
            assert_eq!(Passcodes::parse(text).unwrap_err(), PasscodeError::Nobody, "{text:?}");
        }
    }

    #[test]
    fn names_that_would_break_the_file() {
        for name in ["", "a:b", "#a", "a\nb", " a", &"a".repeat(1025)] {
            assert!(passcode_line(name, &secret("x")).is_err(), "{name:?}");
        }
        assert!(passcode_line("a", &secret("")).is_err());
    }
}
