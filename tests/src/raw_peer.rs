//! A peer that may misbehave: PDUs and messages by hand (PS3.8 §9.3, PS3.7 §9.3), every byte ours to break.

mod bulk;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// CT Image Storage.
pub const CT_IMAGE_STORAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
/// Verification.
pub const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Explicit VR Little Endian.
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// An association that we requested.
#[derive(Debug)]
pub struct RawPeer {
    stream: TcpStream,
    pdu_length_max: usize,
    message_id: u16,
    window: Option<u16>,
}

/// What came of an A-ASSOCIATE-RQ.
#[derive(Debug)]
pub enum Opened {
    /// A-ASSOCIATE-AC.
    Accepted(RawPeer),
    /// A-ASSOCIATE-RJ.
    Rejected {
        /// 1 permanent, 2 transient.
        result: u8,
        /// 1 user, 2 service provider (ACSE), 3 service provider (presentation).
        source: u8,
        /// Meaning depends on the source (PS3.8 Table 9-21).
        reason: u8,
    },
    /// A-ABORT, or the connection was closed.
    Gone,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A response with this status.
    Status(u16),
    /// A-ABORT.
    Aborted,
    /// The connection was closed or reset.
    Closed,
}

impl RawPeer {
    /// Requests an association with contexts for CT Image Storage (1) and Verification (3).
    ///
    /// # Errors
    /// When nobody listens, or the answer is no PDU.
    pub fn open(port: u16, called: &str, calling: &str) -> Result<Opened> {
        Self::open_with(port, called, calling, EXPLICIT_LITTLE)
    }

    /// The same, with another transfer syntax.
    ///
    /// # Errors
    /// As [`RawPeer::open`].
    pub fn open_with(port: u16, called: &str, calling: &str, syntax: &str) -> Result<Opened> {
        Self::request(port, &associate_request([called, calling], syntax, &[]))
    }

    /// Like [`RawPeer::accepted`], with an asynchronous operations window of so many operations invoked and one performed;
    /// gives what was agreed to.
    ///
    /// # Errors
    /// Also when no window is agreed to.
    pub fn with_window(port: u16, invoked: u16) -> Result<(Self, u16)> {
        let [high, low] = invoked.to_be_bytes();
        let window = item(0x53, &[high, low, 0, 1]);
        let opened = Self::request(
            port,
            &associate_request(["PARSENODE", "TEST"], EXPLICIT_LITTLE, &window),
        )?;
        let Opened::Accepted(peer) = opened else { bail!("not accepted: {opened:?}") };
        let agreed = peer.window.context("no window is agreed to")?;
        Ok((peer, agreed))
    }

    fn request(port: u16, request: &[u8]) -> Result<Opened> {
        let stream = connect(port)?;
        let mut peer = Self { stream, pdu_length_max: 16_384, message_id: 0, window: None };
        peer.send(request)?;
        Ok(match peer.receive()? {
            Some((2, body)) => {
                peer.window = accepted_window(&body);
                peer.pdu_length_max = accepted_length(&body).clamp(1024, 131_072);
                Opened::Accepted(peer)
            }
            Some((3, body)) if body.len() >= 4 => {
                Opened::Rejected { result: body[1], source: body[2], reason: body[3] }
            }
            Some((7, _)) | None => Opened::Gone,
            Some((kind, _)) => bail!("PDU type {kind} answers A-ASSOCIATE-RQ"),
        })
    }

    /// Like [`RawPeer::open`], for tests that need an association.
    ///
    /// # Errors
    /// Also when it is not accepted.
    pub fn accepted(port: u16) -> Result<Self> {
        match Self::open(port, "PARSENODE", "TEST")? {
            Opened::Accepted(peer) => Ok(peer),
            other @ (Opened::Rejected { .. } | Opened::Gone) => bail!("not accepted: {other:?}"),
        }
    }

    /// C-ECHO.
    ///
    /// # Errors
    /// When the answer is no message.
    pub fn echo(&mut self) -> Result<Answer> {
        let command = self.command(VERIFICATION, 0x0030, None);
        if self.send_message(3, &command, None).is_err() {
            return Ok(Answer::Closed);
        }
        self.answer()
    }

