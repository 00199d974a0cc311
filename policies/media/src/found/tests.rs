use pointsman_sdk::outline;
use pointsman_sdk::testkit::Gateway;

use super::*;

fn parts(gateway: &Gateway) -> Vec<ContentPart> {
    gateway.run(outline::parts)
}

#[test]
fn media_are_numbered_by_kind_and_the_oldest_are_left_out() {
    let gateway = Gateway::new().user("a").picture().recording().user("b").picture().picture();
    let parts = parts(&gateway);
    let names = |most| -> Vec<String> { find(&parts, most).media.iter().map(Medium::title).collect() };
    assert_eq!(names(9), ["Picture 1", "Recording 1", "Picture 2", "Picture 3"]);
    assert_eq!(names(2), ["Picture 2", "Picture 3"]);
    assert_eq!((find(&parts, 9).left_out, find(&parts, 3).left_out), (0, 1));
}

#[test]
fn only_what_the_user_sent_counts() {
    let gateway = Gateway::new().message("tool", "a screenshot").picture().user("b");
    assert!(find(&parts(&gateway), 9).media.is_empty());
}

#[test]
fn a_question_is_the_short_text_of_the_same_message() {
    let long = "x".repeat(5000);
    let gateway = Gateway::new().user("before").user("here").picture().user(&long).picture();
    let parts = parts(&gateway);
    let found = find(&parts, 9);
    let questions: Vec<Vec<u32>> =
        found.media.iter().map(|it| it.question.iter().map(|part| part.message).collect()).collect();
    assert_eq!(questions, [vec![1], vec![]]);
}

#[test]
fn a_message_of_sound_alone_does_not_ask_in_words() {
    let asks = |gateway: Gateway| find(&parts(&gateway), 9).asks_in_words;
    assert!(asks(Gateway::new().user("what?").recording()));
    assert!(!asks(Gateway::new().recording()));
    assert!(!asks(Gateway::new().user("").picture()));
    assert!(!asks(Gateway::new().message("system", "be brief")));
}
