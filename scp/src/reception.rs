//! One C-STORE-RQ on its way in: from the command to the part that can be published, or the reason why not.
//!
//! After a fault the rest of the data set is thrown away as it comes; the Association lives on.

use dimse::Pieces;
use domain::{
    Announced, InstanceIdentity, InstanceOrigin, Intake, Limits, Part, SopClassUid, SopInstanceUid,
    TransferSyntaxUid,
};

use crate::fault::StoreFault;
use crate::peek::Peek;

/// An instance while it arrives.
pub(crate) struct Reception {
    announced: Announced,
    bytes_max: u64,
    bytes: u64,
    state: State,
}

enum State {
    /// The UIDs of the data set are not known yet.
    Peeking { part: Box<dyn Part>, peek: Peek },
    /// They are, and they are those of the command.
    Known { part: Box<dyn Part>, identity: InstanceIdentity },
    /// It will not be stored.
    Faulty(StoreFault),
}

/// What can be published.
pub(crate) struct Received {
    pub(crate) part: Box<dyn Part>,
    pub(crate) identity: InstanceIdentity,
    /// Length of the data set.
    pub(crate) bytes: u64,
}

/// What a C-STORE-RQ and its presentation context announce, where they are in order.
///
/// `context_class` is the SOP class of the presentation context.
pub(crate) fn announced(
    request: &dimse::StoreRequest,
    context_class: &str,
    transfer_syntax: &TransferSyntaxUid,
) -> Result<Announced, StoreFault> {
    let sop_class = SopClassUid::parse(&request.sop_class)
        .map_err(|_| StoreFault::CommandUid("Affected SOP Class UID"))?;
    let sop_instance = SopInstanceUid::parse(&request.sop_instance)
        .map_err(|_| StoreFault::CommandUid("Affected SOP Instance UID"))?;
    if sop_class.as_str() != context_class {
        return Err(StoreFault::OtherSopClass(sop_class.to_string()));
    }
    if !request.has_data_set {
        return Err(StoreFault::NoDataSet);
    }
    Ok(Announced { sop_class, sop_instance, transfer_syntax: transfer_syntax.clone() })
}

impl Reception {
    /// Opens a place for what was announced.
    pub(crate) fn begin(
        announced: Announced,
        origin: &InstanceOrigin,
        intake: &dyn Intake,
        limits: &Limits,
    ) -> Self {
        let state = match intake.begin(origin, &announced) {
            Ok(part) => State::Peeking { part, peek: Peek::new(limits) },
            Err(refusal) => State::Faulty(refusal.into()),
        };
        Self { announced, bytes_max: limits.instance_bytes_max, bytes: 0, state }
    }

    /// Takes bytes of the data set.
    pub(crate) fn on_bytes(&mut self, arrived: Pieces<'_>) {
        let count = u64::try_from(arrived.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(count);
        let pieces: Vec<_> = arrived.iter().collect();
        if let Err(fault) = self.take(&pieces) {
            // Dropping the part removes what was written.
            self.state = State::Faulty(fault);
        }
    }

    fn take(&mut self, arrived: &[&[u8]]) -> Result<(), StoreFault> {
        let too_long = self.bytes > self.bytes_max;
        match &mut self.state {
            State::Faulty(_) => return Ok(()),
            State::Peeking { .. } | State::Known { .. } if too_long => {
                return Err(StoreFault::TooLong(self.bytes_max));
            }
            State::Known { part, .. } => part.write(arrived)?,
            State::Peeking { part, peek } => {
                part.write(arrived)?;
                let syntax = &self.announced.transfer_syntax;
                let mut looks = arrived.iter().map(|piece| peek.on_bytes(piece, syntax));
                let known = looks.find_map(Result::transpose).transpose()?;
                if let Some(identity) = known {
                    self.know(identity)?;
                }
            }
        }
        Ok(())
    }

    fn know(&mut self, identity: InstanceIdentity) -> Result<(), StoreFault> {
        let identity = matching(identity, &self.announced)?;
        let nothing = State::Faulty(StoreFault::NoDataSet);
        self.state = match std::mem::replace(&mut self.state, nothing) {
            State::Peeking { part, .. } | State::Known { part, .. } => {
                State::Known { part, identity }
            }
            State::Faulty(fault) => State::Faulty(fault),
        };
        Ok(())
    }

    /// The data set is complete.
    pub(crate) fn end(self) -> Result<Received, StoreFault> {
        match self.state {
            State::Known { part, identity } => Ok(Received { part, identity, bytes: self.bytes }),
            State::Peeking { part, peek } => {
                let identity = peek.on_end(&self.announced.transfer_syntax)?;
                let identity = matching(identity, &self.announced)?;
                Ok(Received { part, identity, bytes: self.bytes })
            }
            State::Faulty(fault) => Err(fault),
        }
    }
}

fn matching(
    identity: InstanceIdentity,
    announced: &Announced,
) -> Result<InstanceIdentity, StoreFault> {
    if identity.sop_class != announced.sop_class {
        return Err(StoreFault::Mismatch("SOP Class UID"));
    }
    if identity.sop_instance != announced.sop_instance {
        return Err(StoreFault::Mismatch("SOP Instance UID"));
    }
    Ok(identity)
}
