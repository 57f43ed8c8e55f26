//! The real program in a pseudo-terminal: what a user sees, types and is left with.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use vt100::{MouseProtocolMode, Parser};

/// How long anything may take before a test gives up: far more than it takes, for machines that do much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys as a terminal sends them.
pub mod key {
    pub const LEFT: &str = "\x1b[D";
    pub const RIGHT: &str = "\x1b[C";
    pub const DOWN: &str = "\x1b[B";
    pub const HOME: &str = "\x1b[H";
    pub const END: &str = "\x1b[F";
    pub const ENTER: &str = "\r";
    pub const ESCAPE: &str = "\x1b";
    pub const CTRL_C: &str = "\x03";
    pub const CTRL_Z: &str = "\x1a";
}

/// A terminal with the program in it.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Keyboard,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Seen>,
}

/// Where keys go in, and a terminal's answers.
type Keyboard = Arc<Mutex<Box<dyn Write + Send>>>;

/// What a terminal answers when it is asked for its colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    Dark,
    Light,
    /// It answers nothing at all, as no terminal in use does.
    Silent,
}

/// What the program wrote, shared with the thread that reads it.
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: Parser,
    stream: Vec<u8>,
    open: bool,
}

/// What was left when the program had ended.
pub struct Left {
    /// How it ended.
    pub status: ExitStatus,
    /// What stands on the terminal.
    pub screen: String,
    /// Every byte that was written.
    pub stream: String,
    modes: Modes,
}

/// What a program can leave a terminal in.
#[derive(Debug, PartialEq, Eq)]
struct Modes {
    alternate_screen: bool,
    hidden_cursor: bool,
    bracketed_paste: bool,
    mouse: bool,
}

impl Terminal {
    /// Start `command` in a terminal of `columns` × `rows`.
    pub fn start(command: &Command, size: (u16, u16)) -> Terminal {
        Terminal::start_on(Ground::Dark, command, size)
    }

    /// The same on another ground.
    pub fn start_on(ground: Ground, command: &Command, (columns, rows): (u16, u16)) -> Terminal {
        let pair = native_pty_system().openpty(pty_size(columns, rows)).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(builder(command)).expect("the program starts");
        // Held open here it would never end for the reader.
        drop(pair.slave);
        let parser = Parser::new(nonzero(rows), nonzero(columns), 0);
        let state = Mutex::new(State { parser, stream: Vec::new(), open: true });
        let seen = Arc::new(Seen { state, changed: Condvar::new() });
        let reader = pair.master.try_clone_reader().expect("what it writes");
        let keyboard: Keyboard = Arc::new(Mutex::new(pair.master.take_writer().expect("its keyboard")));
        let (shared, answers) = (seen.clone(), keyboard.clone());
        std::thread::spawn(move || shared.read(reader, ground, &answers));
        Terminal { master: pair.master, keyboard, child, seen }
    }

    /// Type keys.
    pub fn send(&mut self, keys: &str) {
        type_in(&self.keyboard, keys);
    }

