//! The association-acceptor's negotiation as a pure function: a request in, the PDU to send and what was agreed out
//! (PS3.8 §7.1.1 and §9.3.3).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    AssociateAccept, AssociateRequest, ContextAnswer, ContextOutcome, OperationsWindow,
    ProposedContext, Rejection, RejectionReason, RoleSelection, Roles, UserInformation, uids,
};

/// What the acceptor takes.
pub trait Acceptor {
    /// Is this requestor welcome under these titles?
    ///
    /// # Errors
    /// The reason why not.
    fn admit(&self, request: &AssociateRequest) -> Result<(), RejectionReason>;

    /// Is this SOP class ours?
    fn takes_abstract_syntax(&self, uid: &str) -> bool;

    /// Can we receive data sets of this SOP class in this transfer syntax?
    fn takes_transfer_syntax(&self, abstract_syntax: &str, uid: &str) -> bool;

    /// Longest P-DATA-TF that we take, in bytes.
    fn pdu_length_max(&self) -> u32;

    /// Roles that the requestor may have for this SOP class.
    fn roles(&self, _abstract_syntax: &str) -> Roles {
        Roles::SCU
    }

    /// Most operations that the requestor may have outstanding, if it negotiates that.
    fn operations_max(&self) -> u16 {
        1
    }
}

/// A presentation context that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedContext {
    /// The SOP Class UID.
    pub abstract_syntax: String,
    /// The transfer syntax of its data sets.
    pub transfer_syntax: String,
}

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The answer to send. It accepts the Association even if no presentation context is accepted (PS3.8 §7.1.1.13).
    pub accept: AssociateAccept,
    /// Accepted presentation contexts by their ID.
    pub contexts: BTreeMap<u8, AcceptedContext>,
    /// Longest P-DATA-TF that the requestor takes, in bytes; 0 is no limit.
    pub peer_pdu_length_max: u32,
    /// Most operations that the requestor may have outstanding, at least 1.
    pub operations_max: u16,
}

/// Answers an A-ASSOCIATE-RQ. Of several transfer syntaxes the requestor's first acceptable one is taken.
///
/// # Errors
/// The A-ASSOCIATE-RJ to send.
pub fn negotiate(
    request: &AssociateRequest,
    acceptor: &dyn Acceptor,
) -> Result<Negotiated, Rejection> {
    if request.protocol_version & 1 == 0 {
        return Err(RejectionReason::ProtocolVersionNotSupported.into());
    }
    if request.application_context != uids::APPLICATION_CONTEXT {
        return Err(RejectionReason::ApplicationContextNotSupported.into());
    }
    acceptor.admit(request)?;
    let mut contexts = BTreeMap::new();
    let mut answers = Vec::new();
    for proposed in &request.contexts {
        let judged = match contexts.entry(proposed.id) {
            Entry::Occupied(_) => Err(ContextOutcome::NoReason),
            Entry::Vacant(free) => judge(proposed, acceptor).map(|context| free.insert(context)),
        };
        answers.push(answer(proposed, judged.map(|context| &*context)));
    }
    // We invoke one operation at a time.
    let window = |window: OperationsWindow| window.within(acceptor.operations_max().max(1), 1);
    let operations_window = request.user.operations_window.map(window);
    let accept = AssociateAccept {
        called: request.called.clone(),
        calling: request.calling.clone(),
        contexts: answers,
        user: UserInformation {
            operations_window,
            roles: roles(&request.user.roles, &contexts, acceptor),
            ..UserInformation::ours(acceptor.pdu_length_max())
        },
    };
    Ok(Negotiated {
        accept,
        contexts,
        peer_pdu_length_max: request.user.pdu_length_max,
        operations_max: operations_window.map_or(1, |window| window.invoked),
    })
}

