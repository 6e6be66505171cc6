//! An upper layer connection: PDUs over a stream, with time limits (PS3.8 §9.2).
//!
//! One read buffer is used for everything that comes; fragments are slices of it. It is short until a peer has filled it, so that
//! those who come and go cost little.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{ConnectionError, Fragment, Framed, Framer, Part, Pdu};

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;
/// Bytes that are read at once from a peer that never sent more.
const FIRST_READ_BYTES: usize = 8 * 1024;

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
    /// Bytes of a fragment.
    Fragment {
        /// Which fragment.
        fragment: Fragment,
        /// The bytes.
        bytes: &'a [u8],
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
    unread: std::ops::Range<usize>,
    bytes_read: u64,
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
            let start = self.unread.start;
            let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
            let Framed { used, part } = self.framer.next(unread)?;
            self.unread.start = start.saturating_add(used);
            match part {
                None => {
                    let read = timeout_at(until, self.read()).await;
                    read.map_err(|_| ConnectionError::TimedOut(limit))??;
                }
                Some(Part::Pdu(pdu)) => return Ok(Incoming::Pdu(pdu)),
                Some(Part::Fragment { fragment, bytes, ends }) => {
                    let bytes = start.saturating_add(bytes.start)..start.saturating_add(bytes.end);
                    let bytes = self.buffer.get(bytes).unwrap_or_default();
                    return Ok(Incoming::Fragment { fragment, bytes, ends });
                }
            }
        }
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
        self.unread = 0..0;
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

    /// Sends a last PDU, ends our direction, and waits like [`Connection::await_close`].
    pub async fn send_last(mut self, pdu: &[u8], limit: Duration) {
        let sent = self.send(pdu, limit).await.is_ok();
        if sent && self.stream.shutdown().await.is_ok() {
            self.await_close(limit).await;
        }
    }
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
    use crate::{Abort, FragmentKind, PDataWriter};
    use tokio::io::duplex;

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
            assert!(matches!(incoming, Incoming::Fragment { bytes: [7], .. }), "{incoming:?}");
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
