use super::exif_bytes::{Entry, ascii, rationals, short, tiff};
use super::*;

fn gps(lat: &[(u32, u32)], north: &str, lon: &[(u32, u32)], east: &str) -> Vec<Entry> {
    vec![ascii(1, north), rationals(2, lat), ascii(3, east), rationals(4, lon)]
}

fn meta_of(tiff: &[u8]) -> PhotoMeta {
    take(&with_exif(&synthetic::jpeg(1, Moment::Before, 160, 120), tiff)).unwrap().meta
}

/// Xixia district, 38°29'43.08" N 106°9'1.2" E.
fn xixia() -> Vec<Entry> {
    gps(&[(38, 1), (29, 1), (4308, 100)], "N", &[(106, 1), (9, 1), (12, 10)], "E")
}

#[test]
fn time_and_place_are_read_and_leave_the_copy() {
    let mut place = xixia();
    place.push(rationals(0x1F, &[(47, 10)]));
    let times = vec![ascii(0x9003, "2023:11:07 09:30:15"), ascii(0x9011, "+08:00"), ascii(0x9291, "250")];
    let tiff = tiff(vec![ascii(0x010F, "Maker"), short(0x0112, 1)], times, place);
    let file = with_exif(&synthetic::jpeg(9, Moment::Before, 320, 240), &tiff);
    assert_eq!(metadata_segments(&file).first().map(|found| found.kind), Some(MetadataKind::Exif));
    let out = take(&file).unwrap();
    let expected = PhotoMeta {
        taken_at_ms: Some(1_699_320_615_250),
        lon_e6: Some(106_150_333),
        lat_e6: Some(38_495_300),
        accuracy_m: Some(5),
        orientation: 1,
    };
    assert_eq!(out.meta, expected);
    assert_sound(&out, &Limits::default());
    assert!(!out.upload.windows(5).any(|window| window == b"Maker"));
}

#[test]
fn a_time_without_an_offset_is_shanghai_time() {
    let local = |offset: Option<&str>| {
        let mut times = vec![ascii(0x9003, "2024:02:29 00:00:00")];
        times.extend(offset.map(|offset| ascii(0x9011, offset)));
        meta_of(&tiff(vec![], times, vec![])).taken_at_ms
    };
    assert_eq!(local(None), Some(1_709_136_000_000));
    assert_eq!(local(Some("+08:00")), local(None));
    assert_eq!(local(Some("garbage")), local(None));
    assert_eq!(local(Some("-03:30")), local(None).map(|ms| ms + 690 * 60_000));
}

#[test]
fn impossible_times_and_places_are_dropped() {
    for text in [
        "2023:02:29 10:00:00",
        "2023:13:01 10:00:00",
        "2023:11:07 24:00:00",
        "    :  :     :  :  ",
        "1970:01:01 00:00:00",
        "yesterday",
    ] {
        assert_eq!(meta_of(&tiff(vec![], vec![ascii(0x9003, text)], vec![])).taken_at_ms, None, "{text}");
    }
    let nowhere = [
        gps(&[(0, 1), (0, 1), (0, 1)], "N", &[(0, 1), (0, 1), (0, 1)], "E"),
        gps(&[(91, 1), (0, 1), (0, 1)], "N", &[(106, 1), (0, 1), (0, 1)], "E"),
        gps(&[(38, 0), (0, 1), (0, 1)], "N", &[(106, 1), (0, 1), (0, 1)], "E"),
        gps(&[(38, 1), (0, 1), (0, 1)], "X", &[(106, 1), (0, 1), (0, 1)], "E"),
    ];
    for place in nowhere {
        let meta = meta_of(&tiff(vec![], vec![], place));
        assert_eq!((meta.lon_e6, meta.lat_e6, meta.accuracy_m), (None, None, None));
    }
}

#[test]
fn south_and_west_are_negative_and_zero_seconds_may_be_missing() {
    let meta =
        meta_of(&tiff(vec![], vec![], gps(&[(33, 1), (5148, 100), (0, 0)], "S", &[(70, 1), (30, 1), (0, 1)], "W")));
    assert_eq!((meta.lat_e6, meta.lon_e6), (Some(-33_858_000), Some(-70_500_000)));
}

