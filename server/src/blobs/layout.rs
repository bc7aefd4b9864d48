//! Where a photo lies: named by its hash, spread over 256 folders.

use object_store::path::Path;
use xunge_client_core::model::PhotoHash;

/// `ab/cdef…`: two hex digits for the folder, the other 62 for the file.
pub(super) fn place(hash: PhotoHash) -> String {
    let hex = hex::encode(hash.as_bytes());
    format!("{}/{}", &hex[..2], &hex[2..])
}

/// The same as a path of the object store.
pub(super) fn object(hash: PhotoHash) -> Path {
    Path::from(place(hash))
}

/// Reads the hash back from where a photo lies; `None` for anything else somebody may have put there.
pub(super) fn hash_of(place: &str) -> Option<PhotoHash> {
    let (folder, file) = place.split_once('/')?;
    (folder.len() == 2).then(|| file_hash(&format!("{folder}{file}")))?
}

/// Reads a file name of 64 lower-case hex digits.
pub(super) fn file_hash(name: &str) -> Option<PhotoHash> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(name, &mut bytes).ok()?;
    (hex::encode(bytes) == name).then(|| PhotoHash::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_back_from_its_place_and_from_no_other() {
        let hash = PhotoHash::of(b"photo");
        let place = place(hash);
        assert_eq!((place.len(), place.as_bytes()[2]), (65, b'/'));
        assert_eq!(hash_of(&place), Some(hash));
        for other in ["", "ab", "ab/cd", &place.to_uppercase(), &format!("a/{}", &place[1..]), &format!("{place}0")] {
            assert_eq!(hash_of(other), None, "{other}");
        }
    }
}