/// Answers to role selections, one for each accepted SOP class: only what is proposed can be agreed to.
fn roles(
    proposed: &[RoleSelection],
    contexts: &BTreeMap<u8, AcceptedContext>,
    acceptor: &dyn Acceptor,
) -> Vec<RoleSelection> {
    let accepted: BTreeSet<&str> =
        contexts.values().map(|context| context.abstract_syntax.as_str()).collect();
    let answer = |sop_class: &str| {
        let proposed = proposed.iter().find(|proposed| proposed.sop_class == sop_class)?;
        let roles = proposed.roles.and(acceptor.roles(sop_class));
        Some(RoleSelection { sop_class: sop_class.to_owned(), roles })
    };
    accepted.into_iter().filter_map(answer).collect()
}

fn judge(
    proposed: &ProposedContext,
    acceptor: &dyn Acceptor,
) -> Result<AcceptedContext, ContextOutcome> {
    let abstract_syntax = &proposed.abstract_syntax;
    if !is_sayable(abstract_syntax) || !acceptor.takes_abstract_syntax(abstract_syntax) {
        return Err(ContextOutcome::AbstractSyntaxNotSupported);
    }
    let acceptable =
        |uid: &&String| is_sayable(uid) && acceptor.takes_transfer_syntax(abstract_syntax, uid);
    let transfer_syntax = proposed.transfer_syntaxes.iter().find(acceptable);
    let transfer_syntax =
        transfer_syntax.ok_or(ContextOutcome::TransferSyntaxesNotSupported)?.clone();
    Ok(AcceptedContext { abstract_syntax: abstract_syntax.clone(), transfer_syntax })
}

/// No longer than a UID can be, and of its character set (PS3.5 §9.1), so that an answer says it as the request did.
fn is_sayable(uid: &str) -> bool {
    uid.len() <= 64 && uid.is_ascii()
}

