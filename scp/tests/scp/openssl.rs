//! `openssl s_client` against the secure port: every version, every suite and every group that it has.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use domain::TlsProfile;

use crate::secure::World;
use crate::support::*;

/// Runs openssl; `None` when it is not installed.
async fn openssl(args: &[&str]) -> Option<Output> {
    let mut command = Command::new("openssl");
    command.args(args).stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    ran.map_err(|error| println!("skipped: openssl: {error}")).ok()
}

/// Whether a handshake with these options succeeds.
async fn connects(server: &Server, options: &[&str]) -> bool {
    let to = server.address.to_string();
    let args = [&["s_client", "-connect", &to, "-brief"], options].concat();
    openssl(&args).await.unwrap().status.success()
}

/// Suites of TLS 1.2 and below that openssl has, weak ones included: name of IANA, name of openssl.
async fn suites() -> Option<Vec<(String, String)>> {
    let all = ["ciphers", "-stdname", "-v", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"];
    let output = openssl(&all).await?;
    let text = String::from_utf8(output.stdout).unwrap();
    let names = |line: &str| {
        let mut words = line.split_whitespace();
        let (iana, _, own) = (words.next()?, words.next()?, words.next()?);
        (!line.contains("TLSv1.3")).then(|| (iana.to_owned(), own.to_owned()))
    };
    Some(text.lines().filter_map(names).collect())
}

async fn rsa_key() -> Option<String> {
    let options = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    openssl(&options).await.map(|output| String::from_utf8(output.stdout).unwrap())
}

/// What our table says of TLS 1.2 under a profile, with a certificate of a kind.
fn expected(profile: TlsProfile, kind: &str) -> BTreeSet<String> {
    let ours = trust::SUITES.iter().filter(|suite| suite.profiles.contains(&profile));
    ours.map(|suite| suite.name.to_owned()).filter(|name| name.contains(kind)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_below_tls_1_2_and_no_suite_outside_the_lists() {
    let (Some(suites), Some(rsa)) = (suites().await, rsa_key().await) else { return };
    assert!(suites.iter().any(|(name, _)| name.contains("_CBC_")), "weak suites are tried, too");
    for profile in [TlsProfile::Bcp195, TlsProfile::Modified] {
        for (kind, key) in [("_ECDSA_", None), ("_RSA_", Some(rsa.clone()))] {
            let server = World::with_key(key).open_server(profile).await;
            let ours = expected(profile, kind);
            let (inside, outside): (Vec<_>, Vec<_>) =
                suites.iter().partition(|(iana, _)| ours.contains(iana));
            assert_eq!(inside.len(), ours.len(), "openssl has all of {ours:?}");
            for (iana, own) in &inside {
                assert!(connects(&server, &["-tls1_2", "-cipher", own]).await, "{iana}");
            }
            // All others at once: the server may choose, and must not.
            let others: Vec<_> = outside.iter().map(|(_, own)| own.as_str()).collect();
            let others = format!("{}:@SECLEVEL=0", others.join(":"));
            assert!(
                !connects(&server, &["-tls1_2", "-cipher", &others]).await,
                "{profile:?} {kind}"
            );
            for version in ["-tls1", "-tls1_1"] {
                let any = connects(&server, &[version, "-cipher", "ALL:@SECLEVEL=0"]).await;
                assert!(!any, "{version}");
            }
            println!(
                "{profile:?} {kind}: {} suites of TLS 1.2 taken, {} refused",
                ours.len(),
                outside.len()
            );
        }
        versions_and_groups(profile).await;
    }
}

async fn versions_and_groups(profile: TlsProfile) {
    let server = World::with_key(None).open_server(profile).await;
    assert!(connects(&server, &["-tls1_2"]).await && connects(&server, &["-tls1_3"]).await);
    let table = [
        ("TLS_AES_256_GCM_SHA384", true),
        ("TLS_AES_128_GCM_SHA256", true),
        ("TLS_CHACHA20_POLY1305_SHA256", true),
        ("TLS_AES_128_CCM_SHA256", false),
        ("TLS_AES_128_CCM_8_SHA256", false),
    ];
    for (suite, taken) in table {
        let options = ["-tls1_3", "-ciphersuites", suite];
        assert_eq!(connects(&server, &options).await, taken, "{suite}");
    }
    let bcp195 = profile == TlsProfile::Bcp195;
    let groups =
        [("X25519", bcp195), ("P-256", true), ("P-384", true), ("P-521", false), ("X448", false)];
    for (group, taken) in groups {
        // Under TLS 1.2 the list of groups binds the curves of certificates, too.
        let options = ["-tls1_3", "-groups", group];
        assert_eq!(connects(&server, &options).await, taken, "{group}");
    }
}
