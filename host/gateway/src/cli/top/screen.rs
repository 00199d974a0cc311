//! The terminal, from taking it over to giving it back, and the loop between.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ratatui::crossterm::event::{self, Event, KeyEvent};
use ratatui::layout::{Position, Rect};
use ratatui::{DefaultTerminal, crossterm};
use tokio::signal::unix::{SignalKind, signal};

use super::draw::draw;
use super::feed::{self, News, Order};
use super::input::{self, Wish};
use super::palette::Palette;
use super::state::State;
use crate::cli::Failure;
use crate::cli::admin::Caller;

/// What is told besides grows old in this time.
const REDRAWN: Duration = Duration::from_secs(1);

/// What happens.
enum Happening {
    Key(KeyEvent),
    /// The terminal has another size, or had one for a moment.
    Resized,
    News(News),
    /// The terminal or the system wants an end.
    Stop,
    Broken(io::Error),
}

/// The terminal, taken over. Given back when dropped, and before a panic is told.
struct Screen(DefaultTerminal);

impl Screen {
    fn take() -> io::Result<Self> {
        Ok(Self(ratatui::try_init()?))
    }

    /// Has the next picture drawn anew: a terminal that was smaller for a moment has
    /// lost what was at its edge, even if it is as large as before.
    fn redraw_all(&mut self) -> io::Result<()> {
        let size = self.0.size()?;
        self.0.resize(Rect::from((Position::ORIGIN, size)))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is no other way to give it back if this one fails.
        let _ = ratatui::try_restore();
    }
}

/// Shows the gateway until somebody has seen enough.
pub(super) fn watch(caller: Caller, interval: Duration, palette: Palette) -> Result<(), Failure> {
    let (tell, happenings) = mpsc::channel();
    let mut state = State::new(crate::cli::printable::text(caller.admin()));
    // Before the terminal is taken over, so that no signal leaves it like that.
    hear_signals(tell.clone())?;
    let mut screen = Screen::take().map_err(|error| {
        // It may have been taken over in part.
        let _ = ratatui::try_restore();
        Failure::Run(format!(
            "error: this terminal cannot be drawn on: {error}\n  = hint: `pointsman top --once` prints plain text"
        ))
    })?;
    hear_keys(tell.clone());
    let orders = hear_gateway(caller, interval, tell);
    show(&mut screen, &mut state, palette, &happenings, &orders)
}

fn show(
    screen: &mut Screen,
    state: &mut State,
    palette: Palette,
    happenings: &Receiver<Happening>,
    orders: &Sender<Order>,
) -> Result<(), Failure> {
    loop {
        let now = now_ms();
        screen.0.draw(|frame| draw(frame, state, palette, now)).map_err(Failure::run)?;
        let mut next = match happenings.recv_timeout(REDRAWN) {
            Ok(happening) => Some(happening),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        // All that has happened is one picture.
        while let Some(happening) = next {
            match happening {
                Happening::Stop => return Ok(()),
                Happening::Broken(error) => return Err(Failure::run(error)),
                Happening::Resized => screen.redraw_all().map_err(Failure::run)?,
                Happening::News(News::Looked(Err(error))) if error.is_final() => return Err(error.into()),
                Happening::News(news) => state.hear(news, now_ms()),
                Happening::Key(key) => match input::press(state, key) {
                    Wish::Quit => return Ok(()),
                    Wish::Open(id) => order(orders, Order::Open(id)),
                    Wish::Nothing => order(orders, Order::Deep(!state.filter.is_empty())),
                },
            }
            next = happenings.try_recv().ok();
        }
    }
}

fn order(orders: &Sender<Order>, order: Order) {
    // Nobody takes orders any more when the end is near.
    let _ = orders.send(order);
}

fn hear_keys(tell: Sender<Happening>) {
    // It waits for keys until the process ends.
    thread::spawn(move || {
        loop {
            let happening = match event::read() {
                Ok(Event::Key(key)) => Happening::Key(key),
                Ok(_) => Happening::Resized,
                Err(error) => Happening::Broken(error),
            };
            let broken = matches!(happening, Happening::Broken(_));
            if tell.send(happening).is_err() || broken {
                return;
            }
        }
    });
}

fn hear_gateway(caller: Caller, interval: Duration, tell: Sender<Happening>) -> Sender<Order> {
    let (orders, taken) = mpsc::channel();
    thread::spawn(move || {
        feed::follow(&caller, interval, &taken, |news| {
            // Nobody listens any more when the end is near.
            let _ = tell.send(Happening::News(news));
        });
    });
    orders
}

fn hear_signals(tell: Sender<Happening>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::run)?;
    let listen = |kind: SignalKind| runtime.block_on(async { signal(kind) }).map_err(Failure::run);
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    // The reader of keys reports these too, but only from its first read on.
    let mut window_change = listen(SignalKind::window_change())?;
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let happening = tokio::select! {
                    _ = window_change.recv() => Happening::Resized,
                    _ = terminate.recv() => Happening::Stop,
                    _ = hangup.recv() => Happening::Stop,
                    _ = interrupt.recv() => Happening::Stop,
                };
                let is_last = matches!(happening, Happening::Stop);
                if tell.send(happening).is_err() || is_last {
                    return;
                }
            }
        });
    });
    Ok(())
}

/// Whether there is somebody who looks on.
pub(super) fn is_there() -> bool {
    crossterm::tty::IsTty::is_tty(&io::stdout())
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
