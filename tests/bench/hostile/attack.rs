//! What a hostile peer does, once: it connects, misbehaves, and says what it was answered.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tests::raw_peer::{Answer, CT_IMAGE_STORAGE, Opened, RawPeer, explicit, shout, text};

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// How long a peer that does nothing does it.
const LINGER: Duration = Duration::from_secs(2);

/// A kind of misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    Nothing,
    HugePdu,
    Contexts,
    DataFirst,
    EmptyFragments,
    CommandInData,
    DeflateBomb,
    Nesting,
    Left,
    HalfOpen,
    Drip,
}

/// What is prepared once, because making it takes longer than sending it.
pub(crate) struct Weapons {
    bomb: Vec<u8>,
    nested: Vec<u8>,
    contexts: Vec<u8>,
}

impl Weapons {
    pub(crate) fn forge() -> Result<Self> {
        Ok(Self { bomb: bomb()?, nested: nested(), contexts: contexts() })
    }
}

impl Attack {
    pub(crate) const ALL: [Self; 11] = [
        Self::Nothing,
        Self::HugePdu,
        Self::Contexts,
        Self::DataFirst,
        Self::EmptyFragments,
        Self::CommandInData,
        Self::DeflateBomb,
        Self::Nesting,
        Self::Left,
        Self::HalfOpen,
        Self::Drip,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nobody",
            Self::HugePdu => "a PDU length of 4 GB",
            Self::Contexts => "5,000 presentation contexts",
            Self::DataFirst => "P-DATA before an association",
            Self::EmptyFragments => "10,000 empty fragments",
            Self::CommandInData => "a command within a data set",
            Self::DeflateBomb => "a deflate bomb of 1 GB",
            Self::Nesting => "sequences 10,000 deep",
            Self::Left => "associations opened and left",
            Self::HalfOpen => "connections without a request",
            Self::Drip => "a data set that drips",
        }
    }

    /// Misbehaves once; gives what came back.
    pub(crate) fn strike(self, port: u16, weapons: &Weapons) -> Result<String> {
        match self {
            Self::Nothing => {
                sleep(Duration::from_millis(50));
                Ok("-".into())
            }
            Self::HugePdu => {
                let mut peer = RawPeer::accepted(port)?;
                peer.send(&[4, 0, 0xFF, 0xFF, 0xFF, 0xFF])?;
                peer.answer().map(said)
            }
            Self::Contexts => shout(port, &weapons.contexts).map(|back| first_pdu(&back)),
            Self::DataFirst => {
                shout(port, b"\x04\0\0\0\0\x06\0\0\0\x02\x01\x03").map(|back| first_pdu(&back))
            }
            Self::EmptyFragments => {
                let empty = [4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 0].repeat(10_000);
                within_a_data_set(port, &[empty, last_fragment(b"no DICOM")].concat())
            }
            Self::CommandInData => within_a_data_set(port, b"\x04\0\0\0\0\x08\0\0\0\x04\x01\x03ab"),
            Self::DeflateBomb => match RawPeer::open_with(port, "PARSENODE", "BOMBER", DEFLATED)? {
                Opened::Accepted(mut peer) => {
                    peer.store(CT_IMAGE_STORAGE, "1.2.3.4", &weapons.bomb).map(said)
                }
                other @ (Opened::Rejected { .. } | Opened::Gone) => Ok(format!("{other:?}")),
            },
            Self::Nesting => {
                let mut peer = RawPeer::accepted(port)?;
                peer.store(CT_IMAGE_STORAGE, "1.2.3.4", &weapons.nested).map(said)
            }
            Self::Left => RawPeer::accepted(port).map(|_| "left".into()),
            Self::HalfOpen => {
                let stream = TcpStream::connect(("127.0.0.1", port)).context("connecting")?;
                sleep(LINGER);
                drop(stream);
                Ok("left".into())
            }
            Self::Drip => drip(port),
        }
    }
}

