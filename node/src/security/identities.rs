//! User identities, checked with what lies in files.

use std::sync::Arc;

use domain::{Identities, IdentityClaim, IdentityFault};
use tokio::sync::watch;
use trust::{Passcodes, TokenRules};

use crate::clock;

/// Longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 256;

/// What claims are checked with; each may be replaced at any time.
#[derive(Debug)]
pub(super) struct FileIdentities {
    pub(super) passcodes: Option<watch::Receiver<Arc<Passcodes>>>,
    pub(super) rules: Option<watch::Receiver<Arc<TokenRules>>>,
}

impl Identities for FileIdentities {
    fn check(&self, claim: &IdentityClaim) -> Result<String, IdentityFault> {
        match claim {
            IdentityClaim::Username(name) => self::name(name),
            IdentityClaim::Passcode { username, passcode } => {
                let passcodes = self.passcodes.as_ref().ok_or_else(|| without("passcodes"))?;
                let passcodes = Arc::clone(&passcodes.borrow());
                // What cannot be a name is not repeated either: it may be as long as a PDU.
                let username = name(username)?;
                if passcodes.verify(&username, passcode) {
                    return Ok(username);
                }
                // Which of the two is wrong is nobody's business.
                Err(IdentityFault::Refused(format!("no user {username:?} with this passcode")))
            }
            IdentityClaim::Token(token) => {
                let rules = self.rules.as_ref().ok_or_else(|| without("token_key"))?;
                let rules = Arc::clone(&rules.borrow());
                let user = rules.verify(token, clock::now()).map_err(IdentityFault::Refused)?;
                name(&user)
            }
            IdentityClaim::Kerberos | IdentityClaim::Saml | IdentityClaim::Unknown(_) => {
                Err(IdentityFault::Refused(format!("{} cannot be checked", claim.name())))
            }
        }
    }
}

fn without(key: &str) -> IdentityFault {
    IdentityFault::Unavailable(format!("the configuration has no identity.{key}"))
}

fn name(name: &str) -> Result<String, IdentityFault> {
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARACTERS_MAX || name.chars().any(char::is_control) {
        return Err(IdentityFault::Refused("the name of the user cannot be one".into()));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Secret;

    #[test]
    fn claims_are_checked_with_what_is_there() {
        let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
        let line = trust::passcode_line("ct1", &secret("x")).unwrap();
        let (_sender, passcodes) = watch::channel(Arc::new(Passcodes::parse(&line).unwrap()));
        let identities = FileIdentities { passcodes: Some(passcodes), rules: None };
        let claim = |name: &str, text: &str| IdentityClaim::Passcode {
            username: name.into(),
            passcode: secret(text),
        };
        assert_eq!(identities.check(&claim("ct1", "x")), Ok("ct1".into()));
        for wrong in [claim("ct1", "y"), claim("ct2", "x"), IdentityClaim::Saml] {
            assert!(matches!(identities.check(&wrong), Err(IdentityFault::Refused(_))));
        }
        let long = identities.check(&claim(&"x".repeat(60_000), "x")).unwrap_err();
        assert!(long.to_string().len() < 100, "{long}");
        let token = identities.check(&IdentityClaim::Token(secret("a.b.c")));
        assert!(matches!(token, Err(IdentityFault::Unavailable(_))));
        assert!(identities.check(&IdentityClaim::Username("a\nb".into())).is_err());
    }
}
