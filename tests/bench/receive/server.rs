//! Who receives: a node of ours and the servers of others, each as it comes and as well set as we know how.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tests::{
    Node, NodeSettings, Orthanc, Running, Validators, free_port, wait_for, workspace_root,
};

/// A server, and how it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// Ours; answered once the instance is on stable storage.
    ParsenodeDisk,
    /// Ours; answered once the system has the instance, as all others do.
    ParsenodeCache,
    /// DCMTK's storescp as it comes.
    Storescp,
    /// The same without Nagle's algorithm, in processes, streaming, with PDUs of 128 KiB.
    StorescpTuned,
    /// Orthanc as it comes.
    Orthanc,
    /// The same without Nagle's algorithm and MD5, with PDUs of 128 KiB.
    OrthancTuned,
    /// pynetdicom's storescp.
    Pynetdicom,
    /// dicom-rs's storescp, in threads.
    DicomRs,
}

/// A server that runs.
pub(crate) enum Started {
    Node(Node),
    Orthanc(Orthanc),
    Program { running: Running, port: u16, folder: PathBuf },
}

impl Server {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 8] = [
        Self::ParsenodeCache,
        Self::ParsenodeDisk,
        Self::Storescp,
        Self::StorescpTuned,
        Self::Orthanc,
        Self::OrthancTuned,
        Self::Pynetdicom,
        Self::DicomRs,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ParsenodeCache => "parsenode, durability cache",
            Self::ParsenodeDisk => "parsenode, durability disk (default)",
            Self::Storescp => "storescp, stock",
            Self::StorescpTuned => "storescp, tuned",
            Self::Orthanc => "Orthanc, stock",
            Self::OrthancTuned => "Orthanc, tuned",
            Self::Pynetdicom => "pynetdicom storescp",
            Self::DicomRs => "dicom-storescp -n",
        }
    }

    /// Its AE title.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::ParsenodeCache | Self::ParsenodeDisk => "PARSENODE",
            Self::Orthanc | Self::OrthancTuned => "ORTHANC",
            Self::Storescp | Self::StorescpTuned | Self::Pynetdicom | Self::DicomRs => "STORESCP",
        }
    }

    /// Waits for a timer with each instance, whoever sends: more than some of them say nothing new.
    pub(crate) fn is_timer_bound(self) -> bool {
        matches!(self, Self::Storescp | Self::Orthanc)
    }

    /// Starts it with an empty folder below `dir`.
    pub(crate) fn start(self, dir: &Path) -> Result<Started> {
        let folder = dir.join("received");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let folder_text = folder.display().to_string();
        let program = |name: &str| Command::new(name);
        match self {
            Self::ParsenodeDisk => node(dir, "disk"),
            Self::ParsenodeCache => node(dir, "cache"),
            Self::Orthanc => Orthanc::start(dir).map(Started::Orthanc),
            Self::OrthancTuned => tuned_orthanc(dir),
            Self::Storescp => {
                started(program("storescp").args(["--fork", "-od", &folder_text]), dir, folder)
            }
            Self::StorescpTuned => {
                let mut command = program("storescp");
                command.env("TCP_NODELAY", "1").args(["--fork", "+B", "-pdu", "131072"]);
                started(command.args(["-od", &folder_text]), dir, folder)
            }
            Self::Pynetdicom => {
                let python = Validators::find().context("pynetdicom is not installed")?;
                let mut command = Command::new(python.program("python"));
                command.args(["-m", "pynetdicom", "storescp", "-q", "-od", &folder_text]);
                started(&mut command, dir, folder)
            }
            Self::DicomRs => {
                let path = workspace_root().join("target/peers/bin/dicom-storescp");
                let mut command = Command::new(path);
                command.args(["-n", "-m", "131072", "-o", &folder_text, "-p"]);
                started(&mut command, dir, folder)
            }
        }
    }
}

fn node(dir: &Path, durability: &str) -> Result<Started> {
    let settings = NodeSettings {
        receive: format!("durability = \"{durability}\"\n"),
        // No models, no rules: only receiving is measured, and ONNX Runtime is not loaded.
        rules: Some(String::new()),
        series_quiet_s: 600,
        ..NodeSettings::default()
    };
    Node::start(&dir.join("node"), &settings).map(Started::Node)
}

fn tuned_orthanc(dir: &Path) -> Result<Started> {
    let settings = json!({ "MaximumPduLength": 131_072, "StoreMD5ForAttachments": false });
    Orthanc::start_with(dir, &settings, &[("TCP_NODELAY", "1")]).map(Started::Orthanc)
}

/// Starts a program whose last argument is its port.
fn started(command: &mut Command, dir: &Path, folder: PathBuf) -> Result<Started> {
    let port = free_port()?;
    let mut running =
        Running::start("a server", command.arg(port.to_string()), &dir.join("server.log"))?;
    wait_for("a server to listen", Duration::from_secs(30), || {
        running.must_run()?;
        Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
    })?;
    Ok(Started::Program { running, port, folder })
}

impl Started {
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Node(node) => node.port,
            Self::Orthanc(orthanc) => orthanc.dicom_port,
            Self::Program { port, .. } => *port,
        }
    }

    /// Checks that it has so many instances.
    pub(crate) fn check(&self, instances: usize) -> Result<()> {
        let found = match self {
            Self::Node(node) => files_below(&node.data().join("instances"))?,
            Self::Orthanc(orthanc) => orthanc.sop_instances()?.len(),
            Self::Program { folder, .. } => files_below(folder)?,
        };
        ensure!(found == instances, "{instances} sent, {found} there");
        Ok(())
    }

    /// Its process.
    pub(crate) fn running(&mut self) -> Result<&mut Running> {
        match self {
            Self::Node(node) => node.running(),
            Self::Orthanc(orthanc) => orthanc.running(),
            Self::Program { running, .. } => Ok(running),
        }
    }

    pub(crate) fn stop(self) -> Result<()> {
        match self {
            Self::Node(mut node) => node.stop(),
            Self::Orthanc(mut orthanc) => orthanc.stop(),
            Self::Program { mut running, .. } => running.kill(),
        }
    }
}

fn files_below(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        count += if path.is_dir() { files_below(&path)? } else { 1 };
    }
    if count > 1 << 20 {
        bail!("too many files in {}", folder.display());
    }
    Ok(count)
}
