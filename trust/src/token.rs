//! User identities as JSON Web Tokens (RFC 7519): signature, times, audience and issuer are checked.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use domain::{Moment, Secret, TokenAlgorithm};
use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
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
        TokenAlgorithm::Rs256 => {
            "RS256: an RSA public key of 2048 to 8192 bits, -----BEGIN PUBLIC KEY-----"
        }
        TokenAlgorithm::Es256 => {
            "ES256: a public key on P-256, its point not compressed, -----BEGIN PUBLIC KEY-----"
        }
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
                public_key(bytes, is_rsa).map(|der| DecodingKey::from_rsa_der(&der))
            }
            TokenAlgorithm::Es256 => {
                public_key(bytes, is_p256).map(|point| DecodingKey::from_ec_der(&point))
            }
        };
        let key = key.ok_or_else(|| TrustError::TokenKey(needs(algorithm)))?;
        Ok(Self { algorithm, key })
    }
}

/// Public keys on elliptic curves, and the curve of ES256 (RFC 5480 §2.1.1).
const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
/// RSA keys with which signatures are checked, in bits (RFC 7518 §3.3; ring takes no longer ones).
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;
/// A point on P-256: 4 for "not compressed", and two numbers of 32 bytes (SEC 1 §2.3.3).
const P256_POINT_BYTES: usize = 65;

fn shared_secret(bytes: &[u8]) -> Option<DecodingKey> {
    let secret = bytes.trim_ascii_end();
    let is_pem = secret.starts_with(b"-----BEGIN");
    (secret.len() >= SECRET_BYTES_MIN && !is_pem).then(|| DecodingKey::from_secret(secret))
}

