//! The inputs a target starts from: what its generators make, and the committed files.

use std::path::{Path, PathBuf};

use xunge_client_core::doc::testing::Dice;

use super::{Target, parts};

/// Inputs from this size on are committed together and compressed: databases of two versions are nearly the same.
const PACKED: usize = 4_096;
/// The file they are in.
const TOGETHER: &str = "seeds.zst";

/// Inputs of one target.
#[derive(Debug)]
pub struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    /// Reads the committed files; a target without any starts from its generators alone. A test holds that the files have
    /// everything the generators make.
    pub fn of(target: &dyn Target) -> Self {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder(target.name()))
            .map(|entries| entries.map(|entry| entry.expect("a folder that can be read").path()).collect())
            .unwrap_or_default();
        // A folder's order is the file system's; a run's is the seed's.
        files.sort();
        let mut inputs: Vec<Vec<u8>> = files.iter().flat_map(|path| read(path)).collect();
        if inputs.is_empty() {
            inputs = target.seeds();
        }
        assert!(inputs.iter().any(|input| !input.is_empty()), "{} has no input to start from", target.name());
        Self(inputs)
    }

    /// Writes what the generators make into the target's folder, in the place of what they made before; crashers there
    /// stay.
    pub fn write(target: &dyn Target) {
        let folder = folder(target.name());
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed")) {
                std::fs::remove_file(path).unwrap();
            }
        }
        let (small, large): (Vec<_>, Vec<_>) = target.seeds().into_iter().partition(|input| input.len() < PACKED);
        for (index, input) in small.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{index:02}")), input).unwrap();
        }
        if !large.is_empty() {
            let together = parts::join(&large.iter().map(Vec::as_slice).collect::<Vec<_>>());
            std::fs::write(folder.join(TOGETHER), zstd::bulk::compress(&together, 19).unwrap()).unwrap();
        }
    }

    /// How many inputs of the generators the committed files lack.
    pub fn lacks(target: &dyn Target) -> usize {
        let held = Self::of(target).0;
        target.seeds().iter().filter(|seed| !held.contains(seed)).count()
    }

    /// Every input.
    pub fn inputs(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// One of them.
    pub fn pick(&self, dice: &mut Dice) -> &[u8] {
        dice.pick::<Vec<u8>>(&self.0)
    }
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/fuzz")).join(target)
}

fn read(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).expect("a corpus file");
    match path.file_name().is_some_and(|name| name == TOGETHER) {
        true => parts::split(&zstd::stream::decode_all(bytes.as_slice()).expect("a compressed corpus file")),
        false => vec![bytes],
    }
}
