//! The asynchronous operations window (PS3.7 §D.3.3.3): how many operations may be outstanding at a time.
//!
//! Without it one is, in each direction. A pure value and its sub-item.

use crate::item::{kind, put_item};

/// Both directions, as the association-requestor sees them; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationsWindow {
    /// Most operations that the requestor may have invoked and that are not answered.
    pub invoked: u16,
    /// Most operations that it performs at a time, so that the acceptor may have invoked as many.
    pub performed: u16,
}

impl OperationsWindow {
    /// What an acceptor agrees to that performs and invokes at most so many at a time: never more than was proposed.
    #[must_use]
    pub fn within(self, performed_max: u16, invoked_max: u16) -> Self {
        Self {
            invoked: fewer(self.invoked, performed_max),
            performed: fewer(self.performed, invoked_max),
        }
    }

    /// Appends the sub-item.
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        put_item(out, kind::OPERATIONS_WINDOW, |value| {
            value.extend_from_slice(&self.invoked.to_be_bytes());
            value.extend_from_slice(&self.performed.to_be_bytes());
        });
    }

    /// From the value of a sub-item; `None` when it is too short to be one.
    pub(crate) fn take(value: &[u8]) -> Option<Self> {
        let &[a, b, c, d, ..] = value else { return None };
        Some(Self { invoked: u16::from_be_bytes([a, b]), performed: u16::from_be_bytes([c, d]) })
    }
}

/// The smaller of two bounds, of which 0 is none.
fn fewer(one: u16, other: u16) -> u16 {
    match (one, other) {
        (0, bound) | (bound, 0) => bound,
        (one, other) => one.min(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_agreed_is_never_more_than_either_wants() {
        let table = [
            ((0, 0), (16, 1)),
            ((1, 1), (1, 1)),
            ((8, 8), (8, 1)),
            ((16, 0), (16, 1)),
            ((17, 5), (16, 1)),
            ((65_535, 65_535), (16, 1)),
        ];
        for ((invoked, performed), want) in table {
            let agreed = OperationsWindow { invoked, performed }.within(16, 1);
            assert_eq!((agreed.invoked, agreed.performed), want, "{invoked} {performed}");
        }
        let unbounded = OperationsWindow { invoked: 0, performed: 3 }.within(0, 0);
        assert_eq!(unbounded, OperationsWindow { invoked: 0, performed: 3 });
    }

    #[test]
    fn a_sub_item_as_bytes() {
        let window = OperationsWindow { invoked: 0x0102, performed: 3 };
        let mut bytes = Vec::new();
        window.put(&mut bytes);
        assert_eq!(bytes, b"\x53\0\0\x04\x01\x02\0\x03");
        assert_eq!(OperationsWindow::take(&bytes[4..]), Some(window));
        assert_eq!(OperationsWindow::take(b"\0\x01\0"), None);
    }
}
