//! An upper layer connection: PDUs over a stream, with time limits (PS3.8 §9.2).
//!
//! One read buffer is used for everything that comes; fragments are slices of it. It is short until a peer has filled it, so that
//! those who come and go cost little.

use std::io;
use std::ops::Range;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::pieces::Pieces;
use crate::{ConnectionError, Fragment, FragmentKind, Framed, Framer, Part, Pdu, ProtocolError};

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;
/// Bytes that are read at once from a peer that never sent more.
const FIRST_READ_BYTES: usize = 8 * 1024;

/// Most pieces of a data set that are handed on at once.
const PIECES_MAX: usize = 64;

/// A longer limit is this one, so that time cannot overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// A stream that PDUs travel over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    /// Asks the system to acknowledge what was just read at once. A sender with Nagle's algorithm on (DCMTK's
    /// default) otherwise waits up to 40 ms for the acknowledgement before it sends the end of its message.
    fn acknowledge(&self) {}
}

impl Transport for TcpStream {
    fn acknowledge(&self) {
        // The system takes the option back by itself, so it is set after each read. Where it does not exist nothing
        // is lost but time.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        drop(self.set_quickack(true));
    }
}

impl Transport for tokio::io::DuplexStream {}

/// What came.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// Bytes of a fragment; of a data set, also of fragments that follow it and came with it.
    Fragment {
        /// Which fragment; of several, the last.
        fragment: Fragment,
        /// The bytes.
        bytes: Pieces<'a>,
        /// The fragment ends with them.
        ends: bool,
    },
    /// A whole PDU.
    Pdu(Pdu),
}

/// One end of an upper layer connection.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    framer: Framer,
    buffer: Box<[u8]>,
    unread: Range<usize>,
    /// Where the pieces lie that are handed on together, but for the first.
    others: Vec<Range<usize>>,
    /// What was found behind them.
    found: Option<Result<Found, ProtocolError>>,
    bytes_read: u64,
}

/// A part of the stream, and where in the buffer its bytes lie.
#[derive(Debug)]
enum Found {
    Fragment {
        fragment: Fragment,
        bytes: Range<usize>,
        ends: bool,
    },
    Pdu(Pdu),
    /// All that was read is used up.
    Nothing,
}

impl<S: Transport> Connection<S> {
    /// A connection over `stream` that takes P-DATA-TF of at most `pdu_length_max` bytes.
    #[must_use]
    pub fn new(stream: S, pdu_length_max: u32) -> Self {
        Self {
            stream,
            framer: Framer::new(pdu_length_max),
            buffer: vec![0; FIRST_READ_BYTES].into(),
            unread: 0..0,
            others: Vec::new(),
            found: None,
            bytes_read: 0,
        }
    }

