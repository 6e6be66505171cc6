//! The asynchronous operations window with an acceptor that agrees to one, and answers out of order.

use std::time::Duration;

use dimse::{
    AssociateAccept, Command, Connection, ContextAnswer, ContextOutcome, FragmentKind, Incoming,
    MessageEvent, MessageReader, OperationsWindow, PDataWriter, Pdu, Response, Status,
    StoreRequest, UserInformation,
};
use domain::{AeTitle, Destination};
use scu::{Outcome, Outgoing};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::acceptor::{PATIENCE, TIMEOUTS};
use crate::files::{CT, file};

/// How many came before each round of answers.
type Rounds = Vec<usize>;

/// Agrees to `window` and answers, whenever nothing more comes, all that is outstanding, the last first. The status of the
/// instance whose UID ends in `.2` is A700.
async fn start(window: Option<OperationsWindow>) -> (Destination, JoinHandle<Rounds>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        serve(stream, window).await
    });
    let title = |text| AeTitle::parse(text).unwrap();
    let (called, calling) = (title("PACS"), title("NODE"));
    (Destination { name: "pacs".into(), called, calling, host: "127.0.0.1".into(), port }, task)
}

async fn serve(stream: TcpStream, window: Option<OperationsWindow>) -> Rounds {
    let mut connection = Connection::new(stream, 1 << 20);
    let request = match connection.next(PATIENCE).await {
        Ok(Incoming::Pdu(Pdu::AssociateRequest(request))) => request,
        other => panic!("{other:?}"),
    };
    let proposed = request.user.operations_window.unwrap();
    assert_eq!((proposed.invoked, proposed.performed), (16, 1));
    let accept = AssociateAccept {
        called: request.called,
        calling: request.calling,
        contexts: vec![ContextAnswer {
            id: request.contexts[0].id,
            outcome: ContextOutcome::Acceptance,
            transfer_syntax: request.contexts[0].transfer_syntaxes[0].clone(),
        }],
        user: UserInformation { operations_window: window, ..UserInformation::ours(16_384) },
    };
    connection.send(&accept.encode(), PATIENCE).await.unwrap();
    let (mut rounds, mut messages) = (vec![], MessageReader::new());
    let mut outstanding: Vec<StoreRequest> = vec![];
    loop {
        let limit = if outstanding.is_empty() { PATIENCE } else { Duration::from_millis(100) };
        match connection.next(limit).await {
            Ok(Incoming::Fragment { fragment, bytes, ends }) => {
                let event = messages.on_fragment(fragment, bytes, ends).unwrap();
                if let Some(MessageEvent::Command { command, .. }) = event {
                    let Command::StoreRequest(request) = command else { panic!("{command:?}") };
                    outstanding.push(request);
                }
            }
            Ok(Incoming::Pdu(Pdu::ReleaseRequest)) => {
                let response = dimse::encode_release_response();
                connection.send(&response, PATIENCE).await.unwrap();
                return rounds;
            }
            Ok(Incoming::Pdu(pdu)) => panic!("{pdu:?}"),
            Err(_) => {
                rounds.push(outstanding.len());
                let mut pdus = Vec::new();
                for request in outstanding.drain(..).rev() {
                    let is_full = request.sop_instance.ends_with(".2");
                    let status = Status(if is_full { 0xA700 } else { 0 });
                    let response = Response::to_store(&request, status, "");
                    let command = Command::Response(response).encode();
                    PDataWriter::new(1, 0).put(&mut pdus, FragmentKind::Command, &command);
                }
                connection.send(&pdus, PATIENCE).await.unwrap();
            }
        }
    }
}

/// What came of seven instances, in which order it was heard, and the acceptor's rounds.
async fn store_seven(window: Option<OperationsWindow>) -> (Vec<Outcome>, Vec<usize>, Rounds) {
    let dir = tempfile::tempdir().unwrap();
    let instances: Vec<Outgoing> =
        (0..7).map(|n| file(dir.path(), CT, &format!("1.2.3.{n}"), 1_000)).collect();
    let (to, task) = start(window).await;
    let mut heard = vec![];
    let mut progress = |index: usize, _: &Outcome| heard.push(index);
    let outcomes = scu::store(&to, &instances, &TIMEOUTS, &mut progress).await.unwrap();
    (outcomes, heard, task.await.unwrap())
}

#[tokio::test]
async fn as_many_as_were_agreed_are_outstanding_and_answers_come_in_any_order() {
    let window = |invoked| Some(OperationsWindow { invoked, performed: 1 });
    let refused = Outcome::Refused { status: 0xA700, comment: String::new() };
    let mut want = vec![Outcome::Stored; 7];
    want[2] = refused;
    for (agreed, first_round, first_heard) in [
        (window(3), 3, 2),
        (window(1), 1, 0),
        (None, 1, 0),
        // More than was proposed, and no limit: ours holds.
        (window(99), 7, 6),
        (window(0), 7, 6),
    ] {
        let (outcomes, heard, rounds) = store_seven(agreed).await;
        assert_eq!(outcomes, want, "{agreed:?}");
        assert_eq!((rounds[0], heard[0]), (first_round, first_heard), "{agreed:?}");
        assert!(rounds.iter().all(|round| *round <= first_round), "{rounds:?}");
        assert_eq!(rounds.iter().sum::<usize>(), 7);
    }
}
