//! The subcommands of `pointsman key` that talk to a running gateway.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::{Args as ClapArgs, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pointsman_admin_api::{
    ChangeKeyRequest, CreateKeyRequest, IssuedKey, KEYS, KeyList, KeyState, KeyStatus, OperationResult,
    RotateKeyRequest, TimeValue,
};
use pointsman_domain::date::rfc3339;
use serde_json::Value;

use crate::arguments::{OperateArgs, ShowArgs};
use crate::client::parse;
use crate::{CommandError, TextTable, print};

/// Cells without a value.
const NONE: &str = "-";

/// A subcommand.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a key in a running gateway, and print it
    #[command(
        after_help = "The key is printed alone on standard output, once; the gateway stores only its hash:\n\n  \
                            pointsman key create phone > phone.key\n  \
                            pointsman key create batch --routes cheap,'gpt-*' --expires 90d --why 'ticket 12'\n  \
                            pointsman key create trial --expires-at 2027-01-31"
    )]
    Create(CreateArgs),
    /// List the keys of a running gateway: those of its file and those that were created
    List(ListArgs),
    /// Replace a key by a new one, and accept the old one for some time
    #[command(
        after_help = "Give the client the new key within the grace period, and no request fails:\n\n  \
                            pointsman key rotate phone > phone.key        # the old key works for 24 hours\n  \
                            pointsman key rotate phone --grace 7d\n  \
                            pointsman key rotate phone --grace 0          # the old key leaked: it stops at once"
    )]
    Rotate(RotateArgs),
    /// Disable a key until it is enabled again
    Disable(NameArgs),
    /// Enable a key that was disabled
    Enable(NameArgs),
    /// Set the time at which a key expires; without options, at once
    #[command(after_help = "  pointsman key expire trial                    # at once\n  \
                            pointsman key expire trial --in 30d\n  \
                            pointsman key expire trial --at 2027-01-31T18:00:00Z\n  \
                            pointsman key expire trial --never")]
    Expire(ExpireArgs),
    /// Set the routes and models that a key may request
    Routes(RoutesArgs),
    /// Delete a key
    Delete(DeleteArgs),
}

#[derive(Debug, ClapArgs)]
pub struct CreateArgs {
    /// Name of the key, which policies see as the tenant: 1 to 64 characters of a-z A-Z 0-9 _ . -
    name: String,
    /// Routes, models and aliases that it may request, as names and patterns; default: all
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    routes: Option<Vec<String>>,
    /// Time after which it expires, such as 12h or 90d; default: never
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Time at which it expires, in UTC: 2027-01-31 or 2027-01-31T18:00:00Z
    #[arg(long, value_name = "DATE", conflicts_with = "expires")]
    expires_at: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, ClapArgs)]
pub struct ListArgs {
    #[command(flatten)]
    show: ShowArgs,
}

#[derive(Debug, ClapArgs)]
pub struct RotateArgs {
    /// Name of the key
    name: String,
    /// Time for which the old key is accepted too, such as 24h or 7d; 0 for none
    #[arg(long, value_name = "TIME", default_value = "24h")]
    grace: String,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, ClapArgs)]
pub struct NameArgs {
    /// Name of the key
    name: String,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, ClapArgs)]
pub struct ExpireArgs {
    /// Name of the key
    name: String,
    /// Time after which it expires, such as 12h or 90d
    #[arg(long = "in", value_name = "TIME", group = "when")]
    after: Option<String>,
    /// Time at which it expires, in UTC: 2027-01-31 or 2027-01-31T18:00:00Z
    #[arg(long, value_name = "DATE", group = "when")]
    at: Option<String>,
    /// Let it not expire
    #[arg(long, group = "when")]
    never: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, ClapArgs)]
pub struct RoutesArgs {
    /// Name of the key
    name: String,
    /// Routes, models and aliases that it may request, as names and patterns
    #[arg(required_unless_present = "all", conflicts_with = "all", num_args = 1..)]
    routes: Vec<String>,
    /// Let it request all
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, ClapArgs)]
pub struct DeleteArgs {
    /// Name of the key
    name: String,
    /// Delete it without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Options of all changes.
#[derive(Debug, ClapArgs)]
struct ChangeArgs {
    /// Print the gateway's response as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    operate: OperateArgs,
}

impl KeyCommand {
    /// Runs the subcommand.
    pub fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Create(args) => create(args),
            Self::List(args) => args.show.show(KEYS, render_keys),
            Self::Rotate(args) => rotate(args),
            Self::Disable(args) => set_disabled(args, true),
            Self::Enable(args) => set_disabled(args, false),
            Self::Expire(args) => expire(args),
            Self::Routes(args) => set_routes(args),
            Self::Delete(args) => delete(args),
        }
    }
}

