//! The recorded sessions: searched, described, looked at, replayed, drawn beside one another. This file is what the
//! list knows and what keys do to it; [`view`] draws it.

mod view;

pub use view::draw;

use crate::engine::readout::Readout;
use crate::error::Result;
use crate::session::{Branch, Entry};

use super::action::Action;
use super::state::{App, Compared, Next, Notice, Overlay, RatioView};
use super::update::{Effect, Leave, ask_to_leave};

/// A session opened to be looked at: its dashboard at the end, or why it cannot be read.
pub type Preview = std::result::Result<Box<App>, String>;

/// Sessions whose previews are kept.
const KEPT: usize = 8;

/// A session in the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Card {
    /// Its name.
    pub name: String,
    /// When it was started (Coordinated Universal Time).
    pub started: String,
    /// The checkpoint's name, or what is wrong with the description.
    pub subject: String,
    /// n and k at the start.
    pub knobs: Option<(usize, usize)>,
    /// Events recorded.
    pub events: usize,
    /// Size of the events, bytes.
    pub bytes: u64,
    /// The user's note.
    pub note: String,
    /// The user's tags.
    pub tags: Vec<String>,
    /// The moment of another session from which it goes on.
    pub branched_from: Option<Branch>,
}

impl Card {
    /// The card of an entry.
    pub fn of(entry: Entry) -> Card {
        let card = Card { name: entry.name, events: entry.events, bytes: entry.bytes, ..Card::default() };
        match entry.metadata {
            Ok(m) => Card {
                started: m.created.to_string().replace('T', " ").replace('Z', ""),
                subject: m.subject.name,
                knobs: Some((m.knobs.n, m.knobs.k())),
                note: m.note,
                tags: m.tags,
                branched_from: m.branched_from,
                ..card
            },
            Err(e) => Card { started: "–".into(), subject: e.to_string(), ..card },
        }
    }

    /// Whether every word of `search` stands somewhere on it, in whatever case.
    fn matches(&self, search: &str) -> bool {
        let text = [&self.name, &self.started, &self.subject, &self.note, &self.tags.join(" ")];
        let text = text.map(|t| t.to_lowercase()).join("\n");
        search.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

/// What a line typed in the list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Words to search for.
    Search,
    /// The chosen session's note.
    Note,
    /// The chosen session's tags.
    Tags,
}

/// The list of sessions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Browser {
    /// All sessions, newest first.
    pub cards: Vec<Card>,
    /// Words that every session shown has.
    pub search: String,
    /// The line being typed.
    pub line: Option<(Field, String)>,
    /// The session that is to be drawn beside once it has been read.
    to_compare: Option<String>,
    /// The chosen one among those shown.
    chosen: usize,
}

impl Browser {
    /// The list of `entries`, which come oldest first.
    pub fn new(entries: Vec<Entry>) -> Browser {
        let mut cards: Vec<Card> = entries.into_iter().map(Card::of).collect();
        // Names given by hand do not sort by date.
        cards.sort_by(|a, b| b.started.cmp(&a.started).then(a.name.cmp(&b.name)));
        Browser { cards, ..Browser::default() }
    }

    /// The sessions that the search lets through.
    pub fn shown(&self) -> Vec<&Card> {
        self.cards.iter().filter(|c| c.matches(&self.search)).collect()
    }

    /// The chosen session and its place among those shown.
    pub fn chosen(&self) -> Option<(usize, &Card)> {
        let shown = self.shown();
        let at = self.chosen.min(shown.len().checked_sub(1)?);
        Some((at, shown[at]))
    }

    /// A sign typed into the line.
    pub fn typed(&mut self, c: char) {
        const LONGEST: usize = 200;
        if let Some((field, text)) = &mut self.line
            && !c.is_control()
            && text.chars().count() < LONGEST
        {
            text.push(c);
            if *field == Field::Search {
                (self.search, self.chosen) = (text.clone(), 0);
            }
        }
    }

    fn choose(&mut self, to: impl Fn(usize) -> usize) {
        if let (Some((at, _)), count) = (self.chosen(), self.shown().len()) {
            self.chosen = to(at).min(count - 1);
        }
    }

    fn edit(&mut self, field: Field) {
        let text = match (field, self.chosen()) {
            (Field::Search, _) => self.search.clone(),
            (_, None) => return,
            (Field::Note, Some((_, card))) => card.note.clone(),
            (Field::Tags, Some((_, card))) => card.tags.join(" "),
        };
        self.line = Some((field, text));
    }

