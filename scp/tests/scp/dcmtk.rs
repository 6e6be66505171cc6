//! DCMTK's tools as senders, on real files where they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::*;

/// Runs a tool; `None` when it is not installed.
async fn tool(name: &str, args: Vec<String>) -> Option<Output> {
    let mut command = Command::new(name);
    command.args(args);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    ran.map_err(|error| println!("skipped: {name}: {error}")).ok()
}

fn to(server: &Server) -> Vec<String> {
    vec!["127.0.0.1".into(), server.address.port().to_string()]
}

/// DICOM files of a folder of shared/data; empty when it is not there.
fn shared(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    files.sort();
    if files.is_empty() {
        println!("skipped: no shared/data/{folder}");
    }
    files
}

fn succeeded(output: &Output, what: &str) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{what}: {} {text}", output.status);
}

#[tokio::test]
async fn echoscu() {
    let server = Server::start(settings(), Mood::Good).await;
    if let Some(output) = tool("echoscu", to(&server)).await {
        succeeded(&output, "echo");
        assert_eq!(server.memory.closed(1).await.len(), 1);
    }
}

#[tokio::test]
async fn storescu_and_dcmsend_on_real_files() {
    for folder in ["ct-torso", "mr-t1w-brain"] {
        let files = shared(folder);
        for sender in ["storescu", "dcmsend"] {
            let server = Server::start(settings(), Mood::Good).await;
            let mut args = to(&server);
            args.extend(files.iter().map(|path| path.display().to_string()));
            if files.is_empty() {
                continue;
            }
            let Some(output) = tool(sender, args).await else { continue };
            succeeded(&output, folder);
            assert_eq!(server.memory.count(), files.len(), "{sender} {folder}");
            println!("{sender}: {} instances of {folder}", files.len());
            for path in &files {
                stored_as_in_file(&server.memory, path);
            }
        }
    }
}

/// What was received is the instance of the file.
fn stored_as_in_file(memory: &Memory, path: &Path) {
    let limits = dataset::ReadLimits {
        bytes_max: 1 << 24,
        depth_max: 16,
        elements_max: 1 << 20,
        value_bytes_max: 1 << 16,
    };
    let meta = dataset::read_file_header(path, &limits).unwrap().meta;
    let instances = memory.instances.lock().unwrap();
    let Kept { identity, data_set, .. } = &instances[meta.sop_instance.as_str()];
    assert_eq!(identity.sop_class, meta.sop_class);
    // DCMTK may write the header anew; Pixel Data stands last.
    let file = std::fs::read(path).unwrap();
    let tail = &file[file.len() - 20_000..];
    assert!(data_set.ends_with(tail), "{}", path.display());
}

#[tokio::test]
async fn compressed_and_other_transfer_syntaxes_are_stored_as_received() {
    let files = shared("ct-torso");
    let Some(file) = files.first() else { return };
    let dir = tempfile::tempdir().unwrap();
    // Tool, its option, the sender's option, the transfer syntax.
    let table = [
        ("dcmconv", "+ti", "-xi", "1.2.840.10008.1.2"),
        ("dcmconv", "+tb", "-xb", "1.2.840.10008.1.2.2"),
        ("dcmconv", "+td", "-xd", "1.2.840.10008.1.2.1.99"),
        ("dcmcrle", "", "-xr", "1.2.840.10008.1.2.5"),
        ("dcmcjpeg", "+e1", "-xs", "1.2.840.10008.1.2.4.70"),
        ("dcmcjpls", "+el", "-xt", "1.2.840.10008.1.2.4.80"),
    ];
    for (coder, option, proposal, syntax) in table {
        let path = dir.path().join(format!("{syntax}.dcm"));
        let args = [option, &file.display().to_string(), &path.display().to_string()];
        let args = args.iter().filter(|arg| !arg.is_empty()).map(|&arg| arg.to_owned()).collect();
        let Some(output) = tool(coder, args).await else { continue };
        succeeded(&output, coder);
        let server = Server::start(settings(), Mood::Good).await;
        let args = [vec![proposal.into()], to(&server), vec![path.display().to_string()]].concat();
        let Some(output) = tool("storescu", args).await else { continue };
        succeeded(&output, syntax);
        let instances = server.memory.instances.lock().unwrap();
        let Kept { identity, data_set, .. } = instances.values().next().expect(syntax);
        assert_eq!(identity.transfer_syntax.as_str(), syntax);
        println!("{syntax}: {} bytes", data_set.len());
    }
}