    /// Bytes that came from the peer so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// What comes next; waits at most `limit`, however the bytes drip: for the next bytes of a fragment, or for the whole
    /// of a header or of another PDU. May be dropped and called again.
    ///
    /// # Errors
    /// [`ConnectionError`]: `Closed` when the peer closed the connection, `TimedOut` when nothing came.
    pub async fn next(&mut self, limit: Duration) -> Result<Incoming<'_>, ConnectionError> {
        let now = Instant::now();
        let until = now.checked_add(limit.min(LONGEST_WAIT)).unwrap_or(now);
        loop {
            match self.found.take().unwrap_or_else(|| self.look())? {
                Found::Nothing => {
                    let read = timeout_at(until, self.read()).await;
                    read.map_err(|_| ConnectionError::TimedOut(limit))??;
                }
                Found::Pdu(pdu) => return Ok(Incoming::Pdu(pdu)),
                Found::Fragment { fragment, bytes, ends } => {
                    let (fragment, ends) = self.gather(fragment, ends);
                    let first = self.buffer.get(bytes).unwrap_or_default();
                    let bytes = Pieces::new(first, &self.buffer, &self.others);
                    return Ok(Incoming::Fragment { fragment, bytes, ends });
                }
            }
        }
    }

    /// The next part of what was read.
    fn look(&mut self) -> Result<Found, ProtocolError> {
        let start = self.unread.start;
        let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        let Framed { used, part } = self.framer.next(unread)?;
        self.unread.start = start.saturating_add(used);
        Ok(match part {
            None => Found::Nothing,
            Some(Part::Pdu(pdu)) => Found::Pdu(pdu),
            Some(Part::Fragment { fragment, bytes, ends }) => {
                let bytes = start.saturating_add(bytes.start)..start.saturating_add(bytes.end);
                Found::Fragment { fragment, bytes, ends }
            }
        })
    }

    /// Takes what was read of the fragments that continue the data set of this one; which was the last, and whether it ended.
    fn gather(&mut self, mut last: Fragment, mut ends: bool) -> (Fragment, bool) {
        self.others.clear();
        while last.kind == FragmentKind::DataSet
            && ends
            && !last.is_last
            && self.others.len() < PIECES_MAX
        {
            match self.look() {
                Ok(Found::Fragment { fragment, bytes, ends: it_ends })
                    if continues(last, fragment) && !bytes.is_empty() =>
                {
                    self.others.push(bytes);
                    (last, ends) = (fragment, it_ends);
                }
                found => {
                    self.found = Some(found);
                    break;
                }
            }
        }
        (last, ends)
    }

    async fn read(&mut self) -> Result<(), ConnectionError> {
        // Who filled the buffer has more to send.
        if self.unread.end == self.buffer.len() && self.buffer.len() < READ_BYTES {
            self.buffer = vec![0; READ_BYTES].into();
        }
        self.unread = 0..0;
        let count = self.stream.read(&mut self.buffer).await.map_err(failed)?;
        if count == 0 {
            return Err(ConnectionError::Closed);
        }
        self.stream.acknowledge();
        self.unread = 0..count;
        self.bytes_read = self.bytes_read.saturating_add(u64::try_from(count).unwrap_or_default());
        Ok(())
    }

    /// Gives back the memory of what came: for who is to be told one last word, and nothing that it says is read.
    pub fn forget(&mut self) {
        self.framer = Framer::new(0);
        self.buffer = vec![0; FIRST_READ_BYTES].into();
        (self.unread, self.others, self.found) = (0..0, Vec::new(), None);
    }

    /// Sends whole PDUs in one write.
    ///
    /// # Errors
    /// [`ConnectionError`] when the peer does not take them within `limit`, or the connection fails.
    pub async fn send(&mut self, pdus: &[u8], limit: Duration) -> Result<(), ConnectionError> {
        let write = async {
            self.stream.write_all(pdus).await?;
            // A TLS stream may hold back what the socket did not take at once.
            self.stream.flush().await
        };
        timeout(limit, write).await.map_err(|_| ConnectionError::TimedOut(limit))?.map_err(failed)
    }

    /// Waits until the peer closes the connection, at most `limit` (ARTIM, PS3.8 state Sta13). What still comes is
    /// thrown away: closing with unread bytes would destroy the last PDU on its way to the peer.
    pub async fn await_close(mut self, limit: Duration) {
        let drain = async { while matches!(self.stream.read(&mut self.buffer).await, Ok(1..)) {} };
        drop(timeout(limit, drain).await);
    }

    /// Sends a last PDU, ends our direction, and waits like [`Connection::await_close`]; each takes at most `limit`. A TLS
    /// stream says that it ends, which a peer may not want to hear.
    pub async fn send_last(mut self, pdu: &[u8], limit: Duration) {
        let sent = self.send(pdu, limit).await.is_ok();
        if sent && matches!(timeout(limit, self.stream.shutdown()).await, Ok(Ok(()))) {
            self.await_close(limit).await;
        }
    }
}

/// Whether two fragments are of one data set, if the first is not its last.
fn continues(one: Fragment, next: Fragment) -> bool {
    (one.context_id, one.kind) == (next.context_id, next.kind)
}