    /// C-STORE of any bytes under any names.
    ///
    /// # Errors
    /// When the answer is no message.
    pub fn store(
        &mut self,
        sop_class: &str,
        sop_instance: &str,
        data_set: &[u8],
    ) -> Result<Answer> {
        let command = self.command(sop_class, 0x0001, Some(sop_instance));
        // The node may have aborted while we were still sending; its answer is then waiting for us.
        let sent = self.send_message(1, &command, Some(data_set));
        match self.answer() {
            Err(_) if sent.is_err() => Ok(Answer::Closed),
            answer => answer,
        }
    }

    /// Sends a C-STORE-RQ and does not wait for its answer; gives its Message ID.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn begin_store(
        &mut self,
        sop_class: &str,
        sop_instance: &str,
        data_set: &[u8],
    ) -> Result<u16> {
        let command = self.command(sop_class, 0x0001, Some(sop_instance));
        self.send_message(1, &command, Some(data_set))?;
        Ok(self.message_id)
    }

    /// The next response: the Message ID that it answers, and its status.
    ///
    /// # Errors
    /// When something else comes.
    pub fn response(&mut self) -> Result<(u16, u16)> {
        let mut command = Vec::new();
        loop {
            match self.receive()? {
                Some((4, body)) if body.len() > 6 => {
                    // Several values may lie in one PDU; the node writes one.
                    command.extend_from_slice(&body[6..]);
                    if body[5] & 0b10 != 0 {
                        let us = |tag| us(&command, tag).context("an element is missing");
                        return Ok((us([0, 0, 0x20, 0x01])?, us([0, 0, 0, 9])?));
                    }
                }
                other => bail!("no response: {other:?}"),
            }
        }
    }

    /// Begins a C-STORE, sends `part` of its data set without an end, and cuts the connection.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn store_and_vanish(mut self, sop_instance: &str, part: &[u8]) -> Result<()> {
        let command = self.command(CT_IMAGE_STORAGE, 0x0001, Some(sop_instance));
        self.send_pdvs(1, 0b11, &command)?;
        for piece in part.chunks(self.pdu_length_max - 6) {
            self.send(&p_data(1, 0b00, piece))?;
        }
        self.stream.shutdown(Shutdown::Both).context("cutting the connection")
    }

    /// Releases the association in order.
    ///
    /// # Errors
    /// When the answer is not A-RELEASE-RP.
    pub fn release(mut self) -> Result<()> {
        self.send(&pdu(5, &[0; 4]))?;
        match self.receive()? {
            Some((6, _)) => Ok(()),
            other => bail!("no A-RELEASE-RP: {other:?}"),
        }
    }

    fn command(&mut self, sop_class: &str, field: u16, sop_instance: Option<&str>) -> Vec<u8> {
        self.message_id = self.message_id.wrapping_add(1);
        let data_set_type = if sop_instance.is_some() { 0x0000 } else { 0x0101_u16 };
        let mut elements = implicit(0x0002, &padded(sop_class));
        elements.extend(implicit(0x0100, &field.to_le_bytes()));
        elements.extend(implicit(0x0110, &self.message_id.to_le_bytes()));
        elements.extend(implicit(0x0700, &[0, 0]));
        elements.extend(implicit(0x0800, &data_set_type.to_le_bytes()));
        if let Some(sop_instance) = sop_instance {
            elements.extend(implicit(0x1000, &padded(sop_instance)));
        }
        let length = length_of(&elements);
        [implicit(0x0000, &length.to_le_bytes()), elements].concat()
    }

    fn send_message(&mut self, context: u8, command: &[u8], data_set: Option<&[u8]>) -> Result<()> {
        self.send_pdvs(context, 0b01, command)?;
        data_set.map_or(Ok(()), |data_set| self.send_pdvs(context, 0b00, data_set))
    }

    /// The fragments of a command (`control` 1) or data set (0); the last one says so.
    fn pdvs(&self, context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
        let size = self.pdu_length_max - 6;
        let count = bytes.len().div_ceil(size).max(1);
        let mut pdus = Vec::new();
        for index in 0..count {
            let piece = &bytes[index * size..bytes.len().min((index + 1) * size)];
            let last = if index + 1 == count { 0b10 } else { 0 };
            pdus.extend(p_data(context, control | last, piece));
        }
        pdus
    }

    fn send_pdvs(&mut self, context: u8, control: u8, bytes: &[u8]) -> Result<()> {
        let pdus = self.pdvs(context, control, bytes);
        self.send(&pdus)
    }

    /// Sends bytes, whatever they are.
    ///
    /// # Errors
    /// When they cannot be sent.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("sending")
    }

    /// Waits for the answer to what was sent.
    ///
    /// # Errors
    /// When it is no message.
    pub fn answer(&mut self) -> Result<Answer> {
        let mut command = Vec::new();
        loop {
            match self.receive()? {
                Some((4, body)) if body.len() > 6 => {
                    command.extend_from_slice(&body[6..]);
                    if body[5] & 0b10 != 0 {
                        return status(&command)
                            .map(Answer::Status)
                            .context("a response without status");
                    }
                }
                Some((7, _)) => return Ok(Answer::Aborted),
                None => return Ok(Answer::Closed),
                Some((kind, _)) => bail!("PDU type {kind} answers a request"),
            }
        }
    }

    /// The next PDU: its type and body; `None` when the connection is closed.
    fn receive(&mut self) -> Result<Option<(u8, Vec<u8>)>> {
        let mut head = [0; 6];
        match self.stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if is_end(error.kind()) => return Ok(None),
            Err(error) => return Err(error).context("waiting for a PDU"),
        }
        let length = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
        let mut body = vec![0; usize::try_from(length.min(1 << 20)).unwrap_or_default()];
        match self.stream.read_exact(&mut body) {
            Ok(()) => Ok(Some((head[0], body))),
            Err(error) if is_end(error.kind()) => Ok(None),
            Err(error) => Err(error).context("reading a PDU"),
        }
    }
}