/// A byte of a PDU now and then.
fn drip(port: u16) -> Result<String> {
    let mut peer = RawPeer::accepted(port)?;
    let message = peer.prepare("1.2.3.4", &[0; 10_000]);
    let begun = message.len() - 9_000;
    peer.send(message.get(..begun).context("a message")?)?;
    for byte in message.get(begun..begun + 40).context("a message")? {
        peer.send(&[*byte])?;
        sleep(LINGER / 40);
    }
    Ok("left".into())
}

/// A C-STORE whose data set begins, goes on as told, and is answered.
fn within_a_data_set(port: u16, bytes: &[u8]) -> Result<String> {
    let mut peer = RawPeer::accepted(port)?;
    let message = peer.prepare("1.2.3.4", b"");
    // Without its last fragment, which is empty and has twelve bytes.
    peer.send(message.get(..message.len() - 12).context("a message")?)?;
    peer.send(bytes)?;
    peer.answer().map(said)
}

fn last_fragment(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[4, 0, 0, 0, 0, length + 6, 0, 0, 0, length + 2, 1, 2], bytes].concat()
}

fn said(answer: Answer) -> String {
    match answer {
        Answer::Status(status) => format!("status {status:04X}"),
        Answer::Aborted => "A-ABORT".into(),
        Answer::Closed => "closed".into(),
    }
}

fn first_pdu(back: &[u8]) -> String {
    match back.first() {
        Some(2) => "A-ASSOCIATE-AC",
        Some(3) => "A-ASSOCIATE-RJ",
        Some(7) => "A-ABORT",
        Some(_) => "something else",
        None => "closed",
    }
    .into()
}

fn contexts() -> Vec<u8> {
    let item = |kind: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&[kind, 0], length.as_slice(), value].concat()
    };
    let syntaxes = [item(0x30, CT_IMAGE_STORAGE.as_bytes()), item(0x40, b"1.2.840.10008.1.2")];
    let context = item(0x20, &[&[1, 0, 0, 0], syntaxes.concat().as_slice()].concat());
    let titles = format!("{:16}{:16}", "PARSENODE", "CROWD");
    let body = [
        &[0, 1, 0, 0],
        titles.as_bytes(),
        &[0; 32],
        &item(0x10, b"1.2.840.10008.3.1.1.1"),
        &context.repeat(5_000),
    ]
    .concat();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[1, 0], length.as_slice(), &body].concat()
}

fn bomb() -> Result<Vec<u8>> {
    let level = flate2::Compression::best();
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), level);
    let mut write = |bytes: &[u8]| deflater.write_all(bytes).context("deflating");
    write(&explicit(0x0009, 0x1001, "OB", 1 << 30, b""))?;
    let zeros = vec![0; 1 << 20];
    for _ in 0..1 << 10 {
        write(&zeros)?;
    }
    deflater.finish().context("deflating")
}

fn nested() -> Vec<u8> {
    let item = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    let begin = [explicit(0x0008, 0x1140, "SQ", u32::MAX, b""), item.to_vec()].concat();
    let end = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
    let uid = text(0x0008, 0x0018, "UI", "1.2.3.4");
    [begin.repeat(10_000), end.repeat(10_000), uid].concat()
}

/// Strikes until told to stop; gives how often, and what was answered last.
pub(crate) fn strike_on(
    attack: Attack,
    port: u16,
    weapons: &Weapons,
    goes_on: impl Fn() -> bool,
) -> Result<(usize, String)> {
    let (mut strikes, mut last) = (0, String::from("nothing"));
    while goes_on() {
        match attack.strike(port, weapons) {
            Ok(answer) => last = answer,
            // Too many at once are rejected, and that is an answer, too.
            Err(error) if error.to_string().contains("not accepted") => last = "rejected".into(),
            Err(error) => bail!("{}: {error:#}", attack.name()),
        }
        strikes += 1;
    }
    Ok((strikes, last))
}
