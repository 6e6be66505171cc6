//! Which presentation contexts a list of instances needs, and which instances fit into one Association.

use std::collections::BTreeMap;

use dimse::ProposedContext;
use domain::{InstanceIdentity, SopClassUid, TransferSyntaxUid};

use crate::Outgoing;

/// Presentation contexts of an Association: odd numbers of one byte (PS3.8 §9.3.2.2).
const CONTEXTS_MAX: usize = 128;

/// One presentation context for each SOP class and transfer syntax, so that the acceptor can only say yes or no to what
/// is stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Contexts(BTreeMap<(SopClassUid, TransferSyntaxUid), u8>);

impl Contexts {
    /// Makes room for an instance; false when all presentation contexts are taken.
    fn add(&mut self, identity: &InstanceIdentity) -> bool {
        self.add_syntax(identity, &identity.transfer_syntax)
    }

    /// Makes room for an instance in any of several transfer syntaxes; false when all presentation contexts are taken.
    pub(crate) fn add_syntax(
        &mut self,
        identity: &InstanceIdentity,
        syntax: &TransferSyntaxUid,
    ) -> bool {
        let key = (identity.sop_class.clone(), syntax.clone());
        let count = self.0.len();
        if !self.0.contains_key(&key) && count < CONTEXTS_MAX {
            let id = u8::try_from(count.saturating_mul(2).saturating_add(1)).unwrap_or(u8::MAX);
            self.0.insert(key.clone(), id);
        }
        self.0.contains_key(&key)
    }

    /// The Presentation Context ID of an instance as it is stored.
    pub(crate) fn id(&self, identity: &InstanceIdentity) -> Option<u8> {
        self.id_in(identity, &identity.transfer_syntax)
    }

    /// The Presentation Context ID of an instance in a transfer syntax.
    pub(crate) fn id_in(
        &self,
        identity: &InstanceIdentity,
        syntax: &TransferSyntaxUid,
    ) -> Option<u8> {
        self.0.get(&(identity.sop_class.clone(), syntax.clone())).copied()
    }

    /// What to propose.
    pub(crate) fn proposed(&self) -> Vec<ProposedContext> {
        let proposed = |((sop_class, syntax), id): (&(SopClassUid, TransferSyntaxUid), &u8)| {
            let abstract_syntax = sop_class.to_string();
            ProposedContext {
                id: *id,
                abstract_syntax,
                transfer_syntaxes: vec![syntax.to_string()],
            }
        };
        self.0.iter().map(proposed).collect()
    }
}

/// The contexts of as many instances from the front as one Association can carry, and how many these are.
pub(crate) fn batch(instances: &[Outgoing]) -> (Contexts, usize) {
    let mut contexts = Contexts::default();
    let count = instances.iter().take_while(|instance| contexts.add(&instance.identity)).count();
    (contexts, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{SeriesInstanceUid, SopInstanceUid, StudyInstanceUid};

    fn outgoing(sop_class: &str) -> Outgoing {
        let identity = InstanceIdentity {
            study: StudyInstanceUid::parse("1").unwrap(),
            series: SeriesInstanceUid::parse("1").unwrap(),
            sop_instance: SopInstanceUid::parse("1").unwrap(),
            sop_class: SopClassUid::parse(sop_class).unwrap(),
            transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
        };
        Outgoing { identity, path: "x".into() }
    }

    #[test]
    fn a_context_for_each_kind_and_odd_ids() {
        let instances = ["1.1", "1.2", "1.1"].map(outgoing);
        let (contexts, count) = batch(&instances);
        let ids: Vec<_> = instances.iter().map(|i| contexts.id(&i.identity)).collect();
        assert_eq!((count, ids), (3, vec![Some(1), Some(3), Some(1)]));
        assert_eq!(contexts.proposed().len(), 2);
    }

    #[test]
    fn kind_129_waits_for_the_next_association() {
        let instances: Vec<_> = (1..=129).map(|n| outgoing(&format!("1.{n}"))).collect();
        let (contexts, count) = batch(&instances);
        assert_eq!(count, 128);
        assert_eq!(contexts.id(&instances[127].identity), Some(255));
        assert_eq!(batch(&instances[count..]).1, 1);
        assert_eq!(batch(&[]).1, 0);
    }
}
