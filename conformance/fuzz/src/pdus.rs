//! A stream of PDUs, and the negotiation of what is in it.
//!
//! The first byte is the length of the pieces in which the stream arrives. How it is cut must make no difference.

use dimse::{
    Acceptor, AssociateAccept, AssociateRequest, ContextAnswer, ContextOutcome, Fragment, Framer,
    Part, Pdu, RejectionReason, negotiate,
};

/// Longest P-DATA-TF that is taken, in bytes.
const P_DATA_BYTES_MAX: u32 = 16_384;

/// Frames a stream whole and in pieces, and answers every A-ASSOCIATE-RQ in it.
pub fn run(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else { return };
    let whole = read(stream, stream.len().max(1));
    assert_eq!(whole, read(stream, usize::from(*cut).max(1)), "pieces make a difference");
    for event in &whole {
        match event {
            Event::Pdu(Pdu::AssociateRequest(request)) => answer(request),
            Event::Pdu(Pdu::AssociateAccept(accept)) => {
                assert_eq!(decoded(&accept.encode()), Some(Pdu::AssociateAccept(accept.clone())));
            }
            Event::Pdu(_) | Event::Bytes(..) | Event::Refused(_) => {}
        }
    }
}

/// What is found in a stream, however it arrives.
#[derive(Debug, PartialEq)]
enum Event {
    Pdu(Pdu),
    /// All bytes of a fragment that came.
    Bytes(Fragment, Vec<u8>),
    Refused(String),
}

fn read(stream: &[u8], piece_bytes: usize) -> Vec<Event> {
    let (mut framer, mut events) = (Framer::new(P_DATA_BYTES_MAX), Vec::new());
    let mut open = None;
    for piece in stream.chunks(piece_bytes) {
        if let Err(reason) = take(&mut framer, piece, &mut open, &mut events) {
            // How much of a fragment came before depends on the pieces.
            events.push(Event::Refused(reason));
            return events;
        }
    }
    events.extend(open.map(|(fragment, bytes)| Event::Bytes(fragment, bytes)));
    events
}

fn take(
    framer: &mut Framer,
    mut rest: &[u8],
    open: &mut Option<(Fragment, Vec<u8>)>,
    events: &mut Vec<Event>,
) -> Result<(), String> {
    loop {
        let framed = framer.next(rest).map_err(|error| error.to_string())?;
        match framed.part {
            None => {
                assert_eq!(framed.used, rest.len(), "all input is used up, or a part is complete");
                return Ok(());
            }
            Some(Part::Pdu(pdu)) => events.push(Event::Pdu(pdu)),
            Some(Part::Fragment { fragment, bytes, ends }) => {
                let (_, all) = open.get_or_insert_with(|| (fragment, Vec::new()));
                all.extend_from_slice(&rest[bytes]);
                if ends {
                    events.extend(open.take().map(|(fragment, all)| Event::Bytes(fragment, all)));
                }
            }
        }
        rest = &rest[framed.used..];
    }
}

/// The only PDU of some bytes.
fn decoded(bytes: &[u8]) -> Option<Pdu> {
    match Framer::new(P_DATA_BYTES_MAX).next(bytes).ok()?.part? {
        Part::Pdu(pdu) => Some(pdu),
        Part::Fragment { .. } => None,
    }
}

/// An acceptor that takes some of everything.
struct Picky;

impl Acceptor for Picky {
    fn admit(&self, request: &AssociateRequest) -> Result<(), RejectionReason> {
        if request.calling == "NOBODY" {
            return Err(RejectionReason::CallingAeTitleNotRecognized);
        }
        Ok(())
    }

    fn takes_abstract_syntax(&self, uid: &str) -> bool {
        !uid.len().is_multiple_of(4)
    }

    fn takes_transfer_syntax(&self, _: &str, uid: &str) -> bool {
        !uid.len().is_multiple_of(3) && uid.len() <= 64
    }

    fn pdu_length_max(&self) -> u32 {
        P_DATA_BYTES_MAX
    }
}

/// The answer to a request can be read, and says of each context what was agreed.
fn answer(request: &AssociateRequest) {
    let Ok(negotiated) = negotiate(request, &Picky) else { return };
    let Some(Pdu::AssociateAccept(read)) = decoded(&negotiated.accept.encode()) else {
        panic!("an A-ASSOCIATE-AC that nobody can read: {:?}", negotiated.accept);
    };
    let AssociateAccept { contexts, .. } = &negotiated.accept;
    let said = |answer: &ContextAnswer| {
        let accepted = answer.outcome == ContextOutcome::Acceptance;
        (answer.id, answer.outcome, accepted.then(|| answer.transfer_syntax.clone()))
    };
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (contexts.iter().map(said).collect(), read.contexts.iter().map(said).collect());
    assert_eq!(ours, theirs);
}
