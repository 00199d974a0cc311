//! `pointsman top`: the status of a running gateway in the terminal.
//!
//! [`feed`] polls the gateway, [`state`] holds what is shown, [`input`] applies keys to it, and
//! [`draw`] renders it. All but `feed` and `screen` are pure. Nothing here makes changes at the
//! gateway.

mod detail;
mod draw;
mod feed;
mod figures;
mod grid;
mod input;
mod palette;
mod plain;
mod screen;
mod state;
mod tables;

#[cfg(test)]
mod sample;

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs};

use crate::client::GatewayArgs;
use crate::{CommandError, print, printable};
use feed::FeedEvent;
use palette::Palette;
use state::TopState;

/// Permitted intervals, in seconds.
const INTERVALS: std::ops::RangeInclusive<f64> = 0.2..=60.0;

const MORE: &str = "\
Shows requests, latency, cost and savings over the last minutes; models, routes and
policies with their statistics; recent decisions with their reasons; and changes as
they happen. It is read-only: nothing in it changes the gateway.

Keys:
  1 … 5, Tab       overview, models, routes, policies, decisions
  j k, arrows      select a row; Enter opens a decision, Esc goes back
  /                filter rows by a text: of a route, a model, a policy
  s                sort by the next column
  p                pause and resume
  ?                all keys, and what the figures mean
  q, Ctrl-C        quit

Examples:
  pointsman top
  pointsman top --admin http://10.0.0.7:8081 --token-file ~/.pointsman-token
  pointsman top --once | head -2

Exit status: 0 after quitting, 2 if the gateway rejects the token, 1 if it does not
respond (with --once) or the terminal cannot be used.";

/// The arguments of `pointsman top`.
#[derive(Debug, ClapArgs)]
#[command(after_help = MORE)]
pub struct TopArgs {
    /// Print the status once as plain text and exit; the default if standard output is no terminal
    #[arg(long)]
    once: bool,
    /// Time between two updates, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = parse_interval)]
    interval: Duration,
    /// Use no colours; the default if NO_COLOR is set
    #[arg(long, env = "NO_COLOR", hide_env_values = true, action = ArgAction::SetTrue, value_parser = is_set)]
    no_color: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl TopArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<(), CommandError> {
        let client = self.gateway.client(feed::TIMEOUT)?;
        if !self.once && screen::is_terminal() {
            return screen::watch(client, self.interval, Palette { colour: !self.no_color });
        }
        let update = feed::fetch(&client, false)?;
        let mut state = TopState::new(printable::text(client.admin()));
        state.apply(FeedEvent::Updated(Ok(Box::new(update))), 0);
        print(plain::render(&state))?;
        if !self.once {
            // The hint is lost if standard error is closed.
            let _ = writeln!(
                std::io::stderr(),
                "hint: standard output is no terminal, so the status was printed once; --once silences this hint"
            );
        }
        Ok(())
    }
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse::<f64>().ok();
    match seconds.filter(|seconds| INTERVALS.contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs_f64(seconds)),
        None => Err("it has to be 0.2 to 60 seconds, such as 2 or 0.5".to_owned()),
    }
}

/// Parses `NO_COLOR`: any text but an empty one, as <https://no-color.org> defines. `false` is
/// clap's value for a flag that is absent.
fn is_set(text: &str) -> Result<bool, Infallible> {
    Ok(!text.is_empty() && text != "false")
}
