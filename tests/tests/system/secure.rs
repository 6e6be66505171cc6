//! TLS and peers of the real node, with DCMTK and Orthanc on the other side; certificates that change on the disk.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Node, NodeSettings, Orthanc, Phantom, Running, free_port, run, wait_for};

use crate::support::{PATIENCE, call, files_below, left_out, text};
use crate::world::World;

/// As Linux has it.
const O_NONBLOCK: i32 = 0o4000;

/// Runs a program of DCMTK against a port; whether it was content.
fn dcmtk(program: &str, options: &[&str], port: u16, files: &[&str]) -> bool {
    let port = port.to_string();
    let mut command = Command::new(program);
    command.args(options).args(["-aec", "PARSENODE", "127.0.0.1", &port]).args(files);
    command.output().unwrap().status.success()
}

fn wait_for_log(node: &Node, words: &str) {
    let found = || Ok(node.log().contains(words).then_some(()));
    wait_for(&format!("{words:?} in the log"), Duration::from_secs(30), found).unwrap();
}

#[test]
fn dcmtk_by_tls_in_both_directions() {
    if left_out("DCMTK by TLS", &["ONNX Runtime", "storescu", "storescp", "echoscu"]) {
        return;
    }
    let world = World::new();
    let (archive_port, stored) = (free_port().unwrap(), world.folder.path().join("stored"));
    fs::create_dir(&stored).unwrap();
    let mut archive = Command::new("storescp");
    archive.args(world.dcmtk()).args(["-aet", "ARCHIVE", "-od", text(&stored)]);
    archive.arg(archive_port.to_string());
    let log = world.folder.path().join("storescp.log");
    let _archive = Running::start("storescp", &mut archive, &log).unwrap();
    let settings = NodeSettings {
        destinations: vec![("archive".into(), format!("ARCHIVE@127.0.0.1:{archive_port}"))],
        wishes: format!("tls = {{ ca = {:?} }}", world.ca),
        more: world.tls(),
        ..NodeSettings::default()
    };
    let mut node = world.node(&settings);

    assert!(dcmtk("echoscu", &world.dcmtk(), world.port, &[]), "with a certificate");
    assert!(!dcmtk("echoscu", &["+tla", "-ic"], world.port, &[]), "without one");
    wait_for_log(&node, "the TLS handshake failed");
    assert!(dcmtk("echoscu", &[], node.port, &[]), "the plain port beside it");
    assert!(!dcmtk("echoscu", &["-ta", "5"], world.port, &[]));
    wait_for_log(&node, "a peer without TLS on the secure port");
    assert!(!dcmtk("echoscu", &world.dcmtk(), node.port, &[]));
    wait_for_log(&node, "a peer with TLS on the plain port");

    let study = world.folder.path().join("study");
    Phantom::small(77, 5).write(&study).unwrap();
    let files = files_below(&study);
    let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
    assert!(dcmtk("storescu", &world.dcmtk(), world.port, &files));
    node.wait_for_status("the delivery by TLS", PATIENCE, |s| s.count("jobs", "done") == 1)
        .unwrap();
    assert_eq!(files_below(&stored).len(), 2, "SEG and SR");
    wait_for_log(&node, "TLSv1_3");
    let metrics = node.metrics().unwrap();
    assert!(metrics.contains("parsenode_tls_handshakes_failed_total 2"), "{metrics}");
    assert!(metrics.contains("parsenode_certificate_expires_seconds"), "{metrics}");
    let status = node.status().unwrap();
    let days = |row: &Value| row["days_left"].as_u64().unwrap();
    assert!(status.rows("certificates").iter().all(|row| days(row) > 365), "{status:?}");
    node.stop().unwrap();
}

#[test]
fn orthanc_takes_results_by_tls() {
    if left_out("Orthanc by TLS", &["ONNX Runtime", "Orthanc"]) {
        return;
    }
    let world = World::new();
    let keys = json!({
        "DicomTlsEnabled": true, "DicomTlsRemoteCertificateRequired": true,
        "DicomTlsCertificate": world.peer.certificate, "DicomTlsPrivateKey": world.peer.key,
        "DicomTlsTrustedCertificates": world.ca,
    });
    let orthanc = Orthanc::start_with(&world.folder.path().join("orthanc"), &keys, &[]).unwrap();
    let settings = NodeSettings {
        destinations: vec![("pacs".into(), format!("ORTHANC@localhost:{}", orthanc.dicom_port))],
        wishes: format!("tls = {{ ca = {:?} }}", world.ca),
        more: world.tls(),
        ..NodeSettings::default()
    };
    let mut node = world.node(&settings);
    let study = world.folder.path().join("study");
    Phantom::small(78, 5).write(&study).unwrap();
    let sent = call(&[&["send", &world.address(), text(&study)][..], &world.ours()].concat());
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    node.wait_for_status("the delivery by TLS", PATIENCE, |s| s.count("jobs", "done") == 1)
        .unwrap();
    assert_eq!(orthanc.sop_instances().unwrap().len(), 2, "SEG and SR");
    node.stop().unwrap();
}