fn create(args: &CreateArgs) -> Result<(), CommandError> {
    let request = CreateKeyRequest {
        name: args.name.clone(),
        routes: args.routes.clone(),
        expires_in: args.expires.clone(),
        expires_at: args.expires_at.clone().map(TimeValue::Text),
        why: args.change.operate.reason().why,
    };
    args.change.issue(KEYS, &request, |key| {
        format!(
            "This is the key `{0}`, which is shown only now: store it, and give it to the client.{1}\n\
             `pointsman key rotate {0}` replaces it.",
            key.name,
            key.expires.map(|at| format!(" It expires at {}.", rfc3339(at))).unwrap_or_default()
        )
    })
}

fn rotate(args: &RotateArgs) -> Result<(), CommandError> {
    let request = RotateKeyRequest { grace: Some(args.grace.clone()), why: args.change.operate.reason().why };
    let path = format!("{}/rotate", path_of(&args.name));
    args.change.issue(&path, &request, |key| {
        let old = match key.grace_until {
            Some(until) => format!("The old one is accepted until {}.", rfc3339(until)),
            None => "The old one is not accepted any more.".to_owned(),
        };
        format!(
            "This is the new key `{}`, which is shown only now: store it, and give it to the client. {old}",
            key.name
        )
    })
}

fn set_disabled(args: &NameArgs, disabled: bool) -> Result<(), CommandError> {
    let change = ChangeKeyRequest { disabled: Some(disabled), ..ChangeKeyRequest::default() };
    args.change.change(&args.name, change, |key| match (disabled, &key.state) {
        (true, _) => format!("`{0}` is disabled; `pointsman key enable {0}` undoes it", key.name),
        (false, KeyState::Expired) => {
            format!(
                "`{0}` is enabled, but it has expired; `pointsman key expire {0} --in 30d` changes that",
                key.name
            )
        }
        (false, _) => format!("`{}` is enabled", key.name),
    })
}

fn expire(args: &ExpireArgs) -> Result<(), CommandError> {
    let mut change = ChangeKeyRequest::default();
    match (&args.after, &args.at, args.never) {
        (_, _, true) => change.expires_at = Some(None),
        (_, Some(at), _) => change.expires_at = Some(Some(TimeValue::Text(at.clone()))),
        (after, None, false) => change.expires_in = Some(after.clone().unwrap_or_else(|| "0".to_owned())),
    }
    args.change.change(&args.name, change, |key| match (&key.state, key.expires) {
        (KeyState::Expired, Some(at)) => format!("`{}` expired at {}", key.name, rfc3339(at)),
        (_, Some(at)) => format!("`{}` expires at {}", key.name, rfc3339(at)),
        (_, None) => format!("`{}` does not expire", key.name),
    })
}

fn set_routes(args: &RoutesArgs) -> Result<(), CommandError> {
    let routes = (!args.all).then(|| args.routes.clone());
    let change = ChangeKeyRequest { routes: Some(routes), ..ChangeKeyRequest::default() };
    args.change.change(&args.name, change, |key| format!("`{}` may request {}", key.name, routes_of(key)))
}

fn delete(args: &DeleteArgs) -> Result<(), CommandError> {
    if !args.yes && !is_confirmed(&args.name)? {
        return print("nothing was deleted");
    }
    let operate = &args.change.operate;
    let response: Value = operate.call("DELETE", &path_of(&args.name), &operate.reason())?;
    if args.change.json {
        return print(format_args!("{response:#}"));
    }
    let _: OperationResult = parse(response)?;
    print(format_args!("`{}` is deleted: requests with it are refused", args.name))
}

/// Asks on the terminal. Without one, nobody can answer.
fn is_confirmed(name: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::Input(format!(
            "error: deleting `{name}` needs a confirmation, and standard input is no terminal\n  = hint: pass --yes"
        )));
    }
    let mut errors = io::stderr();
    write!(errors, "Delete the key `{name}`? Its clients are refused from then on. [y/N] ")
        .map_err(CommandError::run)?;
    errors.flush().map_err(CommandError::run)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(CommandError::run)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

