//! `node.toml` as it is written. Defaults stand here; nothing is checked but types and names of keys.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Deserialize;

use crate::written_security::{DestinationTls, DestinationUser, Identity, Peer, Tls};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    pub(crate) node: Node,
    #[serde(default)]
    pub(crate) receive: Receive,
    #[serde(default)]
    pub(crate) tls: Tls,
    #[serde(default)]
    pub(crate) identity: Identity,
    #[serde(default)]
    pub(crate) peer: Vec<Peer>,
    #[serde(default)]
    pub(crate) spool: Spool,
    #[serde(default)]
    pub(crate) deliver: Deliver,
    #[serde(default)]
    pub(crate) commitment: Commitment,
    #[serde(default)]
    pub(crate) inference: Inference,
    #[serde(default)]
    pub(crate) log: Log,
    #[serde(default)]
    pub(crate) device: Device,
    #[serde(default)]
    pub(crate) model: Vec<Model>,
    #[serde(default)]
    pub(crate) destination: Vec<Destination>,
    #[serde(default)]
    pub(crate) rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    pub(crate) ae_title: String,
    #[serde(default = "listen")]
    pub(crate) listen: String,
    pub(crate) http: Option<String>,
    pub(crate) data: PathBuf,
    #[serde(default = "shutdown_grace_s")]
    pub(crate) shutdown_grace_s: u64,
}

fn listen() -> String {
    "0.0.0.0:11112".into()
}

fn shutdown_grace_s() -> u64 {
    30
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Receive {
    pub(crate) calling: Vec<String>,
    pub(crate) called: Vec<String>,
    pub(crate) associations_max: usize,
    pub(crate) pdu_length_bytes_max: u32,
    pub(crate) instance_bytes_max: u64,
    pub(crate) idle_timeout_s: u64,
    pub(crate) artim_timeout_s: u64,
    pub(crate) series_quiet_s: f64,
    pub(crate) release_quiet_s: Option<f64>,
    pub(crate) association_wait_s: u64,
    pub(crate) series_instances_max: usize,
    pub(crate) durability: Durability,
}

impl Default for Receive {
    fn default() -> Self {
        Self {
            calling: vec![],
            called: vec![],
            associations_max: 64,
            pdu_length_bytes_max: 131_072,
            instance_bytes_max: 4 << 30,
            idle_timeout_s: 120,
            artim_timeout_s: 30,
            series_quiet_s: 10.0,
            release_quiet_s: None,
            association_wait_s: 1_800,
            series_instances_max: 20_000,
            durability: Durability::Disk,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    Disk,
    Cache,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Spool {
    pub(crate) bytes_max: u64,
    pub(crate) disk_free_bytes_min: u64,
    pub(crate) keep_days: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self { bytes_max: 500 << 30, disk_free_bytes_min: 1 << 30, keep_days: 7 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Deliver {
    pub(crate) first_pause_s: u64,
    pub(crate) longest_pause_s: u64,
    pub(crate) attempts_max: u32,
    pub(crate) connect_timeout_s: u64,
    pub(crate) timeout_s: u64,
}

impl Default for Deliver {
    fn default() -> Self {
        Self {
            first_pause_s: 5,
            longest_pause_s: 300,
            attempts_max: 1_000,
            connect_timeout_s: 10,
            timeout_s: 60,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Commitment {
    pub(crate) answer: bool,
    pub(crate) report_to: Vec<String>,
    pub(crate) wait_s: u64,
    pub(crate) ask_again_s: u64,
    pub(crate) ask_again_longest_s: u64,
    pub(crate) ask_max: u32,
}

impl Default for Commitment {
    fn default() -> Self {
        Self {
            answer: false,
            report_to: vec![],
            wait_s: 5,
            ask_again_s: 600,
            ask_again_longest_s: 86_400,
            ask_max: 20,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Inference {
    pub(crate) onnxruntime: Option<PathBuf>,
    pub(crate) provider: String,
    pub(crate) threads: usize,
    pub(crate) workers: usize,
    pub(crate) ahead_bytes_max: usize,
}

impl Default for Inference {
    fn default() -> Self {
        Self {
            onnxruntime: None,
            provider: "cpu".into(),
            threads: 0,
            workers: 1,
            ahead_bytes_max: 256 << 20,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) format: String,
    pub(crate) level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: "text".into(), level: "info".into() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Device {
    pub(crate) manufacturer: String,
    pub(crate) serial_number: String,
    pub(crate) station_name: Option<String>,
}

impl Default for Device {
    fn default() -> Self {
        Self { manufacturer: "parsenode".into(), serial_number: "0".into(), station_name: None }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) name: String,
    pub(crate) to: String,
    pub(crate) calling: Option<String>,
    pub(crate) tls: Option<DestinationTls>,
    pub(crate) user: Option<DestinationUser>,
    #[serde(default)]
    pub(crate) segmentation: Vec<Segmentation>,
    pub(crate) frames_max: Option<NonZeroUsize>,
    #[serde(default)]
    pub(crate) keep_empty_frames: bool,
    #[serde(default)]
    pub(crate) companions: Vec<Companion>,
    #[serde(default)]
    pub(crate) transfer_syntaxes: Vec<TransferSyntax>,
    #[serde(default)]
    pub(crate) commitment: bool,
    pub(crate) commitment_to: Option<String>,
    #[serde(default)]
    pub(crate) commitment_from: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Segmentation {
    Binary,
    Fractional,
    Labelmap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Companion {
    KeyObjects,
    SecondaryCapture,
    PresentationState,
    RejectionNote,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TransferSyntax {
    Explicit,
    Implicit,
    Deflated,
    DeflatedFrames,
    Rle,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) prompts: Vec<String>,
    #[serde(default)]
    pub(crate) targets: Vec<String>,
    pub(crate) recognise: Option<Recognise>,
    #[serde(default)]
    pub(crate) open_vocabulary: bool,
    #[serde(default)]
    pub(crate) boxes: bool,
    pub(crate) modality: Option<String>,
    pub(crate) site: Option<String>,
    pub(crate) sequence: Option<String>,
    pub(crate) window: Option<String>,
    pub(crate) turn: Option<String>,
    pub(crate) p_least: Option<f64>,
    #[serde(default)]
    pub(crate) destinations: Vec<String>,
    #[serde(default)]
    pub(crate) then: Then,
    #[serde(default)]
    pub(crate) after: After,
    #[serde(default)]
    pub(crate) calling: Vec<String>,
    #[serde(default)]
    pub(crate) called: Vec<String>,
    #[serde(default)]
    pub(crate) slices: Range,
    #[serde(default)]
    pub(crate) slice_spacing_mm: Range,
    #[serde(default)]
    pub(crate) orientation: Vec<Orientation>,
    #[serde(default, rename = "match")]
    pub(crate) conditions: BTreeMap<String, Test>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Recognise {
    All,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Then {
    #[default]
    Stop,
    Continue,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum After {
    #[default]
    Series,
    Study,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Orientation {
    Axial,
    Coronal,
    Sagittal,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a value, a list of values, { regex = … }, { min = …, max = … } or { present = … }"
)]
pub(crate) enum Test {
    Equals(Scalar),
    OneOf(Vec<Scalar>),
    Regex(Regex),
    Present(Present),
    Range(Range),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Regex {
    pub(crate) regex: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Present {
    pub(crate) present: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Text(String),
    Whole(i64),
    Number(f64),
}
