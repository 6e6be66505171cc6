//! Certificates of a node and of its peer, and the options by which they show them.

use std::fs;
use std::path::PathBuf;

use tests::{Authority, IssuedFiles, Node, NodeSettings, Wishes, free_port};

use crate::support::text;

/// Certificates of a node and of a peer as files, and the secure port of the node.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) ca: PathBuf,
    /// Of the node.
    pub(crate) node: IssuedFiles,
    /// Of a peer.
    pub(crate) peer: IssuedFiles,
    /// The secure port.
    pub(crate) port: u16,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("hospital CA").unwrap();
        let issue = |name: &str| {
            let hosts = ["127.0.0.1", "localhost"];
            authority.issue(name, &hosts, &Wishes::default()).unwrap().write(folder.path(), name)
        };
        let (node, peer) = (issue("node").unwrap(), issue("peer").unwrap());
        let ca = folder.path().join("ca.crt");
        fs::write(&ca, authority.certificate()).unwrap();
        Self { ca, node, peer, port: free_port().unwrap(), folder }
    }

    /// `[tls]` of a node.
    pub(crate) fn tls(&self) -> String {
        format!(
            "[tls]\nlisten = \"127.0.0.1:{}\"\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\n",
            self.port, self.node.certificate, self.node.key, self.ca
        )
    }

    pub(crate) fn node(&self, settings: &NodeSettings) -> Node {
        Node::start(&self.folder.path().join("parsenode"), settings).unwrap()
    }

    /// Options by which DCMTK speaks TLS with the peer's certificate.
    pub(crate) fn dcmtk(&self) -> [&str; 5] {
        let IssuedFiles { certificate, key } = &self.peer;
        ["+tls", text(key), text(certificate), "+cf", text(&self.ca)]
    }

    /// Options by which parsenode does.
    pub(crate) fn ours(&self) -> [&str; 6] {
        let IssuedFiles { certificate, key } = &self.peer;
        ["--tls-ca", text(&self.ca), "--tls-cert", text(certificate), "--tls-key", text(key)]
    }

    pub(crate) fn address(&self) -> String {
        format!("PARSENODE@127.0.0.1:{}", self.port)
    }
}
