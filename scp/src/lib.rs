//! Who connects to us: Verification and Storage as an SCP (PS3.4 Annexes A and B).
//!
//! Data sets stream from the socket's buffer into [`domain::Part`]s; only their bounded beginning is looked into, for
//! the UIDs that place an instance. The room does not know where instances go, what they show, or what happens next.
//! Who may what is a table that comes in with the settings; TLS is a configuration of rustls that does.
//! Every C-STORE-RQ gets exactly one C-STORE-RSP, or its Association an A-ABORT. Read `serve`, `association`,
//! `reception`, `status`, in this order.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod admission;
mod association;
mod budget;
mod connection;
mod doors;
mod fault;
mod handshake;
mod identify;
mod pace;
mod peek;
mod peers;
mod reception;
mod serve;
mod settings;
mod status;
mod storage;

pub use doors::{CurrentTls, Doors, SecureDoor};
pub use serve::serve;
pub use settings::{ScpCounters, ScpSettings};
