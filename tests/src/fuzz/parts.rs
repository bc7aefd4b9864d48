//! Inputs of several parts, as one file.

/// Joins parts: each with its length before it, four bytes, big-endian.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&(part.len() as u32).to_be_bytes()[..], part].concat()).collect()
}

/// Takes them apart; lengths that lie end the list.
pub fn split(mut input: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk::<4>() {
        let length = (u32::from_be_bytes(*length) as usize).min(rest.len());
        let (part, rest) = rest.split_at(length);
        parts.push(part.to_vec());
        input = rest;
    }
    parts
}

/// Changes one part and leaves the others.
pub fn edit(input: &mut Vec<u8>, index: usize, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut parts = split(input);
    if let Some(part) = parts.get_mut(index) {
        edit(part);
    }
    *input = join(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

/// The part with this number; nothing if there is none.
pub fn get(input: &[u8], index: usize) -> Vec<u8> {
    split(input).into_iter().nth(index).unwrap_or_default()
}
