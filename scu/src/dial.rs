//! The connection to a destination, before an Association is asked for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use dimse::Transport;
use domain::Destination;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Route, ScuError, Tls};

/// A connection, plain or secured.
#[derive(Debug)]
pub(crate) enum Line {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// Connects within `limit`; a TLS handshake has to end within another `limit`.
pub(crate) async fn dial(route: Route<'_>, limit: Duration) -> Result<Line, ScuError> {
    let stream = connect(route.to, limit).await?;
    match route.security.and_then(|security| security.tls.as_ref()) {
        None => Ok(Line::Plain(stream)),
        Some(tls) => secure(stream, tls, limit).await,
    }
}

async fn connect(to: &Destination, limit: Duration) -> Result<TcpStream, ScuError> {
    let connecting = timeout(limit, TcpStream::connect((to.host.as_str(), to.port))).await;
    let timed_out = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let stream = connecting.map_err(timed_out).and_then(|connected| connected);
    let stream = stream.map_err(ScuError::Unreachable)?;
    // The end of each instance must not wait for an acknowledgement of what was before it.
    stream.set_nodelay(true).map_err(ScuError::Unreachable)?;
    Ok(stream)
}

async fn secure(stream: TcpStream, tls: &Tls, limit: Duration) -> Result<Line, ScuError> {
    let config = Arc::clone(&tls.config.borrow());
    let connecting = TlsConnector::from(config).connect(tls.server_name.clone(), stream);
    let timed_out = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let secured = timeout(limit, connecting).await.map_err(timed_out).and_then(|done| done);
    secured.map(|stream| Line::Secure(Box::new(stream))).map_err(ScuError::Handshake)
}

impl Transport for Line {
    fn acknowledge(&self) {
        match self {
            Self::Plain(stream) => stream.acknowledge(),
            Self::Secure(stream) => stream.acknowledge(),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
