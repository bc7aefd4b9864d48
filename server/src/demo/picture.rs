//! The photos of the demo: small real JPEG files with a camera's note of when they were taken.

use xunge_client_core::model::{Millis, PhotoRole};
use xunge_client_core::photo::synthetic::{Moment, jpeg};

use super::plan::CasePlan;

/// Large enough for a person to see the heap of rubbish, small enough for 16,000 of them.
const SIZE: (u32, u32) = (160, 120);

/// The `nth` photo of a report: before and after show one place.
pub(super) fn of_report(case: &CasePlan, nth: usize) -> Vec<u8> {
    let photo = &case.photos[nth];
    let moment = if photo.role == PhotoRole::Before { Moment::Before } else { Moment::After };
    file(case.photos[0].seed, moment, photo.taken_at)
}

/// A photo of the scene after somebody handled it.
pub(super) fn of_scene(seed: u64, taken_at: Millis) -> Vec<u8> {
    file(seed, Moment::After, taken_at)
}

fn file(seed: u64, moment: Moment, taken_at: Millis) -> Vec<u8> {
    let picture = jpeg(seed, moment, SIZE.0, SIZE.1);
    let exif = exif(taken_at);
    let mut file = Vec::with_capacity(picture.len() + exif.len());
    let (start, rest) = picture.split_at(2);
    file.extend_from_slice(start);
    file.extend_from_slice(&exif);
    file.extend_from_slice(rest);
    file
}

/// An Exif segment that holds nothing but DateTimeOriginal, in local time as cameras write it.
fn exif(taken_at: Millis) -> Vec<u8> {
    let day = taken_at.local_day();
    let seconds = (taken_at.0 - day.start().0).div_euclid(1_000);
    let date = day.to_string().replace('-', ":");
    let time = format!("{date} {:02}:{:02}:{:02}\0", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut segment = vec![0xFF, 0xE1];
    segment.extend_from_slice(&[0, 72]);
    segment.extend_from_slice(b"Exif\0\0MM\0*\0\0\0\x08");
    // The main directory only points to the Exif directory behind it, whose one entry points to the text.
    segment.extend_from_slice(&[0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]);
    segment.extend_from_slice(&[0, 1, 0x90, 0x03, 0, 2, 0, 0, 0, 20, 0, 0, 0, 44, 0, 0, 0, 0]);
    segment.extend_from_slice(time.as_bytes());
    segment
}

#[cfg(test)]
mod tests {
    use xunge_client_core::photo::{Limits, intake};

    use super::*;

    #[test]
    fn a_phone_takes_the_file_in_and_reads_when_it_was_taken() {
        let taken_at = "2023-11-05".parse::<xunge_client_core::model::LocalDay>().unwrap().start().plus_ms(37_325_000);
        let file = of_scene(7, taken_at);
        let taken_in = intake(&file, &Limits::default()).unwrap();
        assert_eq!(taken_in.meta.taken_at_ms, Some(taken_at.0));
        assert_eq!((taken_in.width, taken_in.height), SIZE);
        assert!(taken_in.upload.len() < file.len(), "the note does not leave the phone");
    }
}
