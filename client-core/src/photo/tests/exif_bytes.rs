//! A TIFF structure built by hand: the tests must not trust the library they check.

/// One directory entry; the value's bytes are big endian.
pub(super) struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    value: Vec<u8>,
}

pub(super) fn ascii(tag: u16, text: &str) -> Entry {
    let value = [text.as_bytes(), &[0]].concat();
    Entry { tag, kind: 2, count: value.len() as u32, value }
}

pub(super) fn short(tag: u16, value: u16) -> Entry {
    Entry { tag, kind: 3, count: 1, value: value.to_be_bytes().to_vec() }
}

pub(super) fn rationals(tag: u16, parts: &[(u32, u32)]) -> Entry {
    let value = parts.iter().flat_map(|(above, below)| [above.to_be_bytes(), below.to_be_bytes()].concat()).collect();
    Entry { tag, kind: 5, count: parts.len() as u32, value }
}

fn pointer(tag: u16, at: u32) -> Entry {
    Entry { tag, kind: 4, count: 1, value: at.to_be_bytes().to_vec() }
}

/// Lays out the main directory with its Exif and GPS directories behind it.
pub(super) fn tiff(mut main: Vec<Entry>, exif: Vec<Entry>, gps: Vec<Entry>) -> Vec<u8> {
    let mut out = b"MM\0\x2A\0\0\0\x08".to_vec();
    let main_size = directory_size(&main) + 24;
    let exif_at = 8 + main_size;
    let gps_at = exif_at + directory_size(&exif);
    main.push(pointer(0x8769, exif_at as u32));
    main.push(pointer(0x8825, gps_at as u32));
    for (at, entries) in [(8, main), (exif_at, exif), (gps_at, gps)] {
        assert_eq!(out.len(), at);
        directory(&mut out, &entries);
    }
    out
}

fn directory_size(entries: &[Entry]) -> usize {
    6 + entries.iter().map(|entry| 12 + if entry.value.len() > 4 { entry.value.len() } else { 0 }).sum::<usize>()
}

fn directory(out: &mut Vec<u8>, entries: &[Entry]) {
    let mut data_at = out.len() + 6 + entries.len() * 12;
    let mut data: Vec<u8> = Vec::new();
    out.extend((entries.len() as u16).to_be_bytes());
    for entry in entries {
        out.extend(entry.tag.to_be_bytes());
        out.extend(entry.kind.to_be_bytes());
        out.extend(entry.count.to_be_bytes());
        if entry.value.len() > 4 {
            out.extend((data_at as u32).to_be_bytes());
            data_at += entry.value.len();
            data.extend(&entry.value);
        } else {
            out.extend(&entry.value);
            out.resize(out.len() + 4 - entry.value.len(), 0);
        }
    }
    out.extend([0; 4]);
    out.extend(data);
}
