//! The recorded sessions: searched, described, looked at, replayed, drawn beside one another. [`list`] is what the list
//! knows, this file what keys do to it, `view` how it is drawn.

pub mod list;
mod view;

pub use list::{Browser, Field};
pub use view::draw;

use crate::engine::readout::Readout;
use crate::error::Result;
use crate::session::Entry;

use super::action::{Action, Context};
use super::state::{App, Compared, Next, Notice, Overlay, RatioView};

/// Sessions whose previews are kept.
const KEPT: usize = 8;

/// What the list asks of the dashboard around it.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// To leave, if the user means it.
    Leave,
    /// To write a session's description.
    Describe {
        /// Its name.
        name: String,
        /// The note.
        note: String,
        /// The tags.
        tags: Vec<String>,
    },
}

/// Open the list of `entries`. Previews look as the dashboard does now.
pub fn open(app: &mut App, entries: Vec<Entry>) {
    for still in app.previews.values_mut().flatten() {
        still.theme.clone_from(&app.theme);
        still.marker = app.marker;
    }
    app.view.overlay = Overlay::Sessions(Browser::new(entries));
}

/// Choose the session in this row.
pub fn choose(app: &mut App, row: usize) {
    if let Overlay::Sessions(browser) = &mut app.view.overlay
        && browser.line.is_none()
    {
        browser.choose(|_| row);
    }
}

/// What an action does to the list.
pub fn act(app: &mut App, action: Action) -> Asked {
    let Overlay::Sessions(browser) = &mut app.view.overlay else { return Asked::Nothing };
    match action {
        Action::Accept => {
            if let Some(card) = browser.accept() {
                let (name, note, tags) = (card.name.clone(), card.note.clone(), card.tags.clone());
                return Asked::Describe { name, note, tags };
            }
        }
        Action::Cancel if browser.line.is_some() => {
            if matches!(browser.line.take(), Some((Field::Search, _))) {
                browser.search.clear();
            }
        }
        // The wheel turns at any time; a line belongs to the session it was begun for.
        _ if browser.line.is_some() && action != Action::Quit => {}
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
                return Asked::Leave;
            }
        }
        Action::Compare => compare(app),
        // With nothing behind it, closing the list is leaving.
        Action::Cancel if !app.has_board() => return Asked::Leave,
        Action::Cancel => app.view.overlay = Overlay::None,
        Action::Quit => {
            app.view.overlay = Overlay::None;
            return Asked::Leave;
        }
        _ => {}
    }
    Asked::Nothing
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
            let key = app.keymap.key(Context::Board, Action::Compare);
            let notice = Notice::Done(format!("{name} is drawn beside, as B (◆); {key} takes it away"));
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
        still.view.views.ratio = RatioView::ShareBySigma;
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
