//! N-ACTION and N-EVENT-REPORT (PS3.7 §10.3.1 and §10.3.5): one form for both, because they differ in names alone.

use crate::element::{Elements, number};
use crate::{Response, Status};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormalizedService {
    /// N-EVENT-REPORT: the SCP tells its SCU what happened.
    EventReport,
    /// N-ACTION: the SCU asks its SCP to do something.
    Action,
}

/// N-ACTION-RQ or N-EVENT-REPORT-RQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalizedRequest {
    /// Which of the two.
    pub service: NormalizedService,
    /// Message ID.
    pub message_id: u16,
    /// Requested or Affected SOP Class UID, as sent; empty when it is absent.
    pub sop_class: String,
    /// Requested or Affected SOP Instance UID, as sent; empty when it is absent.
    pub sop_instance: String,
    /// Action Type ID or Event Type ID; `None` when it is absent.
    pub type_id: Option<u16>,
    /// A data set follows.
    pub has_data_set: bool,
}

impl NormalizedService {
    /// Command Field of the request.
    #[must_use]
    pub fn field(self) -> u16 {
        match self {
            Self::EventReport => 0x0100,
            Self::Action => 0x0130,
        }
    }

    /// The service with this Command Field.
    pub(crate) fn of(field: u16) -> Option<Self> {
        [Self::EventReport, Self::Action].into_iter().find(|service| service.field() == field)
    }

    /// The element of Action Type ID or Event Type ID.
    pub(crate) fn type_number(self) -> u16 {
        match self {
            Self::EventReport => number::EVENT_TYPE_ID,
            Self::Action => number::ACTION_TYPE_ID,
        }
    }

    /// The elements of class and instance in the request.
    fn uid_numbers(self) -> (u16, u16) {
        match self {
            Self::EventReport => {
                (number::AFFECTED_SOP_CLASS_UID, number::AFFECTED_SOP_INSTANCE_UID)
            }
            Self::Action => (number::REQUESTED_SOP_CLASS_UID, number::REQUESTED_SOP_INSTANCE_UID),
        }
    }
}

impl NormalizedRequest {
    /// From the elements of a command set.
    pub(crate) fn decode(
        service: NormalizedService,
        message_id: u16,
        elements: &Elements,
        has_data_set: bool,
    ) -> Self {
        let (sop_class, sop_instance) = service.uid_numbers();
        Self {
            service,
            message_id,
            sop_class: elements.text(sop_class).unwrap_or_default(),
            sop_instance: elements.text(sop_instance).unwrap_or_default(),
            type_id: elements.us(service.type_number()),
            has_data_set,
        }
    }

    /// Into the elements of a command set.
    pub(crate) fn put(&self, elements: &mut Elements) {
        let (sop_class, sop_instance) = self.service.uid_numbers();
        elements.put_uid(sop_class, &self.sop_class);
        elements.put_uid(sop_instance, &self.sop_instance);
        if let Some(type_id) = self.type_id {
            elements.put_us(self.service.type_number(), type_id);
        }
    }
}

impl Response {
    /// The answer to an N-ACTION-RQ or N-EVENT-REPORT-RQ. UIDs go back as they came, but not if they are no UIDs by
    /// their length.
    #[must_use]
    pub fn to_normalized(request: &NormalizedRequest, status: Status, comment: &str) -> Self {
        let uid = |text: &String| (1..=64).contains(&text.len()).then(|| text.clone());
        Self {
            request_field: request.service.field(),
            message_id: request.message_id,
            sop_class: uid(&request.sop_class),
            sop_instance: uid(&request.sop_instance),
            type_id: request.type_id,
            status,
            comment: comment.to_owned(),
            has_data_set: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    fn request(service: NormalizedService) -> NormalizedRequest {
        NormalizedRequest {
            service,
            message_id: 7,
            sop_class: "1.2.3.4".into(),
            sop_instance: "1.2.3".into(),
            type_id: Some(1),
            has_data_set: true,
        }
    }

    #[test]
    fn an_action_request_as_bytes() {
        let want = [
            b"\0\0\0\0\x04\0\0\0\x46\0\0\0".as_slice(), // Group Length: 70
            b"\0\0\x03\0\x08\0\0\x001.2.3.4\0",         // Requested SOP Class UID
            b"\0\0\0\x01\x02\0\0\0\x30\x01",            // Command Field: N-ACTION-RQ
            b"\0\0\x10\x01\x02\0\0\0\x07\0",            // Message ID: 7
            b"\0\0\0\x08\x02\0\0\0\0\0",                // Command Data Set Type: there is one
            b"\0\0\x01\x10\x06\0\0\x001.2.3\0",         // Requested SOP Instance UID
            b"\0\0\x08\x10\x02\0\0\0\x01\0",            // Action Type ID: 1
        ];
        let command = Command::NormalizedRequest(request(NormalizedService::Action));
        assert_eq!(command.encode(), want.concat());
    }

    #[test]
    fn an_event_report_request_as_bytes() {
        let want = [
            b"\0\0\0\0\x04\0\0\0\x46\0\0\0".as_slice(), // Group Length: 70
            b"\0\0\x02\0\x08\0\0\x001.2.3.4\0",         // Affected SOP Class UID
            b"\0\0\0\x01\x02\0\0\0\0\x01",              // Command Field: N-EVENT-REPORT-RQ
            b"\0\0\x10\x01\x02\0\0\0\x07\0",            // Message ID: 7
            b"\0\0\0\x08\x02\0\0\0\0\0",                // Command Data Set Type: there is one
            b"\0\0\0\x10\x06\0\0\x001.2.3\0",           // Affected SOP Instance UID
            b"\0\0\x02\x10\x02\0\0\0\x01\0",            // Event Type ID: 1
        ];
        let command = Command::NormalizedRequest(request(NormalizedService::EventReport));
        assert_eq!(command.encode(), want.concat());
    }

    #[test]
    fn what_is_written_is_read() {
        for service in [NormalizedService::Action, NormalizedService::EventReport] {
            let whole = request(service);
            let bare = NormalizedRequest { type_id: None, has_data_set: false, ..whole.clone() };
            for request in [whole, bare] {
                let response = Response::to_normalized(&request, Status(0x0112), "who?");
                let commands = [Command::NormalizedRequest(request), Command::Response(response)];
                for command in commands {
                    assert_eq!(Command::decode(&command.encode()), Ok(command));
                }
            }
        }
    }

    #[test]
    fn a_request_without_what_it_needs_can_still_be_answered() {
        let mut elements = Elements::default();
        elements.put_us(number::COMMAND_FIELD, NormalizedService::Action.field());
        elements.put_us(number::MESSAGE_ID, 9);
        elements.put_us(number::COMMAND_DATA_SET_TYPE, 0x0101);
        let Ok(Command::NormalizedRequest(request)) = Command::decode(&elements.encode()) else {
            panic!("no N-ACTION-RQ");
        };
        assert_eq!((request.sop_class.as_str(), request.type_id), ("", None));
        let response = Response::to_normalized(&request, Status(0x0118), "");
        assert_eq!((response.message_id, response.sop_class), (9, None));
    }
}
