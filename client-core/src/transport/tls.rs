//! TLS with the public roots, and optionally one pinned key.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use thiserror::Error as ThisError;

use crate::model::Sha256;

/// SHA-256 of the SubjectPublicKeyInfo the server must present (RFC 7469, section 2.4), as the enrolment QR carries it.
///
/// A district whose server has a certificate of its own making pins its key: the chain is then not looked at, the key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpkiPin(pub Sha256);

/// The text is not 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("a pin has 64 hex digits, `{0}` has not")]
pub struct PinError(pub String);

impl FromStr for SpkiPin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        text.parse().map(Self).map_err(|_| PinError(text.to_owned()))
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// What marks a refused pin in the text of a connect error: the connector hands errors on as text only.
pub(super) const PIN_REFUSED: &str = "xunge-pin-refused";

pub(super) fn config(pin: Option<SpkiPin>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions");
    match pin {
        None => builder.with_root_certificates(roots).with_no_client_auth(),
        Some(pin) => {
            let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .expect("the public roots are not empty");
            let verifier = Pinned { pin, usual };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    }
}

#[derive(Debug)]
struct Pinned {
    pin: SpkiPin,
    /// Checks handshake signatures: holding a certificate is not holding its key.
    usual: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let broken = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
        let certificate = webpki::EndEntityCert::try_from(end_entity).map_err(broken)?;
        if Sha256::of(certificate.subject_public_key_info().as_ref()) == self.pin.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::General(PIN_REFUSED.to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
