use super::*;
use crate::testkit::Gateway;

#[test]
fn values_stay_from_call_to_call_and_expire() {
    let gateway = Gateway::new().kept("seen", "1");
    gateway.run(|| {
        assert_eq!(add("seen", 1), Ok(2));
        set_for("recent", "x", Duration::from_secs(1)).unwrap();
        assert_eq!(add_within("window", 5, Duration::from_secs(2)), Ok(5));
    });
    gateway.advance(Duration::from_secs(1));
    gateway.run(|| {
        assert_eq!((number("seen"), get("recent"), number("none")), (2, None, 0));
        assert_eq!(add_within("window", 1, Duration::from_secs(9)), Ok(6));
        delete("seen").unwrap();
    });
    gateway.advance(Duration::from_secs(1));
    gateway.run(|| assert!(list("").is_empty()));
    assert_eq!(gateway.kept_text("seen"), None);
}

#[test]
fn a_list_is_complete_and_ordered() {
    let gateway = Gateway::new();
    for hundred in 0..21 {
        gateway.run(|| (0..60).for_each(|number| set(&format!("a/{hundred:02}/{number:02}"), "").unwrap()));
    }
    gateway.run(|| {
        set("b", "").unwrap();
        let all = list("a/");
        assert_eq!(all.len(), 21 * 60);
        assert!(all.is_sorted_by(|one, next| one.key < next.key));
    });
}

#[test]
fn a_write_beyond_a_bound_fails() {
    Gateway::new().run(|| {
        assert_eq!(set("", "x"), Err(WriteError::InvalidKey));
        assert_eq!(set("k", vec![0; (64 << 10) + 1]), Err(WriteError::TooLarge));
        set("k", "1.5").unwrap();
        assert_eq!(add("k", 1), Err(WriteError::NotANumber));
        for _ in 0..60 {
            add("n", 1).unwrap();
        }
        assert_eq!(add("n", 1), Err(WriteError::TooManyWrites));
    });
}
