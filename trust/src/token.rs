//! User identities as JSON Web Tokens (RFC 7519): signature, times, audience and issuer are checked.

use std::collections::BTreeSet;

use domain::{Moment, Secret, TokenAlgorithm};
use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::{TrustError, signatures};

/// Seconds by which the clocks of two machines may differ.
const LEEWAY_S: u64 = 60;
/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Longest text about a token that cannot be read, in characters.
const FAULT_CHARACTERS_MAX: usize = 200;
/// Shortest shared secret, in bytes (RFC 7518 §3.2).
const SECRET_BYTES_MIN: usize = 32;

fn jose(algorithm: TokenAlgorithm) -> Algorithm {
    match algorithm {
        TokenAlgorithm::Hs256 => Algorithm::HS256,
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Es256 => Algorithm::ES256,
    }
}

fn needs(algorithm: TokenAlgorithm) -> &'static str {
    match algorithm {
        TokenAlgorithm::Hs256 => "HS256: a secret of at least 32 bytes",
        TokenAlgorithm::Rs256 => "RS256: an RSA public key, -----BEGIN PUBLIC KEY-----",
        TokenAlgorithm::Es256 => "ES256: a P-256 public key, -----BEGIN PUBLIC KEY-----",
    }
}

/// What tokens are verified with.
#[derive(Debug, Clone)]
pub struct TokenKey {
    algorithm: TokenAlgorithm,
    key: DecodingKey,
}

impl TokenKey {
    /// From a file: a public key as PEM; for HS256 the secret itself, white space at its end not counted.
    ///
    /// # Errors
    /// [`TrustError::TokenKey`] when it is not what the algorithm needs.
    pub fn from_file(algorithm: TokenAlgorithm, bytes: &[u8]) -> Result<Self, TrustError> {
        let key = match algorithm {
            TokenAlgorithm::Hs256 => shared_secret(bytes),
            TokenAlgorithm::Rs256 => {
                public_key(bytes, RSA).map(|der| DecodingKey::from_rsa_der(&der))
            }
            TokenAlgorithm::Es256 => {
                public_key(bytes, EC).map(|der| DecodingKey::from_ec_der(&der))
            }
        };
        let key = key.ok_or_else(|| TrustError::TokenKey(needs(algorithm)))?;
        Ok(Self { algorithm, key })
    }
}

/// Algorithm identifiers of public keys (RFC 3279 §2.3).
const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";

fn shared_secret(bytes: &[u8]) -> Option<DecodingKey> {
    let secret = bytes.trim_ascii_end();
    let is_pem = secret.starts_with(b"-----BEGIN");
    (secret.len() >= SECRET_BYTES_MIN && !is_pem).then(|| DecodingKey::from_secret(secret))
}

/// The bits of a public key of this kind.
fn public_key(pem: &[u8], kind: &str) -> Option<Vec<u8>> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
    let (_, info) = SubjectPublicKeyInfo::from_der(&der).ok()?;
    let fits = info.algorithm.algorithm.to_id_string() == kind;
    fits.then(|| info.subject_public_key.data.to_vec())
}

/// What a token must say.
#[derive(Debug, Clone)]
pub struct TokenRules {
    /// By what it is signed.
    pub key: TokenKey,
    /// Who it must be made for (`aud`).
    pub audience: String,
    /// Who must have made it (`iss`); anybody with the key without.
    pub issuer: Option<String>,
}

/// Registered claims (RFC 7519 §4.1). A claim of another JSON type is a fault, not an absent claim.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    aud: Audience,
    iss: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(BTreeSet<String>),
}

impl TokenRules {
    /// The subject of a token that is good now.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn verify(&self, token: &Secret, now: Moment) -> Result<String, String> {
        if token.expose().len() > TOKEN_BYTES_MAX {
            return Err(format!("the token is longer than {TOKEN_BYTES_MAX} bytes"));
        }
        signatures::install();
        let mut validation = Validation::new(jose(self.key.algorithm));
        // Times and names are checked below, against the clock that is handed in.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded = decode::<Claims>(token.expose().trim_ascii(), &self.key.key, &validation);
        let TokenData { header, claims } = decoded.map_err(|error| fault(&error))?;
        if header.crit.is_some() {
            return Err("the token asks for extensions, and none is known here (crit)".into());
        }
        self.judge(&claims, now)?;
        Ok(claims.sub)
    }

    fn judge(&self, claims: &Claims, now: Moment) -> Result<(), String> {
        let (now_s, leeway) = (seconds(now.unix_millis() / 1000), seconds(LEEWAY_S));
        if claims.exp + leeway <= now_s {
            return Err("the token has expired".into());
        }
        if claims.nbf.is_some_and(|nbf| nbf - leeway > now_s) {
            return Err("the token is not valid yet".into());
        }
        let for_us = match &claims.aud {
            Audience::One(name) => *name == self.audience,
            Audience::Several(names) => names.contains(&self.audience),
        };
        if !for_us {
            return Err("the token is made for somebody else".into());
        }
        if self.issuer.is_some() && claims.iss != self.issuer {
            return Err("the token is made by somebody else".into());
        }
        if claims.sub.is_empty() { Err("the token names nobody".into()) } else { Ok(()) }
    }
}

