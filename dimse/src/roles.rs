//! SCP/SCU role selection (PS3.7 §D.3.3.4): who is what for a SOP class on an Association.
//!
//! Without it the requestor is the SCU. A pure value and its sub-item; what roles are for is not known here.

use crate::ProtocolError;
use crate::item::{kind, put_item, take, text};

/// Roles that the association-requestor has for a SOP class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// It invokes operations and takes notifications.
    pub scu: bool,
    /// It performs operations and sends notifications.
    pub scp: bool,
}

impl Roles {
    /// What holds without role selection.
    pub const SCU: Self = Self { scu: true, scp: false };
    /// The other way round.
    pub const SCP: Self = Self { scu: false, scp: true };

    /// The roles that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { scu: self.scu && other.scu, scp: self.scp && other.scp }
    }
}

/// A sub-item: what is proposed by the requestor, or what the acceptor agrees to of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSelection {
    /// SOP Class UID, as sent.
    pub sop_class: String,
    /// The requestor's roles.
    pub roles: Roles,
}

impl RoleSelection {
    /// Appends the sub-item.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_item(out, kind::ROLE_SELECTION, |value| {
            let length = u16::try_from(self.sop_class.len()).unwrap_or(u16::MAX);
            value.extend_from_slice(&length.to_be_bytes());
            value.extend_from_slice(self.sop_class.as_bytes());
            value.extend_from_slice(&[u8::from(self.roles.scu), u8::from(self.roles.scp)]);
        });
    }

    /// From the value of a sub-item. Any value but 1 is no role.
    pub(crate) fn take(value: &[u8]) -> Result<Self, ProtocolError> {
        const SHORT: ProtocolError = ProtocolError::InvalidPdu("a short role selection sub-item");
        let mut rest = value;
        let length = take(&mut rest, 2)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
        let sop_class = text(take(&mut rest, usize::from(length.unwrap_or_default()))?);
        let &[scu, scp, ..] = rest else { return Err(SHORT) };
        Ok(Self { sop_class, roles: Roles { scu: scu == 1, scp: scp == 1 } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::take_item;

    #[test]
    fn a_sub_item_as_bytes() {
        let selection = RoleSelection { sop_class: "1.2.3".into(), roles: Roles::SCP };
        let mut bytes = Vec::new();
        selection.put(&mut bytes);
        // Type, reserved, length 9; UID-length 5, the UID, SCU 0, SCP 1.
        assert_eq!(bytes, b"\x54\0\0\x09\0\x051.2.3\0\x01");
        let (_, value) = take_item(&mut bytes.as_slice()).unwrap();
        assert_eq!(RoleSelection::take(value), Ok(selection));
    }

    #[test]
    fn what_is_cut_is_an_error_and_what_is_not_1_is_no_role() {
        for value in [b"".as_slice(), b"\0", b"\0\x05\x31", b"\0\x01\x31", b"\0\x01\x31\x01"] {
            assert!(RoleSelection::take(value).is_err(), "{value:?}");
        }
        let odd = RoleSelection::take(b"\0\x01\x31\x02\xFF").unwrap();
        assert_eq!(odd.roles, Roles { scu: false, scp: false });
    }

    #[test]
    fn roles_in_common() {
        let both = Roles { scu: true, scp: true };
        assert_eq!(both.and(Roles::SCP), Roles::SCP);
        assert_eq!(Roles::SCU.and(Roles::SCP), Roles { scu: false, scp: false });
    }
}
