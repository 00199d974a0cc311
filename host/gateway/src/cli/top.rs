//! `pointsman top`: a running gateway at a glance, in the terminal.
//!
//! [`feed`] asks the gateway, [`told`] is what it says, [`state`] what of it is shown,
//! [`input`] what keys do to that, [`draw`] the picture. All but `feed` and `screen` are
//! pure. Nothing here changes anything at the gateway.

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
mod told;

#[cfg(test)]
mod sample;

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs};

use super::admin::Gateway;
use super::{Failure, print, printable};
use feed::News;
use palette::Palette;
use state::State;

/// Shortest and longest time between two looks, in seconds.
const INTERVALS: std::ops::RangeInclusive<f64> = 0.2..=60.0;

const MORE: &str = "\
Shows requests, latency, cost and saving over the last minutes; models, routes and \
policies with how they do; the last decisions with their reasons; and changes as they \
happen. It only looks: nothing in it changes the gateway.

Keys:
  1 … 5, Tab       overview, models, routes, policies, decisions
  j k, arrows      select a row; Enter opens a decision, Esc goes back
  /                only rows with a text: of a route, a model, a policy
  s                sort by the next column
  p                stop the picture, and go on
  ?                all keys, and what the figures mean
  q, Ctrl-C        quit

Examples:
  pointsman top
  pointsman top --admin http://10.0.0.7:8081 --token-file ~/.pointsman-token
  pointsman top --once | head -2

Exit status: 0 after quitting, 2 if the gateway wants another token, 1 if it does not
answer (with --once) or the terminal cannot be used.";

#[derive(Debug, ClapArgs)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Print one look as plain text and end; so it does where standard output is no terminal
    #[arg(long)]
    once: bool,
    /// Time between two looks, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// Use no colours; so it does where NO_COLOR is set
    #[arg(long, env = "NO_COLOR", hide_env_values = true, action = ArgAction::SetTrue, value_parser = is_set)]
    no_color: bool,
    #[command(flatten)]
    gateway: Gateway,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let caller = args.gateway.caller(feed::TIMEOUT)?;
    if !args.once && screen::is_there() {
        return screen::watch(caller, args.interval, Palette { colour: !args.no_color });
    }
    let look = feed::look(&caller, false)?;
    let mut state = State::new(printable::text(caller.admin()));
    state.hear(News::Looked(Ok(Box::new(look))), 0);
    print(plain::overview(&state))?;
    if !args.once {
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(
            std::io::stderr(),
            "hint: standard output is no terminal, so this was one look; --once says that it is meant"
        );
    }
    Ok(())
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse::<f64>().ok();
    match seconds.filter(|seconds| INTERVALS.contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs_f64(seconds)),
        None => Err("it has to be 0.2 to 60 seconds, such as 2 or 0.5".to_owned()),
    }
}

/// Any text but an empty one, as <https://no-color.org> has it; `false` is what a flag
/// that is not there stands for.
fn is_set(text: &str) -> Result<bool, Infallible> {
    Ok(!text.is_empty() && text != "false")
}
