//! Pictures that are small as files and huge as pixels, or that are mostly metadata; uploaded, named by a case, asked for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder, ImageFormat, RgbImage};
use xunge_client_core::model::{Facts, PhotoFact, PhotoHash, PhotoRole};

use super::{Bomb, Ground, Report, Scales, request};
use crate::workload;

/// A picture and what is wrong with it.
pub(super) type Picture = (String, Vec<u8>);

pub(super) fn all() -> Vec<Picture> {
    let mut all = pngs();
    all.extend(jpegs());
    all.extend(webps());
    all
}

/// Reports them, uploads each, and lets the office ask for both copies.
pub(super) async fn throw(ground: &Ground, pictures: Vec<Picture>, scales: &mut Scales, report: &mut Report) {
    for (number, nine) in pictures.chunks(Facts::MAX_PHOTOS).enumerate() {
        let mut case = workload::cases(900 + number as u64, 1);
        for (_, bytes) in nine {
            let fact = PhotoFact {
                role: PhotoRole::ALL[0],
                mime: "image/jpeg".to_owned(),
                bytes: bytes.len() as u64,
                w: 1_600,
                h: 1_200,
                taken_at: None,
            };
            case[0].states[0].photos.insert(PhotoHash::of(bytes), fact);
        }
        let (push, _) = ground.thief.new_cases(&case);
        ground.thief.send(push).await;
        for (name, bytes) in nine {
            report.thrown += 1;
            let hash = PhotoHash::of(bytes);
            let (length, told) = (bytes.len().to_string(), format!("sha256 {}", STANDARD.encode(hash.to_string())));
            let headers = [
                ("authorization", &*format!("Bearer {}", ground.thief_token)),
                ("tus-resumable", "1.0.0"),
                ("content-type", "application/offset+octet-stream"),
                ("upload-length", &length),
                ("upload-metadata", &told),
            ];
            let upload = Bomb::new(name.clone(), request("POST", "/v1/photos", &headers, bytes));
            let (stored, _) = super::throw(ground.server.address(), &upload).await;
            if stored != 201 {
                report.wrong.push(format!("{name} is not stored but answered {stored}"));
            }
            for size in ["thumb", "full"] {
                let path = format!("/v1/cases/{}/photos/{hash}?size={size}", case[0].id);
                let status = ground.office.get(&path).await.status;
                *report.answers.entry(status).or_default() += 1;
                if status >= 500 {
                    report.wrong.push(format!("{name}, {size}: {status}"));
                }
            }
            scales.weigh(name, report);
        }
    }
}

