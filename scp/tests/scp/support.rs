//! An intake in memory, a server on a free port, a peer whose every byte is ours to break, and data sets by hand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dimse::{
    AssociateRequest, Command, Connection, ConnectionError, FragmentKind, Incoming, MessageEvent,
    MessageReader, PDataWriter, Pdu, ProposedContext, Rejection, Response, Status, StoreRequest,
    UserInformation, uids,
};
use domain::{
    AeTitle, Announced, AssociationId, Destination, InstanceIdentity, InstanceOrigin, Intake,
    Limits, Part, Parting, Refusal, Stored,
};
use scp::{Doors, ScpCounters, ScpSettings};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
/// Everything in these tests is over long before.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What an intake does besides keeping what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// Has no room for anything.
    Full,
    RefusesToBegin,
    /// Refuses the write that brings an instance beyond this many bytes.
    FullAfter(usize),
    FailsToPublish,
    /// Drops the callback without calling it.
    ForgetsToAnswer,
    Panics,
    /// Answers from another thread.
    AnswersElsewhere,
}

/// An instance that was published.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) identity: InstanceIdentity,
    pub(crate) origin: InstanceOrigin,
    pub(crate) data_set: Vec<u8>,
}

/// Published instances by SOP Instance UID.
#[derive(Debug)]
pub(crate) struct Memory {
    mood: Mood,
    pub(crate) instances: Mutex<BTreeMap<String, Kept>>,
    pub(crate) parts_open: Arc<AtomicUsize>,
    closed: watch::Sender<Vec<(AssociationId, Parting)>>,
}

impl Memory {
    pub(crate) fn new(mood: Mood) -> Arc<Self> {
        let (closed, _) = watch::channel(vec![]);
        Arc::new(Self { mood, instances: Mutex::default(), parts_open: Arc::default(), closed })
    }

    pub(crate) fn count(&self) -> usize {
        self.instances.lock().unwrap().len()
    }

    pub(crate) fn data_set(&self, sop_instance: &str) -> Vec<u8> {
        self.instances.lock().unwrap()[sop_instance].data_set.clone()
    }

    /// Waits until so many associations were reported closed.
    pub(crate) async fn closed(&self, count: usize) -> Vec<(AssociationId, Parting)> {
        let mut closed = self.closed.subscribe();
        let enough = closed.wait_for(|closed| closed.len() >= count);
        tokio::time::timeout(PATIENCE, enough).await.expect("not closed in time").unwrap().clone()
    }
}

struct Handle(Arc<Memory>);

impl Intake for Handle {
    fn room(&self) -> Result<(), Refusal> {
        if self.0.mood == Mood::Full {
            return Err(Refusal::OutOfResources("/no/room".into()));
        }
        Ok(())
    }

    fn begin(&self, origin: &InstanceOrigin, _: &Announced) -> Result<Box<dyn Part>, Refusal> {
        if self.0.mood == Mood::RefusesToBegin {
            return Err(Refusal::OutOfResources("/no/room".into()));
        }
        self.0.parts_open.fetch_add(1, Ordering::SeqCst);
        let memory = Arc::clone(&self.0);
        Ok(Box::new(MemoryPart { memory, origin: origin.clone(), bytes: vec![] }))
    }

    fn association_closed(&self, association: AssociationId, parting: Parting) {
        self.0.closed.send_modify(|closed| closed.push((association, parting)));
    }
}

struct MemoryPart {
    memory: Arc<Memory>,
    origin: InstanceOrigin,
    bytes: Vec<u8>,
}

impl Part for MemoryPart {
    fn write(&mut self, data_set_bytes: &[&[u8]]) -> Result<(), Refusal> {
        data_set_bytes.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
        match self.memory.mood {
            Mood::FullAfter(max) if self.bytes.len() > max => {
                Err(Refusal::OutOfResources("/disk/full".into()))
            }
            Mood::Panics => panic!("a bug, made for this test"),
            Mood::Good
            | Mood::Full
            | Mood::RefusesToBegin
            | Mood::FullAfter(_)
            | Mood::FailsToPublish
            | Mood::ForgetsToAnswer
            | Mood::AnswersElsewhere => Ok(()),
        }
    }

    fn publish(mut self: Box<Self>, identity: InstanceIdentity, stored: Stored) {
        if self.memory.mood == Mood::FailsToPublish {
            return stored(Err(Refusal::ProcessingFailure("/disk/broken".into())));
        }
        let key = identity.sop_instance.to_string();
        let data_set = std::mem::take(&mut self.bytes);
        let kept = Kept { identity, origin: self.origin.clone(), data_set };
        self.memory.instances.lock().unwrap().insert(key, kept);
        match self.memory.mood {
            Mood::ForgetsToAnswer => drop(stored),
            Mood::AnswersElsewhere => drop(thread::spawn(move || stored(Ok(())))),
            Mood::Good
            | Mood::Full
            | Mood::RefusesToBegin
            | Mood::FullAfter(_)
            | Mood::FailsToPublish
            | Mood::Panics => stored(Ok(())),
        }
    }
}

