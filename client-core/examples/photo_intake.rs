//! Times the photo intake: `photo_intake FILE [TIMES]` for one file, `photo_intake` for small made-up photos.
#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::{Duration, Instant};

use xunge_client_core::photo::synthetic::{self, Moment};
use xunge_client_core::photo::{Intake, Limits, intake};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next() {
        Some(file) => one_file(&std::fs::read(file)?, arguments.next().map_or(Ok(5), |times| times.parse())?),
        None => small_photos(2_000),
    }
}

fn one_file(bytes: &[u8], times: u32) -> Result<(), Box<dyn std::error::Error>> {
    let mut best = Duration::MAX;
    let mut last = None;
    for _ in 0..times {
        let start = Instant::now();
        last = Some(intake(bytes, &Limits::default())?);
        best = best.min(start.elapsed());
    }
    if let Some(Intake { upload, preview, width, height, .. }) = last {
        println!("best of {times}: {best:?}; {width} x {height}, {} bytes, preview {}", upload.len(), preview.len());
    }
    Ok(())
}

fn small_photos(count: u32) -> Result<(), Box<dyn std::error::Error>> {
    for (width, height) in [(160, 120), (240, 180), (320, 240)] {
        let start = Instant::now();
        let files: Vec<_> =
            (0..count).map(|seed| synthetic::jpeg(seed.into(), Moment::Before, width, height)).collect();
        let drawing = start.elapsed() / count;
        let start = Instant::now();
        let mut kept = 0;
        for file in &files {
            kept += usize::from(intake(file, &Limits::default())?.upload.len() <= file.len());
        }
        let taking = start.elapsed() / count;
        let bytes = files.iter().map(Vec::len).sum::<usize>() / files.len();
        println!("{width} x {height}: {bytes} bytes, drawn in {drawing:?}, taken in {taking:?} ({kept} kept)");
    }
    Ok(())
}
