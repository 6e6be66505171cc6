//! A-ASSOCIATE-RJ and A-ABORT: their codes as values (PS3.8 §9.3.4 and §9.3.8).

use std::fmt;

/// Result, Source and Reason of an A-ASSOCIATE-RJ (PS3.8 Table 9-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// 1 rejected-permanent, 2 rejected-transient.
    pub result: u8,
    /// 1 service-user, 2 service-provider (ACSE), 3 service-provider (presentation).
    pub source: u8,
    /// Its meaning depends on the source.
    pub reason: u8,
}

/// The rejections that we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionReason {
    /// Permanent: the Application Context Name is not DICOM's.
    ApplicationContextNotSupported,
    /// Permanent: a name that we know, from an address or with a certificate that we do not.
    NoReasonGiven,
    /// Permanent: the user identity is missing or not accepted (PS3.7 §D.3.3.7).
    UserIdentityRefused,
    /// Transient: the user identity cannot be checked now.
    UserIdentityUnchecked,
    /// Permanent: nobody we know.
    CallingAeTitleNotRecognized,
    /// Permanent: not our title.
    CalledAeTitleNotRecognized,
    /// Permanent: bit 0 of Protocol-version is not set.
    ProtocolVersionNotSupported,
    /// Transient: a limit is reached, try again later.
    LocalLimitExceeded,
}

impl From<RejectionReason> for Rejection {
    fn from(reason: RejectionReason) -> Self {
        let (result, source, reason) = match reason {
            RejectionReason::ApplicationContextNotSupported => (1, 1, 2),
            RejectionReason::NoReasonGiven => (1, 1, 1),
            RejectionReason::UserIdentityRefused => (1, 2, 1),
            RejectionReason::UserIdentityUnchecked => (2, 2, 1),
            RejectionReason::CallingAeTitleNotRecognized => (1, 1, 3),
            RejectionReason::CalledAeTitleNotRecognized => (1, 1, 7),
            RejectionReason::ProtocolVersionNotSupported => (1, 2, 2),
            RejectionReason::LocalLimitExceeded => (2, 3, 2),
        };
        Self { result, source, reason }
    }
}

impl Rejection {
    /// The peer may try again later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        self.result == 2
    }

    /// The PDU.
    #[must_use]
    pub fn encode(self) -> [u8; 10] {
        [3, 0, 0, 0, 0, 4, 0, self.result, self.source, self.reason]
    }

    /// From the bytes behind the PDU header.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        match *body {
            [_, result, source, reason, ..] => Some(Self { result, source, reason }),
            _ => None,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lasting = if self.is_transient() { "transient" } else { "permanent" };
        let reason = match (self.source, self.reason) {
            (1 | 2, 1) => "no reason given",
            (1, 2) => "application context name not supported",
            (1, 3) => "calling AE title not recognized",
            (1, 7) => "called AE title not recognized",
            (2, 2) => "protocol version not supported",
            (3, 1) => "temporary congestion",
            (3, 2) => "local limit exceeded",
            (source, reason) => return write!(f, "{lasting}, source {source}, reason {reason}"),
        };
        write!(f, "{lasting}: {reason}")
    }
}

/// Source and Reason of an A-ABORT (PS3.8 Table 9-26).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort {
    /// 0 service-user, 2 service-provider.
    pub source: u8,
    /// Not significant when the source is the service-user.
    pub reason: u8,
}

impl Abort {
    /// From the service-user.
    pub const SERVICE_USER: Self = Self { source: 0, reason: 0 };
    /// From the service-provider, reason not specified.
    pub const SERVICE_PROVIDER: Self = Self { source: 2, reason: 0 };
    /// Unrecognized PDU.
    pub const UNRECOGNIZED_PDU: Self = Self { source: 2, reason: 1 };
    /// Unexpected PDU.
    pub const UNEXPECTED_PDU: Self = Self { source: 2, reason: 2 };
    /// Unexpected PDU parameter.
    pub const UNEXPECTED_PDU_PARAMETER: Self = Self { source: 2, reason: 5 };
    /// Invalid PDU parameter value.
    pub const INVALID_PDU_PARAMETER: Self = Self { source: 2, reason: 6 };

    /// The PDU.
    #[must_use]
    pub fn encode(self) -> [u8; 10] {
        [7, 0, 0, 0, 0, 4, 0, 0, self.source, self.reason]
    }

    /// From the bytes behind the PDU header.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        match *body {
            [_, _, source, reason, ..] => Some(Self { source, reason }),
            _ => None,
        }
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.source, self.reason) {
            (0, _) => "by the service-user",
            (2, 0) => "by the service-provider",
            (2, 1) => "unrecognized PDU",
            (2, 2) => "unexpected PDU",
            (2, 4) => "unrecognized PDU parameter",
            (2, 5) => "unexpected PDU parameter",
            (2, 6) => "invalid PDU parameter value",
            (source, reason) => return write!(f, "source {source}, reason {reason}"),
        };
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard() {
        let codes = |reason: RejectionReason| Rejection::from(reason).encode()[7..].to_vec();
        assert_eq!(codes(RejectionReason::LocalLimitExceeded), [2, 3, 2]);
        assert_eq!(codes(RejectionReason::CallingAeTitleNotRecognized), [1, 1, 3]);
        assert_eq!(codes(RejectionReason::CalledAeTitleNotRecognized), [1, 1, 7]);
        assert_eq!(codes(RejectionReason::NoReasonGiven), [1, 1, 1]);
        assert_eq!(codes(RejectionReason::UserIdentityRefused), [1, 2, 1]);
        assert_eq!(codes(RejectionReason::UserIdentityUnchecked), [2, 2, 1]);
        assert_eq!(codes(RejectionReason::ApplicationContextNotSupported), [1, 1, 2]);
        assert_eq!(codes(RejectionReason::ProtocolVersionNotSupported), [1, 2, 2]);
        assert_eq!(Abort::UNEXPECTED_PDU.encode(), [7, 0, 0, 0, 0, 4, 0, 0, 2, 2]);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let rejection = Rejection::from(RejectionReason::LocalLimitExceeded);
        assert_eq!(Rejection::decode(&rejection.encode()[6..]), Some(rejection));
        assert_eq!(rejection.to_string(), "transient: local limit exceeded");
        assert_eq!(
            Abort::decode(&Abort::UNRECOGNIZED_PDU.encode()[6..]),
            Some(Abort::UNRECOGNIZED_PDU)
        );
        assert_eq!(Abort::decode(&[0, 0, 2]), None);
    }
}
