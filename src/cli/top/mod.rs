//! `mailcanary top`: a live view of every route, from the running daemon.

mod draw;
mod screen;
mod source;
mod wish;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::args::Top as Arguments;
use super::out::Out;
use super::terminal::Paper;
use super::{FAILED, WRONG};
use crate::edge::show::Top;
use draw::draw;
use screen::Screen;
use source::Source;
use wish::{Asked, Wish};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

pub(super) fn execute(args: &Arguments) -> ExitCode {
    let mut err = Out::stderr();
    let Some(source) = Source::of(args, &mut err) else { return ExitCode::from(WRONG) };
    let paper = Paper::stdout(args.look);
    let drawable = paper.terminal && anstyle_query::term_supports_color();
    if !(args.once || drawable) {
        err.line("error: this is no terminal that can be drawn on\n  hint: `--once` prints what is seen now as plain text");
        return ExitCode::from(WRONG);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err.error(&error, None);
            return ExitCode::from(FAILED);
        }
    };
    if args.once {
        return once(&runtime, &source, paper);
    }
    let looked = runtime.block_on(look(&source, args));
    // A question may be under way: nothing is owed to it.
    runtime.shutdown_background();
    match looked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            err.error(&error, None);
            ExitCode::from(FAILED)
        }
    }
}

/// One frame, as plain text.
fn once(runtime: &tokio::runtime::Runtime, source: &Source, paper: Paper) -> ExitCode {
    match runtime.block_on(source.ask()) {
        Ok(top) => {
            let mut out = Out::stdout();
            let plain = Paper { colour: false, ..paper };
            draw(&Sight { top: Some(top), trouble: None }, &Wish::default(), plain, None).iter().for_each(|line| out.line(line));
            out.finish(0)
        }
        Err(why) => {
            Out::stderr().line(format_args!("error: {why}{}", source.hint()));
            ExitCode::from(FAILED)
        }
    }
}

/// What is known.
#[derive(Debug, Default)]
struct Sight {
    /// What was seen last.
    top: Option<Top>,
    /// Why nothing is seen now, and for how many seconds that has been so.
    trouble: Option<(String, u64)>,
}

/// Looks until it is enough.
async fn look(source: &Source, args: &Arguments) -> io::Result<()> {
    let mut screen = Screen::enter()?;
    let on = |signal_: Signal| signal(SignalKind::from_raw(signal_.as_raw()));
    let (mut ends, mut hangs_up, mut stops, mut goes_on) = (on(Signal::TERM)?, on(Signal::HUP)?, on(Signal::TSTP)?, on(Signal::CONT)?);
    let (mut keys, mut tick) = (EventStream::new(), interval(EVERY));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut sight, mut wish, mut asked) = (Sight::default(), Wish::default(), FuturesUnordered::new());
    let mut away = false;
    loop {
        let wanted = tokio::select! {
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) => wish.press(key),
                Some(Ok(Event::Resize(..))) => Asked::Redraw,
                Some(Ok(_)) => Asked::Look,
                Some(Err(error)) => return Err(error),
                None => Asked::End,
            },
            Some(answer) = asked.next() => {
                match answer {
                    Ok(top) => sight = Sight { top: Some(top), trouble: None },
                    Err(why) => sight.trouble = Some((why, sight.trouble.map_or(0, |(_, secs)| secs))),
                }
                Asked::Look
            },
            _ = tick.tick() => {
                if let Some((_, secs)) = &mut sight.trouble { *secs += EVERY.as_secs(); }
                if asked.is_empty() { asked.push(source.ask()); }
                Asked::Look
            },
            _ = ends.recv() => Asked::End,
            _ = hangs_up.recv() => Asked::End,
            _ = stops.recv() => Asked::Suspend,
            _ = goes_on.recv() => {
                screen.take()?;
                away = false;
                Asked::Redraw
            },
        };
        match wanted {
            Asked::End => return Ok(()),
            Asked::Suspend => {
                screen::give_back();
                away = true;
                kill_process(getpid(), Signal::STOP)?;
            }
            Asked::Redraw => screen.forget(),
            Asked::Look => {}
        }
        if !away {
            let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
            let paper = Paper { width: Some(usize::from(columns)), ..Paper::stdout(args.look) };
            wish.bound(sight.top.as_ref());
            screen.draw(draw(&sight, &wish, paper, Some(usize::from(rows))));
        }
        if screen.is_gone() {
            return Ok(());
        }
    }
}