fn written(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn small(format: ImageFormat) -> Vec<u8> {
    written(&RgbImage::from_fn(40, 40, |x, y| image::Rgb([x as u8 * 6, y as u8 * 6, 90])), format)
}

fn named(name: &str, bytes: Vec<u8>) -> Picture {
    (name.to_owned(), bytes)
}

fn pngs() -> Vec<Picture> {
    let plain = small(ImageFormat::Png);
    let sized = |width: u32, height: u32| {
        let mut png = plain.clone();
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        png
    };
    let with = |chunk: Vec<u8>| [&plain[..33], &chunk, &plain[33..]].concat();
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [&kind[..], data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
    };
    let mut deep = Vec::new();
    let pixels = vec![0; 2_640 * 2_640 * 8];
    let encoder = image::codecs::png::PngEncoder::new(&mut deep);
    encoder.write_image(&pixels, 2_640, 2_640, ExtendedColorType::Rgba16).unwrap();
    vec![
        named("PNG of 900 megapixels", sized(30_000, 30_000)),
        named("PNG of 2^32 pixels a side", sized(u32::MAX, u32::MAX)),
        named("PNG a pixel high and 2^31 wide", sized(1 << 31, 1)),
        named("PNG of no pixel", sized(0, 0)),
        named("PNG of 6 megapixels of nothing", written(&RgbImage::new(2_500, 2_500), ImageFormat::Png)),
        named("PNG of 16 bits and 7 megapixels", deep),
        named("PNG with ten thousand texts", with(chunk(b"tEXt", b"a\0b").repeat(10_000))),
        named(
            "PNG with a profile that never ends",
            with(chunk(b"iCCP", &[b"a\0\0".as_slice(), &[0x78, 0x9c], &[0xff; 60_000]].concat())),
        ),
        named("PNG with Exif that points at itself", with(chunk(b"eXIf", &looping_exif()))),
        named("PNG with a chunk of 2^31 bytes", with([&[0x7f, 0xff, 0xff, 0xff][..], b"zTXt", &[0; 100]].concat())),
    ]
}

fn jpegs() -> Vec<Picture> {
    let mut plain = Vec::new();
    let mut progressive = Vec::new();
    let pixels = RgbImage::new(40, 40);
    jpeg_encoder::Encoder::new(&mut plain, 80).encode(pixels.as_raw(), 40, 40, jpeg_encoder::ColorType::Rgb).unwrap();
    let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 80);
    encoder.set_progressive(true);
    encoder.encode(pixels.as_raw(), 40, 40, jpeg_encoder::ColorType::Rgb).unwrap();
    let sized = |file: &[u8], marker: u8, side: u16| {
        let mut file = file.to_vec();
        let frame = file.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
        file[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
        file[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
        file
    };
    let segment =
        |marker: u8, data: &[u8]| [&[0xff, marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat();
    let with = |more: Vec<u8>| [&plain[..2], &more, &plain[2..]].concat();
    let scan = progressive.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let scans =
        [&sized(&progressive, 0xc2, 2_600)[..scan], &progressive[scan..progressive.len() - 2].repeat(400)].concat();
    vec![
        named("JPEG of 4,295 megapixels", sized(&plain, 0xc0, u16::MAX)),
        named("JPEG of 6.8 megapixels that are not there", sized(&plain, 0xc0, 2_600)),
        named("progressive JPEG of 6.8 megapixels", sized(&progressive, 0xc2, 2_600)),
        named("progressive JPEG with scans without end", scans),
        named("JPEG with ten thousand comments", with(segment(0xfe, b"x").repeat(10_000))),
        named(
            "JPEG with a hundred Exif segments",
            with(segment(0xe1, &[b"Exif\0\0".as_slice(), &looping_exif()].concat()).repeat(60)),
        ),
        named("JPEG with a thousand tables", with(segment(0xdb, &[0; 65]).repeat(1_000))),
        named("JPEG with profiles of 2 MB", with(segment(0xe2, &[0; 65_000]).repeat(30))),
        named("JPEG that only begins", plain[..20].to_vec()),
    ]
}

fn webps() -> Vec<Picture> {
    let riff = |chunks: &[u8]| [b"RIFF".as_slice(), &(chunks.len() as u32 + 4).to_le_bytes(), b"WEBP", chunks].concat();
    let chunk = |kind: &[u8; 4], data: &[u8]| [&kind[..], &(data.len() as u32).to_le_bytes(), data].concat();
    let canvas = [&[0x0a, 0, 0, 0][..], &[0xff; 6]].concat();
    let mut large = small(ImageFormat::WebP);
    let size = large.windows(4).position(|word| word == b"VP8L").unwrap() + 9;
    large[size..size + 4].copy_from_slice(&(16_383_u32 | 16_383 << 14).to_le_bytes());
    vec![
        named("WebP of 268 megapixels", large),
        named("WebP of 2^48 pixels", riff(&chunk(b"VP8X", &canvas))),
        named(
            "WebP of ten thousand pictures",
            riff(&[chunk(b"VP8X", &canvas), chunk(b"ANMF", &[0; 16]).repeat(10_000)].concat()),
        ),
        named(
            "WebP with Exif that points at itself",
            riff(&[chunk(b"VP8X", &[8, 0, 0, 0, 9, 0, 0, 9, 0, 0]), chunk(b"EXIF", &looping_exif())].concat()),
        ),
        named("WebP of 4 GiB", [b"RIFF".as_slice(), &[0xff; 4], b"WEBPVP8 ", &[0xff; 4], &[0; 50]].concat()),
        named("WebP of 7 megapixels of nothing", written(&RgbImage::new(2_640, 2_640), ImageFormat::WebP)),
        named("not a picture", b"<svg onload='alert(1)'/>".repeat(1_000)),
        named("a picture of nothing", vec![0; 1_000]),
    ]
}

/// Five thousand entries in directories that point at one another.
fn looping_exif() -> Vec<u8> {
    let entry = [0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0];
    [&b"II\x2a\0\x08\0\0\0\x88\x13"[..], &entry.repeat(5_000), &8_u32.to_le_bytes()].concat()
}

/// CRC-32 of a PNG chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}