    /// The program's process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a running program")
    }

    /// Send a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid).status().expect("kill runs");
        assert!(sent.success(), "the program had ended before SIG{name}");
    }

    /// Send a signal to all that was started in this terminal.
    pub fn signal_all(&self, name: &str) {
        let group = format!("-{}", self.pid());
        let sent = Command::new("kill").args([&format!("-{name}"), "--", &group]).status().expect("kill runs");
        assert!(sent.success(), "all had ended before SIG{name}");
    }

    /// Wait until the program has stopped for a while, as the system sees it.
    pub fn wait_stopped(&self) {
        let pid = self.pid().to_string();
        let deadline = Instant::now() + PATIENCE;
        let state = || Command::new("ps").args(["-o", "stat=", "-p", &pid]).output().expect("ps runs").stdout;
        while !state().starts_with(b"T") {
            assert!(Instant::now() < deadline, "the program does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Give the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        // The parser first: what is written for the new size must find it.
        self.state().parser.set_size(nonzero(rows), nonzero(columns));
        self.master.resize(pty_size(columns, rows)).expect("the terminal takes the size");
    }

    /// Give the terminal another size and wait until the program has cleared it, as it does for every new size.
    #[track_caller]
    pub fn resize_and_wait(&mut self, columns: u16, rows: u16) {
        let before = self.state().cleared();
        self.resize(columns, rows);
        self.wait(format!("a frame of {columns}×{rows}"), |state| state.cleared() > before);
    }

    /// Bytes written so far.
    pub fn written(&self) -> usize {
        self.state().stream.len()
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.state().screen()
    }

    /// Wait until `text` stands on the screen, and return the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Wait until `text` has gone from the screen.
    #[track_caller]
    pub fn wait_gone(&self, text: &str) {
        self.wait_until(format!("no more {text:?}"), |screen| !screen.contains(text));
    }

    /// Wait until the screen is as asked, and return it.
    #[track_caller]
    pub fn wait_until(&self, what: impl Debug, asked: impl Fn(&str) -> bool) -> String {
        self.wait(what, |state| asked(&state.screen()))
    }

    /// Wait until the program shows its own screen, or the one it found.
    #[track_caller]
    pub fn wait_alternate(&self, shown: bool) -> String {
        let asked = |state: &State| state.parser.screen().alternate_screen() == shown;
        self.wait(format!("alternate screen: {shown}"), asked)
    }

    #[track_caller]
    fn wait(&self, what: impl Debug, asked: impl Fn(&State) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if state.whole() && asked(&state) {
                return state.screen();
            }
            assert!(state.open, "the program ended before {what:?}; the screen is\n{}", state.screen());
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what:?}; the screen is\n{}", state.screen());
            state = self.seen.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wait until the program has ended by itself.
    #[track_caller]
    pub fn wait_end(mut self) -> Left {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.seen.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.open {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end; the screen is\n{}", state.screen());
            state = self.seen.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let screen = state.parser.screen();
        let modes = Modes {
            alternate_screen: screen.alternate_screen(),
            hidden_cursor: screen.hide_cursor(),
            bracketed_paste: screen.bracketed_paste(),
            mouse: screen.mouse_protocol_mode() != MouseProtocolMode::None,
        };
        let screen = screen.contents();
        let stream = String::from_utf8_lossy(&state.stream).into_owned();
        drop(state);
        let status = self.child.wait().expect("how the program ended");
        Left { status, screen, stream, modes }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.seen.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Whether no frame is half drawn: a terminal shows synchronized updates at once.
    fn whole(&self) -> bool {
        const UPDATE: &[u8] = b"\x1b[?2026";
        let last = self.stream.windows(UPDATE.len() + 1).rev().find(|w| w.starts_with(UPDATE));
        last.is_none_or(|w| w.ends_with(b"l"))
    }

    /// How often the whole screen was cleared.
    fn cleared(&self) -> usize {
        self.stream.windows(4).filter(|w| w == b"\x1b[2J").count()
    }
}

impl Drop for Terminal {
    /// A test that failed leaves no program behind; one that passed has none to end.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
        }
    }
}

impl Seen {
    /// Read until the program and its terminal are gone.
    fn read(&self, mut from: impl Read, ground: Ground, answers: &Keyboard) {
        let mut bytes = [0; 1 << 16];
        // Asked once, at the start, and it may come in pieces.
        let mut answered = ground == Ground::Silent;
        loop {
            // Linux reports the end of the other side as an error.
            let read = from.read(&mut bytes).unwrap_or(0);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.parser.process(&bytes[..read]);
            state.stream.extend(&bytes[..read]);
            state.open = read > 0;
            // As xterm does: the colours first, then what it is, since that was asked last.
            let asked = |query: &[u8]| state.stream.windows(query.len()).any(|w| w == query);
            if !answered && asked(b"\x1b]11;?") && asked(b"\x1b[c") {
                let (ink, paper) = if ground == Ground::Dark { ("ffff", "0000") } else { ("0000", "ffff") };
                let colour = |number, c| format!("\x1b]{number};rgb:{c}/{c}/{c}\x07");
                type_in(answers, &format!("{}{}\x1b[?1;2c", colour(10, ink), colour(11, paper)));
                answered = true;
            }
            drop(state);
            self.changed.notify_all();
            if read == 0 {
                return;
            }
        }
    }
}

impl Left {
    /// Assert that it ended with `status`, wrote each of `words` on the normal screen, and gave the terminal back.
    #[track_caller]
    pub fn said(&self, status: u32, words: &[&str]) {
        assert_eq!((self.status.signal(), self.status.exit_code()), (None, status), "the screen is\n{}", self.screen);
        for word in words {
            assert!(self.screen.contains(word), "{word:?} is not on the screen, which is\n{}", self.screen);
        }
        let given_back = Modes { alternate_screen: false, hidden_cursor: false, bracketed_paste: false, mouse: false };
        assert_eq!(self.modes, given_back);
    }

    /// Assert that a dashboard was shown and that its last acts gave back the screen, the mouse and the cursor.
    #[track_caller]
    pub fn gave_back(&self) {
        let (_, shown) = self.stream.split_once("\x1b[?1049h").expect("the alternate screen was entered");
        assert!(shown.starts_with("\x1b[?2004h\x1b[?1000h"), "paste and mouse modes follow");
        let (_, after) = shown.rsplit_once("\x1b[?2026l").expect("the last frame was ended");
        let (on_it, off_it) = after.split_once("\x1b[?1049l").expect("the alternate screen was left");
        for mode in ["\x1b[?1000l", "\x1b[?1006l", "\x1b[?2004l"] {
            assert!(on_it.contains(mode), "{mode:?} is not in {on_it:?}");
        }
        let normal = off_it.trim_start_matches("\x1b[?25h");
        assert!(normal.len() < off_it.len(), "the cursor was shown: {off_it:?}");
        assert!(!normal.contains('\x1b'), "nothing but text follows: {normal:?}");
    }

    /// Assert that the terminal was never touched: nothing but plain text was written.
    #[track_caller]
    pub fn untouched(&self) {
        assert!(!self.stream.contains("\x1b[?"), "modes were set: {:?}", self.stream);
    }
}

fn type_in(keyboard: &Keyboard, keys: &str) {
    let mut keyboard = keyboard.lock().unwrap_or_else(PoisonError::into_inner);
    keyboard.write_all(keys.as_bytes()).expect("a keyboard");
    keyboard.flush().expect("a keyboard");
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize { cols: columns, rows, pixel_width: 0, pixel_height: 0 }
}

fn nonzero(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("a size")
}

/// The same command for a pseudo-terminal, with a terminal's environment.
fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.cwd(command.get_current_dir().expect("a folder of its own"));
    builder.env("TERM", "xterm-256color");
    builder.env_remove("NO_COLOR");
    builder.env_remove("COLORTERM");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => builder.env(name, value),
            None => builder.env_remove(name),
        }
    }
    builder
}
