//! TLS, peers and user identities of the real node, with DCMTK and pynetdicom as peers; certificates that change on the disk.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    Authority, IssuedFiles, Node, NodeSettings, Orthanc, Phantom, Running, Validators, Wishes,
    free_port, run, wait_for, workspace_root, write_secret,
};

use crate::support::{PATIENCE, call, files_below, left_out, text};

/// Certificates of a node and of a peer as files, and the secure port of the node.
struct World {
    folder: tempfile::TempDir,
    ca: PathBuf,
    node: IssuedFiles,
    peer: IssuedFiles,
    port: u16,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("hospital CA").unwrap();
        let issue = |name: &str| {
            let hosts = ["127.0.0.1", "localhost"];
            authority.issue(name, &hosts, &Wishes::default()).unwrap().write(folder.path(), name)
        };
        let (node, peer) = (issue("node").unwrap(), issue("peer").unwrap());
        let ca = folder.path().join("ca.crt");
        fs::write(&ca, authority.certificate()).unwrap();
        Self { ca, node, peer, port: free_port().unwrap(), folder }
    }

    /// `[tls]` of a node.
    fn tls(&self) -> String {
        format!(
            "[tls]\nlisten = \"127.0.0.1:{}\"\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\n",
            self.port, self.node.certificate, self.node.key, self.ca
        )
    }

    fn node(&self, settings: &NodeSettings) -> Node {
        Node::start(&self.folder.path().join("parsenode"), settings).unwrap()
    }

    /// Options by which DCMTK speaks TLS with the peer's certificate.
    fn dcmtk(&self) -> [&str; 5] {
        let IssuedFiles { certificate, key } = &self.peer;
        ["+tls", text(key), text(certificate), "+cf", text(&self.ca)]
    }

    /// Options by which parsenode does.
    fn ours(&self) -> [&str; 6] {
        let IssuedFiles { certificate, key } = &self.peer;
        ["--tls-ca", text(&self.ca), "--tls-cert", text(certificate), "--tls-key", text(key)]
    }

    fn address(&self) -> String {
        format!("PARSENODE@127.0.0.1:{}", self.port)
    }
}

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
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&world.node.key, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = check(&world.tls());
    assert_eq!((code, said.contains("everybody can read")), (Some(0), true), "{said}");
}