fn answer(
    proposed: &ProposedContext,
    judged: Result<&AcceptedContext, ContextOutcome>,
) -> ContextAnswer {
    let (outcome, transfer_syntax) = match judged {
        Ok(context) => (ContextOutcome::Acceptance, Some(&context.transfer_syntax)),
        // The transfer syntax is not significant, but its item must be there, and fit.
        Err(outcome) => (outcome, proposed.transfer_syntaxes.first().filter(|uid| is_sayable(uid))),
    };
    let transfer_syntax = transfer_syntax.map_or(uids::IMPLICIT_VR_LITTLE_ENDIAN, String::as_str);
    ContextAnswer { id: proposed.id, outcome, transfer_syntax: transfer_syntax.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ours;

    impl Acceptor for Ours {
        fn admit(&self, request: &AssociateRequest) -> Result<(), RejectionReason> {
            if request.calling == "STRANGER" {
                return Err(RejectionReason::CallingAeTitleNotRecognized);
            }
            Ok(())
        }
        fn takes_abstract_syntax(&self, uid: &str) -> bool {
            uid.starts_with("1.2")
        }
        fn takes_transfer_syntax(&self, _: &str, uid: &str) -> bool {
            uid.starts_with("1.9")
        }
        fn pdu_length_max(&self) -> u32 {
            131_072
        }
        fn roles(&self, abstract_syntax: &str) -> Roles {
            if abstract_syntax == "1.2.9" { Roles { scu: true, scp: true } } else { Roles::SCU }
        }
        fn operations_max(&self) -> u16 {
            16
        }
    }

    fn context(id: u8, abstract_syntax: &str, transfer_syntaxes: &[&str]) -> ProposedContext {
        let transfer_syntaxes = transfer_syntaxes.iter().map(|&uid| uid.to_owned()).collect();
        ProposedContext { id, abstract_syntax: abstract_syntax.into(), transfer_syntaxes }
    }

    fn request(contexts: Vec<ProposedContext>) -> AssociateRequest {
        AssociateRequest {
            protocol_version: 1,
            called: "NODE".into(),
            calling: "CT1".into(),
            application_context: uids::APPLICATION_CONTEXT.into(),
            contexts,
            user: UserInformation::ours(16_384),
        }
    }

    #[test]
    fn each_context_gets_its_answer() {
        let request = request(vec![
            context(1, "1.2.1", &["1.8", "1.9.2", "1.9.1"]),
            context(3, "1.3", &["1.9.1"]),
            context(5, "1.2.1", &["1.8"]),
            context(7, "1.2.1", &[]),
            context(1, "1.2.2", &["1.9.1"]),
        ]);
        let negotiated = negotiate(&request, &Ours).unwrap();
        let outcomes: Vec<_> = negotiated.accept.contexts.iter().map(|c| c.outcome).collect();
        use ContextOutcome as Is;
        let want = [
            Is::Acceptance,
            Is::AbstractSyntaxNotSupported,
            Is::TransferSyntaxesNotSupported,
            Is::TransferSyntaxesNotSupported,
            Is::NoReason,
        ];
        assert_eq!(outcomes, want);
        assert_eq!(negotiated.contexts.len(), 1);
        assert_eq!(negotiated.contexts[&1].transfer_syntax, "1.9.2", "the requestor's first");
        assert_eq!(negotiated.accept.user.pdu_length_max, 131_072);
        assert_eq!(negotiated.peer_pdu_length_max, 16_384);
    }

    #[test]
    fn roles_are_agreed_to_as_far_as_they_are_proposed_and_ours() {
        let class = ["1.2.9", "1.2.9", "1.2.8", "1.3"];
        let mut request = request(vec![
            context(1, class[0], &["1.9.1"]),
            context(3, class[2], &["1.9.1"]),
            context(5, class[3], &["1.9.1"]),
        ]);
        let both = Roles { scu: true, scp: true };
        let proposed = [Roles::SCP, both, both, both];
        let selections = class.iter().zip(proposed);
        request.user.roles = selections
            .map(|(class, roles)| RoleSelection { sop_class: (*class).into(), roles })
            .collect();
        let answered = negotiate(&request, &Ours).unwrap().accept.user.roles;
        // Of two selections for one class the first counts; a class that is not accepted has no answer.
        let of = |class: &str, roles| RoleSelection { sop_class: class.into(), roles };
        assert_eq!(answered, [of("1.2.8", Roles::SCU), of("1.2.9", Roles::SCP)]);
        request.user.roles.clear();
        assert_eq!(negotiate(&request, &Ours).unwrap().accept.user.roles, []);
    }

    #[test]
    fn the_operations_window_is_answered_when_it_is_proposed() {
        let mut request = request(vec![]);
        let agreed = |request: &AssociateRequest| {
            let negotiated = negotiate(request, &Ours).unwrap();
            (negotiated.operations_max, negotiated.accept.user.operations_window)
        };
        assert_eq!(agreed(&request), (1, None));
        for (proposed, want) in [(0, 16), (1, 1), (5, 5), (99, 16)] {
            let window = |invoked| Some(OperationsWindow { invoked, performed: 1 });
            request.user.operations_window = window(proposed);
            assert_eq!(agreed(&request), (want, window(want)), "{proposed}");
        }
    }

    #[test]
    fn reasons_to_reject() {
        let good = request(vec![]);
        let rejection =
            |request: AssociateRequest| negotiate(&request, &Ours).unwrap_err().to_string();
        let other = AssociateRequest { protocol_version: 2, ..good.clone() };
        assert_eq!(rejection(other), "permanent: protocol version not supported");
        let other = AssociateRequest { application_context: "1.2".into(), ..good.clone() };
        assert_eq!(rejection(other), "permanent: application context name not supported");
        let other = AssociateRequest { calling: "STRANGER".into(), ..good.clone() };
        assert_eq!(rejection(other), "permanent: calling AE title not recognized");
        assert!(negotiate(&good, &Ours).unwrap().contexts.is_empty());
    }
}
