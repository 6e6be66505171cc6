//! Which model made a result.

/// What identifies a model in logs, SEG, SR and derived UIDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// Short name, `[a-z0-9-]`.
    pub name: String,
    /// Version as the manifest gives it.
    pub version: String,
    /// One line for people.
    pub title: String,
    /// Who made it.
    pub manufacturer: String,
    /// SHA-256 over manifest and ONNX files, 64 lower-case hex digits.
    pub sha256: String,
}
