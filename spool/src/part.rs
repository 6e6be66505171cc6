//! An instance on its way in.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::{FileMeta, file_meta_bytes};
use domain::{Announced, InstanceIdentity, InstanceOrigin};

use crate::SpoolError;
use crate::folder::Folder;
use crate::room::Room;
use crate::seal;

/// A file that grows, without a name or, where that cannot be, in `incoming/`. Dropped without being published, it leaves
/// nothing behind.
#[derive(Debug)]
pub struct PartFile {
    folder: Arc<Folder>,
    room: Arc<Room>,
    file: File,
    /// Preamble and File Meta Information, until they are written with the first bytes of the data set.
    head: Vec<u8>,
    /// Where it lies, if it has a name.
    path: PathBuf,
    is_named: bool,
    announced: Announced,
    origin: InstanceOrigin,
    meta_bytes: u64,
    data_set_bytes: u64,
    failed: Option<SpoolError>,
    moved: bool,
}

impl PartFile {
    /// Opens a part that begins with preamble and File Meta Information (PS3.10 §7.1); nobody else uses `path`.
    pub(crate) fn begin(
        folder: &Arc<Folder>,
        room: &Arc<Room>,
        path: PathBuf,
        announced: &Announced,
        origin: &InstanceOrigin,
    ) -> Result<Self, SpoolError> {
        room.check()?;
        let head = head(announced, origin);
        let meta_bytes = length_of(&head);
        let (file, is_named) = folder.create_part(&path)?;
        let mut part = Self {
            folder: Arc::clone(folder),
            room: Arc::clone(room),
            file,
            head,
            path,
            is_named,
            announced: announced.clone(),
            origin: origin.clone(),
            meta_bytes: 0,
            data_set_bytes: 0,
            failed: None,
            moved: false,
        };
        part.room.take(meta_bytes)?;
        part.meta_bytes = meta_bytes;
        Ok(part)
    }

    /// Appends bytes of the data set, as received.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`], [`SpoolError::SpoolFull`], [`SpoolError::DiskLow`], [`SpoolError::DiskFull`] or
    /// [`SpoolError::Io`]; the part can then not be published any more.
    pub fn write(&mut self, data_set_bytes: &[&[u8]]) -> Result<(), SpoolError> {
        let length = data_set_bytes.iter().map(|piece| length_of(piece)).sum();
        let bytes_max = self.room.instance_bytes_max;
        let written = if self.data_set_bytes.saturating_add(length) > bytes_max {
            Err(SpoolError::TooLarge { bytes_max })
        } else {
            self.append(length, data_set_bytes)
        };
        if let Err(error) = written {
            self.failed = Some(error.clone());
            return Err(error);
        }
        self.data_set_bytes += length;
        Ok(())
    }

    fn append(&mut self, length: u64, pieces: &[&[u8]]) -> Result<(), SpoolError> {
        self.room.take(length)?;
        let head = std::mem::take(&mut self.head);
        let written = if head.is_empty() {
            self.folder.write(&mut self.file, &self.path, pieces)
        } else {
            let with_head: Vec<_> = std::iter::once(&*head).chain(pieces.iter().copied()).collect();
            self.folder.write(&mut self.file, &self.path, &with_head)
        };
        written.inspect_err(|_| self.room.give_back(length))
    }

    /// Whether all writes succeeded and the identity is what was announced.
    pub(crate) fn check(&self, identity: &InstanceIdentity) -> Result<(), SpoolError> {
        let announced = &self.announced;
        let same = announced.sop_class == identity.sop_class
            && announced.sop_instance == identity.sop_instance
            && announced.transfer_syntax == identity.transfer_syntax;
        match &self.failed {
            Some(error) => Err(error.clone()),
            None if same => Ok(()),
            None => Err(SpoolError::IdentityMismatch),
        }
    }

    /// Says in the file that it is whole.
    pub(crate) fn seal(&mut self) -> Result<(), SpoolError> {
        if !self.head.is_empty() {
            self.append(0, &[])?;
        }
        self.folder.overwrite(&self.file, &self.path, &seal::whole(self.file_bytes()))
    }

    /// Makes the file durable, wherever it lies by now; its name with it, where [`Folder::names`] says so.
    pub(crate) fn sync(&self) -> Result<(), SpoolError> {
        self.folder.sync_file(&self.file, &self.path)
    }

    /// The file, which was moved to `target`, goes with this part.
    pub(crate) fn withdraw(&mut self, target: &Path) {
        if std::mem::replace(&mut self.moved, false) {
            target.clone_into(&mut self.path);
            self.is_named = true;
        }
    }

    /// Moves the file to `target`; its bytes stay counted as the spool's.
    pub(crate) fn move_to(&mut self, target: &Path) -> Result<(), SpoolError> {
        if !self.is_named {
            // Only a name can take the place of another; one that is not ours must not.
            self.is_named = self.folder.name_if_free(&self.file, &self.path)?;
            if !self.is_named {
                let taken = io::ErrorKind::AlreadyExists.into();
                return Err(SpoolError::io("name", &self.path, taken));
            }
        }
        self.folder.rename(&self.path, target)?;
        self.moved = true;
        Ok(())
    }

    /// The same where nothing is; `false`, and it stays, when something is there.
    pub(crate) fn move_to_free(&mut self, target: &Path) -> Result<bool, SpoolError> {
        self.moved = if self.is_named {
            self.folder.rename_if_free(&self.path, target)?
        } else {
            self.folder.name_if_free(&self.file, target)?
        };
        Ok(self.moved)
    }

    /// The file itself.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Where it lies, if it has a name; else, where it would.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Who sent it.
    pub(crate) fn origin(&self) -> &InstanceOrigin {
        &self.origin
    }

    /// Length of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.meta_bytes + self.data_set_bytes
    }

    /// Where the data set begins in the file.
    pub(crate) fn data_set_offset(&self) -> u64 {
        self.meta_bytes
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if self.moved {
            return;
        }
        self.room.give_back(self.file_bytes());
        if !self.is_named {
            return;
        }
        if let Err(error) = self.folder.remove_file(&self.path) {
            tracing::warn!(%error, "a part stays until the next start");
        }
    }
}

/// Preamble and File Meta Information, with the seal of a file that grows.
fn head(announced: &Announced, origin: &InstanceOrigin) -> Vec<u8> {
    let mut meta = file_meta_bytes(&FileMeta::received(announced, origin));
    for (to, from) in meta.iter_mut().zip(seal::unfinished()) {
        *to = from;
    }
    meta
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
