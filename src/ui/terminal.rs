//! The terminal, borrowed: whatever way the dashboard ends, the terminal is given back as it was.

use std::cell::Cell;
use std::io::{Stdout, Write, stdout};
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::input::Mouse;

/// Whether a dashboard holds the terminal.
static HELD: AtomicBool = AtomicBool::new(false);

/// The borrowed terminal. Dropping it gives the terminal back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Counted>>,
    written: Rc<Cell<usize>>,
}

/// Standard output that counts what is written.
struct Counted {
    out: Stdout,
    written: Rc<Cell<usize>>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.written.set(self.written.get() + count);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Screen {
    /// Take the terminal: raw mode, alternate screen, bracketed paste, and the mouse if wanted.
    ///
    /// # Errors
    /// If standard output is no terminal, or refuses.
    pub fn take(mouse: Mouse) -> std::io::Result<Screen> {
        give_back_on_panic(std::thread::current().id());
        // Whether there are colours is the theme's business.
        crossterm::style::force_color_output(true);
        enable_raw_mode()?;
        HELD.store(true, Ordering::SeqCst);
        // From here on a failure must give back what was taken: the guard exists before the rest is asked for.
        let written = Rc::new(Cell::new(0));
        let counted = Counted { out: stdout(), written: written.clone() };
        let screen = Screen { terminal: Terminal::new(CrosstermBackend::new(counted))?, written };
        enter(mouse)?;
        Ok(screen)
    }

    /// Listen to the mouse, or leave it to the terminal.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn listen(&mut self, mouse: Mouse) -> std::io::Result<()> {
        match mouse {
            Mouse::On => execute!(stdout(), EnableMouseCapture),
            Mouse::Off => execute!(stdout(), DisableMouseCapture),
        }
    }

    /// Give the terminal back and stop, with all that was started by the same command, until the user comes back; then
    /// [`resume`](Screen::resume). Only where there [is a shell](has_shell) to come back from.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn suspend(&mut self, mouse: Mouse) -> std::io::Result<()> {
        #[cfg(unix)]
        {
            give_back();
            // Not the signal of the key: this program may have a handler for that. Refused only where there is no such
            // group; then the dashboard goes on.
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
        }
        self.resume(mouse)
    }

    /// Take up the terminal after a stop, whoever asked for it and however the terminal was left meanwhile.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn resume(&mut self, mouse: Mouse) -> std::io::Result<()> {
        // A shell in between may have changed the modes behind our back.
        disable_raw_mode()?;
        enable_raw_mode()?;
        if !HELD.swap(true, Ordering::SeqCst) {
            enter(mouse)?;
        }
        self.resized()
    }

    /// Take up the terminal's size anew, so that the next frame is drawn whole. Asked for at every change of size: one
    /// that was undone before it was drawn looks like none, but the terminal has cut off what stood outside.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn resized(&mut self) -> std::io::Result<()> {
        let size = self.terminal.size()?;
        // Ended by the frame that follows.
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Bytes written since this was last asked.
    pub fn written(&self) -> usize {
        self.written.take()
    }

    /// Draw one frame as a synchronized update, so that no terminal shows half of it.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub fn draw<T>(&mut self, paint: impl FnOnce(&mut Buffer) -> T) -> std::io::Result<T> {
        let mut painted = None;
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| painted = Some(paint(frame.buffer_mut())))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        painted.ok_or_else(|| std::io::Error::other("the frame was not painted"))
    }
}

/// Whether there is anybody to go back to: a program that a terminal started by itself leads its session, and once
/// stopped would stop for good.
pub fn has_shell() -> bool {
    #[cfg(unix)]
    {
        rustix::process::getsid(None).is_ok_and(|session| session != rustix::process::getpid())
    }
    #[cfg(not(unix))]
    {
        false
    }
}

fn enter(mouse: Mouse) -> std::io::Result<()> {
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    match mouse {
        Mouse::On => execute!(stdout(), EnableMouseCapture),
        Mouse::Off => Ok(()),
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Undo all that [`Screen::take`] did, once. Failures have nobody left to be told.
fn give_back() {
    if HELD.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
}

/// Give the terminal back before a panic of the drawing thread is reported. While the screen is held, panics of other
/// threads are not printed over it: the worker turns its own into an event.
fn give_back_on_panic(drawing: ThreadId) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == drawing {
                give_back();
            }
            if !HELD.load(Ordering::SeqCst) {
                report(panic);
            }
        }));
    });
}
