//! Verbs 1 and 2: what `scp` hands over goes into the spool, and word of it to the assembling thread.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use domain::{
    Announced, AssociationId, InstanceIdentity, InstanceOrigin, Intake, Part, Parting, Refusal,
    SharedCommitments, SpooledInstance, Stored,
};
use spool::{Change, OnStored, PartFile, Published, Spool, SpoolError};

use crate::commitments::LedgerCommitments;

/// What the assembling thread is told.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// An instance is on stable storage and is new or newer.
    Instance {
        /// The instance.
        instance: Box<SpooledInstance>,
        /// Over which association it came.
        association: AssociationId,
    },
    /// An association ended.
    AssociationClosed(AssociationId, Parting),
    /// The node stops.
    Stop,
}

/// The node's intake: files in the spool.
#[derive(Debug)]
pub(crate) struct SpoolIntake {
    spool: Arc<Spool>,
    arrivals: Sender<Arrival>,
    commitments: Arc<LedgerCommitments>,
}

impl SpoolIntake {
    /// An intake into `spool` that tells `arrivals`.
    pub(crate) fn new(
        spool: Arc<Spool>,
        arrivals: Sender<Arrival>,
        commitments: Arc<LedgerCommitments>,
    ) -> Self {
        Self { spool, arrivals, commitments }
    }
}

impl Intake for SpoolIntake {
    fn room(&self) -> Result<(), Refusal> {
        self.spool.room().map_err(|error| refusal(&error))
    }

    fn begin(
        &self,
        origin: &InstanceOrigin,
        announced: &Announced,
    ) -> Result<Box<dyn Part>, Refusal> {
        let file = self.spool.begin(announced, origin).map_err(|error| refusal(&error))?;
        let spool = Arc::clone(&self.spool);
        let arrivals = self.arrivals.clone();
        Ok(Box::new(SpoolPart { spool, arrivals, association: origin.association, file }))
    }

    fn commitments(&self) -> Option<SharedCommitments> {
        let commitments: SharedCommitments = Arc::<LedgerCommitments>::clone(&self.commitments);
        Some(commitments)
    }

    fn association_closed(&self, association: AssociationId, parting: Parting) {
        let arrivals = self.arrivals.clone();
        // Behind word of its instances.
        self.spool.when_recorded(move || {
            // Nobody listens any more only while the node stops; the spool is read again at the next start.
            drop(arrivals.send(Arrival::AssociationClosed(association, parting)));
        });
    }
}

struct SpoolPart {
    spool: Arc<Spool>,
    arrivals: Sender<Arrival>,
    association: AssociationId,
    file: PartFile,
}

impl Part for SpoolPart {
    fn write(&mut self, data_set_bytes: &[&[u8]]) -> Result<(), Refusal> {
        self.file.write(data_set_bytes).map_err(|error| refusal(&error))
    }

    fn publish(self: Box<Self>, identity: InstanceIdentity, stored: Stored) {
        let Self { spool, arrivals, association, file } = *self;
        let stored = OnStored {
            answer: Box::new(move |answer| stored(answer.map_err(|error| refusal(&error)))),
            recorded: Box::new(move |published| announce(&published, association, &arrivals)),
        };
        spool.publish(file, identity, stored);
    }
}

/// Tells the assembling thread, before the end of the association.
fn announce(published: &Published, association: AssociationId, arrivals: &Sender<Arrival>) {
    match published.change {
        Change::Identical => {}
        Change::New | Change::Replaced => {
            let instance = Box::new(published.instance.clone());
            drop(arrivals.send(Arrival::Instance { instance, association }));
        }
    }
}

fn refusal(error: &SpoolError) -> Refusal {
    let text = error.to_string();
    if error.is_no_room() {
        Refusal::OutOfResources(text)
    } else {
        tracing::error!(error = %text, "the spool failed");
        Refusal::ProcessingFailure(text)
    }
}
