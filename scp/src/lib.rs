//! Who connects to us: Verification and Storage as an SCP, storage commitment in both roles (PS3.4 Annexes A, B and J).
//!
//! Data sets stream from the socket's buffer into [`domain::Part`]s; only their bounded beginning is looked into, for
//! the UIDs that place an instance. The room does not know where instances go, what they show, or what happens next.
//! Who may what is a table that comes in with the settings; TLS is a configuration of rustls that does.
//! Every request gets exactly one response, in the order of the requests, or its Association an A-ABORT. Read `serve`,
//! `association`, `reception`, `storing`, `status`, in this order.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod admission;
mod answers;
mod association;
mod budget;
mod commitment;
mod connection;
mod doors;
mod fault;
mod handshake;
mod identify;
mod pace;
mod pause;
mod peek;
mod peers;
mod reception;
mod serve;
mod settings;
mod status;
mod storage;
mod storing;

pub use doors::{CurrentTls, Doors, SecureDoor};
pub use serve::serve;
pub use settings::{ScpCounters, ScpSettings};