impl Drop for MemoryPart {
    fn drop(&mut self) {
        self.memory.parts_open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A running SCP.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) memory: Arc<Memory>,
    pub(crate) counters: Arc<ScpCounters>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

pub(crate) fn settings() -> ScpSettings {
    ScpSettings::new(Limits::default())
}

impl Server {
    pub(crate) async fn start(settings: ScpSettings, mood: Mood) -> Self {
        let memory = Memory::new(mood);
        let intake = Arc::new(Handle(Arc::clone(&memory)));
        Self::start_with(settings, intake, memory).await
    }

    pub(crate) async fn start_with(
        settings: ScpSettings,
        intake: Arc<dyn Intake>,
        memory: Arc<Memory>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(listener.into(), address, settings, intake, memory)
    }

    /// Behind doors that stand at `address`.
    pub(crate) async fn start_at(
        doors: Doors,
        address: SocketAddr,
        settings: ScpSettings,
        mood: Mood,
    ) -> Self {
        let memory = Memory::new(mood);
        let intake = Arc::new(Handle(Arc::clone(&memory)));
        Self::serve(doors, address, settings, intake, memory)
    }

    pub(crate) fn serve(
        doors: Doors,
        address: SocketAddr,
        settings: ScpSettings,
        intake: Arc<dyn Intake>,
        memory: Arc<Memory>,
    ) -> Self {
        let counters = Arc::<ScpCounters>::default();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        let serving =
            scp::serve(doors, Arc::new(settings), intake, Arc::clone(&counters), shutdown);
        Self { address, memory, counters, stop: Some(stop), task: tokio::spawn(serving) }
    }

    /// Signals shutdown and waits for the end.
    pub(crate) async fn stop(mut self) -> Arc<Memory> {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task).await.expect("does not stop").unwrap();
        self.memory
    }

    pub(crate) fn destination(&self) -> Destination {
        Destination {
            name: "node".into(),
            called: AeTitle::parse("NODE").unwrap(),
            calling: AeTitle::parse("TEST").unwrap(),
            host: self.address.ip().to_string(),
            port: self.address.port(),
        }
    }
}

/// An association-requestor by hand.
pub(crate) struct Peer {
    pub(crate) connection: Connection<TcpStream>,
    messages: MessageReader,
    pub(crate) pdu_length_max: u32,
    message_id: u16,
}

/// What came as an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    Aborted(u8, u8),
    Released,
    Closed,
}

pub(crate) const SUCCESS: Answer = Answer::Status(0x0000);

pub(crate) fn context(id: u8, sop_class: &str, syntax: &str) -> ProposedContext {
    let transfer_syntaxes = vec![syntax.to_owned()];
    ProposedContext { id, abstract_syntax: sop_class.to_owned(), transfer_syntaxes }
}

pub(crate) fn request(contexts: Vec<ProposedContext>) -> AssociateRequest {
    AssociateRequest {
        protocol_version: 1,
        called: "NODE".into(),
        calling: "TEST".into(),
        application_context: uids::APPLICATION_CONTEXT.into(),
        contexts,
        user: UserInformation::ours(16_384),
    }
}

