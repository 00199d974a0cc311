use pointsman_domain::prompt::ContentPart;

use super::*;
use crate::sample::SampleConversation;

const CONVERSATION: SampleConversation<'_> =
    SampleConversation(&[("system", "be brief"), ("user", "grüße"), ("assistant", ""), ("user", "why?")]);

fn texts(content: &ContentRecord) -> Vec<&str> {
    content.messages.iter().map(|message| message.text.as_str()).collect()
}

#[test]
fn messages_that_fit_are_kept_in_order() {
    let content = ContentRecord::new(&CONVERSATION, 100);
    assert_eq!(texts(&content), ["be brief", "grüße", "", "why?"]);
    assert_eq!((content.messages[0].role.as_str(), content.left_out_bytes), ("system", 0));
}

#[test]
fn the_newest_messages_are_kept_and_text_is_cut_at_a_character_boundary() {
    // "grüß" would be six bytes: the last letter that fits whole is the second.
    let content = ContentRecord::new(&CONVERSATION, 4 + 3);
    assert_eq!(texts(&content), ["gr", "", "why?"]);
    assert_eq!(content.left_out_bytes, 5 + "be brief".len());
}

#[test]
fn no_message_before_a_cut_one_is_kept() {
    static MESSAGES: SampleConversation<'_> =
        SampleConversation(&[("user", "a"), ("user", "long enough"), ("user", "b")]);
    assert_eq!(texts(&ContentRecord::new(&MESSAGES, 3)), ["lo", "b"]);
    assert_eq!(texts(&ContentRecord::new(&MESSAGES, 0)), [] as [&str; 0]);
}

#[test]
fn the_number_of_messages_without_text_is_bounded() {
    struct Endless;
    impl Prompt for Endless {
        fn message_count(&self) -> usize {
            5_000
        }
        fn role(&self, _: usize) -> Option<&str> {
            Some("a role that is longer than every real role")
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
    let content = ContentRecord::new(&Endless, 100);
    assert_eq!((content.messages.len(), content.messages[0].role.len()), (MAX_MESSAGES, MAX_WORD_BYTES));
}

#[test]
fn messages_that_were_left_out_are_counted() {
    assert_eq!(ContentRecord::new(&CONVERSATION, 100).left_out_messages, 0);
    assert_eq!(ContentRecord::new(&CONVERSATION, 4 + 3).left_out_messages, 1);
    // The message without text fits.
    assert_eq!(ContentRecord::new(&CONVERSATION, 0).left_out_messages, 3);
}

#[test]
fn outputs_of_tasks_share_one_limit() {
    let mut content = ContentRecord::default();
    for (task, text) in [(0, "grüße"), (1, "four"), (2, "more")] {
        content.add_output(task, text, Some("a reason that is longer than every real reason"), 9);
    }
    let texts: Vec<_> =
        content.outputs.iter().map(|it| (it.task, it.text.as_str(), it.left_out_bytes)).collect();
    assert_eq!(texts, [(0, "grüße", 0), (1, "fo", 2), (2, "", 4)]);
    assert_eq!(content.outputs[0].finish_reason.as_ref().map(String::len), Some(MAX_WORD_BYTES));
}