#[test]
fn certificates_change_on_the_disk_without_a_restart() {
    if left_out("certificates that change", &["ONNX Runtime"]) {
        return;
    }
    let world = World::new();
    let mut node = world.node(&NodeSettings { more: world.tls(), ..NodeSettings::default() });
    let echo = |world: &World, to: &World| {
        let address = to.address();
        let options = [&["echo", &address][..], &world.ours()].concat();
        call(&options).status.success()
    };
    assert!(echo(&world, &world));
    let next = World::new();
    let put = |from: &World| {
        fs::copy(&from.node.key, &world.node.key).unwrap();
        fs::copy(&from.ca, &world.ca).unwrap();
        fs::copy(&from.node.certificate, &world.node.certificate).unwrap();
    };
    put(&next);
    wait_for_log(&node, "read again");
    assert!(echo(&next, &world), "the new certificate");
    fs::write(&world.node.certificate, "not a certificate").unwrap();
    wait_for_log(&node, "cannot be used");
    assert!(echo(&next, &world), "a broken file changes nothing");
    put(&next);
    let already = node.log().matches("read again").count();
    run(Command::new("kill").args(["-HUP", &node.running().unwrap().id().to_string()])).unwrap();
    let node_log = || Ok((node.log().matches("read again").count() > already).then_some(()));
    wait_for("SIGHUP to be heard", Duration::from_secs(10), node_log).unwrap();
    assert!(echo(&next, &world));
    node.stop().unwrap();
}

#[test]
fn who_asks_for_new_files_during_the_start_does_not_end_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let (config, passcodes) = (folder.path().join("node.toml"), folder.path().join("passcodes"));
    // The node starts for as long as nobody writes into this file.
    run(Command::new("mkfifo").arg(&passcodes)).unwrap();
    let text = format!(
        "[node]\nae_title = \"A\"\ndata = \"data\"\n[[model]]\nname = \"tissue-ct\"\n\
         [identity]\npasscodes = {passcodes:?}\n"
    );
    fs::write(&config, text).unwrap();
    let mut serve = Command::new(tests::parsenode().unwrap());
    serve.args(["serve", "--config", self::text(&config)]);
    let mut node = Running::start("parsenode", &mut serve, &folder.path().join("log")).unwrap();
    // A pipe opens to who writes without waiting as soon as there is a reader.
    let mut options = fs::File::options();
    options.write(true).custom_flags(O_NONBLOCK);
    let mut writer = wait_for("the start", Duration::from_secs(30), || {
        node.must_run()?;
        Ok(options.open(&passcodes).ok())
    })
    .unwrap();
    run(Command::new("kill").args(["-HUP", &node.id().to_string()])).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    node.must_run().unwrap();
    writer.write_all(b"no line\n").unwrap();
    drop(writer);
    let ended = wait_for("the fault", Duration::from_secs(30), || node.ended()).unwrap();
    assert_eq!(ended.code(), Some(78), "{}", node.log_end(10));
}

#[test]
fn what_is_wrong_with_files_is_said_before_a_port_is_taken() {
    if left_out("faults of files", &["ONNX Runtime"]) {
        return;
    }
    let world = World::new();
    let config = world.folder.path().join("node.toml");
    let head = "[node]\nae_title = \"A\"\ndata = \"data\"\n[[model]]\nname = \"tissue-ct\"\n";
    let check = |more: &str| {
        let library = tests::runtime_library().unwrap();
        let inference = format!("[inference]\nonnxruntime = {library:?}\n");
        fs::write(&config, format!("{head}{inference}{more}")).unwrap();
        let output = call(&["config", "check", text(&config)]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let peer = "[[peer]]\nname = \"ct\"\ncalling = [\"CT1\"]\nsop_classes = [\"ct\"]\n";
    let (code, said) = check(&format!("{}{peer}", world.tls()));
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "secure port 127.0.0.1:",
        "certificates of clients required",
        "peer \"ct\" (called CT1) may: verification and storage",
        "3 SOP Classes",
        "CN=node",
        "days left",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let swapped = world.tls().replace("node.key", "peer.key");
    let (code, said) = check(&swapped);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("cannot be used together"), "{said}");
    let (code, said) = check(&world.tls().replace("ca.crt", "none.crt"));
    assert_eq!((code, said.contains("none.crt: No such file")), (Some(78), true), "{said}");
    fs::set_permissions(&world.node.key, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = check(&world.tls());
    assert_eq!((code, said.contains("everybody can read")), (Some(0), true), "{said}");
}
