//! Made-up photos for the demo and the tests: small, cheap, and each a different place.
//!
//! A real month has 16,000 photos; copies of one picture would hide every mistake that mixes two of them up, and would
//! be merged by anything that looks for duplicates. A scene is a street front of 9 x 8 blocks whose brightness comes
//! from the seed, so two seeds differ to a perceptual hash as two random numbers do. `Before` shows a heap of rubbish,
//! `After` the same place without it.

use image::{Rgb, RgbImage};

use super::encode;

const COLUMNS: usize = 9;
const ROWS: usize = 8;

/// Which of the two photos of a place is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// With the rubbish.
    Before,
    /// Cleared away.
    After,
}

/// Draws the place that belongs to a seed; `width` and `height` in pixels, both at least 16.
#[must_use]
pub fn scene(seed: u64, moment: Moment, width: u32, height: u32) -> RgbImage {
    let place = Place::new(seed);
    let thousandth = |at: usize, of: u32| (at * 1000 / of as usize) as i32;
    // What depends on the column alone is worked out once: 16,000 photos are drawn in one demo.
    let columns: Vec<_> = (0..width as usize)
        .map(|x| (x * COLUMNS / width as usize, thousandth(x, width), thousandth(x, width) % place.pane_width < 5))
        .collect();
    let mut picture = RgbImage::new(width, height);
    for (y, row) in picture.rows_mut().enumerate() {
        let block_row = y * ROWS / height as usize;
        let down = thousandth(y, height);
        let frame_row = down % (place.pane_width + 9) < 6;
        let trees: Vec<_> = place.trees.iter().filter(|tree| tree.reaches(down)).collect();
        for (x, (pixel, &(column, across, frame_column))) in row.zip(&columns).enumerate() {
            let mut light = place.blocks[block_row][column] + down / 60;
            let mut tint = place.tints[column];
            if frame_row || frame_column {
                light -= 14;
            }
            if let Some(tree) = trees.iter().find(|tree| tree.covers(across, down)) {
                light += tree.shade;
                tint = [-12, 14, -10];
            }
            if moment == Moment::Before && place.in_heap(block_row, column) {
                // Bags against a wall: bright where it is dark and dark where it is bright.
                light = 250 - light + place.crumple(x, y);
                tint = [6, 2, -8];
            }
            *pixel = Rgb(tint.map(|shift| (light + shift).clamp(0, 255) as u8));
        }
    }
    picture
}

/// Draws the place that belongs to a seed as a JPEG file of a few kilobytes.
#[must_use]
pub fn jpeg(seed: u64, moment: Moment, width: u32, height: u32) -> Vec<u8> {
    encode::jpeg(&scene(seed, moment, width, height), 75)
}

/// Sums a picture up in 64 bits: is each of 9 x 8 cells brighter than its right neighbour (dHash).
///
/// Pictures of one scene differ in a few bits, pictures of two scenes in about 32.
#[must_use]
pub fn dhash64(picture: &RgbImage) -> u64 {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut sums = [[0u64; COLUMNS]; ROWS];
    let mut counts = [[0u64; COLUMNS]; ROWS];
    for (y, row) in picture.rows().enumerate() {
        let block_row = y * ROWS / height;
        for (x, pixel) in row.enumerate() {
            let [red, green, blue] = pixel.0.map(u64::from);
            sums[block_row][x * COLUMNS / width] += 299 * red + 587 * green + 114 * blue;
            counts[block_row][x * COLUMNS / width] += 1;
        }
    }
    let mut hash = 0;
    for (sums, counts) in sums.iter().zip(&counts) {
        let brightness: [u64; COLUMNS] = std::array::from_fn(|column| sums[column] / counts[column].max(1));
        for pair in brightness.windows(2) {
            hash = hash << 1 | u64::from(pair[0] > pair[1]);
        }
    }
    hash
}

