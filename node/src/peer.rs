//! `AE@HOST:PORT`: a peer as it is typed.

use std::str::FromStr;

use domain::{AeTitle, Destination};

/// A peer's title and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    called: AeTitle,
    host: String,
    port: u16,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "expected AE@HOST:PORT, such as PACS@10.0.0.5:104";
        let (title, address) = text.split_once('@').ok_or(FORM)?;
        let (host, port) = address.rsplit_once(':').ok_or(FORM)?;
        let called = AeTitle::parse(title).map_err(|error| format!("{error}; {FORM}"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        match port.parse() {
            Ok(port) if port > 0 && !host.is_empty() => Ok(Self { called, host, port }),
            Ok(_) | Err(_) => Err(FORM.into()),
        }
    }
}

impl Peer {
    /// Its host name or address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The peer as a destination, called under our title `calling`.
    pub(crate) fn destination(&self, calling: AeTitle) -> Destination {
        let Self { called, host, port } = self.clone();
        Destination { name: called.to_string(), called, calling, host, port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_titles_hosts_and_ports() {
        let peer: Peer = "PACS@pacs.local:104".parse().unwrap();
        let to = peer.destination(AeTitle::parse("ME").unwrap());
        assert_eq!((to.called.as_str(), to.host.as_str(), to.port), ("PACS", "pacs.local", 104));
        assert_eq!("A@[::1]:11112".parse::<Peer>().unwrap().host, "::1");
        for wrong in ["PACS", "PACS@host", "@host:1", "PACS@host:0", "PACS@host:65536", "A@:1"] {
            assert!(wrong.parse::<Peer>().is_err(), "{wrong}");
        }
    }
}
