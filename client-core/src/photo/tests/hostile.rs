use super::exif_bytes::{ascii, short, tiff};
use super::*;

fn code(bytes: &[u8]) -> &'static str {
    take(bytes).unwrap_err().code()
}

#[test]
fn files_that_only_claim_to_be_photos_are_refused_by_content() {
    assert_eq!(code(b""), "photo_empty");
    assert_eq!(code(&[0; 4096]), "photo_unrecognised");
    assert_eq!(take(b"GIF89a\x01\0\x01\0"), Err(PhotoError::OtherFormat { found: "GIF" }));
    assert_eq!(take(b"<svg onload='alert(1)'/>"), Err(PhotoError::NotAPhoto { found: "SVG" }));
    assert_eq!(take(b"\n<!DOCTYPE HTML><p>"), Err(PhotoError::NotAPhoto { found: "HTML" }));
    assert_eq!(take(b"PK\x03\x04photo.jpg"), Err(PhotoError::NotAPhoto { found: "ZIP" }));
}

#[test]
fn a_header_of_900_megapixels_is_refused_before_anything_is_allocated() {
    let mut png = written(marked_corner(40, 40), ImageFormat::Png);
    png[16..20].copy_from_slice(&30_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&30_000u32.to_be_bytes());
    assert_eq!(code(&png), "photo_too_many_pixels");

    let mut jpeg = encode::jpeg(&marked_corner(40, 40), 80);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    assert_eq!(code(&jpeg), "photo_too_many_pixels");

    // VP8L: 14 bits a side, little endian, behind the signature byte.
    let mut webp = written(marked_corner(40, 40), ImageFormat::WebP);
    let size = webp.windows(4).position(|word| word == b"VP8L").unwrap() + 9;
    webp[size..size + 4].copy_from_slice(&(16_383u32 | 16_383 << 14).to_le_bytes());
    assert_eq!(take(&webp), Err(PhotoError::TooManyPixels { width: 16_384, height: 16_384, limit: 50 << 20 }));
}

#[test]
fn a_webp_whose_picture_is_larger_than_its_canvas_is_refused() {
    let lossy = b"\x30\0\0\x9D\x01\x2A\xFF\x3F\xFF\x3F\0\0";
    let mut file = b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x0F\0\0\x0F\0\0VP8 \x0C\0\0\0".to_vec();
    file.extend(lossy);
    let size = (file.len() as u32 - 8).to_le_bytes();
    file[4..8].copy_from_slice(&size);
    assert_eq!(code(&file), "photo_too_many_pixels");
    file.truncate(30);
    file.extend(b"ANMF\0\0\0\0");
    file[4..8].copy_from_slice(&30u32.to_le_bytes());
    assert_eq!(take(&file), Err(PhotoError::OtherFormat { found: "animated WebP" }));
}

#[test]
fn a_progressive_bomb_is_refused_for_the_memory_it_would_take() {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 80);
    encoder.set_progressive(true);
    encoder.encode(marked_corner(40, 40).as_raw(), 40, 40, jpeg_encoder::ColorType::Rgb).unwrap();
    let frame = file.windows(2).position(|pair| pair == [0xFF, 0xC2]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0x1B, 0x58, 0x1B, 0x58]);
    assert_eq!(code(&file), "photo_too_much_memory");
}

#[test]
fn a_file_over_the_limit_is_not_even_looked_at() {
    let limits = Limits { max_file_bytes: 100, ..Limits::default() };
    let error = intake(&[0; 101], &limits).unwrap_err();
    assert_eq!(error, PhotoError::FileTooLarge { bytes: 101, limit: 100 });
}

#[test]
fn half_a_photo_is_refused_wherever_it_was_cut() {
    let jpeg = synthetic::jpeg(5, Moment::Before, 320, 240);
    for length in (4..jpeg.len()).step_by(97).chain([jpeg.len() - 2, jpeg.len() - 1]) {
        assert_eq!(code(&jpeg[..length]), "photo_truncated", "JPEG of {length} bytes");
    }
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let file = written(scene(5, Moment::Before, 160, 120), format);
        for length in [13, 40, file.len() / 2, file.len() - 40] {
            assert_eq!(code(&file[..length]), "photo_truncated", "{format:?} of {length} bytes");
        }
    }
}

