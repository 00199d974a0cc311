//! The terminal: taking it over, the event loop, and restoring it.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ratatui::crossterm::event::{self, Event, KeyEvent};
use ratatui::layout::{Position, Rect};
use ratatui::{DefaultTerminal, crossterm};
use tokio::signal::unix::{SignalKind, signal};

use super::draw::draw;
use super::feed::{self, FeedEvent, FeedRequest};
use super::input::{self, KeyAction};
use super::palette::Palette;
use super::state::TopState;
use crate::client::AdminClient;
use crate::{CommandError, printable};

/// Time after which the picture is drawn again without an event, for the times in it.
const REDRAW: Duration = Duration::from_secs(1);

enum ScreenEvent {
    Key(KeyEvent),
    /// The terminal changed its size, perhaps only for a moment.
    Resized,
    Feed(FeedEvent),
    /// A signal asks for the end.
    Stop,
    /// Keys cannot be read.
    Failed(io::Error),
}

/// The terminal in raw mode. It is restored on drop, and before a panic is reported.
struct Screen(DefaultTerminal);

impl Screen {
    fn take_over() -> io::Result<Self> {
        Ok(Self(ratatui::try_init()?))
    }

    /// Makes the next picture be drawn completely: a terminal that was smaller for a moment has
    /// lost its edges, even if it has its former size again.
    fn redraw_all(&mut self) -> io::Result<()> {
        let size = self.0.size()?;
        self.0.resize(Rect::from((Position::ORIGIN, size)))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is no other way to restore the terminal if this fails.
        let _ = ratatui::try_restore();
    }
}

/// Shows the gateway until the user quits.
pub(super) fn watch(client: AdminClient, interval: Duration, palette: Palette) -> Result<(), CommandError> {
    let (events, incoming) = mpsc::channel();
    let mut state = TopState::new(printable::text(client.admin()));
    // Signals are handled before the terminal is taken over, so that none leaves it in raw mode.
    read_signals(events.clone())?;
    let mut screen = Screen::take_over().map_err(|error| {
        // It may have been taken over in part.
        let _ = ratatui::try_restore();
        CommandError::Run(format!(
            "error: cannot draw on this terminal: {error}\n  = hint: `pointsman top --once` prints plain text"
        ))
    })?;
    read_keys(events.clone());
    let requests = poll_gateway(client, interval, events);
    run(&mut screen, &mut state, palette, &incoming, &requests)
}

fn run(
    screen: &mut Screen,
    state: &mut TopState,
    palette: Palette,
    incoming: &Receiver<ScreenEvent>,
    requests: &Sender<FeedRequest>,
) -> Result<(), CommandError> {
    loop {
        let now = now_ms();
        screen.0.draw(|frame| draw(frame, state, palette, now)).map_err(CommandError::run)?;
        let mut next = match incoming.recv_timeout(REDRAW) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // All pending events are handled before the next picture.
        while let Some(event) = next {
            match event {
                ScreenEvent::Stop => return Ok(()),
                ScreenEvent::Failed(error) => return Err(CommandError::run(error)),
                ScreenEvent::Resized => screen.redraw_all().map_err(CommandError::run)?,
                ScreenEvent::Feed(FeedEvent::Updated(Err(error))) if error.is_final() => {
                    return Err(error.into());
                }
                ScreenEvent::Feed(event) => state.apply(event, now_ms()),
                ScreenEvent::Key(key) => match input::press(state, key) {
                    KeyAction::Quit => return Ok(()),
                    KeyAction::Open(id) => send(requests, FeedRequest::Open(id)),
                    KeyAction::None => send(requests, FeedRequest::AllDecisions(!state.filter.is_empty())),
                },
            }
            next = incoming.try_recv().ok();
        }
    }
}

fn send(requests: &Sender<FeedRequest>, request: FeedRequest) {
    // It fails only while the process exits.
    let _ = requests.send(request);
}

/// Reads keys on a thread of its own, which blocks until the process exits.
fn read_keys(events: Sender<ScreenEvent>) {
    thread::spawn(move || {
        loop {
            let event = match event::read() {
                Ok(Event::Key(key)) => ScreenEvent::Key(key),
                Ok(_) => ScreenEvent::Resized,
                Err(error) => ScreenEvent::Failed(error),
            };
            let is_last = matches!(event, ScreenEvent::Failed(_));
            if events.send(event).is_err() || is_last {
                return;
            }
        }
    });
}

fn poll_gateway(client: AdminClient, interval: Duration, events: Sender<ScreenEvent>) -> Sender<FeedRequest> {
    let (requests, incoming) = mpsc::channel();
    thread::spawn(move || {
        feed::follow(&client, interval, &incoming, |event| {
            // It fails only while the process exits.
            let _ = events.send(ScreenEvent::Feed(event));
        });
    });
    requests
}

fn read_signals(events: Sender<ScreenEvent>) -> Result<(), CommandError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::run)?;
    let listen = |kind: SignalKind| runtime.block_on(async { signal(kind) }).map_err(CommandError::run);
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    // The key reader reports these too, but only after its first read has begun.
    let mut window_change = listen(SignalKind::window_change())?;
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let event = tokio::select! {
                    _ = window_change.recv() => ScreenEvent::Resized,
                    _ = terminate.recv() => ScreenEvent::Stop,
                    _ = hangup.recv() => ScreenEvent::Stop,
                    _ = interrupt.recv() => ScreenEvent::Stop,
                };
                let is_last = matches!(event, ScreenEvent::Stop);
                if events.send(event).is_err() || is_last {
                    return;
                }
            }
        });
    });
    Ok(())
}

/// Returns whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    crossterm::tty::IsTty::is_tty(&io::stdout())
}

/// Returns the time in milliseconds since 1970.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