fn failed(error: io::Error) -> ConnectionError {
    let is_end = matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    );
    if is_end { ConnectionError::Closed } else { ConnectionError::Io(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Abort, PDataWriter};
    use proptest::prelude::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::{ReadBuf, duplex};

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn fragments_and_pdus_come_in_order() {
        let (ours, mut theirs) = duplex(50);
        let sending = tokio::spawn(async move {
            let mut bytes = Vec::new();
            PDataWriter::new(1, 40).put(&mut bytes, FragmentKind::DataSet, &[7; 100]);
            bytes.extend_from_slice(&Abort::SERVICE_USER.encode());
            theirs.write_all(&bytes).await.unwrap();
        });
        let mut connection = Connection::new(ours, 1000);
        let mut count = 0;
        let pdu = loop {
            match connection.next(LIMIT).await.unwrap() {
                Incoming::Fragment { bytes, .. } => count += bytes.len(),
                Incoming::Pdu(pdu) => break pdu,
            }
        };
        assert_eq!((count, pdu), (100, Pdu::Abort(Abort::SERVICE_USER)));
        assert!(matches!(connection.next(LIMIT).await, Err(ConnectionError::Closed)));
        sending.await.unwrap();
    }

    /// What comes, as its kind, its bytes and whether it is an end.
    async fn come(connection: &mut Connection<tokio::io::DuplexStream>) -> (String, Vec<u8>, bool) {
        match connection.next(LIMIT).await {
            Ok(Incoming::Fragment { fragment, bytes, ends }) => {
                (format!("{:?}", fragment.kind), bytes.to_vec(), ends && fragment.is_last)
            }
            Ok(Incoming::Pdu(pdu)) => (pdu.name().into(), vec![], true),
            Err(error) => (error.to_string(), vec![], true),
        }
    }

    #[tokio::test]
    async fn fragments_of_a_data_set_come_together_and_what_follows_by_itself() {
        let (ours, mut theirs) = duplex(4096);
        let mut bytes = Vec::new();
        let writer = PDataWriter::new(1, 40);
        writer.put(&mut bytes, FragmentKind::Command, &[1; 60]);
        writer.put(&mut bytes, FragmentKind::DataSet, &[2; 100]);
        writer.put(&mut bytes, FragmentKind::Command, &[3; 10]);
        bytes.extend_from_slice(&Abort::SERVICE_USER.encode());
        theirs.write_all(&bytes).await.unwrap();
        let mut connection = Connection::new(ours, 1000);
        let one = |kind: &str, value, count, is_end| (kind.to_owned(), vec![value; count], is_end);
        assert_eq!(come(&mut connection).await, one("Command", 1, 34, false));
        assert_eq!(come(&mut connection).await, one("Command", 1, 26, true));
        assert_eq!(come(&mut connection).await, one("DataSet", 2, 100, true));
        assert_eq!(come(&mut connection).await, one("Command", 3, 10, true));
        assert_eq!(come(&mut connection).await, one("A-ABORT", 0, 0, true));
    }

    #[tokio::test]
    async fn a_fault_behind_fragments_comes_after_them() {
        let (ours, mut theirs) = duplex(4096);
        let mut bytes = Vec::new();
        PDataWriter::new(1, 40).put(&mut bytes, FragmentKind::DataSet, &[2; 50]);
        // The second of two fragments, as one that is not the last; then a PDU that cannot be.
        let last = bytes.len() - 17;
        bytes[last] = 0;
        bytes.extend_from_slice(b"GET / ");
        theirs.write_all(&bytes).await.unwrap();
        let mut connection = Connection::new(ours, 1000);
        assert_eq!(come(&mut connection).await, ("DataSet".to_owned(), vec![2; 50], false));
        let (fault, ..) = come(&mut connection).await;
        assert_eq!(fault, ProtocolError::UnrecognizedPdu(b'G').to_string());
    }

    /// A stream whose every read brings as many bytes as was said.
    struct Reads {
        bytes: Vec<u8>,
        at: usize,
        step: usize,
    }

    impl AsyncRead for Reads {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let end = self.bytes.len().min(self.at + self.step.min(into.remaining()));
            into.put_slice(&self.bytes[self.at..end]);
            self.at = end;
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Reads {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Transport for Reads {}

    /// Commands and data sets with the bytes that they came with, whole.
    async fn messages(stream: Reads) -> Vec<(FragmentKind, Vec<u8>)> {
        let mut connection = Connection::new(stream, 100_000);
        let (mut whole, mut bytes_so_far) = (Vec::new(), Vec::new());
        while let Ok(Incoming::Fragment { fragment, bytes, ends }) = connection.next(LIMIT).await {
            bytes_so_far.extend(bytes.iter().flatten());
            if ends && fragment.is_last {
                whole.push((fragment.kind, std::mem::take(&mut bytes_so_far)));
            }
        }
        assert_eq!(bytes_so_far, b"", "what was sent has an end");
        whole
    }

    proptest! {
        #[test]
        fn messages_come_whole_however_they_are_cut(
            sent in prop::collection::vec((any::<bool>(), 0_usize..5000), 1..8),
            pdu_length_max in 13_u32..3000,
            step in 1_usize..6000,
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for (number, (is_command, length)) in (1_u8..).zip(sent) {
                let kind = if is_command { FragmentKind::Command } else { FragmentKind::DataSet };
                PDataWriter::new(1, pdu_length_max).put(&mut bytes, kind, &vec![number; length]);
                expected.push((kind, vec![number; length]));
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let came = runtime.unwrap().block_on(messages(Reads { bytes, at: 0, step }));
            prop_assert_eq!(came, expected);
        }
    }

    #[tokio::test]
    async fn silence_is_an_error() {
        let (ours, theirs) = duplex(50);
        let mut connection = Connection::new(ours, 1000);
        let error = connection.next(Duration::from_millis(5)).await.unwrap_err();
        assert!(matches!(error, ConnectionError::TimedOut(_)), "{error}");
        drop(theirs);
    }

    #[tokio::test]
    async fn a_header_that_drips_is_an_error_and_a_fragment_may_take_its_time() {
        let (ours, mut theirs) = duplex(50);
        let dripping = tokio::spawn(async move {
            let mut bytes = Vec::new();
            PDataWriter::new(1, 40).put(&mut bytes, FragmentKind::DataSet, &[7; 10]);
            theirs.write_all(&bytes[..12]).await.unwrap();
            for byte in bytes[12..].iter().chain(&[7, 0, 0, 0, 0, 4, 0, 0, 0, 0]) {
                tokio::time::sleep(Duration::from_millis(20)).await;
                if theirs.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        });
        let mut connection = Connection::new(ours, 1000);
        let limit = Duration::from_millis(90);
        for _ in 0..10 {
            let incoming = connection.next(limit).await.unwrap();
            let Incoming::Fragment { bytes, .. } = incoming else { panic!("{incoming:?}") };
            assert_eq!(bytes.to_vec(), [7]);
        }
        let error = connection.next(limit).await.unwrap_err();
        assert!(matches!(error, ConnectionError::TimedOut(_)), "{error}");
        drop(connection);
        dripping.await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_an_error() {
        let (ours, theirs) = duplex(50);
        let mut connection = Connection::new(ours, 1000);
        let error = connection.send(&[0; 100], Duration::from_millis(5)).await.unwrap_err();
        assert!(matches!(error, ConnectionError::TimedOut(_)), "{error}");
        drop(theirs);
    }
}
