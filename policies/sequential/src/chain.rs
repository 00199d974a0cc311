//! The stages, checked: what each sees is there by then, and leads to the answer.

use crate::settings::{Settings, Stage};
use pointsman_sdk::Pattern;

/// Most stages. The gateway runs plans of 16 tasks in a row, and eight calls are a
/// long wait already.
const MOST_STAGES: usize = 8;

/// The name by which a stage refers to the client's messages.
const CONVERSATION: &str = "conversation";

/// A stage of a checked chain.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) instruction: String,
    /// True if the stage sees the client's messages.
    pub(crate) sees_conversation: bool,
    /// The earlier stages that it sees, by place.
    pub(crate) sees: Vec<usize>,
    pub(crate) model: Option<Pattern>,
    pub(crate) max_output_tokens: Option<u32>,
}

/// Checks the stages, and finds those that each one sees. The error names the
/// setting, and says what would be right.
pub(crate) fn link(settings: Settings) -> Result<Vec<Link>, String> {
    let stages = settings.stages;
    if stages.is_empty() {
        return Err("setting `stages`: there is none; leave it out for draft, critique and revise".to_owned());
    }
    if stages.len() > MOST_STAGES {
        return Err(format!("setting `stages`: {} are more than {MOST_STAGES}", stages.len()));
    }
    let names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    for at in 0..names.len() {
        check_name(&names, at)?;
    }
    let links = stages.into_iter().enumerate().map(|(at, stage)| link_one(&names, at, stage));
    let links: Vec<Link> = links.collect::<Result<_, _>>()?;
    // The gateway refuses tasks that do not lead to the answer.
    let is_idle = |&at: &usize| !links.iter().any(|link| link.sees.contains(&at));
    match (0..links.len() - 1).find(is_idle) {
        Some(at) => Err(format!(
            "setting `stages.{}`: no later stage sees it, so it would be paid for in vain",
            names[at]
        )),
        None => Ok(links),
    }
}

fn check_name(names: &[String], at: usize) -> Result<(), String> {
    let (name, place) = (&names[at], at + 1);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(format!(
            "setting `stages`: the name of stage {place} is not 1 to 64 characters of a-z A-Z 0-9 . _ : / -"
        ));
    }
    if name == CONVERSATION {
        return Err(format!(
            "setting `stages`: stage {place} has the name by which `sees` means the messages"
        ));
    }
    if names[..at].contains(name) {
        return Err(format!("setting `stages`: there are two with the name `{name}`"));
    }
    Ok(())
}

fn link_one(names: &[String], at: usize, stage: Stage) -> Result<Link, String> {
    let Stage { name, instruction, sees, model, max_output_tokens } = stage;
    let wrong = |setting: &str, why: &str| Err(format!("setting `stages.{name}.{setting}`: {why}"));
    if instruction.trim().is_empty() {
        return wrong("instruction", "it says nothing");
    }
    if model.as_ref().is_some_and(|pattern| pattern.as_str().is_empty()) {
        return wrong("model", "it is empty, so no model fits; leave it out for any");
    }
    if max_output_tokens == Some(0) {
        return wrong("max_output_tokens", "0 is less than 1");
    }
    let (sees_conversation, sees) = match sees {
        None => (true, (0..at).collect()),
        Some(seen) => match places(names, at, &seen) {
            Ok(places) => places,
            Err(why) => return wrong("sees", &why),
        },
    };
    Ok(Link { name, instruction, sees_conversation, sees, model, max_output_tokens })
}

/// Returns true if a stage sees the conversation, with the positions of the stages that it sees.
fn places(names: &[String], at: usize, seen: &[String]) -> Result<(bool, Vec<usize>), String> {
    if seen.is_empty() {
        return Err(format!("it sees nothing; there is `{CONVERSATION}`, and stages before it"));
    }
    let (mut conversation, mut places) = (false, Vec::new());
    for (nth, name) in seen.iter().enumerate() {
        if seen[..nth].contains(name) {
            return Err(format!("`{name}` stands there twice"));
        }
        match names.iter().position(|other| other == name) {
            _ if name == CONVERSATION => conversation = true,
            Some(place) if place < at => places.push(place),
            Some(place) if place == at => return Err("a stage can't see itself".to_owned()),
            Some(_) => return Err(format!("`{name}` comes later; a stage sees those before it")),
            None => {
                let mut known = vec![CONVERSATION];
                known.extend(names[..at].iter().map(String::as_str));
                return Err(format!("there is no stage `{name}`; it can see {}", known.join(", ")));
            }
        }
    }
    Ok((conversation, places))
}

#[cfg(test)]
mod tests;
