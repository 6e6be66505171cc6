//! What secures the node: from the files that the configuration names to what `scp` and `scu` take. Files are read again when
//! they change; who is connected stays connected.

mod certificates;
mod files;
mod identities;
mod reload;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use config::{
    ClientCertificatesConfig, CommitmentWish, Config, CredentialFiles, DestinationSecurity,
    DestinationTls, DestinationUser, IdentityConfig, TlsConfig, TokenConfig,
};
use domain::{Identities, IdentityClaim, Secret, TokenAlgorithm};
use tokio::sync::watch;
use trust::{ClientCertificates, ClientTrust, Clock, Credentials, Passcodes, ServerName};

pub(crate) use certificates::{Expiring, Expiry};
pub(crate) use reload::{Hangup, Reloading};

use crate::clock;
use crate::failure::{Failure, Fault};
use files::{in_file, read, read_secret};
use identities::FileIdentities;
use reload::Part;

/// What secures the node, read and ready.
#[derive(Debug)]
pub(crate) struct Security {
    /// How TLS is answered on the secure port, where there is one.
    pub(crate) tls: Option<scp::CurrentTls>,
    /// How destinations are reached, by name.
    pub(crate) destinations: Arc<BTreeMap<String, scu::Security>>,
    /// How those are reached who are asked for storage commitment, by name of the destination.
    pub(crate) commitments: Arc<BTreeMap<String, scu::Security>>,
    /// Who checks user identities.
    pub(crate) identities: Arc<dyn Identities>,
    /// Reads files again.
    pub(crate) reloading: Reloading,
    /// Certificates, and when they expire.
    pub(crate) expiring: Expiring,
}

/// A part that is read again, and what it is now.
type Current<T> = (Part, watch::Receiver<T>);

/// The clock of certificates.
fn clock() -> Clock {
    Clock::new(clock::now)
}

impl Security {
    /// Reads all files; all faults in one failure, exit code 78.
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        let security = &config.security;
        let mut faults = Vec::new();
        let mut parts = Vec::new();
        let tls = security
            .tls
            .listen
            .as_ref()
            .and_then(|_| keep(server(&security.tls), &mut parts, &mut faults));
        let mut destinations = BTreeMap::new();
        for (name, to) in &security.destinations {
            if let Some(secured) = destination(name, to, &mut parts, &mut faults) {
                destinations.insert(name.clone(), secured);
            }
        }
        let wanted = &config.commitment.wanted;
        let commitments = commitments(wanted, &destinations, &mut faults);
        let identities = identities(&security.identity, &mut parts, &mut faults);
        if !faults.is_empty() {
            return Err(Failure::new(Fault::Configuration, faults.join("\n")));
        }
        Ok(Self {
            tls,
            destinations: Arc::new(destinations),
            commitments: Arc::new(commitments),
            identities: Arc::new(identities),
            reloading: Reloading::new(parts),
            expiring: Expiring::of(config),
        })
    }
}

/// Keeps a part, or its fault.
fn keep<T>(
    made: Result<Current<T>, String>,
    parts: &mut Vec<Part>,
    faults: &mut Vec<String>,
) -> Option<watch::Receiver<T>> {
    match made {
        Ok((part, current)) => {
            parts.push(part);
            Some(current)
        }
        Err(fault) => {
            faults.push(fault);
            None
        }
    }
}

fn server(tls: &TlsConfig) -> Result<Current<Arc<trust::ServerConfig>>, String> {
    let own = tls.own.clone().ok_or("tls: certificate and key are missing")?;
    let (profile, clients) = (tls.profile, tls.clients.clone());
    let mut paths = vec![own.certificate.clone(), own.key.clone()];
    match &clients {
        ClientCertificatesConfig::Required(ca) | ClientCertificatesConfig::Optional(ca) => {
            paths.push(ca.clone());
        }
        ClientCertificatesConfig::None => {}
    }
    Part::make("the secure port", paths, move || {
        let clients = match &clients {
            ClientCertificatesConfig::None => ClientCertificates::None,
            ClientCertificatesConfig::Required(ca) => {
                ClientCertificates::Required(authorities(ca)?)
            }
            ClientCertificatesConfig::Optional(ca) => {
                ClientCertificates::Optional(authorities(ca)?)
            }
        };
        let made = trust::server_config(profile, credentials(&own)?, clients, &clock());
        made.map_err(|error| in_file(&own.certificate, error))
    })
}

fn authorities(path: &Path) -> Result<Vec<trust::CertificateDer<'static>>, String> {
    trust::certificates(&read(path)?).map_err(|error| in_file(path, error))
}

fn credentials(own: &CredentialFiles) -> Result<Credentials, String> {
    let (certificate, key) = (read(&own.certificate)?, read_secret(&own.key)?);
    // Whichever of the two is wrong, the key is what people look at last.
    let named = |error| format!("{}, {}: {error}", own.certificate.display(), own.key.display());
    Credentials::from_pem(&certificate, key.expose()).map_err(named)
}

