//! Whom we connect to: C-ECHO and C-STORE as an SCU (PS3.4 Annexes A and B).
//!
//! Instances are sent as they are stored, streamed from their files; nothing is transcoded. The room does not decide
//! what is sent, to whom, or whether it is tried again: it reports each outcome, and an error for a connection that
//! cannot go on.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod contexts;
mod echo;
mod error;
mod file;
mod requestor;
mod store;

use std::time::Duration;

pub use echo::echo;
pub use error::ScuError;
pub use store::{Outcome, Outgoing, store};

/// How long a peer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To take the connection.
    pub connect: Duration,
    /// Longest pause while it is to send or to receive something, answers included.
    pub io: Duration,
}