/// What a seed decides about a place; lengths and positions in thousandths of the picture.
struct Place {
    blocks: [[i32; COLUMNS]; ROWS],
    tints: [[i32; 3]; COLUMNS],
    trees: [Disc; 2],
    heap_row: usize,
    heap_column: usize,
    /// Distance of the window frames.
    pane_width: i32,
    grain: u64,
}

struct Disc {
    across: i32,
    down: i32,
    radius: i32,
    shade: i32,
}

impl Disc {
    fn reaches(&self, down: i32) -> bool {
        down.abs_diff(self.down) < self.radius.unsigned_abs()
    }

    fn covers(&self, across: i32, down: i32) -> bool {
        (across - self.across).pow(2) + (down - self.down).pow(2) < self.radius.pow(2)
    }
}

impl Place {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        Self {
            blocks: std::array::from_fn(|_| std::array::from_fn(|_| dice.between(35, 215))),
            tints: std::array::from_fn(|_| std::array::from_fn(|_| dice.between(-18, 18))),
            trees: std::array::from_fn(|_| Disc {
                across: dice.between(80, 920),
                down: dice.between(80, 500),
                radius: dice.between(40, 110),
                shade: dice.between(-40, 40),
            }),
            heap_row: dice.between(4, 6) as usize,
            heap_column: dice.between(0, 5) as usize,
            pane_width: dice.between(18, 45),
            grain: dice.next(),
        }
    }

    /// A heap covers two rows of four blocks.
    fn in_heap(&self, row: usize, column: usize) -> bool {
        (self.heap_row..self.heap_row + 2).contains(&row) && (self.heap_column..self.heap_column + 4).contains(&column)
    }

    fn crumple(&self, x: usize, y: usize) -> i32 {
        (mix(self.grain ^ ((x / 4) as u64) << 20 ^ (y / 4) as u64) % 33) as i32 - 16
    }
}

/// SplitMix64: enough to tell scenes apart, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u64::from(low.abs_diff(high)) + 1;
        low + (self.next() % span) as i32
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thousand_seeds_are_two_thousand_places_to_a_perceptual_hash() {
        let hashes: Vec<u64> = (0..2_000).map(|seed| dhash64(&scene(seed, Moment::After, 160, 120))).collect();
        let mut nearest = u32::MAX;
        let mut close = 0;
        for (index, one) in hashes.iter().enumerate() {
            for other in &hashes[..index] {
                let distance = (one ^ other).count_ones();
                nearest = nearest.min(distance);
                close += usize::from(distance < 12);
            }
        }
        let pairs = hashes.len() * (hashes.len() - 1) / 2;
        assert!(nearest >= 6, "two seeds only {nearest} bits apart");
        assert!(close * 10_000 < pairs, "{close} of {pairs} pairs less than 12 bits apart");
    }

    #[test]
    fn before_and_after_show_one_place_and_differ() {
        for seed in 0..500 {
            let before = dhash64(&scene(seed, Moment::Before, 160, 120));
            let after = dhash64(&scene(seed, Moment::After, 160, 120));
            let distance = (before ^ after).count_ones();
            assert!((3..=12).contains(&distance), "seed {seed}: {distance} bits");
        }
    }

    #[test]
    fn compression_and_size_hardly_change_the_hash() {
        for seed in 0..50 {
            let drawn = dhash64(&scene(seed, Moment::Before, 320, 240));
            let file = jpeg(seed, Moment::Before, 160, 120);
            let read = image::load_from_memory(&file).unwrap().into_rgb8();
            assert!((drawn ^ dhash64(&read)).count_ones() <= 6, "seed {seed}");
        }
    }

    #[test]
    fn a_seed_always_gives_the_same_file() {
        assert_eq!(jpeg(7, Moment::Before, 160, 120), jpeg(7, Moment::Before, 160, 120));
        assert_ne!(jpeg(7, Moment::Before, 160, 120), jpeg(7, Moment::After, 160, 120));
        assert!(jpeg(7, Moment::Before, 320, 240).len() < 20_000);
    }
}
