//! TLS streams as transports. What they are made with is not known here.

use tokio::net::TcpStream;

use crate::Transport;

impl Transport for tokio_rustls::server::TlsStream<TcpStream> {
    fn acknowledge(&self) {
        self.get_ref().0.acknowledge();
    }
}

impl Transport for tokio_rustls::client::TlsStream<TcpStream> {
    fn acknowledge(&self) {
        self.get_ref().0.acknowledge();
    }
}
