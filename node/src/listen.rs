//! `parsenode listen`: a plain storing SCP, to try things against.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dataset::{FileMeta, file_meta_bytes};
use domain::{
    AeTitle, Announced, AssociationId, InstanceIdentity, InstanceOrigin, Intake, Limits, Part,
    Parting, Refusal, Stored,
};
use scp::{ScpCounters, ScpSettings};
use serde_json::json;
use tokio::net::TcpListener;

use crate::cli::ListenArgs;
use crate::failure::{Failure, Fault, OrFail};
use crate::shutdown;
use crate::text;

/// Runs the command.
pub(crate) fn run(args: &ListenArgs) -> Result<(), Failure> {
    let called = match &args.ae {
        Some(title) => vec![AeTitle::parse(title).or_fail(Fault::Misuse, || "--ae")?],
        None => vec![],
    };
    fs::create_dir_all(&args.dir).or_fail(Fault::Disk, || args.dir.display().to_string())?;
    let settings = ScpSettings { called, ..ScpSettings::new(Limits::default()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.or_fail(Fault::Internal, || "tokio")?.block_on(listen(args, settings))
}

async fn listen(args: &ListenArgs, settings: ScpSettings) -> Result<(), Failure> {
    let on = || format!("{}:{}", args.host, args.port);
    let listener =
        TcpListener::bind((args.host.as_str(), args.port)).await.or_fail(Fault::Unavailable, on)?;
    let address = listener.local_addr().or_fail(Fault::Unavailable, on)?;
    text::print_line(&format!("listening on {address}, storing in {}", args.dir.display()))?;
    let folder = Folder { dir: args.dir.clone(), json: args.json, parts: AtomicU64::new(0) };
    let counters = Arc::<ScpCounters>::default();
    scp::serve(listener, Arc::new(settings), Arc::new(folder), counters, shutdown::signal()).await;
    Ok(())
}

/// Instances as files below a folder.
#[derive(Debug)]
struct Folder {
    dir: PathBuf,
    json: bool,
    parts: AtomicU64,
}

impl Intake for Folder {
    fn begin(
        &self,
        origin: &InstanceOrigin,
        announced: &Announced,
    ) -> Result<Box<dyn Part>, Refusal> {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!(".{}-{number}.part", std::process::id()));
        let mut file = File::create(&path).map_err(failed)?;
        file.write_all(&file_meta_bytes(&FileMeta::received(announced, origin))).map_err(failed)?;
        let (dir, json) = (self.dir.clone(), self.json);
        Ok(Box::new(FolderPart { file: Some(file), path, dir, json }))
    }

    fn association_closed(&self, _: AssociationId, _: Parting) {}
}

struct FolderPart {
    file: Option<File>,
    path: PathBuf,
    dir: PathBuf,
    json: bool,
}

impl Part for FolderPart {
    fn write(&mut self, data_set_bytes: &[&[u8]]) -> Result<(), Refusal> {
        let Some(file) = &mut self.file else { return Ok(()) };
        data_set_bytes.iter().try_for_each(|piece| file.write_all(piece)).map_err(failed)
    }

    fn publish(mut self: Box<Self>, identity: InstanceIdentity, stored: Stored) {
        self.file = None;
        let published = place(&self.path, &self.dir, &identity).map_err(failed);
        if published.is_ok() {
            announce(&identity, self.json);
        }
        stored(published);
    }
}

impl Drop for FolderPart {
    fn drop(&mut self) {
        // Gone already when it was published.
        drop(fs::remove_file(&self.path));
    }
}

fn place(part: &Path, dir: &Path, identity: &InstanceIdentity) -> Result<(), spool::SpoolError> {
    let folder = dir.join(identity.study.as_str()).join(identity.series.as_str());
    spool::publish_file(part, &folder.join(format!("{}.dcm", identity.sop_instance)))
}

fn announce(identity: &InstanceIdentity, json: bool) {
    let line = if json {
        json!({
            "study": identity.study.as_str(),
            "series": identity.series.as_str(),
            "sop_instance": identity.sop_instance.as_str(),
            "sop_class": identity.sop_class.as_str(),
        })
        .to_string()
    } else {
        format!("stored {}", identity.sop_instance)
    };
    drop(text::print_line(&line));
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::ProcessingFailure(error.to_string())
}
