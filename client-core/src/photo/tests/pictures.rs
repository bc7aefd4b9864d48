use super::exif_bytes::{short, tiff};
use super::*;

#[test]
fn all_eight_orientations_come_out_upright() {
    // Where the red corner of the file lies once the picture is upright: (right, bottom).
    let corners = [
        (false, false),
        (true, false),
        (true, true),
        (false, true),
        (false, false),
        (true, false),
        (true, true),
        (false, true),
    ];
    for (index, (right, bottom)) in corners.into_iter().enumerate() {
        let orientation = index as u16 + 1;
        let file = with_exif(
            &encode::jpeg(&marked_corner(80, 48), 90),
            &tiff(vec![short(0x0112, orientation)], vec![], vec![]),
        );
        let out = take(&file).unwrap();
        assert_eq!(u16::from(out.meta.orientation), orientation);
        assert_eq!((out.width, out.height), if orientation >= 5 { (48, 80) } else { (80, 48) });
        let picture = decoded(&out.upload);
        let x = if right { out.width - 5 } else { 4 };
        let y = if bottom { out.height - 5 } else { 4 };
        let corner = picture.get_pixel(x, y).0;
        assert!(corner[0] > 180 && corner[1] < 80, "orientation {orientation}: {corner:?} at {x}, {y}");
        assert!(picture.get_pixel(out.width - 1 - x, out.height - 1 - y).0[1] > 200);
        assert_sound(&out, &Limits::default());
    }
}

#[test]
fn a_large_photo_is_shrunk_to_1600_pixels_and_turned() {
    let file = with_exif(&encode::jpeg(&marked_corner(2400, 1200), 85), &tiff(vec![short(0x0112, 6)], vec![], vec![]));
    let out = take(&file).unwrap();
    assert_eq!((out.width, out.height), (800, 1600));
    assert!(decoded(&out.upload).get_pixel(790, 10).0[1] < 80);
    assert_sound(&out, &Limits::default());
}

#[test]
fn a_transparent_png_is_laid_on_white() {
    let picture = RgbaImage::from_fn(64, 64, |x, _| if x < 32 { Rgba([0, 0, 0, 0]) } else { Rgba([0, 0, 200, 255]) });
    let out = take(&written(picture, ImageFormat::Png)).unwrap();
    let read = decoded(&out.upload);
    assert!(read.get_pixel(8, 30).0.iter().all(|channel| *channel > 245));
    assert!(read.get_pixel(56, 30).0[2] > 180 && read.get_pixel(56, 30).0[0] < 30);
    assert_sound(&out, &Limits::default());
}

#[test]
fn grey_and_sixteen_bit_pictures_become_eight_bit_rgb() {
    let grey = GrayImage::from_fn(50, 40, |x, _| Luma([(x * 5) as u8]));
    let deep = image::ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(50, 40, |x, _| Luma([(x * 1285) as u16]));
    let files = [
        written(grey.clone(), ImageFormat::Png),
        written(grey, ImageFormat::Jpeg),
        written(image::DynamicImage::ImageLuma16(deep), ImageFormat::Png),
    ];
    for file in files {
        let out = take(&file).unwrap();
        let [red, green, blue] = decoded(&out.upload).get_pixel(40, 20).0;
        assert!(red.abs_diff(200) < 6 && red.abs_diff(green) < 3 && green.abs_diff(blue) < 3);
        assert_sound(&out, &Limits::default());
    }
}

#[test]
fn a_webp_is_taken_in() {
    let out = take(&written(marked_corner(120, 90), ImageFormat::WebP)).unwrap();
    assert!(decoded(&out.upload).get_pixel(5, 5).0[1] < 60);
    assert_sound(&out, &Limits::default());
}