impl ChangeArgs {
    /// Makes a change that issues a key. The key alone goes to standard output, for scripts; the note goes to
    /// standard error.
    fn issue(
        &self,
        path: &str,
        request: &impl serde::Serialize,
        note: impl FnOnce(&KeyStatus) -> String,
    ) -> Result<(), CommandError> {
        let response: Value = self.operate.call("POST", path, request)?;
        if self.json {
            return print(format_args!("{response:#}"));
        }
        let issued: IssuedKey = parse(response)?;
        print(&issued.key)?;
        // The key is out; a closed standard error does not change that.
        let _ = writeln!(io::stderr(), "{}", note(&issued.status));
        Ok(())
    }

    /// Changes a key, and prints the result.
    fn change(
        &self,
        name: &str,
        change: ChangeKeyRequest,
        result: impl FnOnce(&KeyStatus) -> String,
    ) -> Result<(), CommandError> {
        let change = ChangeKeyRequest { why: self.operate.reason().why, ..change };
        let response: Value = self.operate.call("PATCH", &path_of(name), &change)?;
        if self.json {
            return print(format_args!("{response:#}"));
        }
        print(result(&parse(response)?))
    }
}

fn path_of(name: &str) -> String {
    format!("{KEYS}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

fn render_keys(list: KeyList) -> String {
    let mut table = TextTable::new(&[
        "KEY",
        "FROM",
        "STATE",
        "EXPIRES",
        "OLD KEY UNTIL",
        "CREATED",
        "REQUESTS",
        "COST",
        "MAY REQUEST",
    ]);
    let time = |time: Option<u64>| time.map_or_else(|| NONE.to_owned(), rfc3339);
    for key in &list.keys {
        table.add(vec![
            key.name.clone(),
            key.source.as_str().to_owned(),
            key.state.as_str().to_owned(),
            time(key.expires),
            time(key.grace_until),
            time(key.created),
            key.requests.to_string(),
            format!("${:.5}", key.cost_usd),
            routes_of(key),
        ]);
    }
    let mut notes = Vec::new();
    if !list.required {
        notes.push("no key is required: every client that can reach the gateway is served".to_owned());
    }
    if !list.can_store {
        notes.push("keys cannot be created here: the configuration has no `dir` below [state]".to_owned());
    }
    table.render(notes)
}

fn routes_of(key: &KeyStatus) -> String {
    match &key.routes {
        None => "all".to_owned(),
        Some(routes) if routes.is_empty() => "nothing".to_owned(),
        Some(routes) => routes.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use pointsman_admin_api::KeySource;

    use super::*;

    fn key(name: &str, source: KeySource) -> KeyStatus {
        KeyStatus {
            name: name.to_owned(),
            source,
            state: KeyState::Active,
            routes: None,
            created: None,
            rotated: None,
            grace_until: None,
            expires: None,
            requests: 0,
            cost_usd: 0.0,
        }
    }

    #[test]
    fn keys_are_listed_with_their_state_and_times() {
        let stored = KeyStatus {
            state: KeyState::Expired,
            created: Some(0),
            expires: Some(86_400),
            routes: Some(vec!["main".to_owned(), "gpt-*".to_owned()]),
            requests: 3,
            cost_usd: 0.25,
            ..key("phone", KeySource::Store)
        };
        let keys = vec![key("batch", KeySource::File), stored];
        let text = render_keys(KeyList { required: false, can_store: false, keys });
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("KEY    FROM   STATE    EXPIRES "), "{text}");
        assert!(lines[1].starts_with("batch  file   active   - ") && lines[1].ends_with("all"), "{text}");
        assert!(lines[2].starts_with("phone  store  expired  1970-01-02T00:00:00Z"), "{text}");
        assert!(lines[2].ends_with("3         $0.25000  main, gpt-*"), "{text}");
        assert!(text.contains("no key is required") && text.contains("[state]"), "{text}");
        let required = render_keys(KeyList { required: true, can_store: true, keys: Vec::new() });
        assert_eq!(required.lines().count(), 1, "{required}");
    }

    #[test]
    fn a_name_is_one_segment_of_the_path() {
        assert_eq!(path_of("a/../b?c"), "/admin/keys/a%2F%2E%2E%2Fb%3Fc");
    }
}
