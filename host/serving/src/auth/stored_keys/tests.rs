use pointsman_config::keys::hash;
use pointsman_config::{ConfigSource, Overrides};
use pointsman_state::PreviousKey;

use super::*;

fn stored(name: &str, secret: &str) -> StoredKey {
    StoredKey {
        name: name.to_owned(),
        sha256: hash(secret),
        previous: None,
        routes: None,
        created: 10,
        rotated: None,
        expires: None,
        disabled: false,
    }
}

/// Returns the stored keys of a new state directory.
fn keys(stored: impl IntoIterator<Item = StoredKey>) -> (tempfile::TempDir, StoredKeys) {
    let directory = tempfile::tempdir().unwrap();
    let keys = StoredKeys::open(Some(directory.path())).unwrap();
    stored.into_iter().for_each(|key| keys.put(key).unwrap());
    (directory, keys)
}

/// Returns the name of the key that a secret authenticates at a time.
fn name_of(keys: &StoredKeys, secret: &str, now: u64) -> Result<String, AuthError> {
    keys.current().authenticate(&hash(secret), || now).map(|key| key.name.to_string())
}

#[test]
fn a_key_is_accepted_until_it_expires() {
    let (_directory, keys) = keys([StoredKey { expires: Some(100), ..stored("app", "pm-1") }]);
    assert_eq!(name_of(&keys, "pm-1", 99), Ok("app".to_owned()));
    let expired = name_of(&keys, "pm-1", 100).unwrap_err();
    assert_eq!(
        expired.to_string(),
        "the API key `app` expired at 1970-01-01T00:01:40Z: ask the operator of this gateway for another one"
    );
    assert_eq!(
        name_of(&keys, "pm-2", 100),
        Err(AuthError::UnknownKey),
        "nothing is revealed without the key"
    );
}

#[test]
fn the_clock_is_not_read_for_a_key_without_times() {
    let (_directory, keys) = keys([stored("app", "pm-1")]);
    let accepted = keys.current().authenticate(&hash("pm-1"), || panic!("it has no times"));
    assert_eq!(accepted.map(|key| key.name.to_string()), Ok("app".to_owned()));
}

#[test]
fn both_keys_are_accepted_in_the_grace_period_and_the_new_one_after_it() {
    let previous = Some(PreviousKey { sha256: hash("pm-old"), until: 200 });
    let rotated = StoredKey { previous, rotated: Some(100), ..stored("app", "pm-new") };
    let (_directory, keys) = keys([rotated.clone()]);
    for (secret, now) in [("pm-old", 199), ("pm-new", 199), ("pm-new", 200)] {
        assert_eq!(name_of(&keys, secret, now), Ok("app".to_owned()), "{secret} at {now}");
    }
    let replaced = name_of(&keys, "pm-old", 200).unwrap_err();
    assert_eq!(replaced, AuthError::Replaced { name: KeyName::new("app"), at: 200 });
    assert!(replaced.to_string().contains("not accepted since 1970-01-01T00:03:20Z"), "{replaced}");

    keys.put(StoredKey { expires: Some(150), ..rotated.clone() }).unwrap();
    let at = 150;
    for secret in ["pm-old", "pm-new"] {
        assert_eq!(name_of(&keys, secret, 150), Err(AuthError::Expired { name: KeyName::new("app"), at }));
    }
    keys.put(StoredKey { disabled: true, ..rotated }).unwrap();
    for secret in ["pm-old", "pm-new"] {
        assert_eq!(name_of(&keys, secret, 0), Err(AuthError::Disabled(KeyName::new("app"))));
    }
}

#[test]
fn a_hash_that_a_key_no_longer_has_is_unknown() {
    let previous = Some(PreviousKey { sha256: hash("pm-1"), until: 200 });
    let (_directory, keys) = keys([stored("app", "pm-1")]);
    keys.put(StoredKey { previous, ..stored("app", "pm-2") }).unwrap();
    let previous = Some(PreviousKey { sha256: hash("pm-2"), until: 200 });
    keys.put(StoredKey { previous, ..stored("app", "pm-3") }).unwrap();
    assert_eq!(name_of(&keys, "pm-1", 0), Err(AuthError::UnknownKey));
    keys.remove("app").unwrap();
    for secret in ["pm-1", "pm-2", "pm-3"] {
        assert_eq!(name_of(&keys, secret, 0), Err(AuthError::UnknownKey));
    }
    assert_eq!((keys.count(), keys.were_created()), (0, true));
}

#[test]
fn stored_keys_are_in_force_after_they_are_opened_again() {
    let (directory, keys) = keys([stored("a", "pm-1"), stored("b", "pm-2")]);
    keys.remove("b").unwrap();
    let all = keys.all();
    drop(keys);
    let keys = StoredKeys::open(Some(directory.path())).unwrap();
    assert_eq!((keys.all(), keys.were_created(), keys.can_store()), (all, true, true));
    assert_eq!(name_of(&keys, "pm-1", 0), Ok("a".to_owned()));
    assert_eq!(keys.get("b"), None);
}

#[test]
fn a_key_that_cannot_be_stored_is_not_in_force() {
    let (directory, keys) = keys([]);
    let obstacle = directory.path().join(FILE);
    std::fs::create_dir(&obstacle).unwrap();
    assert!(keys.put(stored("app", "pm-1")).is_err());
    assert_eq!(name_of(&keys, "pm-1", 0), Err(AuthError::UnknownKey));
    assert!(!keys.were_created());
    std::fs::remove_dir(&obstacle).unwrap();
    keys.put(stored("app", "pm-1")).unwrap();

    let nowhere = StoredKeys::default();
    assert!(nowhere.put(stored("app", "pm-1")).unwrap_err().to_string().contains("`state.dir`"));
}

#[test]
fn a_configuration_with_the_name_or_the_value_of_a_stored_key_is_refused_with_its_place() {
    let (_directory, keys) = keys([stored("app", "pm-1"), stored("other", "pm-2")]);
    let compiled = |tables: &str| {
        let text = format!(
            "[backends.a]\nkind = \"simulated\"\n[models.\"a/m\"]\ninput_price = 0\noutput_price = 0\n{tables}"
        );
        let source = ConfigSource {
            file: "pointsman.toml",
            text: &text,
            base_dir: Path::new("."),
            overrides: Overrides::default(),
            env: &|_| None,
            now: 0,
        };
        Config::parse(source).unwrap()
    };
    let hex = |secret: &str| pointsman_config::keys::hash_for_config(secret);
    let same_name = compiled(&format!("[keys.app]\nhash = \"{}\"\n", hex("pm-3")));
    let refused = keys.check_names(&same_name).unwrap_err().to_string();
    assert!(refused.contains("there is a stored key `app` too"), "{refused}");
    assert!(refused.contains("pointsman.toml:6:") && refused.contains("`state.dir`"), "{refused}");
    assert!(refused.contains("`pointsman key delete app`"), "{refused}");

    let same_value = compiled(&format!("[keys.mine]\nhash = \"{}\"\n", hex("pm-2")));
    let refused = keys.check_names(&same_value).unwrap_err().to_string();
    assert!(refused.contains("key `mine` is the same as the stored key `other`"), "{refused}");
    assert!(keys.check_names(&compiled(&format!("[keys.mine]\nhash = \"{}\"\n", hex("pm-3")))).is_ok());
}