#[test]
fn a_small_upright_jpeg_keeps_its_compressed_picture() {
    let plain = synthetic::jpeg(3, Moment::Before, 320, 240);
    let marked = with_segment(&with_segment(&plain, 0xFE, b"my house"), 0xED, b"Photoshop 3.0\0");
    let (one, other) = (take(&plain).unwrap(), take(&marked).unwrap());
    assert_eq!(one.upload, other.upload);
    assert_eq!(decoded(&one.upload), decoded(&plain));
    assert_ne!(one.original_sha256, other.original_sha256);
    assert_sound(&other, &Limits::default());
}

#[test]
fn a_small_preview_is_the_upload_itself() {
    let out = take(&synthetic::jpeg(3, Moment::After, 160, 120)).unwrap();
    assert_eq!(out.preview, out.upload);
}

#[test]
fn a_small_but_wasteful_jpeg_is_encoded_again() {
    let file = encode::jpeg(&noise(900, 700), 95);
    let out = take(&file).unwrap();
    assert!(out.upload.len() * 3 < file.len() * 2, "{} of {}", out.upload.len(), file.len());
    assert_sound(&out, &Limits::default());
}

#[test]
fn a_progressive_jpeg_is_encoded_again() {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 80);
    encoder.set_progressive(true);
    encoder.encode(scene(1, Moment::Before, 320, 240).as_raw(), 320, 240, jpeg_encoder::ColorType::Rgb).unwrap();
    let out = take(&file).unwrap();
    assert!(!out.upload.windows(2).any(|pair| pair == [0xFF, 0xC2]));
    assert_sound(&out, &Limits::default());
}

#[test]
fn colours_that_hang_on_a_segment_survive_its_loss() {
    // Without Adobe's segment a decoder would take these four inks for something else.
    let mut file = Vec::new();
    let inks: Vec<u8> = (0..64 * 64).flat_map(|_| [0, 255, 255, 0]).collect();
    jpeg_encoder::Encoder::new(&mut file, 90).encode(&inks, 64, 64, jpeg_encoder::ColorType::Cmyk).unwrap();
    let out = take(&file).unwrap();
    let [red, green, blue] = decoded(&out.upload).get_pixel(30, 30).0;
    assert!(red > 200 && green < 60 && blue < 60, "{red} {green} {blue}");
    assert_sound(&out, &Limits::default());
}

#[test]
fn the_preview_of_noise_fits_as_well() {
    for side in [200, 320, 1000] {
        let out = take(&written(noise(side, side), ImageFormat::Png)).unwrap();
        assert_sound(&out, &Limits::default());
        assert!(decoded(&out.preview).width() >= 80);
    }
}

#[test]
fn a_thumb_is_small_upright_and_clean() {
    let file = with_exif(&encode::jpeg(&marked_corner(1000, 500), 85), &tiff(vec![short(0x0112, 8)], vec![], vec![]));
    let small = thumb(&file, &Limits::default()).unwrap();
    let picture = decoded(&small);
    assert_eq!(picture.dimensions(), (160, 320));
    assert!(picture.get_pixel(4, 315).0[1] < 60);
    assert_eq!(metadata_segments(&small), []);
    let limits = Limits { max_pixels: 499_999, ..Limits::default() };
    assert_eq!(thumb(&file, &limits).unwrap_err().code(), "photo_too_many_pixels");
}

#[test]
fn the_same_bytes_give_the_same_copy() {
    let file = written(noise(400, 300), ImageFormat::Png);
    assert_eq!(take(&file), take(&file));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pictures_of_any_shape_are_taken_in(width in 1u32..700, height in 1u32..700, seed: u8, orientation in 1u16..9) {
        let picture = RgbImage::from_fn(width, height, |x, y| Rgb([(x * 3) as u8, (y * 5) as u8, seed]));
        let limits = Limits { upload_side: 400, ..Limits::default() };
        let file = with_exif(&encode::jpeg(&picture, 80), &tiff(vec![short(0x0112, orientation)], vec![], vec![]));
        let out = intake(&file, &limits).unwrap();
        assert_sound(&out, &limits);
        prop_assert_eq!(out.width > out.height, if orientation >= 5 { height > width } else { width > height });
    }
}