impl Peer {
    pub(crate) async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let connection = Connection::new(stream, 1 << 20);
        Self { connection, messages: MessageReader::new(), pdu_length_max: 131_072, message_id: 0 }
    }

    /// Requests an association with contexts 1 CT and 3 MR (Explicit VR Little Endian), 5 Verification.
    pub(crate) async fn open(server: &Server) -> Result<Self, Rejection> {
        let contexts = vec![
            context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN),
            context(3, MR, uids::EXPLICIT_VR_LITTLE_ENDIAN),
            context(5, uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN),
        ];
        Self::open_with(server, request(contexts)).await
    }

    pub(crate) async fn open_with(
        server: &Server,
        request: AssociateRequest,
    ) -> Result<Self, Rejection> {
        let mut peer = Self::connect(server).await;
        peer.send(&request.encode()).await;
        match peer.pdu().await.unwrap() {
            Pdu::AssociateAccept(_) => Ok(peer),
            Pdu::AssociateReject(rejection) => Err(rejection),
            pdu @ (Pdu::AssociateRequest(_)
            | Pdu::ReleaseRequest
            | Pdu::ReleaseResponse
            | Pdu::Abort(_)) => panic!("{pdu:?}"),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.connection.send(bytes, PATIENCE).await.unwrap();
    }

    /// Sends, whether the other side takes it or not.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) {
        drop(self.connection.send(bytes, PATIENCE).await);
    }

    pub(crate) async fn pdu(&mut self) -> Option<Pdu> {
        match self.connection.next(PATIENCE).await {
            Ok(Incoming::Pdu(pdu)) => Some(pdu),
            Ok(Incoming::Fragment { .. }) => panic!("P-DATA-TF"),
            Err(_) => None,
        }
    }

    pub(crate) fn store_request(&mut self, sop_class: &str, sop_instance: &str) -> StoreRequest {
        self.message_id += 1;
        StoreRequest {
            message_id: self.message_id,
            sop_class: sop_class.into(),
            sop_instance: sop_instance.into(),
            has_data_set: true,
        }
    }

    /// The PDUs of a C-STORE-RQ on context 1.
    pub(crate) fn message(
        &mut self,
        sop_class: &str,
        sop_instance: &str,
        data_set: &[u8],
    ) -> Vec<u8> {
        let command = Command::StoreRequest(self.store_request(sop_class, sop_instance));
        let writer = PDataWriter::new(1, self.pdu_length_max);
        let mut pdus = Vec::new();
        writer.put(&mut pdus, FragmentKind::Command, &command.encode());
        writer.put(&mut pdus, FragmentKind::DataSet, data_set);
        pdus
    }

    /// C-STORE on context 1.
    pub(crate) async fn store(&mut self, sop_instance: &str, data_set: &[u8]) -> Answer {
        let pdus = self.message(CT, sop_instance, data_set);
        self.try_send(&pdus).await;
        self.answer().await
    }

    pub(crate) async fn echo(&mut self) -> Answer {
        let command = Command::EchoRequest { message_id: 99 };
        let mut pdus = Vec::new();
        PDataWriter::new(5, 0).put(&mut pdus, FragmentKind::Command, &command.encode());
        self.try_send(&pdus).await;
        self.answer().await
    }

    pub(crate) async fn release(&mut self) -> Answer {
        self.try_send(&dimse::encode_release_request()).await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        match self.response().await {
            Ok(response) => Answer::Status(response.status.0),
            Err(answer) => answer,
        }
    }

    /// The next request of the other side, with its data set.
    pub(crate) async fn request(&mut self) -> (Command, Vec<u8>) {
        let mut came = None;
        loop {
            let event = match self.connection.next(PATIENCE).await.unwrap() {
                Incoming::Fragment { fragment, bytes, ends } => {
                    self.messages.on_fragment(fragment, bytes, ends).unwrap()
                }
                Incoming::Pdu(pdu) => panic!("{pdu:?}"),
            };
            match event {
                None => {}
                Some(MessageEvent::Command { command, .. }) => {
                    assert!(command.has_data_set(), "{command:?}");
                    came = Some((command, vec![]));
                }
                Some(MessageEvent::DataSet { bytes, is_end }) => {
                    came.as_mut().unwrap().1.extend(bytes.iter().flatten());
                    if is_end {
                        return came.unwrap();
                    }
                }
            }
        }
    }

    pub(crate) async fn response(&mut self) -> Result<Response, Answer> {
        loop {
            let event = match self.connection.next(PATIENCE).await {
                Ok(Incoming::Fragment { fragment, bytes, ends }) => {
                    self.messages.on_fragment(fragment, bytes, ends).unwrap()
                }
                Ok(Incoming::Pdu(Pdu::Abort(abort))) => {
                    return Err(Answer::Aborted(abort.source, abort.reason));
                }
                Ok(Incoming::Pdu(Pdu::ReleaseResponse)) => return Err(Answer::Released),
                Ok(Incoming::Pdu(pdu)) => panic!("{pdu:?}"),
                Err(ConnectionError::Closed) => return Err(Answer::Closed),
                Err(error) => panic!("{error}"),
            };
            match event {
                None => {}
                Some(MessageEvent::Command { command: Command::Response(response), .. }) => {
                    return Ok(response);
                }
                Some(event) => panic!("{event:?}"),
            }
        }
    }
}

/// An element in Explicit VR Little Endian with a length as told, whatever the value is.
pub(crate) fn element(tag: (u16, u16), vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    bytes.extend_from_slice(vr.as_bytes());
    if ["OB", "OW", "SQ", "UN", "UT"].contains(&vr) {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&length.to_le_bytes());
    } else {
        bytes.extend_from_slice(&u16::try_from(length).unwrap().to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

pub(crate) fn uid(tag: (u16, u16), uid: &str) -> Vec<u8> {
    let mut value = uid.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(0);
    }
    element(tag, "UI", u32::try_from(value.len()).unwrap(), &value)
}

/// What identifies a CT instance, up to its Series Instance UID.
pub(crate) fn header(sop_instance: &str) -> Vec<u8> {
    [
        uid((0x0008, 0x0016), CT),
        uid((0x0008, 0x0018), sop_instance),
        uid((0x0020, 0x000D), "1.2.3"),
        uid((0x0020, 0x000E), "1.2.3.4"),
    ]
    .concat()
}

/// A whole data set with `pixels` bytes of Pixel Data.
pub(crate) fn data_set(sop_instance: &str, pixels: usize) -> Vec<u8> {
    let value: Vec<u8> = (0..=250).cycle().take(pixels).collect();
    let length = u32::try_from(pixels).unwrap();
    let mut bytes = header(sop_instance);
    bytes.extend(element((0x0028, 0x0010), "US", 2, &[0, 2]));
    bytes.extend(element((0x7FE0, 0x0010), "OW", length, &value));
    bytes
}

pub(crate) fn is_success(status: Status) -> bool {
    status == Status::SUCCESS
}
