//! `node.toml`: as written → resolved. All faults are found at once, and named by their keys.
//!
//! This room knows the names of models and destinations, and nothing of what they are.

mod ask;
mod commitment;
mod faults;
mod log_level;
mod peers;
mod resolve;
mod resolved;
mod resolved_security;
mod rules;
mod security;
mod sop_classes;
mod wishes;
mod written;
mod written_security;

use std::fs;
use std::path::Path;

pub use faults::Faults;
pub use log_level::{LogLevelError, log_level};
pub use resolved::{
    CommitmentAnswers, CommitmentConfig, CommitmentWish, Config, DeliverConfig, DeviceConfig,
    InferenceConfig, LogConfig, ModelConfig, NodeConfig, ReceiveConfig,
};
pub use resolved_security::{
    ClientCertificatesConfig, CredentialFiles, DestinationSecurity, DestinationTls,
    DestinationUser, IdentityConfig, SecurityConfig, TlsConfig, TokenConfig,
};

/// A configuration with every key, what it does and its default.
pub const EXAMPLE: &str = include_str!("../node.example.toml");

/// Reads a configuration file. Relative paths in it are relative to its folder.
///
/// # Errors
/// [`Faults`]: all that is wrong with it.
pub fn load(path: &Path) -> Result<Config, Faults> {
    let text = fs::read_to_string(path)
        .map_err(|error| Faults::one("", format!("{}: {error}", path.display())))?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    parse(&text, folder).map_err(|faults| faults.in_file(path))
}

