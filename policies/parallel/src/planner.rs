//! Asking a model for parts, and reading what it says.

use pointsman_sdk::outputs::unfenced;
use serde::Deserialize;

/// Most bytes of a reply: more than the longest plan that is allowed.
pub(crate) const MOST_REPLY: usize = 16 << 10;

/// Most bytes of one task.
const MOST_TASK: usize = 2_000;

/// The instruction for the planning model, after the conversation.
pub(crate) fn ask(most: usize) -> String {
    format!(
        "Do not answer yet. Can what was asked last be split into parts that can be done at the same time, by different \
         people who do not see each other's work, and then be put together? If so, reply with JSON of this form and \
         nothing else:\n{{\"tasks\": [\"first part\", \"second part\"]}}\nwith 2 to {most} tasks, each a complete \
         instruction in the language of the request. If any part needs the result of another, or the whole is quickly \
         done, reply with {{\"tasks\": []}}."
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    tasks: Vec<String>,
}

/// The tasks of a reply, none or one when there is nothing to split; an error says
/// what is wrong with it.
pub(crate) fn read(reply: &str, most: usize) -> Result<Vec<String>, &'static str> {
    if reply.len() > MOST_REPLY {
        return Err("its reply is too long");
    }
    let Ok(Reply { tasks }) = serde_json::from_str(unfenced(reply)) else {
        return Err("its reply is not the JSON that was asked for");
    };
    if tasks.len() > most {
        return Err("it proposed too many tasks");
    }
    let tasks: Vec<String> = tasks.iter().map(|task| task.trim().to_owned()).collect();
    if tasks.iter().any(|task| task.is_empty() || task.len() > MOST_TASK) {
        return Err("it proposed a task that is empty or too long");
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_read_with_and_without_a_fence() {
        for reply in ["{\"tasks\":[\" a \",\"ä\"]}", "```json\n{\"tasks\": [\"a\", \"ä\"]}\n```\n"] {
            assert_eq!(read(reply, 2).unwrap(), ["a", "ä"], "{reply}");
        }
        assert!(read("{\"tasks\": []}", 2).unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_an_error() {
        let json = "its reply is not the JSON that was asked for";
        for reply in [
            "",
            "No.",
            "[]",
            "{}",
            "{\"tasks\":\"a\"}",
            "{\"tasks\":[1]}",
            "{\"tasks\":[\"a\"],\"why\":\"\"}",
            "Sure: {\"tasks\":[]}",
            "{\"tasks\":[\"a\"]} {\"tasks\":[\"b\"]}",
            "```json\n{\"tasks\":[\n```",
        ] {
            assert_eq!(read(reply, 8), Err(json), "{reply}");
        }
        assert_eq!(read("{\"tasks\":[\"a\",\"b\",\"c\"]}", 2), Err("it proposed too many tasks"));
        let long = format!("{{\"tasks\":[\"a\",\"{}\"]}}", "x".repeat(MOST_TASK + 1));
        for reply in ["{\"tasks\":[\"a\",\" \"]}", &long] {
            assert_eq!(read(reply, 8), Err("it proposed a task that is empty or too long"));
        }
        assert_eq!(read(&" ".repeat(MOST_REPLY + 1), 8), Err("its reply is too long"));
    }
}