fn destination(
    name: &str,
    to: &DestinationSecurity,
    parts: &mut Vec<Part>,
    faults: &mut Vec<String>,
) -> Option<scu::Security> {
    let mut own = Vec::new();
    let made = match &to.tls {
        None => None,
        Some(tls) => {
            let config = keep(client(name, tls), parts, &mut own);
            let server_name = server_name(&tls.server_name).map_err(|fault| own.push(fault));
            config.zip(server_name.ok())
        }
    };
    let identity = to.user.as_ref().map(user).transpose();
    let identity = identity.map_err(|fault| own.push(fault)).ok().flatten();
    faults.extend(own.iter().map(|fault| format!("destination {name:?}: {fault}")));
    let tls = made.map(|(config, server_name)| scu::Tls { config, server_name });
    own.is_empty().then_some(scu::Security { tls, identity })
}

fn server_name(name: &str) -> Result<ServerName<'static>, String> {
    let wrong = |_| format!("{name:?} is no name of a server");
    ServerName::try_from(name.to_owned()).map_err(wrong)
}

/// As their destinations, but for the name in the certificate: they may be elsewhere.
fn commitments(
    wanted: &BTreeMap<String, CommitmentWish>,
    destinations: &BTreeMap<String, scu::Security>,
    faults: &mut Vec<String>,
) -> BTreeMap<String, scu::Security> {
    let mut secured = BTreeMap::new();
    for (name, wish) in wanted {
        let Some(mut security) = destinations.get(name).cloned() else { continue };
        if let Some(tls) = &mut security.tls {
            match server_name(&wish.server_name) {
                Ok(server_name) => tls.server_name = server_name,
                Err(fault) => faults.push(format!("destination {name:?} commitment_to: {fault}")),
            }
        }
        secured.insert(name.clone(), security);
    }
    secured
}

/// How one peer is reached, for a command that ends before a file could change.
pub(crate) fn reach(to: &DestinationSecurity) -> Result<scu::Security, String> {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    let made = destination("peer", to, &mut parts, &mut faults);
    made.ok_or_else(|| faults.join("\n"))
}

fn client(name: &str, tls: &DestinationTls) -> Result<Current<Arc<trust::ClientConfig>>, String> {
    let tls = tls.clone();
    let mut paths = vec![tls.ca.clone()];
    paths.extend(tls.own.iter().flat_map(|own| [own.certificate.clone(), own.key.clone()]));
    Part::make(&format!("destination {name}"), paths, move || {
        let credentials = tls.own.as_ref().map(credentials).transpose()?;
        let trust = ClientTrust { authorities: authorities(&tls.ca)?, credentials };
        let made = trust::client_config(tls.profile, trust, &clock());
        made.map_err(|error| in_file(&tls.ca, error))
    })
}

/// Who we say our user is; the passcode is the file without the white space at its end.
fn user(user: &DestinationUser) -> Result<IdentityClaim, String> {
    let username = user.name.clone();
    let Some(path) = &user.passcode_file else { return Ok(IdentityClaim::Username(username)) };
    let passcode = read_secret(path)?;
    let passcode = Secret::new(passcode.expose().trim_ascii_end().to_vec());
    if passcode.expose().is_empty() {
        return Err(in_file(path, "the passcode is empty"));
    }
    Ok(IdentityClaim::Passcode { username, passcode })
}

fn identities(
    config: &IdentityConfig,
    parts: &mut Vec<Part>,
    faults: &mut Vec<String>,
) -> FileIdentities {
    let passcodes = config.passcodes.clone().and_then(|path| {
        let made = Part::make("passcodes", vec![path.clone()], move || {
            let text = read_secret(&path)?;
            let text = String::from_utf8_lossy(text.expose()).into_owned();
            Passcodes::parse(&text).map(Arc::new).map_err(|error| in_file(&path, error))
        });
        keep(made, parts, faults)
    });
    let rules = config.token.clone().and_then(|token| {
        let made = Part::make("the key of tokens", vec![token.key.clone()], move || {
            let bytes = token_key(&token)?;
            let key = trust::TokenKey::from_file(token.algorithm, bytes.expose());
            let key = key.map_err(|error| in_file(&token.key, error))?;
            let (audience, issuer) = (token.audience.clone(), token.issuer.clone());
            Ok(Arc::new(trust::TokenRules { key, audience, issuer }))
        });
        keep(made, parts, faults)
    });
    FileIdentities { passcodes, rules }
}

/// Who can read the key of HS256 can make tokens; those of the others are public.
fn token_key(token: &TokenConfig) -> Result<Secret, String> {
    match token.algorithm {
        TokenAlgorithm::Hs256 => read_secret(&token.key),
        TokenAlgorithm::Rs256 | TokenAlgorithm::Es256 => read(&token.key).map(Secret::new),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// What the log says while a key of this mode is read.
    fn said(algorithm: TokenAlgorithm, mode: u32) -> String {
        let folder = tempfile::tempdir().unwrap();
        let (key, log) = (folder.path().join("key"), folder.path().join("log"));
        fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let token = TokenConfig { key, algorithm, audience: "parsenode".into(), issuer: None };
        let writer = Arc::new(File::create(&log).unwrap());
        let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
        tracing::subscriber::with_default(subscriber, || token_key(&token).unwrap());
        fs::read_to_string(&log).unwrap()
    }

    #[test]
    fn a_secret_of_tokens_that_everybody_can_read_is_warned_of() {
        assert!(said(TokenAlgorithm::Hs256, 0o644).contains("everybody can read"));
        assert_eq!(said(TokenAlgorithm::Hs256, 0o600), "");
        assert_eq!(said(TokenAlgorithm::Es256, 0o644), "", "a public key");
    }
}