#[test]
fn a_photo_whose_middle_was_never_written_is_refused() {
    // The file system reserved the space, the power went, the rest is zeros.
    let jpeg = synthetic::jpeg(5, Moment::Before, 320, 240);
    let mut hole = jpeg.clone();
    hole[jpeg.len() / 2..].fill(0);
    assert_eq!(code(&hole), "photo_truncated");
    // An end mark glued on by a "repair" does not make it whole.
    let glued = [&jpeg[..jpeg.len() / 2], &[0xFF, 0xD9]].concat();
    assert_eq!(code(&glued), "photo_broken");
}

#[test]
fn a_jpeg_the_decoder_would_misread_is_refused() {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 80);
    // This encoder gives every component a scan of its own when it makes its own tables.
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(marked_corner(40, 40).as_raw(), 40, 40, jpeg_encoder::ColorType::Rgb).unwrap();
    assert_eq!(take(&file), Err(PhotoError::OtherFormat { found: "non-interleaved JPEG" }));
}

#[test]
fn a_jpeg_without_a_picture_is_refused() {
    assert_eq!(code(b"\xFF\xD8\xFF\xD9"), "photo_broken");
    assert_eq!(code(b"\xFF\xD8\xFF"), "photo_truncated");
    assert_eq!(code(b"\xFF\xD8\xFF\xE1\0\0\xFF\xD9"), "photo_broken");
    let endless = [&b"\xFF\xD8"[..], &b"\xFF\xFE\0\x02".repeat(10_000)].concat();
    assert_eq!(code(&endless), "photo_broken");
}

fn specimens() -> Vec<Vec<u8>> {
    let mut progressive = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 60);
    encoder.set_progressive(true);
    encoder.set_restart_interval(4);
    encoder.encode(scene(8, Moment::Before, 64, 48).as_raw(), 64, 48, jpeg_encoder::ColorType::Rgb).unwrap();
    let exif = tiff(vec![short(0x0112, 6)], vec![ascii(0x9003, "2023:11:07 09:30:15")], vec![]);
    let plain = synthetic::jpeg(8, Moment::Before, 64, 48);
    vec![
        with_exif(&plain, &exif),
        with_segment(&plain, 0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
        progressive,
        written(GrayImage::from_pixel(30, 20, Luma([90])), ImageFormat::Jpeg),
        written(scene(8, Moment::After, 32, 24), ImageFormat::Png),
        written(scene(8, Moment::After, 32, 24), ImageFormat::WebP),
    ]
}

#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Repeat(prop::sample::Index, u8),
    Drop(prop::sample::Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        6 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Cut),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, length)| Damage::Repeat(at, length)),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, length)| Damage::Drop(at, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: Damage) {
    if bytes.is_empty() {
        return;
    }
    let span = |at: usize, length: u8, all: usize| at..(at + usize::from(length)).min(all);
    match damage {
        Damage::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Repeat(at, length) => {
            let at = at.index(bytes.len());
            let piece = bytes[span(at, length, bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        Damage::Drop(at, length) => {
            let at = at.index(bytes.len());
            bytes.drain(span(at, length, bytes.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn damaged_photos_are_refused_or_come_out_clean(which in 0usize..6, damages in prop::collection::vec(damage(), 1..5)) {
        let mut file = specimens().swap_remove(which);
        for damage in damages {
            apply(&mut file, damage);
        }
        // Sizes that damage makes up may be valid and huge; a small budget keeps the test quick.
        let limits = Limits { max_pixels: 1 << 20, max_alloc_bytes: 16 << 20, ..Limits::default() };
        match intake(&file, &limits) {
            Ok(out) => assert_sound(&out, &limits),
            Err(error) => prop_assert!(!matches!(&error, PhotoError::Broken { reason } if reason.contains("gave up")), "a decoder panicked"),
        }
    }

    #[test]
    fn damaged_exif_never_costs_the_photo(damages in prop::collection::vec(damage(), 1..6)) {
        let times = vec![ascii(0x9003, "2023:11:07 09:30:15"), ascii(0x9011, "+08:00")];
        let mut exif = tiff(vec![short(0x0112, 1)], times, vec![ascii(1, "N")]);
        for damage in damages {
            apply(&mut exif, damage);
        }
        let out = take(&with_exif(&synthetic::jpeg(8, Moment::Before, 64, 48), &exif));
        prop_assert!(out.is_ok());
    }
}
