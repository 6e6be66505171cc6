//! Free ports on loopback.

use std::net::TcpListener;

use anyhow::{Context as _, Result};

/// A TCP port on 127.0.0.1 that nobody listens on at the moment.
///
/// # Errors
/// When the system has none left.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("taking a free port")?;
    Ok(listener.local_addr().context("reading the port")?.port())
}
