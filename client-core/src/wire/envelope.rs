//! The signed wrapper of a sync request, and the device proof inside it.
//!
//! The proof authenticates by itself: no bearer, no refresh token, and no clock, since phones' clocks lie. What it
//! proves is "this device, this exact body, this once": the counter rises strictly and is persisted before Send, so
//! a number seen twice is a repeated request or a cloned phone.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};

use super::{WireError, codec, limits};
use crate::model::{DeviceId, Sha256};

const CONTEXT: &[u8] = b"xunge-proof-v1";

/// What travels in the body of `POST /v1/sync`.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Envelope {
    /// Protocol version, [`super::VERSION`].
    #[n(0)]
    pub version: u16,
    /// Who signs.
    #[n(1)]
    pub device: DeviceId,
    /// Strictly increasing per device, persisted before Send.
    #[n(2)]
    pub counter: u64,
    /// Ed25519 over the [`Proof`] of this request.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: [u8; 64],
    /// One zstd frame with the CBOR of a [`super::SyncUp`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub frame: Vec<u8>,
}

/// What a device signs: the request, not only its body, so that a proof fits one place only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof<'a> {
    /// HTTP method in capitals.
    pub method: &'a str,
    /// Path without query.
    pub path: &'a str,
    /// SHA-256 of the signed body.
    pub body: Sha256,
    /// Who signs.
    pub device: DeviceId,
    /// The device's counter.
    pub counter: u64,
}

impl Proof<'_> {
    /// The signed bytes: every part with its length before it, so that no two requests share a message.
    pub fn message(&self) -> Vec<u8> {
        let counter = self.counter.to_be_bytes();
        let parts = [
            CONTEXT,
            self.method.as_bytes(),
            self.path.as_bytes(),
            self.body.as_bytes(),
            self.device.as_bytes(),
            &counter,
        ];
        let mut message = Vec::with_capacity(160);
        for part in parts {
            message.extend((part.len() as u32).to_be_bytes());
            message.extend(part);
        }
        message
    }

    /// Signs with the device's key.
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.message()).to_bytes()
    }

    /// True if `signature` is this device's over this request.
    pub fn verify(&self, key: &VerifyingKey, signature: &[u8; 64]) -> bool {
        key.verify(&self.message(), &Signature::from_bytes(signature)).is_ok()
    }
}

impl Envelope {
    /// The path the envelope is signed for.
    pub const PATH: &'static str = "/v1/sync";

    /// Signs a compressed body.
    pub fn seal(frame: Vec<u8>, device: DeviceId, counter: u64, key: &SigningKey) -> Self {
        let signature = Self::proof(&frame, device, counter).sign(key);
        Self { version: super::VERSION, device, counter, signature, frame }
    }

    /// True if the envelope was signed by the holder of `key`.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        Self::proof(&self.frame, self.device, self.counter).verify(key, &self.signature)
    }

    /// Reads an envelope within its limits. The signature is not checked: the key is looked up by `device` first.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > limits::ENVELOPE {
            return Err(WireError::TooLarge { what: "the request", allowed: limits::ENVELOPE, found: bytes.len() });
        }
        let envelope: Self = codec::decode(bytes)?;
        if envelope.frame.len() > limits::COMPRESSED {
            let found = envelope.frame.len();
            return Err(WireError::TooLarge { what: "the compressed body", allowed: limits::COMPRESSED, found });
        }
        Ok(envelope)
    }

    /// The bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    fn proof(frame: &[u8], device: DeviceId, counter: u64) -> Proof<'static> {
        Proof { method: "POST", path: Self::PATH, body: Sha256::of(frame), device, counter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> (Envelope, SigningKey) {
        let key = SigningKey::from_bytes(&[5; 32]);
        (Envelope::seal(codec::compress(b"body"), DeviceId::from_bytes([1; 16]), 7, &key), key)
    }

    #[test]
    fn an_envelope_survives_its_bytes_and_proves_its_device() {
        let (envelope, key) = envelope();
        let read = Envelope::read(&envelope.to_bytes()).unwrap();
        assert_eq!(read, envelope);
        assert!(read.is_signed_by(&key.verifying_key()));
        assert!(!read.is_signed_by(&SigningKey::from_bytes(&[6; 32]).verifying_key()));
    }

    #[test]
    fn changing_any_signed_part_breaks_the_proof() {
        let (envelope, key) = envelope();
        let key = key.verifying_key();
        let mut other_counter = envelope.clone();
        other_counter.counter += 1;
        let mut other_device = envelope.clone();
        other_device.device = DeviceId::from_bytes([2; 16]);
        let mut other_body = envelope.clone();
        other_body.frame[0] ^= 1;
        for changed in [other_counter, other_device, other_body] {
            assert!(!changed.is_signed_by(&key));
        }
        let elsewhere = Proof {
            method: "POST",
            path: "/v1/auth/token",
            body: Sha256::of(&envelope.frame),
            device: envelope.device,
            counter: envelope.counter,
        };
        assert!(!elsewhere.verify(&key, &envelope.signature));
    }

    #[test]
    fn oversized_and_cut_envelopes_are_refused() {
        let (mut envelope, _) = envelope();
        let bytes = envelope.to_bytes();
        for end in 0..bytes.len() {
            assert!(Envelope::read(&bytes[..end]).is_err());
        }
        envelope.frame = vec![0; limits::COMPRESSED + 1];
        assert!(matches!(Envelope::read(&envelope.to_bytes()), Err(WireError::TooLarge { .. })));
    }
}
