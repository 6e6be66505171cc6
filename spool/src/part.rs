//! An instance on its way in.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataset::{FileMeta, file_meta_bytes};
use domain::{Announced, InstanceIdentity, InstanceOrigin};

use crate::SpoolError;
use crate::folder::Folder;
use crate::room::Room;
use crate::seal;

/// A file in `incoming/` that grows. Dropped without being published, it leaves nothing behind.
#[derive(Debug)]
pub struct PartFile {
    folder: Arc<Folder>,
    room: Arc<Room>,
    file: File,
    path: PathBuf,
    announced: Announced,
    origin: InstanceOrigin,
    meta_bytes: u64,
    data_set_bytes: u64,
    failed: Option<SpoolError>,
    moved: bool,
}

impl PartFile {
    /// Opens a part at `path` and writes preamble and File Meta Information (PS3.10 §7.1).
    pub(crate) fn begin(
        folder: &Arc<Folder>,
        room: &Arc<Room>,
        path: PathBuf,
        announced: &Announced,
        origin: &InstanceOrigin,
    ) -> Result<Self, SpoolError> {
        room.check()?;
        let file = folder.create_file(&path)?;
        let mut part = Self {
            folder: Arc::clone(folder),
            room: Arc::clone(room),
            file,
            path,
            announced: announced.clone(),
            origin: origin.clone(),
            meta_bytes: 0,
            data_set_bytes: 0,
            failed: None,
            moved: false,
        };
        let mut meta = file_meta_bytes(&FileMeta::received(announced, origin));
        for (to, from) in meta.iter_mut().zip(seal::unfinished()) {
            *to = from;
        }
        part.meta_bytes = part.append(&meta)?;
        Ok(part)
    }

    /// Appends bytes of the data set, as received.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`], [`SpoolError::SpoolFull`], [`SpoolError::DiskLow`], [`SpoolError::DiskFull`] or
    /// [`SpoolError::Io`]; the part can then not be published any more.
    pub fn write(&mut self, data_set_bytes: &[u8]) -> Result<(), SpoolError> {
        let length = u64::try_from(data_set_bytes.len()).unwrap_or(u64::MAX);
        let bytes_max = self.room.instance_bytes_max;
        let written = if self.data_set_bytes.saturating_add(length) > bytes_max {
            Err(SpoolError::TooLarge { bytes_max })
        } else {
            self.append(data_set_bytes)
        };
        match written {
            Ok(written) => self.data_set_bytes += written,
            Err(error) => {
                self.failed = Some(error.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<u64, SpoolError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.room.take(length)?;
        let written = self.folder.write(&mut self.file, &self.path, bytes);
        written.inspect_err(|_| self.room.give_back(length))?;
        Ok(length)
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
    pub(crate) fn seal(&self) -> Result<(), SpoolError> {
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
        }
    }

    /// Moves the file to `target`; its bytes stay counted as the spool's.
    pub(crate) fn move_to(&mut self, target: &Path) -> Result<(), SpoolError> {
        self.folder.rename(&self.path, target)?;
        self.moved = true;
        Ok(())
    }

    /// The same where nothing is; `false`, and it stays, when something is there.
    pub(crate) fn move_to_free(&mut self, target: &Path) -> Result<bool, SpoolError> {
        self.moved = self.folder.rename_if_free(&self.path, target)?;
        Ok(self.moved)
    }

    /// Where it lies.
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
        if let Err(error) = self.folder.remove_file(&self.path) {
            tracing::warn!(%error, "a part stays until the next start");
        }
    }
}
