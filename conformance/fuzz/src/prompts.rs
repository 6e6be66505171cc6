//! A prompt as somebody typed it, for images of any modality.
//!
//! The first byte is the modality, or none, and whether the vocabulary is open.

use catalogue::{
    Context, Modality, ModelTarget, Vocabulary, find, find_among, find_volume, nearest,
};

/// Understands a prompt in all ways; what is understood is understood again.
pub fn run(bytes: &[u8]) {
    let Some((how, text)) = bytes.split_first() else { return };
    let Ok(given) = std::str::from_utf8(text) else { return };
    let modality = Modality::ALL.get(usize::from(how & 0x0F)).copied();
    let context = Context { modality, ..Context::default() };
    let vocabulary = if how & 0x80 == 0 { Vocabulary::Closed } else { Vocabulary::Open };
    match find(given, &context, vocabulary) {
        Ok(found) => assert!(!found.understood.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let modalities = [Modality::Ct, Modality::Mri];
    let target = |name| ModelTarget { name, modalities: &modalities };
    let targets = [target("liver"), target("left kidney"), target("lung nodule")];
    if let Ok(found) = find_among(given, &context, &targets) {
        assert!(found.index < targets.len());
    }
    drop(find_volume(given, &context));
    assert!(nearest(given).len() < 100);
}
