//! User identities (PS3.7 §D.3.3.7) with pynetdicom on the other side, as a requestor and as an acceptor.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    IssuedFiles, NodeSettings, Running, Validators, free_port, run, wait_for, workspace_root,
    write_secret,
};

use crate::support::{call, left_out, text};
use crate::world::World;

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
