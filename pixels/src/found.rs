//! What is looked for once an instance, not once a frame.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use domain::Unsuitable;
use series::SourceInstance;

/// Kept beside an instance while it is in use.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Where the fragments of each frame are.
    spans: OnceLock<Vec<Span>>,
    /// The pixels of all frames of a deflated data set.
    inflated: Mutex<Option<Arc<Vec<u8>>>>,
}

/// Where the fragments of a frame are in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The first item.
    pub(crate) start: u64,
    /// Behind the last one; they may end earlier.
    pub(crate) end: u64,
}

/// The fragments of a frame; `look` finds those of all frames.
pub(crate) fn span(
    instance: &SourceInstance,
    frame_index: usize,
    look: impl FnOnce() -> Result<Vec<Span>, Unsuitable>,
) -> Result<Option<Span>, Unsuitable> {
    let of_frame = |spans: &Vec<Span>| spans.get(frame_index).copied();
    let Some(found) = instance.kept.get_or_default::<Found>() else {
        return look().map(|spans| of_frame(&spans));
    };
    if let Some(spans) = found.spans.get() {
        return Ok(of_frame(spans));
    }
    let spans = look()?;
    Ok(of_frame(found.spans.get_or_init(|| spans)))
}

/// The pixels of all frames; while one thread inflates them, others wait.
pub(crate) fn inflated(
    instance: &SourceInstance,
    inflate: impl FnOnce() -> Result<Vec<u8>, Unsuitable>,
) -> Result<Arc<Vec<u8>>, Unsuitable> {
    let Some(found) = instance.kept.get_or_default::<Found>() else {
        return inflate().map(Arc::new);
    };
    let mut kept = found.inflated.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bytes) = &*kept {
        return Ok(Arc::clone(bytes));
    }
    let bytes = Arc::new(inflate()?);
    *kept = Some(Arc::clone(&bytes));
    Ok(bytes)
}
