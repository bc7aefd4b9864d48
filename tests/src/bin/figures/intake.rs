//! A camera's photo of 12 megapixels made into the upload copy, beside `vipsthumbnail` in the same run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use xunge_client_core::photo::{self, Limits};
use xunge_tests::workload::Dice;
use xunge_tests::{cpu, memory};

use super::figure::Figure;

const CPU: &str = "12 MP JPEG: CPU of the whole intake against vipsthumbnail";
const MOST: f64 = 0.9;
/// Allowed with the file itself.
const MOST_MB: f64 = 110.0;
/// Pixels across and down.
const SIZE: (u16, u16) = (4_000, 3_000);

/// Takes the photo in `times` times each way.
pub(crate) fn measure(times: u32) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("camera.jpg");
    let bytes = camera();
    std::fs::write(&file, &bytes).unwrap();
    let (ours, peak_mb) = ours(&bytes, times);
    let mut figures = vec![
        Figure::note("12 MP JPEG: its size", format!("{} B", bytes.len())),
        Figure::at_most("12 MP JPEG: peak memory of the intake", peak_mb, MOST_MB, "MB"),
    ];
    figures.extend(match theirs(&file, times) {
        Ok((theirs, peak)) => {
            let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
            let ms = |cpu: Duration| cpu.as_secs_f64() * 1_000.0;
            vec![
                Figure::at_most(CPU, ratio, MOST, "x"),
                Figure::note("12 MP JPEG: CPU, ours with preview and hashes / theirs", {
                    format!("{:.0} / {:.0} ms", ms(ours), ms(theirs))
                }),
                Figure::note("12 MP JPEG: peak memory of their process", format!("{:.0} MB", peak as f64 / 1e6)),
            ]
        }
        Err(reason) => vec![
            Figure::not_run(CPU, &format!("<= {MOST:.2} x"), &reason),
            Figure::note("12 MP JPEG: CPU of the whole intake", format!("{:.0} ms", ours.as_secs_f64() * 1_000.0)),
        ],
    });
    figures
}

/// A street at dusk as a camera writes it: surfaces with edges, and the grain of a sensor on each pixel, which makes
/// most of the three to six megabytes of such a file and of the work to read it.
fn camera() -> Vec<u8> {
    let (width, height) = SIZE;
    let mut dice = Dice::new(12);
    let mut grain = 0;
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for at in 0..u32::from(width) * u32::from(height) {
        if at % 8 == 0 {
            grain = dice.roll();
        }
        let (x, y) = (at % u32::from(width), at / u32::from(width));
        let light =
            40 + y * 100 / u32::from(height) + (x / 170 + y / 230) % 5 * 18 + ((grain >> (at % 8 * 8)) & 31) as u32;
        pixels.extend([light + 20, light + 8, light].map(|part| part.min(255) as u8));
    }
    let mut file = vec![];
    let encoder = jpeg_encoder::Encoder::new(&mut file, 90);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    file
}

/// Processor time of one intake, and the most memory it held with the file, MB.
fn ours(bytes: &[u8], times: u32) -> (Duration, f64) {
    let limits = Limits::default();
    memory::begin();
    let taken = photo::intake(bytes, &limits).unwrap();
    let peak = memory::peak() + bytes.len();
    assert_eq!((taken.width, taken.height), (1_600, 1_200));
    let before = cpu::of_thread();
    (0..times).for_each(|_| drop(photo::intake(bytes, &limits).unwrap()));
    ((cpu::of_thread() - before) / times, peak as f64 / 1e6)
}

/// Processor time of one run of `vipsthumbnail` with the same size and quality, and the most memory one had, bytes.
fn theirs(file: &Path, times: u32) -> Result<(Duration, u64), String> {
    let copy = file.with_file_name("copy.jpg");
    let mut peak = 0;
    let before = cpu::with_children();
    let own = cpu::seconds(None);
    for _ in 0..times {
        let mut child = Command::new("vipsthumbnail")
            .arg(file)
            .args(["--size", "1600x1600", "--output"])
            .arg(format!("{}[Q=78]", copy.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| "vipsthumbnail is not installed".to_owned())?;
        // A process that has ended tells nothing any more, so it is asked while it runs.
        let ended = loop {
            peak = memory::high_water_if_alive(child.id()).unwrap_or(0).max(peak);
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        };
        if !ended.success() {
            return Err(format!("vipsthumbnail ends with {ended}"));
        }
    }
    let children = (cpu::with_children() - before) - (cpu::seconds(None) - own);
    assert!(image::image_dimensions(&copy).is_ok_and(|size| size == (1_600, 1_200)), "the same copy");
    Ok((Duration::from_secs_f64(children.max(0.001)) / times, peak))
}