    fn erase(&mut self) {
        if let Some((field, text)) = &mut self.line {
            text.pop();
            if *field == Field::Search {
                self.search.clone_from(text);
            }
        }
    }

    /// Take the line that was typed; a description is to be written.
    fn accept(&mut self) -> Vec<Effect> {
        let Some((field, text)) = self.line.take() else { return Vec::new() };
        let Some(name) = self.chosen().map(|(_, card)| card.name.clone()).filter(|_| field != Field::Search) else {
            return Vec::new();
        };
        let Some(card) = self.cards.iter_mut().find(|c| c.name == name) else { return Vec::new() };
        match field {
            Field::Tags => card.tags = text.split_whitespace().map(str::to_owned).collect(),
            _ => card.note = text.trim().to_owned(),
        }
        vec![Effect::Describe { name, note: card.note.clone(), tags: card.tags.clone() }]
    }
}

/// What an action does to the list.
pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let Overlay::Sessions(browser) = &mut app.view.overlay else { return Vec::new() };
    match action {
        Action::Erase => browser.erase(),
        Action::Accept => return browser.accept(),
        Action::Cancel if browser.line.is_some() => {
            if matches!(browser.line.take(), Some((Field::Search, _))) {
                browser.search.clear();
            }
        }
        Action::Search => browser.edit(Field::Search),
        Action::Note => browser.edit(Field::Note),
        Action::Tags => browser.edit(Field::Tags),
        Action::ScrollDown => browser.choose(|at| at + 1),
        Action::ScrollUp => browser.choose(|at| at.saturating_sub(1)),
        Action::Start => browser.choose(|_| 0),
        Action::End => browser.choose(|_| usize::MAX),
        Action::Open => {
            if let Some(name) = browser.chosen().map(|(_, card)| card.name.clone()) {
                app.view.next = Some(Next::Replay(name));
                app.view.overlay = Overlay::None;
                return ask_to_leave(app);
            }
        }
        Action::Compare => compare(app),
        // With nothing behind it, closing the list is leaving.
        Action::Cancel if !app.has_board() => return vec![Effect::Quit(Leave::Done)],
        Action::Cancel => app.view.overlay = Overlay::None,
        Action::Quit => {
            app.view.overlay = Overlay::None;
            return ask_to_leave(app);
        }
        _ => {}
    }
    Vec::new()
}

/// Draw the chosen session beside the one on the screen, at once or when it has been read.
fn compare(app: &mut App) {
    let Overlay::Sessions(browser) = &mut app.view.overlay else { return };
    let Some(name) = browser.chosen().map(|(_, card)| card.name.clone()) else { return };
    browser.to_compare = None;
    let refuse = |why: String| Some(Notice::Refused(why));
    app.view.notice = match app.previews.get(&name) {
        _ if !app.has_board() => refuse("nothing is on the screen to compare with: replay one first".into()),
        _ if app.name.as_ref() == Some(&name) => refuse(format!("{name} is the one on the screen; choose another")),
        None => {
            let notice = Notice::Done(format!("{name} is being read, then drawn beside"));
            if let Overlay::Sessions(browser) = &mut app.view.overlay {
                browser.to_compare = Some(name);
            }
            Some(notice)
        }
        Some(Err(why)) => refuse(why.clone()),
        Some(Ok(still)) => {
            let readout = still.readout.clone();
            let notice = Notice::Done(format!("{name} is drawn beside, as B (◆); C takes it away"));
            app.compared = Some(Compared { name, readout });
            app.view.overlay = Overlay::None;
            Some(notice)
        }
    };
}

/// The session that is looked at and has no preview yet.
pub fn awaited(app: &App) -> Option<String> {
    let Overlay::Sessions(browser) = &app.view.overlay else { return None };
    let (_, card) = browser.chosen()?;
    (!app.previews.contains_key(&card.name)).then(|| card.name.clone())
}

/// A session has been read, or could not be.
pub fn arrived(app: &mut App, name: String, read: Result<Readout>) {
    if app.previews.len() >= KEPT {
        app.previews.clear();
    }
    let still = read.map(|readout| {
        let mut still = App::still(readout, app.theme.clone());
        still.marker = app.marker;
        // A thumbnail is for curves, not for tables.
        still.view.ratio = RatioView::ShareBySigma;
        Box::new(still)
    });
    app.previews.insert(name.clone(), still.map_err(|e| e.to_string()));
    if let Overlay::Sessions(browser) = &app.view.overlay
        && browser.to_compare.as_ref() == Some(&name)
        && browser.chosen().is_some_and(|(_, card)| card.name == name)
    {
        compare(app);
    }
}
