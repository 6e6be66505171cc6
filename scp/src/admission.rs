//! What we agree to: titles as configured, Verification and every Storage SOP Class.

use dimse::{Acceptor, AssociateRequest, RejectionReason};
use domain::AeTitle;

use crate::ScpSettings;
use crate::storage;

/// The settings as an association-acceptor.
#[derive(Debug)]
pub(crate) struct Admission<'a>(pub(crate) &'a ScpSettings);

/// The titles of an Association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Titles {
    pub(crate) called: AeTitle,
    pub(crate) calling: AeTitle,
}

impl Admission<'_> {
    /// The titles of a request that is welcome.
    pub(crate) fn titles(&self, request: &AssociateRequest) -> Result<Titles, RejectionReason> {
        let called = listed(&request.called, &self.0.called)
            .ok_or(RejectionReason::CalledAeTitleNotRecognized)?;
        let calling = listed(&request.calling, &self.0.calling)
            .ok_or(RejectionReason::CallingAeTitleNotRecognized)?;
        Ok(Titles { called, calling })
    }
}

/// The title, if it is one and the list has it or has none.
fn listed(title: &str, list: &[AeTitle]) -> Option<AeTitle> {
    let title = AeTitle::parse(title).ok()?;
    (list.is_empty() || list.contains(&title)).then_some(title)
}

impl Acceptor for Admission<'_> {
    fn admit(&self, request: &AssociateRequest) -> Result<(), RejectionReason> {
        self.titles(request).map(|_| ())
    }

    fn takes_abstract_syntax(&self, uid: &str) -> bool {
        uid == dimse::uids::VERIFICATION || storage::is_storage(uid)
    }

    fn takes_transfer_syntax(&self, _abstract_syntax: &str, uid: &str) -> bool {
        storage::is_storable_as(uid)
    }

    fn pdu_length_max(&self) -> u32 {
        self.0.limits.pdu_length_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dimse::UserInformation;
    use domain::Limits;

    fn request(called: &str, calling: &str) -> AssociateRequest {
        AssociateRequest {
            protocol_version: 1,
            called: called.into(),
            calling: calling.into(),
            application_context: dimse::uids::APPLICATION_CONTEXT.into(),
            contexts: vec![],
            user: UserInformation::ours(0),
        }
    }

    #[test]
    fn lists_of_titles_and_empty_lists() {
        let title = |text| AeTitle::parse(text).unwrap();
        let mut settings =
            ScpSettings { called: vec![title("NODE")], calling: vec![], limits: Limits::default() };
        let verdict = |settings: &ScpSettings, called, calling| {
            Admission(settings).admit(&request(called, calling)).err()
        };
        assert_eq!(verdict(&settings, "NODE", "ANY"), None);
        let called = Some(RejectionReason::CalledAeTitleNotRecognized);
        assert_eq!(verdict(&settings, "OTHER", "ANY"), called);
        assert_eq!(verdict(&settings, "", "ANY"), called);
        let calling = Some(RejectionReason::CallingAeTitleNotRecognized);
        assert_eq!(verdict(&settings, "NODE", ""), calling);
        settings.calling.push(title("CT1"));
        assert_eq!(verdict(&settings, "NODE", "CT1"), None);
        assert_eq!(verdict(&settings, "NODE", "CT2"), calling);
        settings.called.clear();
        assert_eq!(verdict(&settings, "WHATEVER", "CT1"), None);
    }
}
