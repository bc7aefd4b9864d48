//! Shrinking and turning: always in this order, since a small picture is cheaper to turn.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// Shrinks a picture until its longest side is at most `side` pixels; a smaller one is handed back as it is.
pub(super) fn shrink(picture: RgbImage, side: u32) -> RgbImage {
    if picture.width().max(picture.height()) <= side { picture } else { shrunk(&picture, side) }
}

/// Makes a copy whose longest side is at most `side` pixels.
pub(super) fn shrunk(picture: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (new_width, new_height) = fit(width, height, side);
    let source =
        ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3).expect("an RgbImage holds three bytes a pixel");
    let mut target = Image::new(new_width, new_height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&source, &mut target, &options).expect("both pictures have the same pixel type");
    RgbImage::from_raw(new_width, new_height, target.into_vec()).expect("the target was made with this size")
}

/// Scales a size down so that its longest side is at most `side`; no side becomes zero.
pub(super) fn fit(width: u32, height: u32, side: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= side {
        return (width, height);
    }
    let scale = |length: u32| {
        let scaled = (u64::from(length) * u64::from(side) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(scaled).expect("scaled down").max(1)
    };
    (scale(width), scale(height))
}

/// Turns a picture upright from the way the sensor was held (Exif orientation 1 to 8).
///
/// Every orientation reads the source along straight lines, so it is a start and two steps.
pub(super) fn upright(picture: RgbImage, orientation: u8) -> RgbImage {
    let (width, height) = (picture.width() as isize, picture.height() as isize);
    let (last_x, last_y) = (width - 1, (height - 1) * width);
    let (start, step_x, step_y) = match orientation {
        2 => (last_x, -1, width),
        3 => (last_x + last_y, -1, -width),
        4 => (last_y, 1, -width),
        5 => (0, width, 1),
        6 => (last_y, -width, 1),
        7 => (last_x + last_y, -width, -1),
        8 => (last_x, width, -1),
        _ => return picture,
    };
    let (new_width, new_height) = if orientation >= 5 { (height, width) } else { (width, height) };
    let (source, _) = picture.as_raw().as_chunks::<3>();
    let mut pixels = vec![0; picture.as_raw().len()];
    let (target, _) = pixels.as_chunks_mut::<3>();
    // Tiles keep the columns that are read within the cache.
    for tile_y in (0..new_height).step_by(TILE) {
        for tile_x in (0..new_width).step_by(TILE) {
            for y in tile_y..new_height.min(tile_y + TILE as isize) {
                for x in tile_x..new_width.min(tile_x + TILE as isize) {
                    target[(y * new_width + x) as usize] = source[(start + x * step_x + y * step_y) as usize];
                }
            }
        }
    }
    RgbImage::from_raw(new_width as u32, new_height as u32, pixels).expect("as many pixels as before")
}

const TILE: usize = 32;

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// A picture of 3 x 2 pixels numbered row by row.
    fn numbered() -> RgbImage {
        RgbImage::from_fn(3, 2, |x, y| Rgb([(y * 3 + x) as u8, 0, 0]))
    }

    #[test]
    fn each_orientation_is_turned_as_exif_defines_it() {
        let expected: [(u8, u32, [u8; 6]); 8] = [
            (1, 3, [0, 1, 2, 3, 4, 5]),
            (2, 3, [2, 1, 0, 5, 4, 3]),
            (3, 3, [5, 4, 3, 2, 1, 0]),
            (4, 3, [3, 4, 5, 0, 1, 2]),
            (5, 2, [0, 3, 1, 4, 2, 5]),
            (6, 2, [3, 0, 4, 1, 5, 2]),
            (7, 2, [5, 2, 4, 1, 3, 0]),
            (8, 2, [2, 5, 1, 4, 0, 3]),
        ];
        for (orientation, width, numbers) in expected {
            let turned = upright(numbered(), orientation);
            assert_eq!(turned.width(), width, "orientation {orientation}");
            let read: Vec<u8> = turned.pixels().map(|pixel| pixel.0[0]).collect();
            assert_eq!(read, numbers, "orientation {orientation}");
        }
    }

    #[test]
    fn tiles_cover_pictures_of_any_size() {
        let picture = RgbImage::from_fn(67, 41, |x, y| Rgb([x as u8, y as u8, 7]));
        let there = upright(picture.clone(), 6);
        assert_eq!(upright(there, 8), picture);
    }

    #[test]
    fn a_long_strip_keeps_at_least_one_pixel() {
        assert_eq!(fit(65_000, 1, 1600), (1600, 1));
        assert_eq!(fit(4000, 3000, 1600), (1600, 1200));
        assert_eq!(fit(1600, 900, 1600), (1600, 900));
        assert_eq!(shrunk(&RgbImage::new(5000, 1), 320).dimensions(), (320, 1));
    }
}
