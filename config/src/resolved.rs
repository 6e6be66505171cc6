//! The configuration that the node works with: checked, typed, immutable. Each room gets its own part.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use domain::{AeTitle, Backoff, Destination, Durability, Limits, RoutingTable, Wishes};

use crate::SecurityConfig;

/// A configuration without faults.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who the node is and where.
    pub node: NodeConfig,
    /// From whom it takes what.
    pub receive: ReceiveConfig,
    /// Who may what, and how connections are secured.
    pub security: SecurityConfig,
    /// Every bound.
    pub limits: Limits,
    /// How long finished work is kept.
    pub keep: Duration,
    /// When deliveries are tried again.
    pub backoff: Backoff,
    /// How long peers may take.
    pub deliver: DeliverConfig,
    /// How models run.
    pub inference: InferenceConfig,
    /// How the log looks.
    pub log: LogConfig,
    /// The equipment that results name.
    pub device: DeviceConfig,
    /// Models, names unique.
    pub models: Vec<ModelConfig>,
    /// Destinations, names unique.
    pub destinations: Vec<Destination>,
    /// What each destination wants of results, by name.
    pub wishes: BTreeMap<String, Wishes>,
    /// Storage commitment, both ways.
    pub commitment: CommitmentConfig,
    /// Rules; the models and destinations they name exist.
    pub routing: RoutingTable,
}

/// Who the node is and where.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Our AE title.
    pub ae_title: AeTitle,
    /// `host:port` of the DICOM listener without TLS; none without.
    pub listen: Option<String>,
    /// `host:port` of health and metrics; none without.
    pub http: Option<String>,
    /// The folder of the spool.
    pub data: PathBuf,
}

/// From whom the node takes what.
#[derive(Debug, Clone)]
pub struct ReceiveConfig {
    /// Accepted calling AE titles; empty for any.
    pub calling: Vec<AeTitle>,
    /// Accepted called AE titles; empty for any.
    pub called: Vec<AeTitle>,
    /// What must be true before an instance is answered with success.
    pub durability: Durability,
    /// How long nothing must come before a series is complete.
    pub series_quiet: Duration,
    /// How long nothing must come after the association that brought it was released; at most `series_quiet`.
    pub release_quiet: Duration,
}

/// How long peers may take.
#[derive(Debug, Clone, Copy)]
pub struct DeliverConfig {
    /// To connect.
    pub connect_timeout: Duration,
    /// For each read and write.
    pub timeout: Duration,
}

/// Storage commitment (PS3.4 Annex J).
#[derive(Debug, Clone)]
pub struct CommitmentConfig {
    /// Who is to commit to results, by name of the destination.
    pub wanted: BTreeMap<String, CommitmentWish>,
    /// How long an association is kept for the report after a request.
    pub wait: Duration,
    /// When is asked again without a report, and how often in all.
    pub ask_again: Backoff,
    /// Peers may ask us.
    pub answers: CommitmentAnswers,
}

/// Who commits to what a destination got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentWish {
    /// Who is asked; reached as the destination is.
    pub to: Destination,
    /// The name in its certificate, where the destination is reached by TLS.
    pub server_name: String,
    /// Titles under which it may report.
    pub from: Vec<AeTitle>,
}

/// What peers that ask us for storage commitment get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitmentAnswers {
    /// Nothing: the SOP class is not ours.
    None,
    /// A report. Over an association of its own it goes to the peer of this title.
    ReportTo(Vec<Destination>),
}

/// How models run.
#[derive(Debug, Clone)]
pub struct InferenceConfig {
    /// ONNX Runtime's library; looked for where absent.
    pub onnxruntime: Option<PathBuf>,
    /// Name of the execution provider.
    pub provider: String,
    /// Threads of one inference; 0 for all cores.
    pub threads: usize,
    /// Jobs at a time; at least 1.
    pub workers: usize,
    /// Memory for answers to slices of series that still arrive, in bytes; 0 for none.
    pub ahead_bytes_max: usize,
}

/// How the log looks.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `text` or `json`.
    pub format: String,
    /// A filter such as `info` or `info,scp=debug`.
    pub level: String,
}

/// The equipment that results name (PS3.3 §C.7.5.2, all type 1).
#[derive(Debug, Clone)]
pub struct DeviceConfig {
    /// Manufacturer.
    pub manufacturer: String,
    /// Device Serial Number.
    pub serial_number: String,
    /// Station Name.
    pub station_name: Option<String>,
}

/// One model.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// The name that rules call it by.
    pub name: String,
    /// Its folder; a built-in model without.
    pub folder: Option<PathBuf>,
}