#[test]
fn a_passcode_becomes_a_line_without_it() {
    let mut command = Command::new(tests::parsenode().unwrap());
    command.args(["passcode", "ct1"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"swordfish\n").unwrap();
    let line = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(line.starts_with("ct1:$argon2id$") && !line.contains("swordfish"), "{line}");
}

/// Python with pynetdicom; says so where it is not there.
fn pynetdicom() -> Option<(PathBuf, PathBuf)> {
    let Some(validators) = Validators::find() else {
        println!("left out: pynetdicom (needs the Python environment of `cargo xtask test`)");
        return None;
    };
    Some((validators.program("python"), workspace_root().join("tests/python/identity.py")))
}

/// A line for the file of passcodes.
fn passcode_line(name: &str, passcode: &str, folder: &Path) -> String {
    let file = folder.join("typed");
    fs::write(&file, passcode).unwrap();
    let mut command = Command::new(tests::parsenode().unwrap());
    let typed = fs::File::open(&file).unwrap();
    let output = command.args(["passcode", name]).stdin(typed).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What pynetdicom hears for each scenario.
fn scenarios(world: &World, port: u16, ca: &str, wanted: &[Value]) -> Vec<Value> {
    let (python, script) = pynetdicom().unwrap();
    let IssuedFiles { certificate, key } = &world.peer;
    let mut command = Command::new(python);
    command.arg(script).args(["request", &port.to_string(), ca, text(certificate), text(key)]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines: String = wanted.iter().map(|scenario| format!("{scenario}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn scenario(calling: &str, kind: u8, primary: &str, secondary: &str) -> Value {
    json!({ "calling": calling, "type": kind, "response": true,
            "primary": primary, "secondary": secondary })
}

/// A JSON Web Token under an RSA key, signed by openssl.
fn rs256(key: &Path, claims: &Value, folder: &Path) -> String {
    let message = format!(
        "{}.{}",
        base64url(b"{\"alg\":\"RS256\"}"),
        base64url(claims.to_string().as_bytes())
    );
    let file = folder.join("message");
    fs::write(&file, &message).unwrap();
    let mut sign = Command::new("openssl");
    let signed = run(sign.args(["dgst", "-sha256", "-sign", text(key), text(&file)])).unwrap();
    format!("{message}.{}", base64url(&signed.stdout))
}

/// Base64url without padding (RFC 7515 §2).
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let word = |chunk: &[u8]| {
        (0..3).fold(0_usize, |word, at| (word << 8) | usize::from(*chunk.get(at).unwrap_or(&0)))
    };
    let digits = |chunk: &[u8]| {
        let word = word(chunk);
        let digit = move |at: usize| char::from(DIGITS[(word >> (18 - 6 * at)) & 63]);
        (0..=chunk.len()).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

#[test]
fn pynetdicom_shows_who_its_user_is() {
    if left_out("user identity", &["ONNX Runtime", "openssl"]) || pynetdicom().is_none() {
        return;
    }
    let world = World::new();
    let folder = world.folder.path();
    let (private, public) = (folder.join("token.key"), folder.join("token.pem"));
    let openssl = |args: &[&str]| run(Command::new("openssl").args(args)).unwrap();
    openssl(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        text(&private),
    ]);
    openssl(&["pkey", "-in", text(&private), "-pubout", "-out", text(&public)]);
    let passcodes = folder.join("passcodes");
    write_secret(&passcodes, &passcode_line("ct1", "swordfish", folder)).unwrap();
    let peer = |calling: &str, more: &str| {
        format!("[[peer]]\nname = {calling:?}\ncalling = [{calling:?}]\n{more}\n")
    };
    let more = [
        world.tls(),
        format!(
            "[identity]\naccept = [\"passcode\"]\npasscodes = {passcodes:?}\ntoken_key = {public:?}\n\
             token_algorithm = \"RS256\"\ntoken_audience = \"parsenode\"\n"
        ),
        peer("PASS", ""),
        peer("TOKEN", "accept = [\"token\"]"),
        peer("NAME", "accept = [\"username\"]\nusers = [\"ct1\"]"),
        peer("OPEN", "accept = []"),
    ];
    let mut node = world.node(&NodeSettings { more: more.concat(), ..NodeSettings::default() });
    let claims = |audience: &str, until: u64| json!({ "sub": "dr", "aud": audience, "exp": until });
    let token = |audience, until| rs256(&private, &claims(audience, until), folder);
    let good = token("parsenode", 4_000_000_000);
    let refused = json!({ "rejected": [1, 2, 1] });
    let accepted = |response: Value| json!({ "echo": 0, "response": response });
    let table = [
        (scenario("PASS", 2, "ct1", "swordfish"), accepted(json!(""))),
        (scenario("PASS", 2, "ct1", "Swordfish"), refused.clone()),
        (scenario("PASS", 2, "ct2", "swordfish"), refused.clone()),
        (scenario("PASS", 1, "ct1", ""), refused.clone()),
        (scenario("PASS", 0, "", ""), refused.clone()),
        (scenario("PASS", 3, "ticket", ""), refused.clone()),
        (scenario("PASS", 4, "<saml/>", ""), refused.clone()),
        (scenario("PASS", 5, &good, ""), refused.clone()),
        (scenario("NAME", 1, "ct1", ""), accepted(json!(""))),
        (scenario("NAME", 1, "ct2", ""), refused.clone()),
        (scenario("TOKEN", 5, &good, ""), accepted(json!(good))),
        (scenario("TOKEN", 5, &token("pacs", 4_000_000_000), ""), refused.clone()),
        (scenario("TOKEN", 5, &token("parsenode", 1_700_000_000), ""), refused.clone()),
        (scenario("TOKEN", 5, &format!("{good}A"), ""), refused),
        (scenario("OPEN", 2, "ct1", "whatever"), accepted(Value::Null)),
        (scenario("STRANGER", 2, "ct1", "swordfish"), json!({ "rejected": [1, 1, 3] })),
    ];
    let (wanted, expected): (Vec<_>, Vec<_>) = table.into_iter().unzip();
    for (port, ca) in [(world.port, text(&world.ca)), (node.port, "-")] {
        let heard = scenarios(&world, port, ca, &wanted);
        for ((wanted, expected), heard) in wanted.iter().zip(&expected).zip(&heard) {
            assert_eq!(heard, expected, "{wanted}");
        }
        assert_eq!(heard.len(), wanted.len());
    }
    let log = node.log();
    assert!(!log.contains("swordfish") && !log.contains("Swordfish"), "no passcode in the log");
    assert!(log.contains("passcodes and tokens can be read by all"), "a warning at start");
    node.stop().unwrap();
}

#[test]
fn pynetdicom_asks_who_our_user_is() {
    let Some((python, script)) = pynetdicom() else { return };
    let world = World::new();
    let port = free_port().unwrap();
    let IssuedFiles { certificate, key } = &world.node;
    let mut server = Command::new(python);
    server.arg(script).args(["serve", &port.to_string(), text(&world.ca)]);
    server.args([text(certificate), text(key), "ct1", "swordfish"]);
    let log = world.folder.path().join("pynetdicom.log");
    let mut server = Running::start("pynetdicom", &mut server, &log).unwrap();
    let (right, wrong) = (world.folder.path().join("right"), world.folder.path().join("wrong"));
    write_secret(&right, "swordfish\n").unwrap();
    write_secret(&wrong, "sharkfish\n").unwrap();
    let to = format!("PYNET@127.0.0.1:{port}");
    let echo = |file: &Path| {
        let user = ["--user", "ct1", "--passcode-file", text(file)];
        call(&[&["echo", &to][..], &world.ours(), &user].concat())
    };
    wait_for("pynetdicom", Duration::from_secs(60), || {
        server.must_run()?;
        Ok(echo(&right).status.success().then_some(()))
    })
    .unwrap();
    let refused = echo(&wrong);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("rejected"), "{said}");
    let heard = fs::read_to_string(&log).unwrap();
    assert!(heard.contains(r#"{"type": 2, "good": true}"#), "{heard}");
    assert!(heard.contains(r#"{"type": 2, "good": false}"#), "{heard}");
}
