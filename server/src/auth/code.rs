//! Secrets that people read aloud and type: Crockford's base 32 in groups of four.
//!
//! The alphabet has no I, L, O and U; what a tired eye takes for another letter is read as the one that exists.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Writes bytes as `K3VQ-8M2X-…`; bits that do not fill a whole character are left out.
pub(crate) fn groups(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            if text.len() % 5 == 4 {
                text.push('-');
            }
            text.push(ALPHABET[(held >> bits) as usize & 31] as char);
        }
    }
    text
}

/// What was meant by a typed code: no dashes or spaces, capitals, 0 for O, 1 for I and L.
///
/// `None` if a character is in no alphabet, or nothing or far too much is left.
pub(crate) fn normal(typed: &str) -> Option<String> {
    if typed.len() > 256 {
        return None;
    }
    let kept = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let normal: String = kept
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let known = normal.bytes().all(|byte| ALPHABET.contains(&byte));
    (known && !normal.is_empty() && normal.len() <= 64).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_the_same_however_it_is_typed() {
        let code = groups(&[0x00, 0x44, 0x32, 0x14, 0xc7]);
        assert_eq!(code, "0123-4567");
        let expected = normal(&code);
        assert!(expected.is_some());
        for typed in [code.to_lowercase(), code.replace('-', " "), code.replace('1', "l"), code.replace('0', "o")] {
            assert_eq!(normal(&typed), expected, "{typed}");
        }
    }

    #[test]
    fn texts_that_can_be_no_code_are_refused() {
        for typed in ["", " - ", "U", "k3vq!", "编码", &"A".repeat(65), &"A".repeat(10_000)] {
            assert_eq!(normal(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_five_bits_make_one_character() {
        assert_eq!(groups(&[0xff; 10]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(groups(&[0; 18]).replace('-', "").len(), 28);
    }
}