/// What is wrong with a token that cannot be read. The text may quote it, and anybody can send one: it stays on one line.
fn fault(error: &Error) -> String {
    let text: String = error.to_string().escape_default().take(FAULT_CHARACTERS_MAX).collect();
    format!("the token is not good: {text}")
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double")]
fn seconds(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signatures::tests::{ec_key, encoded, hs256};

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef\n";
    const NOW_S: u64 = 1_800_000_000;

    fn rules() -> TokenRules {
        TokenRules {
            key: TokenKey::from_file(TokenAlgorithm::Hs256, SECRET).unwrap(),
            audience: "parsenode".into(),
            issuer: None,
        }
    }

    fn now() -> Moment {
        Moment::from_unix_millis(NOW_S * 1000)
    }

    fn verdict(rules: &TokenRules, claims: &str) -> Result<String, String> {
        let token = hs256(r#"{"alg":"HS256","typ":"JWT"}"#, claims, SECRET.trim_ascii_end());
        rules.verify(&Secret::new(token.into_bytes()), now())
    }

    fn with(more: &str) -> String {
        format!(r#"{{"sub":"ct1","aud":"parsenode","exp":{}{more}}}"#, NOW_S + 10)
    }

    #[test]
    fn a_good_token_names_its_subject() {
        assert_eq!(verdict(&rules(), &with("")), Ok("ct1".into()));
        let several = with("").replace(r#""parsenode""#, r#"["pacs","parsenode"]"#);
        assert_eq!(verdict(&rules(), &several), Ok("ct1".into()));
        let whole = format!(r#","nbf":{},"iss":"idp""#, NOW_S + 60);
        let rules = TokenRules { issuer: Some("idp".into()), ..rules() };
        assert_eq!(verdict(&rules, &with(&whole)), Ok("ct1".into()));
    }

    #[test]
    fn each_claim_is_checked() {
        let refused = |claims: &str, word: &str| {
            let reason = verdict(&rules(), claims).unwrap_err();
            assert!(reason.contains(word), "{claims}: {reason}");
        };
        refused(&format!(r#"{{"sub":"a","aud":"parsenode","exp":{}}}"#, NOW_S - 60), "expired");
        refused(r#"{"sub":"a","aud":"parsenode"}"#, "not good");
        refused(r#"{"sub":"a","aud":"parsenode","exp":"later"}"#, "not good");
        refused(&with(&format!(r#","nbf":{}"#, NOW_S + 61)), "not valid yet");
        refused(&with(r#","nbf":"now""#), "not good");
        refused(&with("").replace("parsenode", "pacs"), "somebody else");
        refused(&with("").replace("ct1", ""), "nobody");
        refused(&with("").replace("1800000010", r#""a\nb""#), r#""a\\nb\""#);
        let rules = TokenRules { issuer: Some("idp".into()), ..rules() };
        assert!(verdict(&rules, &with("")).unwrap_err().contains("by somebody else"));
    }

    #[test]
    fn what_is_said_of_a_token_stays_on_one_line() {
        let said = |alg: &str| {
            let token = hs256(&format!(r#"{{"alg":"{alg}"}}"#), &with(""), b"");
            rules().verify(&Secret::new(token.into_bytes()), now()).unwrap_err()
        };
        let forged = said(r#"x\n2026-01-01T00:00:00Z INFO accepted calling=\"CT1\" \u001b[2K"#);
        assert!(forged.contains(r"x\n2026-01-01"), "{forged}");
        assert!(forged.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{forged}");
        assert!(said(&"x".repeat(5000)).len() < 250);
    }

    #[test]
    fn what_a_token_insists_on_is_not_ignored() {
        for crit in [r#"["b64"]"#, r#"["http://example.com/x"]"#, "[]"] {
            let header = format!(r#"{{"alg":"HS256","crit":{crit}}}"#);
            let token = hs256(&header, &with(""), SECRET.trim_ascii_end());
            let reason = rules().verify(&Secret::new(token.into_bytes()), now()).unwrap_err();
            assert!(reason.contains("crit"), "{reason}");
        }
    }

    #[test]
    fn signatures_and_algorithms_are_checked() {
        let refuse = |token: String| rules().verify(&Secret::new(token.into_bytes()), now());
        let header = r#"{"alg":"HS256"}"#;
        assert!(refuse(hs256(header, &with(""), b"another secret of thirty-two bytes")).is_err());
        assert!(refuse(hs256(r#"{"alg":"none"}"#, &with(""), b"")).is_err());
        assert!(
            refuse(format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&with("")))).is_err()
        );
        assert!(refuse(hs256(r#"{"alg":"HS512"}"#, &with(""), SECRET.trim_ascii_end())).is_err());
        let mut token = hs256(header, &with(""), SECRET.trim_ascii_end());
        token.insert(header.len() + 5, 'A');
        assert!(refuse(token).is_err());
        assert!(refuse("x".repeat(TOKEN_BYTES_MAX + 1)).is_err());
        assert!(refuse(String::new()).is_err());
    }

    #[test]
    fn a_token_under_a_public_key_and_the_key_as_a_secret() {
        let key = ec_key();
        let pem = key.public_pem();
        let es256 = TokenKey::from_file(TokenAlgorithm::Es256, pem.as_bytes()).unwrap();
        let rules = TokenRules { key: es256, ..rules() };
        let token = key.sign(r#"{"alg":"ES256"}"#, &with(""));
        assert_eq!(rules.verify(&Secret::new(token.into_bytes()), now()), Ok("ct1".into()));
        // The old trick: HMAC with the public key, which everybody has, as its secret.
        let forged = hs256(r#"{"alg":"HS256"}"#, &with(""), pem.as_bytes());
        assert!(rules.verify(&Secret::new(forged.into_bytes()), now()).is_err());
        assert!(TokenKey::from_file(TokenAlgorithm::Rs256, pem.as_bytes()).is_err());
        assert!(TokenKey::from_file(TokenAlgorithm::Hs256, pem.as_bytes()).is_err());
        assert!(TokenKey::from_file(TokenAlgorithm::Hs256, b"short").is_err());
    }
}
