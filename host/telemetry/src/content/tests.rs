use pointsman_domain::prompt::ContentPart;

use super::*;
use crate::sample::Talk;

const TALK: Talk<'_> =
    Talk(&[("system", "be brief"), ("user", "grüße"), ("assistant", ""), ("user", "why?")]);

fn texts(content: &Content) -> Vec<&str> {
    content.messages.iter().map(|message| message.text.as_str()).collect()
}

#[test]
fn what_fits_is_kept_in_order() {
    let content = Content::of(&TALK, 100);
    assert_eq!(texts(&content), ["be brief", "grüße", "", "why?"]);
    assert_eq!((content.messages[0].role.as_str(), content.left_out_bytes), ("system", 0));
}

#[test]
fn the_newest_are_kept_and_what_is_cut_is_cut_between_letters() {
    // "grüß" would be six bytes: the last letter that fits whole is the second.
    let content = Content::of(&TALK, 4 + 3);
    assert_eq!(texts(&content), ["gr", "", "why?"]);
    assert_eq!(content.left_out_bytes, 5 + "be brief".len());
}

#[test]
fn nothing_older_is_kept_once_something_was_cut() {
    static MESSAGES: Talk<'_> = Talk(&[("user", "a"), ("user", "long enough"), ("user", "b")]);
    assert_eq!(texts(&Content::of(&MESSAGES, 3)), ["lo", "b"]);
    assert_eq!(texts(&Content::of(&MESSAGES, 0)), [] as [&str; 0]);
}

#[test]
fn messages_without_text_are_bounded_too() {
    struct Endless;
    impl Prompt for Endless {
        fn message_count(&self) -> usize {
            5_000
        }
        fn role(&self, _: usize) -> Option<&str> {
            Some("a role that is longer than any that there is")
        }
        fn text(&self, _: usize) -> Option<&str> {
            Some("")
        }
        fn tool_names(&self) -> &[String] {
            &[]
        }
        fn parts(&self) -> &[ContentPart] {
            &[]
        }
        fn part_text(&self, _: usize, _: usize) -> Option<&str> {
            None
        }
    }
    let content = Content::of(&Endless, 100);
    assert_eq!((content.messages.len(), content.messages[0].role.len()), (MOST_MESSAGES, MOST_OF_ROLE));
}
