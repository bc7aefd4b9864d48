//! The rescue bundle (救援包): what is only on a phone, as a file that anybody may carry and only the server can open.
//!
//! For a phone that can not sync any more: a broken screen, no network for weeks, a wiped account. Inside are the same
//! pages a sync would push and the bytes of the photos, signed by the device; around them is a sealed box to the
//! server's key. Whoever carries the file learns nothing but whose phone it came from, and can change nothing.
//!
//! Any number of copies is harmless: changes are known by hash, requests by intent, photos by hash. So the proof's
//! counter is not spent, and a bundle may arrive before, after or between the phone's own syncs.

use crypto_box::aead::rand_core::{CryptoRng, Error as RandomError, RngCore};
use crypto_box::{PublicKey, SecretKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{Proof, SyncUp, WireError, codec, limits};
use crate::model::{CaseId, DeviceId, PhotoHash, Sha256};

/// Media type of a bundle.
pub const RESCUE_MEDIA_TYPE: &str = "application/vnd.xunge.rescue";

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Bundle {
    /// Format version, 1.
    #[n(0)]
    pub version: u16,
    /// Whose reports are inside.
    #[n(1)]
    pub device: DeviceId,
    /// A sealed box (X25519, XSalsa20-Poly1305, as libsodium's `crypto_box_seal`) with a [`Letter`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// What is in the box: contents and the device's signature over them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Letter {
    /// The device's counter when it wrote the bundle; orders bundles for people, is not spent.
    #[n(0)]
    pub counter: u64,
    /// Ed25519 over the [`Proof`] of `POST /v1/rescue` with `contents` as its body.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
    /// CBOR of [`Contents`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub contents: Vec<u8>,
}

/// What a phone had not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Contents {
    /// Frames and requests, each page one zstd frame of a [`SyncUp`], in the order they have to be applied.
    #[n(0)]
    pub pages: Vec<ByteVec>,
    /// Photos.
    #[n(1)]
    pub photos: Vec<RescuedPhoto>,
}

/// One photo.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RescuedPhoto {
    /// A case whose facts name it.
    #[n(0)]
    pub case: CaseId,
    /// Its hash.
    #[n(1)]
    pub sha256: PhotoHash,
    /// The upload copy.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl Bundle {
    /// The path bundles are posted to, and signed for.
    pub const PATH: &'static str = "/v1/rescue";
    const VERSION: u16 = 1;

    /// Signs with the device's key and seals to the server's. `fill` gives randomness for a key that is used once.
    pub fn seal(
        contents: &Contents,
        device: DeviceId,
        counter: u64,
        key: &SigningKey,
        server: &[u8; 32],
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> Vec<u8> {
        let contents = codec::encode(contents);
        let signature = proof(&contents, device, counter).sign(key);
        let letter = codec::encode(&Letter { counter, signature, contents });
        let sealed = PublicKey::from_bytes(*server).seal(&mut Given(fill), &letter);
        let sealed = sealed.expect("sealing memory into memory can not fail");
        codec::encode(&Self { version: Self::VERSION, device, sealed })
    }

    /// Reads a file within its limits.
    ///
    /// # Errors
    /// [`WireError`] if it is none, too large, or of a version this build does not know.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > limits::RESCUE {
            return Err(WireError::TooLarge { what: "the bundle", allowed: limits::RESCUE, found: bytes.len() });
        }
        let bundle: Self = codec::decode(bytes)?;
        match bundle.version {
            Self::VERSION => Ok(bundle),
            found => Err(WireError::Malformed { at: 0, why: format!("bundle version {found} is not known") }),
        }
    }

    /// Opens the box with the server's secret key; `None` if it was not sealed to it, or damaged.
    ///
    /// Consumes the bundle: it may be large, and what was in the box is a copy.
    pub fn open(self, secret: &[u8; 32]) -> Option<Letter> {
        let letter = SecretKey::from_bytes(*secret).unseal(&self.sealed).ok()?;
        drop(self);
        codec::decode(&letter).ok()
    }
}

impl Letter {
    /// True if the device wrote this.
    pub fn is_signed_by(&self, device: DeviceId, key: &VerifyingKey) -> bool {
        self.proof(device).verify(key, &self.signature)
    }

    /// What the signature is over.
    pub fn proof(&self, device: DeviceId) -> Proof<'static> {
        proof(&self.contents, device, self.counter)
    }

    /// The contents, once the signature was verified.
    pub fn contents(&self) -> Result<Contents, WireError> {
        codec::decode(&self.contents)
    }
}

impl Contents {
    /// Unpacks one page within the limits of a sync request.
    pub fn page(frame: &[u8]) -> Result<SyncUp, WireError> {
        let page: SyncUp = codec::unpack(frame)?;
        page.check()?;
        Ok(page)
    }
}

fn proof(contents: &[u8], device: DeviceId, counter: u64) -> Proof<'static> {
    Proof { method: "POST", path: Bundle::PATH, body: Sha256::of(contents), device, counter }
}

/// The caller's randomness in the shape the cipher asks for.
struct Given<'f>(&'f mut dyn FnMut(&mut [u8]));

impl RngCore for Given<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        (self.0)(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        (self.0)(bytes);
        Ok(())
    }
}

impl CryptoRng for Given<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId::from_bytes([1; 16]);

    fn contents() -> Contents {
        let photo =
            RescuedPhoto { case: CaseId::from_bytes([2; 16]), sha256: PhotoHash::of(b"p"), bytes: b"p".to_vec() };
        Contents { pages: vec![codec::pack(&SyncUp::default()).into()], photos: vec![photo] }
    }

    fn sealed() -> (Vec<u8>, SecretKey, SigningKey) {
        let (secret, key) = (SecretKey::from_bytes([7; 32]), SigningKey::from_bytes(&[5; 32]));
        let to = *secret.public_key().as_bytes();
        let bytes = Bundle::seal(&contents(), DEVICE, 9, &key, &to, &mut |bytes| bytes.fill(3));
        (bytes, secret, key)
    }

    #[test]
    fn a_bundle_is_opened_by_its_server_and_proves_its_device() {
        let (bytes, secret, key) = sealed();
        let bundle = Bundle::read(&bytes).unwrap();
        let letter = bundle.open(&secret.to_bytes()).unwrap();
        assert!(letter.is_signed_by(DEVICE, &key.verifying_key()));
        assert!(!letter.is_signed_by(DeviceId::from_bytes([4; 16]), &key.verifying_key()));
        assert_eq!(letter.contents().unwrap(), contents());
        assert_eq!(Contents::page(&letter.contents().unwrap().pages[0]), Ok(SyncUp::default()));
    }

    #[test]
    fn nobody_else_opens_it_and_no_byte_can_be_changed() {
        let (bytes, secret, key) = sealed();
        assert_eq!(Bundle::read(&bytes).unwrap().open(&[8; 32]), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let accepted = Bundle::read(&changed).ok().and_then(|bundle| {
                let device = bundle.device;
                let letter = bundle.open(&secret.to_bytes())?;
                letter.is_signed_by(device, &key.verifying_key()).then_some(())
            });
            assert_eq!(accepted, None, "byte {at}");
        }
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        assert!(matches!(Bundle::read(&vec![0; limits::RESCUE + 1]), Err(WireError::TooLarge { .. })));
        let newer = Bundle { version: 2, device: DEVICE, sealed: vec![] };
        assert!(matches!(Bundle::read(&codec::encode(&newer)), Err(WireError::Malformed { .. })));
        let (bytes, ..) = sealed();
        for end in 0..bytes.len() {
            assert!(Bundle::read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