#[test]
fn png_and_webp_carry_exif_too() {
    let exif = tiff(vec![], vec![ascii(0x9003, "2023:11:07 09:30:15")], xixia());
    let png = written(marked_corner(40, 40), ImageFormat::Png);
    // Behind the header chunk, with a check sum nobody of ours looks at but the decoder does.
    let mut chunk = [&(exif.len() as u32).to_be_bytes()[..], b"eXIf", &exif].concat();
    chunk.extend(crc32(&chunk[4..]).to_be_bytes());
    let png = [&png[..33], &chunk, &png[33..]].concat();
    assert_eq!(take(&png).unwrap().meta.lat_e6, Some(38_495_300));

    let webp = written(marked_corner(40, 40), ImageFormat::WebP);
    let mut extended = b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\x08\0\0\0\x27\0\0\x27\0\0".to_vec();
    extended.extend(&webp[12..]);
    extended.extend(b"EXIF");
    extended.extend((exif.len() as u32).to_le_bytes());
    extended.extend(&exif);
    extended.resize(extended.len() + exif.len() % 2, 0);
    let size = (extended.len() as u32 - 8).to_le_bytes();
    extended[4..8].copy_from_slice(&size);
    assert_eq!(take(&extended).unwrap().meta.taken_at_ms, Some(1_699_320_615_000));
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[test]
fn every_kind_of_metadata_is_listed_and_removed() {
    let plain = synthetic::jpeg(2, Moment::Before, 160, 120);
    let segments: [(u8, &[u8], MetadataKind); 7] = [
        (0xE1, b"Exif\0\0MM\0\x2A\0\0\0\x08", MetadataKind::Exif),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>", MetadataKind::Xmp),
        (0xED, b"Photoshop 3.0\0", MetadataKind::Iptc),
        (0xE2, b"ICC_PROFILE\0\x01\x01", MetadataKind::Icc),
        (0xE0, b"JFXX\0\x10", MetadataKind::Thumbnail),
        (0xFE, b"words", MetadataKind::Comment),
        (0xEB, b"HDR", MetadataKind::Application(11)),
    ];
    for (marker, payload, kind) in segments {
        let marked = with_segment(&plain, marker, payload);
        let listed = metadata_segments(&marked);
        assert_eq!(listed, [MetadataSegment { kind, offset: 2, bytes: payload.len() + 4 }]);
        let out = take(&marked).unwrap();
        assert_sound(&out, &Limits::default());
        assert!(out.upload.len() <= plain.len());
    }
}

#[test]
fn what_hangs_behind_the_picture_is_cut_off() {
    let plain = synthetic::jpeg(2, Moment::Before, 160, 120);
    let film = [&plain[..], b"\0\0\0\x18ftypmp42 the inspector's voice"].concat();
    assert_eq!(metadata_segments(&film).last().map(|found| found.kind), Some(MetadataKind::Trailer));
    let out = take(&film).unwrap();
    assert_eq!(out.upload, take(&plain).unwrap().upload);
}

#[test]
fn a_file_that_cannot_be_followed_never_looks_clean() {
    let plain = synthetic::jpeg(2, Moment::Before, 160, 120);
    for bad in [&b""[..], b"<svg/>", &plain[..plain.len() / 2], &plain[..plain.len() - 2]] {
        assert_eq!(metadata_segments(bad).last().map(|found| found.kind), Some(MetadataKind::Unreadable));
    }
    let stray = [&plain[..2], b"hello", &plain[2..]].concat();
    assert_eq!(metadata_segments(&stray)[0], MetadataSegment { kind: MetadataKind::Unreadable, offset: 2, bytes: 5 });
}

#[test]
fn overlapping_directories_cost_the_metadata_and_no_memory() {
    // 60 kB in which every entry points to another directory of thousands of entries.
    let mut bomb = b"MM\0\x2A\0\0\0\x08".to_vec();
    bomb.extend(1500u16.to_be_bytes());
    for child in 0..1500u32 {
        bomb.extend([0x87, 0x69, 0, 4, 0, 0, 0, 1]);
        bomb.extend((20_000 + 2 * child).to_be_bytes());
    }
    bomb.resize(46_000, 0x08);
    bomb.resize(65_000, 0);
    let meta = meta_of(&bomb);
    assert_eq!(meta, PhotoMeta::default());
}
