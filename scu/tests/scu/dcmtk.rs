//! DCMTK's storescp as the destination.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use domain::{AeTitle, Destination};
use scu::Outcome;

use crate::acceptor::{PATIENCE, TIMEOUTS};
use crate::files::{CT, data_set, file};

/// A storescp that is ended when this is dropped.
struct StoreScp {
    child: Child,
    to: Destination,
}

impl StoreScp {
    /// Starts one that stores into `dir`; `None` when it is not installed.
    async fn start(dir: &Path, options: &[&str]) -> Option<Self> {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let mut command = Command::new("storescp");
        command.args(options).arg("-od").arg(dir).arg(port.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: storescp is not installed");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let title = |text| AeTitle::parse(text).unwrap();
        let (called, calling) = (title("STORESCP"), title("NODE"));
        let host = "localhost".into();
        let to = Destination { name: "dcmtk".into(), called, calling, host, port };
        let this = Self { child, to };
        tokio::time::timeout(PATIENCE, this.answers()).await.expect("storescp does not answer");
        Some(this)
    }

    async fn answers(&self) {
        while scu::echo(&self.to, &TIMEOUTS).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Drop for StoreScp {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn storescp_stores_what_is_sent_bit_by_bit() {
    let source = tempfile::tempdir().unwrap();
    let pixels = [0, 1_000, 300_000];
    let instances: Vec<_> =
        (0..3).map(|n| file(source.path(), CT, &format!("1.2.3.4.{n}"), pixels[n])).collect();
    // Short and long PDUs, and the data set written as it came (+B).
    for options in [["+B", "-pdu", "4096"], ["+B", "-pdu", "131072"]] {
        let dir = tempfile::tempdir().unwrap();
        let Some(scp) = StoreScp::start(dir.path(), &options).await else { return };
        let outcomes = scu::store(&scp.to, &instances, &TIMEOUTS, &mut |_, _| {}).await.unwrap();
        assert_eq!(outcomes, vec![Outcome::Stored; 3]);
        for (n, pixels) in pixels.into_iter().enumerate() {
            let stored = std::fs::read(dir.path().join(format!("CT.1.2.3.4.{n}"))).unwrap();
            assert!(stored.ends_with(&data_set(CT, &format!("1.2.3.4.{n}"), pixels)), "{n}");
        }
        println!("storescp {options:?}: 3 instances");
    }
}

#[tokio::test]
async fn storescp_refuses_by_context() {
    let source = tempfile::tempdir().unwrap();
    let instance = file(source.path(), CT, "1.2.3.4.5", 10);
    let dir = tempfile::tempdir().unwrap();
    // Only Implicit VR Little Endian is taken.
    let Some(scp) = StoreScp::start(dir.path(), &["+xi"]).await else { return };
    let outcomes = scu::store(&scp.to, &[instance], &TIMEOUTS, &mut |_, _| {}).await.unwrap();
    assert_eq!(outcomes, [Outcome::NotAccepted]);
}
