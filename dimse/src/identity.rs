//! User Identity Negotiation sub-items (PS3.7 §D.3.3.7): the claim of the requestor, the response of the acceptor.

use domain::{IdentityClaim, Secret};

use crate::ProtocolError;
use crate::item::take;

/// What the user information says of the user's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityItem {
    /// In requests: who the user is.
    Claim(UserIdentity),
    /// In answers, and only where it was asked for: Server-response to an identity that was accepted.
    Response(Vec<u8>),
}

/// User identity as it is requested (PS3.7 §D.3.3.7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIdentity {
    /// Who the user is, and what shall prove it.
    pub claim: IdentityClaim,
    /// Positive-response-requested: the acceptor is to say that it looked at the claim.
    pub wants_response: bool,
}

impl UserIdentity {
    /// From the value of the sub-item.
    pub(crate) fn decode(value: &[u8]) -> Result<Self, ProtocolError> {
        let mut rest = value;
        let &[number, response] = take(&mut rest, 2)? else {
            return Err(ProtocolError::InvalidPdu("a short User Identity sub-item"));
        };
        let primary = take_field(&mut rest)?;
        let secondary = take_field(&mut rest)?;
        Ok(Self { claim: claim(number, primary, secondary), wants_response: response == 1 })
    }

    /// The value of the sub-item.
    pub(crate) fn put(&self, value: &mut Vec<u8>) {
        let nothing: &[u8] = &[];
        let (number, primary, secondary) = match &self.claim {
            IdentityClaim::Username(name) => (1, name.as_bytes(), nothing),
            IdentityClaim::Passcode { username, passcode } => {
                (2, username.as_bytes(), passcode.expose())
            }
            IdentityClaim::Kerberos => (3, nothing, nothing),
            IdentityClaim::Saml => (4, nothing, nothing),
            IdentityClaim::Token(token) => (5, token.expose(), nothing),
            IdentityClaim::Unknown(number) => (*number, nothing, nothing),
        };
        value.extend_from_slice(&[number, u8::from(self.wants_response)]);
        put_field(value, primary);
        put_field(value, secondary);
    }
}

fn claim(number: u8, primary: &[u8], secondary: &[u8]) -> IdentityClaim {
    // Names are UTF-8; what is not is no name that anybody has.
    let name = || String::from_utf8_lossy(primary).into_owned();
    match number {
        1 => IdentityClaim::Username(name()),
        2 => {
            let passcode = Secret::new(secondary.to_vec());
            IdentityClaim::Passcode { username: name(), passcode }
        }
        3 => IdentityClaim::Kerberos,
        4 => IdentityClaim::Saml,
        5 => IdentityClaim::Token(Secret::new(primary.to_vec())),
        other => IdentityClaim::Unknown(other),
    }
}

/// Takes a field with its length in front (16 bits).
fn take_field<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], ProtocolError> {
    match *take(rest, 2)? {
        [high, low] => take(rest, usize::from(u16::from_be_bytes([high, low]))),
        _ => Ok(&[]),
    }
}

/// Appends a field with its length in front; one longer than the length can say is cut.
fn put_field(value: &mut Vec<u8>, field: &[u8]) {
    let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
    value.extend_from_slice(&length.to_be_bytes());
    value.extend_from_slice(field.get(..usize::from(length)).unwrap_or(field));
}

/// Server-response of an acceptor's sub-item (PS3.7 §D.3.3.7.2): empty for usernames and passcodes.
pub(crate) fn decode_response(value: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut rest = value;
    take_field(&mut rest).map(<[u8]>::to_vec)
}

/// Appends the value of an acceptor's sub-item.
pub(crate) fn put_response(value: &mut Vec<u8>, response: &[u8]) {
    put_field(value, response);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(identity: &UserIdentity) -> Vec<u8> {
        let mut value = Vec::new();
        identity.put(&mut value);
        value
    }

    #[test]
    fn a_username_with_passcode_as_bytes() {
        let passcode = Secret::new(b"pass".to_vec());
        let claim = IdentityClaim::Passcode { username: "ct1".into(), passcode };
        let identity = UserIdentity { claim, wants_response: true };
        assert_eq!(bytes(&identity), b"\x02\x01\0\x03ct1\0\x04pass");
        assert_eq!(UserIdentity::decode(b"\x02\x01\0\x03ct1\0\x04pass"), Ok(identity));
    }

    #[test]
    fn every_type_is_read_as_it_is_written() {
        let token = IdentityClaim::Token(Secret::new(b"a.b.c".to_vec()));
        let claims = [
            IdentityClaim::Username("Müller".into()),
            IdentityClaim::Kerberos,
            IdentityClaim::Saml,
            token,
            IdentityClaim::Unknown(9),
        ];
        for claim in claims {
            let identity = UserIdentity { claim, wants_response: false };
            assert_eq!(UserIdentity::decode(&bytes(&identity)), Ok(identity));
        }
    }

    #[test]
    fn what_ends_too_early_is_an_error() {
        let whole = b"\x02\x01\0\x03ct1\0\x04pass";
        for end in 0..whole.len() {
            assert!(UserIdentity::decode(&whole[..end]).is_err(), "{end}");
        }
        assert!(decode_response(b"\0\x05abc").is_err());
        assert_eq!(decode_response(b"\0\x03abc"), Ok(b"abc".to_vec()));
    }

    #[test]
    fn fields_that_do_not_fit_are_cut() {
        let claim = IdentityClaim::Token(Secret::new(vec![b'a'; 70_000]));
        let value = bytes(&UserIdentity { claim, wants_response: false });
        assert_eq!(value.len(), 2 + 2 + 65_535 + 2);
    }
}
