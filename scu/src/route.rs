//! How a destination is reached: plain or by TLS, and as which user.

use std::sync::Arc;

use domain::{Destination, IdentityClaim};
use tokio::sync::watch;
use trust::{ClientConfig, ServerName};

/// TLS to one destination.
#[derive(Debug, Clone)]
pub struct Tls {
    /// How TLS is asked for; it may be replaced at any time.
    pub config: watch::Receiver<Arc<ClientConfig>>,
    /// The name that the destination's certificate must have.
    pub server_name: ServerName<'static>,
}

/// What a destination asks for beyond its address.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// TLS; a plain connection without.
    pub tls: Option<Tls>,
    /// Who we say our user is (PS3.7 §D.3.3.7); nobody without.
    pub identity: Option<IdentityClaim>,
}

/// A destination, and how it is reached.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// Where results go.
    pub to: &'a Destination,
    /// How; plain and as nobody without.
    pub security: Option<&'a Security>,
}

impl<'a> From<&'a Destination> for Route<'a> {
    fn from(to: &'a Destination) -> Self {
        Self { to, security: None }
    }
}
