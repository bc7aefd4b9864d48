//! The inputs a target starts from: what its generators make, and the committed files.

use std::path::{Path, PathBuf};

use xunge_client_core::doc::testing::Dice;

use super::Target;

/// Inputs from this size on are committed compressed.
const PACKED: usize = 4_096;

/// Inputs of one target.
#[derive(Debug)]
pub struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    /// Reads the committed files; a target without any starts from its generators alone.
    pub fn of(target: &dyn Target) -> Self {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder(target.name()))
            .map(|entries| entries.map(|entry| entry.expect("a folder that can be read").path()).collect())
            .unwrap_or_default();
        // A folder's order is the file system's; a run's is the seed's.
        files.sort();
        let mut inputs: Vec<Vec<u8>> = files.iter().map(|path| read(path)).collect();
        if inputs.is_empty() {
            inputs = target.seeds();
        }
        assert!(inputs.iter().any(|input| !input.is_empty()), "{} has no input to start from", target.name());
        Self(inputs)
    }

    /// Writes what the generators make into the target's folder; crashers there stay.
    pub fn write(target: &dyn Target) {
        let folder = folder(target.name());
        std::fs::create_dir_all(&folder).unwrap();
        for (index, input) in target.seeds().iter().enumerate() {
            let name = format!("seed-{index:02}");
            match input.len() {
                ..PACKED => std::fs::write(folder.join(name), input).unwrap(),
                _ => std::fs::write(folder.join(name + ".zst"), zstd::bulk::compress(input, 19).unwrap()).unwrap(),
            }
        }
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

fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("a corpus file");
    match path.extension().is_some_and(|extension| extension == "zst") {
        true => zstd::stream::decode_all(bytes.as_slice()).expect("a compressed corpus file"),
        false => bytes,
    }
}
