//! The ports that requestors come in by.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use trust::ServerConfig;

/// The configuration of TLS that is good now. It may be replaced at any time; who is inside stays as they came in.
pub type CurrentTls = watch::Receiver<Arc<ServerConfig>>;

/// A plain and a secure port, side by side; either may be missing.
#[derive(Debug, Default)]
pub struct Doors {
    /// For peers without TLS.
    pub plain: Option<TcpListener>,
    /// For peers with TLS.
    pub secure: Option<SecureDoor>,
}

/// A port on which TLS is spoken.
#[derive(Debug)]
pub struct SecureDoor {
    /// The port.
    pub listener: TcpListener,
    /// How TLS is answered.
    pub tls: CurrentTls,
}

impl From<TcpListener> for Doors {
    fn from(listener: TcpListener) -> Self {
        Self { plain: Some(listener), secure: None }
    }
}

/// A connection, and how TLS is answered on it where it came in by the secure port.
pub(crate) struct Entered {
    pub(crate) stream: TcpStream,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Doors {
    /// The next connection. May be dropped and called again.
    pub(crate) async fn next(&self) -> std::io::Result<Entered> {
        tokio::select! {
            accepted = accept(self.plain.as_ref()) => {
                accepted.map(|(stream, address)| Entered { stream, address, tls: None })
            }
            accepted = accept(self.secure.as_ref().map(|door| &door.listener)) => {
                let tls = self.secure.as_ref().map(|door| Arc::clone(&door.tls.borrow()));
                accepted.map(|(stream, address)| Entered { stream, address, tls })
            }
        }
    }
}

async fn accept(
    listener: Option<&TcpListener>,
) -> std::io::Result<(TcpStream, std::net::SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}
