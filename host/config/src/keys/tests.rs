use super::*;

#[test]
fn a_new_key_is_random_and_known_by_its_hash() {
    let (one, other) = (generate().unwrap(), generate().unwrap());
    assert_ne!(one.key, other.key);
    assert!(one.key.starts_with("pm-") && one.key.len() == 67, "{}", one.key);
    assert_eq!(one.hash.strip_prefix("sha256:").and_then(unhex), Some(hash(&one.key)));
}

#[test]
fn the_hash_is_plain_sha_256() {
    assert_eq!(hex(&hash("pm-test")), "4f72c47c2214b07fed72ddd537363c43a470c7ae1103732daab7f373b059532b");
}

#[test]
fn a_new_key_is_not_shown_by_debug() {
    let new = generate().unwrap();
    assert!(!format!("{new:?}").contains(&new.key));
}