/// Sends bytes that are no DICOM, and gives what comes back until the other side closes, at most 10 s.
///
/// # Errors
/// When nobody listens.
pub fn shout(port: u16, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = connect(port)?;
    // The other side may close before it has read everything.
    drop(stream.write_all(bytes));
    drop(stream.shutdown(Shutdown::Write));
    let mut back = Vec::new();
    drop(stream.read_to_end(&mut back));
    Ok(back)
}

/// An element in Explicit VR Little Endian with a length as told, whatever the value is.
#[must_use]
pub fn explicit(group: u16, element: u16, vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes()].concat();
    bytes.extend_from_slice(vr.as_bytes());
    if ["OB", "OW", "SQ", "UN", "UT", "UC"].contains(&vr) {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&length.to_le_bytes());
    } else {
        bytes.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

/// A text or UID element with its true length.
#[must_use]
pub fn text(group: u16, element: u16, vr: &str, value: &str) -> Vec<u8> {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    explicit(group, element, vr, length_of(&value), &value)
}

/// The data set of a Part 10 file: what is behind preamble, `DICM` and file meta information.
///
/// # Errors
/// When it is no such file.
pub fn data_set_of(file: &[u8]) -> Result<&[u8]> {
    let group = file.get(128..144).context("too short")?;
    let known = group.starts_with(b"DICM\x02\x00\x00\x00UL\x04\x00");
    anyhow::ensure!(known, "no file meta information");
    let length = u32::from_le_bytes([group[12], group[13], group[14], group[15]]);
    file.get(144 + usize::try_from(length)?..).context("too short")
}

fn connect(port: u16) -> Result<TcpStream> {
    let limit = Duration::from_secs(10);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let stream = TcpStream::connect_timeout(&address, limit).context("connecting")?;
    stream.set_read_timeout(Some(limit)).context("setting a timeout")?;
    stream.set_write_timeout(Some(limit)).context("setting a timeout")?;
    stream.set_nodelay(true).context("setting TCP_NODELAY")?;
    Ok(stream)
}

fn is_end(kind: ErrorKind) -> bool {
    [
        ErrorKind::UnexpectedEof,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::BrokenPipe,
    ]
    .contains(&kind)
}

fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn padded(uid: &str) -> Vec<u8> {
    let mut bytes = uid.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

fn implicit(element: u16, value: &[u8]) -> Vec<u8> {
    let head = [0u16.to_le_bytes(), element.to_le_bytes()].concat();
    [head.as_slice(), &length_of(value).to_le_bytes(), value].concat()
}

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0], length_of(body).to_be_bytes().as_slice(), body].concat()
}

