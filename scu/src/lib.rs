//! Whom we connect to: C-ECHO and C-STORE as an SCU (PS3.4 Annexes A and B), storage commitment in both roles (Annex J).
//!
//! [`store()`] sends instances as they are stored, streamed from their files; [`store_choice`] sends one of several forms of
//! the same results, in the transfer syntax that the destination accepts; [`request_commitment`] asks a destination to keep
//! what it got, [`report_commitment`] tells a peer what we keep. The room does not decide what is sent, to whom,
//! or whether it is tried again: it reports each outcome, and an error for a connection that cannot go on.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod choice;
mod commitment;
mod contexts;
mod dial;
mod echo;
mod error;
mod file;
mod requestor;
mod route;
mod store;

use std::time::Duration;

pub use choice::{Chosen, Offered, Recode, store_choice};
pub use commitment::{OnReport, Requested, report_commitment, request_commitment};
pub use echo::echo;
pub use error::ScuError;
pub use route::{Route, Security, Tls};
pub use store::{Outcome, Outgoing, store};

/// How long a peer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To take the connection, and as long again for a TLS handshake.
    pub connect: Duration,
    /// Longest pause while it is to send or to receive something, answers included.
    pub io: Duration,
}
