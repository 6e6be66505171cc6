//! The nouns of parsenode and the pure machines over them.
//!
//! This room knows no files, sockets, clocks, threads or random numbers, and nothing of how DICOM is encoded.
//! Time comes in as [`Moment`], identifiers are derived, and every machine says when it wants to be woken.
//! Read the modules in the order of this list; it is the way of the data.

mod ae_title;
mod limits;
mod moment;
mod tag;
mod uid;

mod access;
mod coded_concept;
mod commitment;
mod durability;
mod geometry;
mod growing_stack;
mod identity;
mod instance;
mod intake;
mod security;

mod ask;
mod assemble;
mod foresee;
mod job;
mod retry;
mod route;
mod turn;

mod findings;
mod form;
mod model;
mod unsuitable;

pub use access::{
    Allowance, Caller, CertificateFacts, Fingerprint, IdentityDemand, IdentityKind, PeerRule,
    PeerTable, Service, Stranger,
};
pub use ae_title::{AeTitle, AeTitleError};
pub use ask::{
    ASK_TEXT_CHARS_MAX, ASK_TEXTS_MAX, Ask, Boxes, Instead, Mirror, Quarters, Recognise, Turn,
    Vocabulary,
};
pub use assemble::{Assembled, Assembler, OpenSeries, Waits};
pub use coded_concept::CodedConcept;
pub use commitment::{
    CommitmentRefusal, CommitmentReport, CommitmentRequest, CommitmentRoles, Commitments,
    FailureReason, InstanceReference, Remedy, RequestId, SharedCommitments,
};
pub use durability::Durability;
pub use findings::{
    Absence, Absent, Axes, Bounds, Confidence, Evidence, Extent, Findings, Intensity,
    IntensityUnit, Mask, Measurements, PlanarBox, Probabilities, Segment, SliceMask, Target,
};
pub use form::{Companions, SegmentationForm, SegmentationKind, Wishes};
pub use geometry::{FrameStack, SourceGrid, VolumeGeometry, cross, dot, norm, sub};
pub use growing_stack::{Beside, Ends, GrowingStack};
pub use identity::{Identities, IdentityClaim, IdentityFault, Secret};
pub use instance::{AssociationId, InstanceIdentity, InstanceOrigin, Series, SpooledInstance};
pub use intake::{Announced, Intake, Part, Parting, Refusal, Stored};
pub use job::{Destination, Job, JobId, Predecessor, Revision};
pub use limits::Limits;
pub use model::ModelIdentity;
pub use moment::Moment;
pub use retry::Backoff;
pub use route::{
    After, Condition, GeometryFacts, GeometryRange, Orientation, Reason, RoutingTable, Rule,
    SeriesFacts, Test, Then, Verdict,
};
pub use security::{TlsProfile, TokenAlgorithm};
pub use tag::Tag;
pub use turn::TurnError;
pub use uid::{
    FrameOfReferenceUid, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransactionUid, TransferSyntaxUid, UidError, derive_uid,
};
pub use unsuitable::{Unsuitable, UnsuitableCode};
