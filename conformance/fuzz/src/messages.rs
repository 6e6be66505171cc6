//! DIMSE messages over P-DATA-TF, in fragments as they come: what scp reads once an Association is established.

use dimse::{Command, Framer, MessageEvent, MessageReader, Part, ProtocolError, Response, Status};

/// Longest P-DATA-TF that is taken, in bytes.
const P_DATA_BYTES_MAX: u32 = 16_384;

/// Reads messages until the stream ends or breaks a rule.
pub fn run(stream: &[u8]) {
    // Whatever breaks a rule ends the Association: that is no finding.
    drop(read(stream));
}

fn read(stream: &[u8]) -> Result<(), ProtocolError> {
    let (mut framer, mut messages) = (Framer::new(P_DATA_BYTES_MAX), MessageReader::new());
    let (mut rest, mut expects_data_set) = (stream, false);
    loop {
        let framed = framer.next(rest)?;
        let part = framed.part;
        let (input, tail) = rest.split_at(framed.used);
        match part {
            None => return Ok(()),
            Some(Part::Pdu(pdu)) => return Err(ProtocolError::UnexpectedPdu(pdu.name())),
            Some(Part::Fragment { fragment, bytes, ends }) => {
                match messages.on_fragment(fragment, &input[bytes], ends)? {
                    None => {}
                    Some(MessageEvent::Command { context_id, command }) => {
                        assert_eq!(context_id, fragment.context_id);
                        assert!(!expects_data_set, "a command within a message");
                        expects_data_set = command.has_data_set();
                        check(&command);
                    }
                    Some(MessageEvent::DataSet { is_end, .. }) => {
                        assert!(expects_data_set, "a data set that no command announced");
                        expects_data_set = !is_end;
                    }
                }
                assert!(expects_data_set || ends || !messages.is_idle());
            }
        }
        rest = tail;
    }
}

/// What we write of a command is read as the same command, and so is the answer to it.
fn check(command: &Command) {
    let once = again(command);
    assert_eq!(again(&once), once, "written and read twice");
    let response = match command {
        Command::StoreRequest(request) => {
            let comment = request.sop_instance.as_str();
            Response::to_store(request, Status::CANNOT_UNDERSTAND, comment)
        }
        Command::OtherRequest(request) => Response::to_other(request),
        Command::NormalizedRequest(request) => {
            Response::to_normalized(request, Status::CANNOT_UNDERSTAND, &request.sop_class)
        }
        Command::EchoRequest { message_id } => Response::to_echo(*message_id, true),
        Command::CancelRequest | Command::Response(_) => return,
    };
    let response = Command::Response(response);
    assert_eq!(again(&again(&response)), again(&response));
    assert!(response.encode().len() < 1024, "an answer is short");
}

fn again(command: &Command) -> Command {
    match Command::decode(&command.encode()) {
        Ok(read) => read,
        Err(error) => panic!("{command:?}: {error}"),
    }
}
