//! User identity: what a requestor claims of its user, and the seam to whoever checks it.
//!
//! `scp` calls it, `node` implements it. How passcodes and tokens are verified is not known here.

use std::fmt;

use thiserror::Error;

use crate::IdentityKind;

/// Bytes that no log and no error ever shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps `bytes` out of sight.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for those who check or send them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a requestor says of its user (PS3.7 §D.3.3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityClaim {
    /// 1: a name.
    Username(String),
    /// 2: a name and a passcode.
    Passcode {
        /// The name.
        username: String,
        /// What proves it.
        passcode: Secret,
    },
    /// 3: a Kerberos service ticket, which is not looked at.
    Kerberos,
    /// 4: a SAML assertion, which is not looked at.
    Saml,
    /// 5: a JSON Web Token.
    Token(Secret),
    /// Any other number.
    Unknown(u8),
}

impl IdentityClaim {
    /// Its kind; `None` for those that nobody here can verify.
    #[must_use]
    pub fn kind(&self) -> Option<IdentityKind> {
        match self {
            Self::Username(_) => Some(IdentityKind::Username),
            Self::Passcode { .. } => Some(IdentityKind::Passcode),
            Self::Token(_) => Some(IdentityKind::Token),
            Self::Kerberos | Self::Saml | Self::Unknown(_) => None,
        }
    }

    /// Its kind in words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Username(_) => "a username",
            Self::Passcode { .. } => "a username with passcode",
            Self::Kerberos => "a Kerberos ticket",
            Self::Saml => "a SAML assertion",
            Self::Token(_) => "a JSON Web Token",
            Self::Unknown(_) => "an identity of unknown type",
        }
    }
}

/// Why an identity is not accepted. The text is for the log; the peer only hears that it is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityFault {
    /// The claim is wrong: it will be wrong the next time, too.
    #[error("{0}")]
    Refused(String),
    /// It cannot be checked at the moment.
    #[error("it cannot be checked now: {0}")]
    Unavailable(String),
}

/// Checks user identities. Calls may take a tenth of a second: whoever calls keeps them off the network's threads.
pub trait Identities: fmt::Debug + Send + Sync + 'static {
    /// The name of the user, when the claim is true.
    ///
    /// # Errors
    /// [`IdentityFault`].
    fn check(&self, claim: &IdentityClaim) -> Result<String, IdentityFault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let passcode = Secret::new(b"swordfish".to_vec());
        let claim = IdentityClaim::Passcode { username: "ct1".into(), passcode };
        let shown = format!("{claim:?}");
        assert!(shown.contains("ct1") && shown.contains("***") && !shown.contains("swordfish"));
        assert!(!shown.contains("115"), "not as numbers either: {shown}");
    }
}
