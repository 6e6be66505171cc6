//! Storage commitment with peers of the table: over TLS, as a user, and only for those that may.

use std::sync::Arc;

use dimse::{IdentityItem, OperationsWindow, Pdu, RoleSelection, Roles, uids};
use domain::{
    Allowance, CommitmentReport, IdentityDemand, IdentityKind, Limits, PeerRule, PeerTable, Service,
};
use scu::{Requested, Route, ScuError, Security, Timeouts, report_commitment, request_commitment};

use crate::access::{Swordfish, identified, passcode, peer};
use crate::commitment::{BOTH, Handle, Heard, Ledger, asked, report};
use crate::secure::World;
use crate::support::*;

const TIMEOUTS: Timeouts = Timeouts { connect: PATIENCE, io: PATIENCE };

/// Everybody may this, as a user with the right passcode.
fn allowing(services: Vec<Service>) -> scp::ScpSettings {
    let identity = IdentityDemand { kinds: vec![IdentityKind::Passcode], users: vec![] };
    let allowance = Allowance { services, identity, ..Allowance::default() };
    let peers = PeerTable(vec![PeerRule { allowance, ..peer("keeper") }]);
    scp::ScpSettings { peers, identities: Some(Arc::new(Swordfish)), ..settings() }
}

async fn start(world: &World, ledger: &Arc<Ledger>, services: Vec<Service>) -> Server {
    let intake = Arc::new(Handle(Arc::clone(ledger)));
    world.server_with(allowing(services), intake, Memory::new(Mood::Good)).await
}

/// What the node says to a request, and what it reports over the same association.
async fn ask(
    server: &Server,
    security: &Security,
) -> (Result<Requested, ScuError>, Vec<CommitmentReport>) {
    let (to, mut told) = (server.destination(), vec![]);
    let mut on_report = |report: &CommitmentReport| {
        told.push(report.clone());
        Ok(())
    };
    let route = Route { to: &to, security: Some(security) };
    let (times, limits) = ((PATIENCE, &TIMEOUTS), Limits::default());
    let asked = request_commitment(route, &asked(2), times, &limits, &mut on_report).await;
    (asked, told)
}

#[tokio::test]
async fn requests_and_reports_go_by_tls_and_as_a_user() {
    let (world, ledger) = (World::new(), Ledger::new(BOTH, None));
    let server = start(&world, &ledger, vec![Service::StorageCommitment]).await;
    let security = Security { identity: Some(passcode("swordfish")), ..world.known() };
    let (requested, told) = ask(&server, &security).await;
    assert_eq!((requested.unwrap(), told), (Requested::Taken, vec![report()]));
    let heard = [Heard::Asked("TEST".into(), asked(2)), Heard::Told(7, report())];
    assert_eq!(ledger.wait(2).await, heard);
    let route = Route { to: &server.destination(), security: Some(&security) };
    report_commitment(route, &report(), &TIMEOUTS).await.unwrap();
    assert_eq!(ledger.wait(3).await[2], Heard::Reported("TEST".into(), report()));
}

#[tokio::test]
async fn who_may_only_store_neither_asks_nor_reports() {
    let (world, ledger) = (World::new(), Ledger::new(BOTH, None));
    let server = start(&world, &ledger, vec![Service::Storage]).await;
    let security = Security { identity: Some(passcode("swordfish")), ..world.known() };
    let (requested, _) = ask(&server, &security).await;
    assert!(matches!(requested, Err(ScuError::CommitmentNotAccepted)), "{requested:?}");
    let route = Route { to: &server.destination(), security: Some(&security) };
    let reported = report_commitment(route, &report(), &TIMEOUTS).await;
    assert!(matches!(reported, Err(ScuError::CommitmentNotAccepted)), "{reported:?}");
    let (requested, _) = ask(&server, &world.known()).await;
    assert!(matches!(requested, Err(ScuError::Rejected(_))), "no user: {requested:?}");
    assert_eq!(ledger.heard(), []);
}

#[tokio::test]
async fn roles_window_and_user_are_answered_together() {
    let ledger = Ledger::new(BOTH, None);
    let intake = Arc::new(Handle(Arc::clone(&ledger)));
    let settings = allowing(vec![Service::StorageCommitment]);
    let server = Server::start_with(settings, intake, Memory::new(Mood::Good)).await;
    let mut proposed = identified(passcode("swordfish"), true);
    let sop_class = uids::STORAGE_COMMITMENT;
    proposed.contexts = vec![context(1, sop_class, uids::IMPLICIT_VR_LITTLE_ENDIAN)];
    let role = RoleSelection { sop_class: sop_class.into(), roles: Roles::SCP };
    proposed.user.roles = vec![role.clone()];
    proposed.user.operations_window = Some(OperationsWindow { invoked: 4, performed: 4 });
    let mut peer = Peer::connect(&server).await;
    peer.send(&proposed.encode()).await;
    let Some(Pdu::AssociateAccept(accept)) = peer.pdu().await else { panic!("not accepted") };
    assert_eq!(accept.user.identity.map(|item| *item), Some(IdentityItem::Response(vec![])));
    assert_eq!(accept.user.roles, [role]);
    let window = OperationsWindow { invoked: 4, performed: 1 };
    assert_eq!(accept.user.operations_window, Some(window));
}

#[tokio::test]
async fn what_is_read_ahead_counts_for_the_peer() {
    let allowance = Allowance { instances_per_minute_max: Some(2), ..Allowance::default() };
    let peers = PeerTable(vec![PeerRule { allowance, ..peer("ct") }]);
    let settings = scp::ScpSettings { peers, ..settings() };
    let server = Server::start(settings, Mood::AnswersElsewhere).await;
    let mut proposed = request(vec![context(1, CT, uids::EXPLICIT_VR_LITTLE_ENDIAN)]);
    proposed.user.operations_window = Some(OperationsWindow { invoked: 16, performed: 1 });
    let mut ct = Peer::open_with(&server, proposed).await.unwrap();
    let uids = ["1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4"];
    let all: Vec<u8> =
        uids.iter().flat_map(|uid| ct.message(CT, uid, &data_set(uid, 1_000))).collect();
    ct.send(&all).await;
    let mut statuses = vec![];
    for _ in uids {
        statuses.push(ct.response().await.unwrap().status.0);
    }
    assert_eq!(statuses, [0, 0, 0xA700, 0xA700]);
    assert_eq!(server.memory.count(), 2);
}
