//! What we agree to: titles as configured, peers of the table, and of Verification, the Storage SOP Classes and Storage
//! Commitment what the peer may.

use std::net::IpAddr;

use dimse::{Acceptor, AssociateRequest, RejectionReason, Roles};
use domain::{AeTitle, Allowance, Caller, CertificateFacts, CommitmentRoles, Stranger};

use crate::ScpSettings;
use crate::storage;

/// Who came in, before it has said a word.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) address: IpAddr,
    /// Verified; `None` over a plain connection, and where it showed none.
    pub(crate) certificate: Option<CertificateFacts>,
}

/// The titles of an Association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Titles {
    pub(crate) called: AeTitle,
    pub(crate) calling: AeTitle,
}

/// A requestor that is let in: under which titles, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Welcome<'a> {
    pub(crate) titles: Titles,
    /// Its place in the table of peers, where there is one.
    pub(crate) peer: Option<usize>,
    pub(crate) allowance: &'a Allowance,
}

impl<'a> Welcome<'a> {
    /// Who the requestor is, or why it is not welcome.
    pub(crate) fn of(
        settings: &'a ScpSettings,
        visitor: &Visitor,
        request: &AssociateRequest,
    ) -> Result<Self, RejectionReason> {
        let called = listed(&request.called, &settings.called)
            .ok_or(RejectionReason::CalledAeTitleNotRecognized)?;
        let calling = listed(&request.calling, &settings.calling)
            .ok_or(RejectionReason::CallingAeTitleNotRecognized)?;
        let Visitor { address, certificate } = visitor.clone();
        let caller = Caller { calling: calling.clone(), address, certificate };
        let peer = settings.peers.find(&caller).map_err(|stranger| match stranger {
            Stranger::Title => RejectionReason::CallingAeTitleNotRecognized,
            Stranger::AddressOrCertificate => RejectionReason::NoReasonGiven,
        })?;
        let rule = peer.and_then(|index| settings.peers.0.get(index));
        let allowance = rule.map_or(&settings.everyone, |rule| &rule.allowance);
        Ok(Self { titles: Titles { called, calling }, peer, allowance })
    }
}

/// The title, if it is one and the list has it or has none.
fn listed(title: &str, list: &[AeTitle]) -> Option<AeTitle> {
    let title = AeTitle::parse(title).ok()?;
    (list.is_empty() || list.contains(&title)).then_some(title)
}

/// The settings as an association-acceptor for one requestor.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    pub(crate) settings: &'a ScpSettings,
    /// What peers may do about storage commitment.
    pub(crate) commitment: CommitmentRoles,
    pub(crate) welcome: &'a Result<Welcome<'a>, RejectionReason>,
}

impl Acceptor for Admission<'_> {
    fn admit(&self, _: &AssociateRequest) -> Result<(), RejectionReason> {
        self.welcome.as_ref().map(|_| ()).map_err(|reason| *reason)
    }

    fn takes_abstract_syntax(&self, uid: &str) -> bool {
        let ours = uid == dimse::uids::VERIFICATION
            || storage::is_storage(uid)
            || (uid == dimse::uids::STORAGE_COMMITMENT && self.commitment.any());
        ours && self.welcome.as_ref().is_ok_and(|welcome| welcome.allowance.allows(uid))
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
    use domain::{Limits, PeerRule, PeerTable, Service};

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

    fn title(text: &str) -> AeTitle {
        AeTitle::parse(text).unwrap()
    }

    fn visitor(address: &str) -> Visitor {
        Visitor { address: address.parse().unwrap(), certificate: None }
    }

    fn verdict(settings: &ScpSettings, called: &str, calling: &str) -> Option<RejectionReason> {
        Welcome::of(settings, &visitor("10.0.0.1"), &request(called, calling)).err()
    }

    #[test]
    fn storage_commitment_is_ours_in_the_roles_that_are_wanted() {
        let settings = ScpSettings::new(Limits::default());
        let welcome = Welcome::of(&settings, &visitor("10.0.0.1"), &request("NODE", "PACS"));
        let class = dimse::uids::STORAGE_COMMITMENT;
        for (may_ask, may_report) in [(false, false), (true, false), (false, true), (true, true)] {
            let commitment = CommitmentRoles { may_ask, may_report };
            let admission = Admission { settings: &settings, commitment, welcome: &welcome };
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
        let mut settings = ScpSettings::new(Limits::default());
        settings.called.push(title("NODE"));
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

    #[test]
    fn peers_decide_what_is_taken() {
        let rule = PeerRule {
            name: "echo only".into(),
            calling: vec![title("CT1")],
            addresses: vec!["10.0.0.0/8".parse().unwrap()],
            fingerprints: vec![],
            certificate_names: vec![],
            allowance: Allowance { services: vec![Service::Verification], ..Allowance::default() },
        };
        let settings =
            ScpSettings { peers: PeerTable(vec![rule]), ..ScpSettings::new(Limits::default()) };
        let unknown = Some(RejectionReason::CallingAeTitleNotRecognized);
        assert_eq!(verdict(&settings, "NODE", "CT2"), unknown);
        let elsewhere = Welcome::of(&settings, &visitor("11.0.0.1"), &request("NODE", "CT1"));
        assert_eq!(elsewhere.err(), Some(RejectionReason::NoReasonGiven));
        let welcome = Welcome::of(&settings, &visitor("10.0.0.1"), &request("NODE", "CT1"));
        let commitment = CommitmentRoles { may_ask: true, may_report: true };
        let admission = Admission { settings: &settings, commitment, welcome: &welcome };
        assert!(admission.takes_abstract_syntax(dimse::uids::VERIFICATION));
        assert!(!admission.takes_abstract_syntax(dimse::uids::STORAGE_COMMITMENT));
        assert!(!admission.takes_abstract_syntax("1.2.840.10008.5.1.4.1.1.2"));
    }
}