/// Reads a configuration from its text; `folder` is what relative paths are relative to.
///
/// # Errors
/// [`Faults`]: all that is wrong with it.
pub fn parse(text: &str, folder: &Path) -> Result<Config, Faults> {
    let written =
        toml::from_str(text).map_err(|error| Faults::one("", error.to_string().trim_end()))?;
    resolve::resolve(written, folder)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{After, Boxes, Recognise, Then, Vocabulary};

    use super::*;

    const LEAST: &str = "[node]\nae_title = \"A\"\ndata = \"d\"\n";

    fn faults(text: &str) -> String {
        parse(text, Path::new("/etc/p")).map_or_else(|faults| faults.to_string(), |_| "none".into())
    }

    #[test]
    fn the_example_has_no_fault_and_shows_the_defaults() {
        let base = Path::new("/etc/parsenode");
        let example = parse(EXAMPLE, base).unwrap();
        assert_eq!(example.routing.rules.len(), 1);
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if is_key(key) => format!("{key}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let full = parse(&uncommented, base).unwrap();
        assert_eq!(full.limits, example.limits);
        assert_eq!(full.backoff, example.backoff);
        assert_eq!(full.keep, example.keep);
        assert_eq!(full.receive.series_quiet, example.receive.series_quiet);
        let (all, some) = (&full.security, &example.security);
        assert_eq!(all.everyone, some.everyone);
        assert_eq!(all.peers.0[0].allowance.services, some.peers.0[0].allowance.services);
        assert_eq!(all.tls.expiry_warning, some.tls.expiry_warning);
        assert_eq!((some.tls.listen.as_ref(), some.peers.0.len()), (None, 1));
        assert!(some.warnings.is_empty(), "{:?}", some.warnings);
        assert_eq!(full.receive.release_quiet, example.receive.release_quiet);
        assert!(example.routing.rules[0].ask.is_default());
        assert_eq!(full.routing.rules[0].conditions.len(), 6);
        assert_eq!(
            (full.routing.rules[0].then, full.routing.rules[0].after),
            (Then::Stop, After::Series)
        );
    }

    /// `key = …`, not prose.
    fn is_key(text: &str) -> bool {
        text.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    }

    #[test]
    fn the_example_names_every_key() {
        let source = concat!(include_str!("written.rs"), include_str!("written_security.rs"));
        let fields = source.lines().filter_map(|line| line.trim().strip_prefix("pub(crate) "));
        let fields = fields.filter_map(|field| Some(field.split_once(": ")?.0));
        for key in fields.filter(|key| !key.starts_with("struct") && *key != "conditions") {
            let shown = [format!("{key} = "), format!("[{key}]"), format!("[[{key}]]")];
            assert!(shown.iter().any(|form| EXAMPLE.contains(form)), "{key} is not in the example");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file_and_our_own_title_is_called() {
        let config = parse(LEAST, Path::new("/etc/p")).unwrap();
        assert_eq!(config.node.data, Path::new("/etc/p/d"));
        assert_eq!(config.receive.called, [config.node.ae_title]);
        assert_eq!(config.receive.series_quiet, Duration::from_secs(10));
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let text = format!(
            "{LEAST}listen = \"nowhere\"\n[receive]\nassociations_max = 0\ncalling = [\"{}\"]\n\
             [[destination]]\nname = \"x\"\nto = \"PACS:104\"\n\
             [[rule]]\nname = \"r\"\nmodel = \"m\"\ndestinations = [\"y\"]\n\
             [rule.match]\nModalty = \"CT\"\nKVP = {{ min = 2, max = 1 }}\nStudyID = {{ regex = \"(\" }}\n",
            "A".repeat(17)
        );
        let faults = faults(&text);
        for part in [
            "receive.associations_max: must be above 0",
            "node.listen: \"nowhere\" is not of the form host:port",
            "receive.calling: \"AAAAAAAAAAAAAAAAA\": the AE title has 17 characters",
            "destination \"x\": to = \"PACS:104\" is not of the form AE@host:port",
            "rule \"r\": there is no model \"m\"",
            "rule \"r\": there is no destination \"y\"",
            "rule \"r\" match.Modalty: no attribute has this keyword; is Modality meant?",
            "rule \"r\" match.KVP: min is above max",
            "rule \"r\" match.StudyID: regex parse error",
        ] {
            assert!(faults.contains(part), "{part} is not in\n{faults}");
        }
    }

    #[test]
    fn counts_that_no_machine_has_room_for() {
        let peer = |count: u64| format!("[[peer]]\nname = \"a\"\nassociations_max = {count}\n");
        let text = |associations: u64, threads: u64| {
            format!(
                "{LEAST}[receive]\nassociations_max = {associations}\n[inference]\n\
                 workers = {threads}\nthreads = {threads}\n{}",
                peer(associations)
            )
        };
        parse(&text(65_536, 1_024), Path::new("/")).unwrap();
        for faults in [faults(&text(65_537, 1_025)), faults(&text(1 << 62, 1 << 62))] {
            for part in [
                "receive.associations_max: must not be above 65536",
                "peer \"a\" associations_max: must not be above 65536",
                "inference.workers: must not be above 1024",
                "inference.threads: must not be above 1024",
            ] {
                assert!(faults.contains(part), "{part} is not in\n{faults}");
            }
        }
    }

    #[test]
    fn faults_of_security() {
        let peer = |name: &str, more: &str| format!("[[peer]]\nname = {name:?}\n{more}\n");
        let text = [
            "[node]\nae_title = \"A\"\ndata = \"d\"\nlisten = \"off\"\n",
            "[tls]\ncertificate = \"c\"\n[identity]\naccept = [\"passcode\"]\ntoken_key = \"k\"\n",
            &peer("a", "addresses = [\"10.0.0.0/33\"]\nassociations_max = 0\nusers = [\"x\"]"),
            &peer("a", "certificate_sha256 = [\"12\"]\ncertificate_names = [\"n\"]\naccept = []"),
            &peer("b", "sop_classes = [\"CTImage\"]\naccept = [\"token\"]\ncalling = [\"\"]"),
            &peer("c", "accept = []\nusers = [\"x\"]"),
            "[[destination]]\nname = \"p\"\nto = \"P@h:1\"\ntls = { ca = \"ca\", key = \"k\" }\n",
        ];
        let faults = faults(&text.concat());
        for part in [
            "node.listen: is off, and there is no tls.listen",
            "tls: certificate needs key",
            "identity.token_key: needs token_algorithm and token_audience",
            "peer: the name \"a\" occurs twice",
            "peer \"a\" addresses: \"10.0.0.0/33\" is no address",
            "peer \"a\" associations_max: must be above 0",
            "peer \"a\" certificate_sha256: \"12\" is no SHA-256 fingerprint",
            "peer \"a\": asks for a certificate, and no port takes one",
            "peer \"a\" accept: \"passcode\" cannot be checked without identity.passcodes",
            "peer \"b\" sop_classes: \"CTImage\" is no UID",
            "peer \"b\" calling: \"\": the AE title is empty",
            "peer \"b\" accept: \"token\" cannot be checked without identity.token_key",
            "peer \"c\": users are named, and no user identity is accepted",
            "destination \"p\" tls: key needs certificate",
        ] {
            assert!(faults.contains(part), "{part} is not in\n{faults}");
        }
        let ports = self::faults(&format!("{LEAST}[tls]\nlisten = \"0.0.0.0:11112\"\n"));
        for part in [
            "tls: listen needs certificate and key",
            "tls.client_ca: is missing",
            "is the plain port",
        ] {
            assert!(ports.contains(part), "{part} is not in\n{ports}");
        }
    }

    #[test]
    fn a_rule_asks_what_is_written() {
        let rule =
            "[[model]]\nname = \"m\"\nfolder = \"m\"\n[[rule]]\nname = \"r\"\nmodel = \"m\"\n";
        let keys = "prompts = [\"liver in CT\"]\ntargets = [\"spleen\"]\nrecognise = \"all\"\n\
             open_vocabulary = true\nboxes = true\nmodality = \"MRI\"\nsite = \"brain\"\n\
             sequence = \"FLAIR\"\nwindow = \"lung\"\nturn = \"mirror-90\"\np_least = 0.1\n";
        let config = parse(&format!("{LEAST}{rule}{keys}"), Path::new("/")).unwrap();
        let ask = &config.routing.rules[0].ask;
        assert_eq!(ask.prompts, ["liver in CT"]);
        assert_eq!(ask.targets, ["spleen"]);
        assert_eq!((ask.recognise, ask.boxes), (Recognise::All, Boxes::Parts));
        assert_eq!((ask.vocabulary, ask.p_least), (Vocabulary::Open, Some(0.1)));
        let instead = &ask.instead;
        let words = [&instead.modality, &instead.site, &instead.sequence, &instead.window];
        let words = words.map(|word| word.as_deref().unwrap_or_default());
        assert_eq!(words, ["MRI", "brain", "FLAIR", "lung"]);
        assert_eq!(ask.turn.map(|turn| turn.to_string()).as_deref(), Some("mirror-90"));
        let keys = "prompts = [\"\"]\nsite = \" \"\nturn = \"45\"\np_least = 2\n";
        let faults = faults(&format!("{LEAST}{rule}{keys}"));
        for part in [
            "rule \"r\" turn: \"45\" is no turn",
            "rule \"r\" prompts: a text is empty",
            "rule \"r\" site: a text is empty",
            "rule \"r\" p_least: 2 does not lie between 0 and 1",
        ] {
            assert!(faults.contains(part), "{part} is not in\n{faults}");
        }
    }

    #[test]
    fn who_commits_and_who_may_say_so() {
        let pacs = "[[destination]]\nname = \"pacs\"\nto = \"PACS@a:104\"\ncommitment = true\n";
        let of = |text: &str| parse(&format!("{LEAST}{text}"), Path::new("/")).unwrap().commitment;
        let wish = of(pacs).wanted.remove("pacs").unwrap();
        assert_eq!((wish.to.called.as_str(), wish.to.port, wish.from.len()), ("PACS", 104, 1));
        let other = "commitment_to = \"KEEPER@b:105\"\ncommitment_from = [\"KEEPER2\"]\n";
        let wish = of(&format!("{pacs}{other}")).wanted.remove("pacs").unwrap();
        let from: Vec<_> = wish.from.iter().map(|title| title.as_str()).collect();
        assert_eq!((wish.to.host.as_str(), from), ("b", vec!["KEEPER2", "KEEPER"]));
        assert_eq!(wish.server_name, "b", "it has a certificate of its own");
        let named = "tls = { ca = \"c\", server_name = \"pacs.example.org\" }\n";
        let wish = of(&format!("{pacs}{other}{named}")).wanted.remove("pacs").unwrap();
        assert_eq!(wish.server_name, "pacs.example.org");
        assert_eq!(of("").answers, CommitmentAnswers::None);
        let answers = of("[commitment]\nanswer = true\nreport_to = [\"CT1@c:104\"]\n").answers;
        let CommitmentAnswers::ReportTo(peers) = answers else { panic!("{answers:?}") };
        assert_eq!((peers[0].called.as_str(), peers[0].calling.as_str()), ("CT1", "A"));
    }

    #[test]
    fn faults_of_storage_commitment() {
        let text = format!(
            "{LEAST}[commitment]\nask_again_s = 5\nask_again_longest_s = 4\nask_max = 0\n\
             answer = true\nreport_to = [\"nowhere\"]\n\
             [[destination]]\nname = \"y\"\nto = \"Y@a:1\"\ncommitment = true\ncommitment_to = \"Y\"\n"
        );
        let faults = faults(&text);
        for part in [
            "commitment.ask_max: must be above 0",
            "commitment.ask_again_longest_s: must not be below ask_again_s",
            "commitment.ask_again_s: must be above wait_s",
            "commitment.report_to: \"nowhere\" is not of the form AE@host:port",
            "destination \"y\" commitment_to: \"Y\" is not of the form AE@host:port",
        ] {
            assert!(faults.contains(part), "{part} is not in\n{faults}");
        }
    }

    #[test]
    fn security_as_it_is_meant() {
        let text = format!(
            "{LEAST}listen = \"off\"\n[tls]\nlisten = \"0.0.0.0:2762\"\ncertificate = \"c\"\nkey = \"k\"\n\
             client_ca = \"ca\"\n[identity]\naccept = [\"passcode\"]\npasscodes = \"p\"\n\
             [[peer]]\nname = \"ct\"\ncalling = [\"CT1\"]\naddresses = [\"10.0.0.0/8\", \"fd00::1\"]\n\
             sop_classes = [\"ct\", \"1.2.3\"]\nservices = [\"storage\", \"commitment\"]\n\
             [[destination]]\nname = \"pacs\"\nto = \"P@pacs.example.org:2762\"\ntls = {{ ca = \"pacs\" }}\n"
        );
        let config = parse(&text, Path::new("/etc/p")).unwrap();
        let security = &config.security;
        assert_eq!(
            (config.node.listen, security.tls.listen.as_deref()),
            (None, Some("0.0.0.0:2762"))
        );
        let required = ClientCertificatesConfig::Required("/etc/p/ca".into());
        assert_eq!(security.tls.clients, required);
        let ct = &security.peers.0[0];
        assert_eq!((ct.addresses.len(), ct.allowance.sop_classes.len()), (2, 4));
        let services = [domain::Service::Storage, domain::Service::StorageCommitment];
        assert_eq!(ct.allowance.services, services);
        assert_eq!(ct.allowance.identity.kinds, [domain::IdentityKind::Passcode], "node-wide");
        let tls = security.destinations["pacs"].tls.as_ref().unwrap();
        assert_eq!((tls.server_name.as_str(), &tls.own), ("pacs.example.org", &security.tls.own));
        assert!(security.warnings.is_empty(), "{:?}", security.warnings);
    }

    #[test]
    fn what_is_unwise_is_said() {
        let text = format!(
            "{LEAST}[identity]\naccept = [\"passcode\"]\npasscodes = \"p\"\n\
             [[peer]]\nname = \"all\"\n[[peer]]\nname = \"ct\"\ncalling = [\"CT1\"]\n\
             [[destination]]\nname = \"pacs\"\nto = \"P@h:1\"\n\
             user = {{ user_name = \"u\", passcode_file = \"f\" }}\n"
        );
        let warnings = parse(&text, Path::new(".")).unwrap().security.warnings.join("\n");
        for part in [
            "\"all\" accept: on the plain port",
            "its passcode is sent without TLS",
            "\"all\" is everybody",
        ] {
            assert!(warnings.contains(part), "{part} is not in\n{warnings}");
        }
    }

    #[test]
    fn quiet_times_have_decimals_and_bounds() {
        let config = parse(&format!("{LEAST}[receive]\nseries_quiet_s = 2.5\n"), Path::new("/"));
        let receive = config.unwrap().receive;
        assert_eq!(receive.series_quiet, Duration::from_millis(2500));
        assert_eq!(receive.release_quiet, receive.series_quiet, "unless it says otherwise");
        let text = format!("{LEAST}[receive]\nrelease_quiet_s = 0.25\n");
        let receive = parse(&text, Path::new("/")).unwrap().receive;
        assert_eq!(receive.release_quiet, Duration::from_millis(250));
        for wrong in ["series_quiet_s = -1", "series_quiet_s = inf", "release_quiet_s = 11"] {
            let faults = faults(&format!("{LEAST}[receive]\n{wrong}\n"));
            assert!(faults.contains("quiet_s: must"), "{wrong}: {faults}");
        }
    }

    #[test]
    fn a_level_that_is_none_is_a_fault() {
        for level in ["inof", "info,scp=debugg"] {
            let faults = faults(&format!("{LEAST}[log]\nlevel = \"{level}\"\n"));
            assert!(faults.starts_with("log.level: "), "{faults}");
        }
    }

    #[test]
    fn a_wrong_title_hides_no_other_fault() {
        let text = "[node]\nae_title = \"WAY TOO LONG A TITLE\"\ndata = \"d\"\n\
             [[rule]]\nname = \"r\"\nmodel = \"nobody\"\n";
        let faults = faults(text);
        let lines: Vec<_> = faults.lines().collect();
        assert_eq!(lines.len(), 2, "{faults}");
        assert!(lines[0].starts_with("node.ae_title: "), "{faults}");
        assert_eq!(lines[1], "rule \"r\": there is no model \"nobody\"");
    }

    #[test]
    fn unknown_keys_and_doubled_names_are_faults() {
        assert!(faults(&format!("{LEAST}colour = 1\n")).contains("colour"));
        let model = "[[model]]\nname = \"tissue-ct\"\n";
        let twice = faults(&format!("{LEAST}{model}{model}"));
        assert_eq!(twice, "model: the name \"tissue-ct\" occurs twice");
        let without = faults(&format!("{LEAST}[[model]]\nname = \"mine\"\n"));
        assert!(without.contains("has no folder"), "{without}");
    }
}