fn p_data(context: u8, control: u8, piece: &[u8]) -> Vec<u8> {
    let value = [&[context, control], piece].concat();
    pdu(4, &[length_of(&value).to_be_bytes().as_slice(), &value].concat())
}

fn item(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    [&[kind, 0], length.to_be_bytes().as_slice(), value].concat()
}

fn associate_request([called, calling]: [&str; 2], syntax: &str, more: &[u8]) -> Vec<u8> {
    let title = |text: &str| format!("{text:16}").into_bytes();
    let context = |id: u8, sop_class: &str| {
        let syntaxes = [item(0x30, sop_class.as_bytes()), item(0x40, syntax.as_bytes())].concat();
        item(0x20, &[&[id, 0, 0, 0], syntaxes.as_slice()].concat())
    };
    let user =
        [&item(0x51, &16_384u32.to_be_bytes()), item(0x52, b"2.25.1").as_slice(), more].concat();
    let body = [
        vec![0, 1, 0, 0],
        title(called),
        title(calling),
        vec![0; 32],
        item(0x10, b"1.2.840.10008.3.1.1.1"),
        context(1, CT_IMAGE_STORAGE),
        context(3, VERIFICATION),
        item(0x50, &user),
    ];
    pdu(1, &body.concat())
}

/// Maximum Length of an A-ASSOCIATE-AC; a default when it has none.
fn accepted_length(body: &[u8]) -> usize {
    let found = body.windows(4).position(|window| window == [0x51, 0, 0, 4]);
    let value = found.and_then(|at| body.get(at + 4..at + 8));
    let length = value.map_or(16_384, |v| u32::from_be_bytes([v[0], v[1], v[2], v[3]]));
    // 0 is no limit (PS3.8 §D.1).
    if length == 0 { usize::MAX } else { usize::try_from(length).unwrap_or(16_384) }
}

/// Maximum-number-operations-invoked of an A-ASSOCIATE-AC.
fn accepted_window(body: &[u8]) -> Option<u16> {
    let found = body.windows(4).position(|window| window == [0x53, 0, 0, 4])?;
    let value = body.get(found + 4..found + 6)?;
    Some(u16::from_be_bytes([value[0], value[1]]))
}

/// Status (0000,0900) of a command set.
fn status(command: &[u8]) -> Option<u16> {
    us(command, [0, 0, 0, 9])
}

/// The value of an element of VR US of a command set, by the bytes of its tag.
fn us(command: &[u8], tag: [u8; 4]) -> Option<u16> {
    let mut rest = command;
    while rest.len() >= 8 {
        let length = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]);
        let value = rest.get(8..8 + usize::try_from(length).ok()?)?;
        if rest[..4] == tag {
            return Some(u16::from_le_bytes([*value.first()?, *value.get(1)?]));
        }
        rest = &rest[8 + value.len()..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_behind_other_elements() {
        let command = [implicit(0x0100, &[1, 0x80]), implicit(0x0900, &[0x00, 0xA7])].concat();
        assert_eq!(status(&command), Some(0xA700));
        assert_eq!(status(&command[..12]), None);
    }

    #[test]
    fn elements_lie_as_they_are_told() {
        assert_eq!(text(0x10, 0x10, "PN", "A"), b"\x10\x00\x10\x00PN\x02\x00A ");
        assert_eq!(
            explicit(0x10, 0x10, "OB", 8, b""),
            b"\x10\x00\x10\x00OB\x00\x00\x08\x00\x00\x00"
        );
    }
}
