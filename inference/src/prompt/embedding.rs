//! Sentences as the text encoder embeds them: made once per model and sentence, kept in memory and, where a folder is given,
//! on disk.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::Unsuitable;
use sha2::{Digest as _, Sha256};

use crate::manifest::hex;

/// An embedded sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Embedding {
    /// Number of tokens, the two marks included.
    pub(super) token_count: usize,
    /// `[token][width]`.
    pub(super) tokens: Vec<f32>,
    /// `[width]`; empty for v2.
    pub(super) class: Vec<f32>,
}

/// Most embeddings in memory; beyond it all are forgotten and made again as they are asked for.
const IN_MEMORY_MAX: usize = 1024;
/// Most files in the folder; beyond it no more are written.
const FILES_MAX: usize = 10_000;
/// Longest file, in bytes: 77 tokens of a width of 4096 take 1.3 MB.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Begins each file; raised with the format.
const MAGIC: &[u8; 8] = b"PNEMBED1";

/// What is known already.
#[derive(Debug)]
pub(super) struct Embeddings {
    model_sha256: String,
    folder: Option<PathBuf>,
    known: Mutex<HashMap<String, Arc<Embedding>>>,
}

impl Embeddings {
    /// Of a model; kept in a folder too, where one is given. The folder is created.
    pub(super) fn new(model_sha256: &str, folder: Option<PathBuf>) -> Self {
        let folder = folder.filter(|folder| {
            let created = fs::create_dir_all(folder);
            if let Err(error) = &created {
                tracing::warn!(folder = %folder.display(), %error, "embeddings are not kept on disk");
            }
            created.is_ok()
        });
        Self { model_sha256: model_sha256.to_owned(), folder, known: Mutex::default() }
    }

    /// The embedding of a sentence; `make` is called when it is not known yet.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn get(
        &self,
        sentence: &str,
        make: impl FnOnce() -> Result<Embedding, Unsuitable>,
    ) -> Result<Arc<Embedding>, Unsuitable> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(sentence)
        {
            return Ok(Arc::clone(known));
        }
        let path = self.folder.as_deref().map(|folder| self.path(folder, sentence));
        let read = path.as_deref().and_then(read);
        let embedding = match read {
            Some(embedding) => embedding,
            None => {
                let made = make()?;
                if let Some(path) = &path {
                    write(path, &made);
                }
                made
            }
        };
        Ok(self.remember(sentence, embedding))
    }

    fn remember(&self, sentence: &str, embedding: Embedding) -> Arc<Embedding> {
        let embedding = Arc::new(embedding);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= IN_MEMORY_MAX {
            known.clear();
        }
        known.insert(sentence.to_owned(), Arc::clone(&embedding));
        embedding
    }

    fn path(&self, folder: &Path, sentence: &str) -> PathBuf {
        let mut digest = Sha256::new();
        digest.update(&self.model_sha256);
        digest.update([0]);
        digest.update(sentence);
        folder.join(format!("{}.embedding", hex(&digest.finalize())))
    }
}

/// A file's embedding; `None` where it is not there or damaged. A damaged one is written anew.
fn read(path: &Path) -> Option<Embedding> {
    if fs::metadata(path).ok()?.len() > FILE_BYTES_MAX {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let parsed = parse(&bytes);
    if parsed.is_none() {
        tracing::warn!(path = %path.display(), "a damaged embedding is made anew");
    }
    parsed
}

fn parse(bytes: &[u8]) -> Option<Embedding> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if Sha256::digest(body).as_slice() != checksum {
        return None;
    }
    let rest = body.strip_prefix(MAGIC)?;
    let (counts, values) = rest.split_at_checked(12)?;
    let counts = counts.as_chunks::<4>().0.iter().map(|count| u32::from_le_bytes(*count));
    let counts: Vec<usize> = counts.map(usize::try_from).collect::<Result<_, _>>().ok()?;
    let [token_count, tokens, class] = counts.try_into().ok()?;
    let mut values: Vec<f32> =
        values.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let fits = values.len() == tokens + class && values.iter().all(|value| value.is_finite());
    let class = fits.then(|| values.split_off(tokens))?;
    Some(Embedding { token_count, tokens: values, class })
}

fn bytes(embedding: &Embedding) -> Vec<u8> {
    let counts = [embedding.token_count, embedding.tokens.len(), embedding.class.len()];
    let mut body = MAGIC.to_vec();
    for count in counts {
        body.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }
    for value in embedding.tokens.iter().chain(&embedding.class) {
        body.extend(value.to_le_bytes());
    }
    let checksum = Sha256::digest(&body);
    body.extend(checksum);
    body
}

/// Writes a file over whatever is there. Without a rename it may be cut off by a crash; its checksum tells then.
fn write(path: &Path, embedding: &Embedding) {
    let written = room_for(path).and_then(|room| match room {
        Room::Left => fs::write(path, bytes(embedding)),
        Room::Full => Ok(()),
    });
    if let Err(error) = written {
        tracing::warn!(path = %path.display(), %error, "an embedding is not kept on disk");
    }
}

enum Room {
    Left,
    Full,
}

fn room_for(path: &Path) -> io::Result<Room> {
    let Some(folder) = path.parent() else { return Ok(Room::Full) };
    let full = !path.exists() && fs::read_dir(folder)?.count() >= FILES_MAX;
    Ok(if full { Room::Full } else { Room::Left })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn embedding() -> Embedding {
        Embedding { token_count: 2, tokens: vec![1.5, -2.0, 3.0, 0.25], class: vec![7.0, 8.0] }
    }

    #[test]
    fn what_is_written_is_read_and_damage_is_seen() {
        let bytes = bytes(&embedding());
        assert_eq!(parse(&bytes), Some(embedding()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(parse(&damaged), None, "byte {at}");
            assert_eq!(parse(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_sentence_is_embedded_once_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let made = Cell::new(0);
        let make = || {
            made.set(made.get() + 1);
            Ok(embedding())
        };
        let open = |sha: &str| Embeddings::new(sha, Some(folder.path().join("embeddings")));
        let first = open("a");
        assert_eq!(*first.get("liver", make).unwrap(), embedding());
        assert_eq!(*first.get("liver", make).unwrap(), embedding());
        assert_eq!(*open("a").get("liver", make).unwrap(), embedding());
        assert_eq!(made.get(), 1);
        // Another model and another sentence are others.
        open("b").get("liver", make).unwrap();
        open("a").get("spleen", make).unwrap();
        assert_eq!(made.get(), 3);
    }

    #[test]
    fn a_damaged_file_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Embeddings::new("a", Some(folder.path().to_owned()));
        open().get("liver", || Ok(embedding())).unwrap();
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..20]).unwrap();
        assert_eq!(*open().get("liver", || Ok(embedding())).unwrap(), embedding());
        assert_eq!(fs::read(&file).unwrap(), whole);
    }
}