/// The bits of a public key that fits.
fn public_key(pem: &[u8], fits: fn(&SubjectPublicKeyInfo<'_>) -> bool) -> Option<Vec<u8>> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
    let (_, info) = SubjectPublicKeyInfo::from_der(&der).ok()?;
    fits(&info).then(|| info.subject_public_key.data.to_vec())
}

fn is_rsa(info: &SubjectPublicKeyInfo<'_>) -> bool {
    let Ok(PublicKey::RSA(key)) = info.parsed() else { return false };
    let zeros = key.modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = key.modulus.get(zeros..).unwrap_or_default();
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = modulus.len().saturating_mul(8).saturating_sub(unused.try_into().unwrap_or(0));
    RSA_BITS.contains(&bits)
}

fn is_p256(info: &SubjectPublicKeyInfo<'_>) -> bool {
    let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
    let point = &info.subject_public_key.data;
    info.algorithm.algorithm.to_id_string() == EC
        && curve.is_some_and(|curve| curve.to_id_string() == P256)
        && (point.len(), point.first()) == (P256_POINT_BYTES, Some(&4))
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
    use crate::signatures::tests::{ec_key, encoded, hmac, hs256};
    use ring::hmac;

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

    /// What is said of a token that is not good.
    fn refused(rules: &TokenRules, token: String) -> String {
        rules.verify(&Secret::new(token.into_bytes()), now()).unwrap_err()
    }

    #[test]
    fn signatures_are_checked() {
        let (header, secret) = (r#"{"alg":"HS256"}"#, SECRET.trim_ascii_end());
        let stranger = hs256(header, &with(""), b"another secret of thirty-two bytes");
        assert!(refused(&rules(), stranger).contains("InvalidSignature"));
        let mut parts: Vec<String> =
            hs256(header, &with(""), secret).split('.').map(str::to_owned).collect();
        parts[1] = encoded(&with("").replace("ct1", "ct2"));
        assert!(refused(&rules(), parts.join(".")).contains("InvalidSignature"), "another user");
        assert!(refused(&rules(), "x".repeat(TOKEN_BYTES_MAX + 1)).contains("longer"));
        assert!(refused(&rules(), String::new()).contains("InvalidToken"));
    }

    /// Each tag is right by its own lights, and each algorithm is not the one that is configured.
    #[test]
    fn algorithms_are_checked() {
        let secret = SECRET.trim_ascii_end();
        let unsigned = format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&with("")));
        for token in [unsigned, hs256(r#"{"alg":"none"}"#, &with(""), secret)] {
            let reason = refused(&rules(), token);
            assert!(reason.contains("unknown variant `none`"), "{reason}");
        }
        let longer = hmac(hmac::HMAC_SHA512, r#"{"alg":"HS512"}"#, &with(""), secret);
        let reason = refused(&rules(), longer);
        assert!(reason.contains("InvalidAlgorithm"), "{reason}");
    }

    #[test]
    fn a_token_under_a_public_key() {
        let key = ec_key();
        let es256 = TokenKey::from_file(TokenAlgorithm::Es256, key.public_pem().as_bytes());
        let rules = TokenRules { key: es256.unwrap(), ..rules() };
        let token = key.sign(r#"{"alg":"ES256"}"#, &with(""));
        assert_eq!(rules.verify(&Secret::new(token.into_bytes()), now()), Ok("ct1".into()));
        // The old trick: HMAC with the public key, which everybody has, as its secret, in every form that one might hold it in.
        let (pem, spki) = (key.public_pem(), key.public_spki());
        let held = rules.key.key.as_bytes();
        assert!(spki.ends_with(held) && held.len() == P256_POINT_BYTES, "the point itself");
        for secret in [held, &spki, pem.as_bytes(), pem.trim().as_bytes()] {
            let reason = refused(&rules, hs256(r#"{"alg":"HS256"}"#, &with(""), secret));
            assert!(reason.contains("InvalidAlgorithm"), "{reason}");
            let reason = refused(&rules, hs256(r#"{"alg":"ES256"}"#, &with(""), secret));
            assert!(reason.contains("InvalidSignature"), "{reason}");
        }
    }

    /// Made by openssl: RSA of 1024 and 2048 bits, P-256 with its point compressed, secp256k1.
    const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCzt4Gsn5X1p7yErKSpPCsiJNqV3EYqfX3oC+RdmUFZXHTXuDjx\
        o3hTwuqK3BKUc++xlXyRX4rCPF/rc+xDm5TS2elgr1V3HJxy23s9waGX/bOm8OJehB556logYpcKSootH3R9rWaMyeHF+fw5A2RkxCFF3M/E\
        w0EhD9umeNV6QwIDAQAB";
    const RSA_2048: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA64HKVdb7o79wYW6/VjAyQ53OftKFRyv70DLMVLcNqJAR\
        HZoG02kq21K8hqIdaYE9o6uvEuP00DvSt2n8r9sfNPLLSpatWwh4LQBO92W1f58vG3WCzspuXB/1yvjt9zYmZGuh7PImVfL6e0aiDWqdFbK0\
        neKtvpOwA2OcnDmGfZOvi9KAdAOb0+N6OF2OUmpRLijdJITlpD2QJXQrsAq+rz+rU2yH3aVKW/+bvoGI5WCed1vYuTyY2+16ttutYjq/QdTg\
        Y+gXEf/GSckqHNDr20DxnhUCiSAkEgsROJyeCXXmLpZiAcMINUYNSH3UQqcS2j3fz08JyrIHSv44gL6zlwIDAQAB";
    const P256_COMPRESSED: &str =
        "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAD4lIAprA5C7nJdsnPxD8s6x8W3afczoLp8DsOUWcwN7w=";
    const SECP256K1: &str = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEsuAGTiLk9m7AawsirszQcqcTp0BEJ0Kn6NTq2Pf57RlWQajBzgOKoiLQ\
        9E1P0apmb9eyBPgRvC0/1u947jHg8Q==";

    fn public_pem(base64: &str) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
    }

    #[test]
    fn a_key_that_no_token_could_be_checked_with_is_refused() {
        let taken = |algorithm, pem: &str| TokenKey::from_file(algorithm, pem.as_bytes()).is_ok();
        let (rs256, es256) = (TokenAlgorithm::Rs256, TokenAlgorithm::Es256);
        let p256 = ec_key().public_pem();
        assert!(taken(es256, &p256) && taken(rs256, &public_pem(RSA_2048)));
        assert!(!taken(rs256, &p256) && !taken(es256, &public_pem(RSA_2048)));
        assert!(!taken(rs256, &public_pem(RSA_1024)));
        assert!(!taken(es256, &public_pem(SECP256K1)));
        assert!(!taken(es256, &public_pem(P256_COMPRESSED)));
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        assert!(!taken(es256, &p384.public_key_pem()));
        assert!(!taken(TokenAlgorithm::Hs256, &p256) && !taken(TokenAlgorithm::Hs256, "short"));
        let fault = TokenKey::from_file(rs256, public_pem(RSA_1024).as_bytes()).unwrap_err();
        assert!(fault.to_string().contains("2048"), "{fault}");
    }
}
