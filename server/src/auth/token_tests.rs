use super::*;

const NOW: Millis = Millis(1_700_000_000_000);

fn subject() -> Subject {
    Subject { user: "review-1".to_owned(), device: None, perm_version: 3, usage: Use::Api }
}

fn tokens() -> Tokens {
    Tokens::new(&Keys::generate(), "xunge:640105".to_owned())
}

#[test]
fn a_token_tells_whom_it_was_made_out_to() {
    let tokens = tokens();
    let phone = Subject { device: Some(DeviceId::from_bytes([4; 16])), usage: Use::Upload, ..subject() };
    for subject in [subject(), phone] {
        assert_eq!(tokens.verify(&tokens.issue(&subject, NOW), NOW), Ok(subject));
    }
}

#[test]
fn a_token_lives_ten_minutes_and_the_leeway() {
    let tokens = tokens();
    let token = tokens.issue(&subject(), NOW);
    let after = |seconds: i64| tokens.verify(&token, NOW.plus_ms(seconds * 1_000)).map(|_| ());
    assert_eq!(after(LIFETIME_S + LEEWAY_S - 1), Ok(()));
    assert_eq!(after(LIFETIME_S + LEEWAY_S), Err(TokenError::Expired));
    assert_eq!(after(-LEEWAY_S), Ok(()));
    assert_eq!(after(-LEEWAY_S - 1), Err(TokenError::Invalid));
}

#[test]
fn another_servers_token_is_refused() {
    let keys = Keys::generate();
    let ours = Tokens::new(&keys, "xunge:640105".to_owned());
    let same_key_other_name = Tokens::new(&keys, "xunge:640106".to_owned());
    for other in [tokens(), same_key_other_name] {
        assert_eq!(ours.verify(&other.issue(&subject(), NOW), NOW), Err(TokenError::Invalid));
    }
}

#[test]
fn changing_any_character_breaks_the_token() {
    let tokens = tokens();
    let token = tokens.issue(&subject(), NOW);
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(tokens.verify(&changed, NOW), Err(TokenError::Invalid), "character {at}");
    }
}

#[test]
fn two_tokens_of_one_moment_differ() {
    let tokens = tokens();
    assert_ne!(tokens.issue(&subject(), NOW), tokens.issue(&subject(), NOW));
}
