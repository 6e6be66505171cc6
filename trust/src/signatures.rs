//! How jsonwebtoken asks ring for the check of a signature: HS256, RS256 and ES256. Nothing is ever signed.

use jsonwebtoken::crypto::{CryptoProvider, JwkUtils, JwtSigner, JwtVerifier};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use signature::Verifier;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    jwk_utils: JwkUtils::new_unimplemented(),
};

/// Makes ring the one that checks. May be called again and again.
pub(crate) fn install() {
    // An error says that it was done before.
    PROVIDER.install_default().unwrap_or_default();
}

fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    // The key is of the family that its reader made it for; another family asks for another reader.
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    match algorithm {
        Algorithm::HS256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.try_get_hmac_secret()?);
            Ok(Box::new(Hmac(key)))
        }
        Algorithm::RS256 => Ok(public(key, *algorithm, &RSA_PKCS1_2048_8192_SHA256)),
        Algorithm::ES256 => Ok(public(key, *algorithm, &ECDSA_P256_SHA256_FIXED)),
        Algorithm::HS384
        | Algorithm::HS512
        | Algorithm::ES384
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512
        | Algorithm::EdDSA => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn public(
    key: &DecodingKey,
    algorithm: Algorithm,
    check: &'static dyn VerificationAlgorithm,
) -> Box<dyn JwtVerifier> {
    Box::new(Public { key: UnparsedPublicKey::new(check, key.as_bytes().to_vec()), algorithm })
}

struct Hmac(hmac::Key);

impl Verifier<Vec<u8>> for Hmac {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hmac {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

struct Public {
    key: UnparsedPublicKey<Vec<u8>>,
    algorithm: Algorithm,
}

impl Verifier<Vec<u8>> for Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.key.verify(message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Public {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Tokens as others make them.
#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{KeyPair, PublicKeyData as _};
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

    use super::*;

    /// Base64url without padding (RFC 7515 §2).
    pub(crate) fn base64url(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let word =
                (0..3).fold(0, |word, at| word << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
            for digit in 0..=chunk.len() {
                let index = (word >> (18 - 6 * digit)) & 63;
                text.push(char::from(DIGITS[index as usize]));
            }
        }
        text
    }

    pub(crate) fn encoded(text: &str) -> String {
        base64url(text.as_bytes())
    }

    pub(crate) fn hs256(header: &str, claims: &str, secret: &[u8]) -> String {
        hmac(hmac::HMAC_SHA256, header, claims, secret)
    }

    /// A token under a secret, whatever its header says.
    pub(crate) fn hmac(
        algorithm: hmac::Algorithm,
        header: &str,
        claims: &str,
        secret: &[u8],
    ) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
        format!("{message}.{}", base64url(tag.as_ref()))
    }

    /// A P-256 key.
    pub(crate) struct EcKey(KeyPair);

    pub(crate) fn ec_key() -> EcKey {
        EcKey(KeyPair::generate().unwrap())
    }

    impl EcKey {
        pub(crate) fn public_pem(&self) -> String {
            self.0.public_key_pem()
        }

        /// SubjectPublicKeyInfo (RFC 5280 §4.1).
        pub(crate) fn public_spki(&self) -> Vec<u8> {
            self.0.subject_public_key_info()
        }

        pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
            let random = SystemRandom::new();
            let der = self.0.serialize_der();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random);
            let message = format!("{}.{}", encoded(header), encoded(claims));
            let signature = pair.unwrap().sign(&random, message.as_bytes()).unwrap();
            format!("{message}.{}", base64url(signature.as_ref()))
        }
    }

    #[test]
    fn base64url_of_rfc_7515() {
        assert_eq!(base64url(&[3, 236, 255, 224, 193]), "A-z_4ME");
    }
}
