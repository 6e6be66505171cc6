//! What we agree to: titles as configured, Verification, every Storage SOP Class, and Storage Commitment where it is wanted.

use dimse::{Acceptor, AssociateRequest, RejectionReason, Roles};
use domain::{AeTitle, CommitmentRoles};

use crate::ScpSettings;
use crate::storage;

/// The settings as an association-acceptor.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    pub(crate) settings: &'a ScpSettings,
    /// What peers may do about storage commitment.
    pub(crate) commitment: CommitmentRoles,
}

/// The titles of an Association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Titles {
    pub(crate) called: AeTitle,
    pub(crate) calling: AeTitle,
}

impl Admission<'_> {
    /// The titles of a request that is welcome.
    pub(crate) fn titles(&self, request: &AssociateRequest) -> Result<Titles, RejectionReason> {
        let called = listed(&request.called, &self.settings.called)
            .ok_or(RejectionReason::CalledAeTitleNotRecognized)?;
        let calling = listed(&request.calling, &self.settings.calling)
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
        uid == dimse::uids::VERIFICATION
            || storage::is_storage(uid)
            || (uid == dimse::uids::STORAGE_COMMITMENT && self.commitment.any())
    }

    fn takes_transfer_syntax(&self, abstract_syntax: &str, uid: &str) -> bool {
        if abstract_syntax == dimse::uids::STORAGE_COMMITMENT {
            return dimse::is_commitment_syntax(uid);
        }
        storage::is_storable_as(uid)
    }

    fn pdu_length_max(&self) -> u32 {
        self.settings.limits.pdu_length_max
    }

    fn roles(&self, abstract_syntax: &str) -> Roles {
        if abstract_syntax != dimse::uids::STORAGE_COMMITMENT {
            return Roles::SCU;
        }
        // Who asks us is SCU; who reports to us is SCP.
        Roles { scu: self.commitment.may_ask, scp: self.commitment.may_report }
    }

    fn operations_max(&self) -> u16 {
        self.settings.limits.operations_max
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
    fn storage_commitment_is_ours_in_the_roles_that_are_wanted() {
        let settings = ScpSettings { called: vec![], calling: vec![], limits: Limits::default() };
        let class = dimse::uids::STORAGE_COMMITMENT;
        for (may_ask, may_report) in [(false, false), (true, false), (false, true), (true, true)] {
            let commitment = CommitmentRoles { may_ask, may_report };
            let admission = Admission { settings: &settings, commitment };
            assert_eq!(admission.takes_abstract_syntax(class), may_ask || may_report);
            assert_eq!(admission.roles(class), Roles { scu: may_ask, scp: may_report });
            assert_eq!(admission.roles(dimse::uids::VERIFICATION), Roles::SCU);
            let takes = |uid| admission.takes_transfer_syntax(class, uid);
            assert!(takes(dimse::uids::IMPLICIT_VR_LITTLE_ENDIAN));
            assert!(!takes("1.2.840.10008.1.2.4.50"));
        }
    }

    #[test]
    fn lists_of_titles_and_empty_lists() {
        let title = |text| AeTitle::parse(text).unwrap();
        let mut settings =
            ScpSettings { called: vec![title("NODE")], calling: vec![], limits: Limits::default() };
        let verdict = |settings: &ScpSettings, called, calling| {
            let commitment = CommitmentRoles::default();
            Admission { settings, commitment }.admit(&request(called, calling)).err()
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
