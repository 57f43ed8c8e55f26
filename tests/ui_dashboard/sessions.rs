//! The recorded sessions on the screen: listed, searched, described, compared; marks, steps and branches of a replay.

use std::path::Path;

use crossterm::event::{Event as Input, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use eigentop::engine::event::{Event, Stamped};
use eigentop::engine::readout::Readout;
use eigentop::error::Error;
use eigentop::session::{Naming, Recorder, Store};
use eigentop::ui::action::Action;
use eigentop::ui::browser::{self, Browser};
use eigentop::ui::input;
use eigentop::ui::state::{App, Compared, EstimatorsView, Feed, Next, Notice, Overlay, Pane};
use eigentop::ui::theme::Theme;
use eigentop::ui::update::{Effect, Leave, Message, pass, update};

use crate::screen::{drawn, live, replay, text};
use crate::synthetic;

fn act(app: &mut App, action: Action) -> Vec<Effect> {
    update(app, Message::Act(action))
}

fn type_in(app: &mut App, text: &str) {
    text.chars().for_each(|c| drop(update(app, Message::Char(c))));
}

/// Record the synthetic run under each of these names.
fn recorded(folder: &Path, names: &[&str]) -> Store {
    let store = Store::at(folder);
    for name in names {
        let naming = Naming::Given((*name).into());
        let recorder = Recorder::new(store.clone(), naming, synthetic::knobs(), None).unwrap();
        synthetic::run().iter().for_each(|e| recorder.record(e).unwrap());
    }
    store
}

fn readout(events: &[Stamped]) -> Readout {
    let mut readout = Readout::default();
    events.iter().for_each(|e| readout.apply(e));
    readout
}

/// A dashboard with the list open, every date the same so that pictures do not change, and the first one read.
fn browsing(store: &Store) -> App {
    let mut app = live(&synthetic::run(), "mono");
    assert_eq!(act(&mut app, Action::Sessions), [Effect::ListSessions]);
    let mut list = Browser::new(store.list().unwrap());
    list.cards.iter_mut().for_each(|card| card.started = "2026-11-25 01:02:03".into());
    app.view.overlay = Overlay::Sessions(list);
    let name = browser::awaited(&app).expect("the chosen one is to be read");
    browser::arrived(&mut app, name, Ok(readout(&synthetic::run())));
    assert_eq!(browser::awaited(&app), None);
    app
}

fn list(app: &App) -> &Browser {
    let Overlay::Sessions(list) = &app.view.overlay else { panic!("the list is not open") };
    list
}

#[test]
fn sessions_are_listed_with_a_thumbnail() {
    let folder = tempfile::tempdir().unwrap();
    let app = browsing(&recorded(folder.path(), &["alpha", "beta", "gamma"]));
    insta::assert_snapshot!("sessions_120x40", text(&app, 120, 40));
    insta::assert_snapshot!("sessions_80x24", text(&app, 80, 24));
    for (width, height) in [(40, 12), (41, 13), (109, 30), (300, 90)] {
        text(&app, width, height);
    }
}

#[test]
fn an_empty_list_says_how_it_fills() {
    let mut app = live(&synthetic::run(), "mono");
    app.view.overlay = Overlay::Sessions(Browser::new(Vec::new()));
    assert!(text(&app, 120, 40).contains("Nothing is recorded yet."));
    for action in [Action::ScrollDown, Action::Open, Action::Compare, Action::Note, Action::Accept] {
        assert!(act(&mut app, action).is_empty());
    }
}

#[test]
fn notes_and_tags_are_written_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = recorded(folder.path(), &["alpha", "beta"]);
    let mut app = browsing(&store);
    act(&mut app, Action::ScrollDown);
    let name = list(&app).chosen().unwrap().1.name.clone();
    act(&mut app, Action::Note);
    type_in(&mut app, " odd spectrum");
    let effects = act(&mut app, Action::Accept);
    let [Effect::Describe { name: of, note, tags }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((of, note.as_str(), tags.len()), (&name, "odd spectrum", 0));
    act(&mut app, Action::Tags);
    type_in(&mut app, "keep  small");
    let effects = act(&mut app, Action::Accept);
    let [Effect::Describe { note, tags, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(tags, &["keep", "small"]);

    // Written, they come back, and what else the file says stays.
    let file = store.path(&name).unwrap();
    let text_before = std::fs::read_to_string(file.join("session.toml")).unwrap();
    std::fs::write(file.join("session.toml"), format!("future = 1\n{text_before}")).unwrap();
    eigentop::session::Metadata::describe(&file, note, tags).unwrap();
    let metadata = eigentop::session::Metadata::read(&file).unwrap();
    assert_eq!((metadata.note.as_str(), metadata.tags.as_slice()), ("odd spectrum", tags.as_slice()));
    assert!(std::fs::read_to_string(file.join("session.toml")).unwrap().contains("future = 1"));

    app.view.overlay = Overlay::Sessions(Browser::new(store.list().unwrap()));
    act(&mut app, Action::Search);
    type_in(&mut app, "KEEP odd");
    assert_eq!(list(&app).shown().iter().map(|c| &c.name).collect::<Vec<_>>(), [&name]);
    act(&mut app, Action::Accept);
    assert_eq!(list(&app).shown().len(), 1);
    act(&mut app, Action::Search);
    act(&mut app, Action::Cancel);
    assert_eq!(list(&app).shown().len(), 2);
}

#[test]
fn a_line_is_erased_by_word_and_keeps_to_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = browsing(&recorded(folder.path(), &["alpha", "beta"]));
    act(&mut app, Action::Note);
    type_in(&mut app, "odd spectrum");
    act(&mut app, Action::EraseWord);
    type_in(&mut app, "end");
    // Neither the wheel nor a click leads away from the line.
    act(&mut app, Action::ScrollDown);
    update(&mut app, Message::Row(1));
    let effects = act(&mut app, Action::Accept);
    let [Effect::Describe { name, note, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((name.as_str(), note.as_str()), ("alpha", "odd end"));
    act(&mut app, Action::Note);
    act(&mut app, Action::Clear);
    assert_eq!(list(&app).line.as_ref().unwrap().1, "");
}

#[test]
fn a_click_chooses_a_session_and_another_replays_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = browsing(&recorded(folder.path(), &["alpha", "beta"]));
    let row = drawn(&app, 120, 40).1.rows[1].0;
    let kind = MouseEventKind::Down(MouseButton::Left);
    let click = Input::Mouse(MouseEvent { kind, column: row.x, row: row.y, modifiers: KeyModifiers::NONE });
    let mut clicked = || {
        let hits = drawn(&app, 120, 40).1;
        let messages = input::messages(&app, &hits, &click);
        messages.into_iter().flat_map(|m| update(&mut app, m)).collect::<Vec<_>>()
    };
    assert_eq!(clicked(), []);
    assert_eq!(clicked(), [Effect::Quit(Leave::Done)]);
    assert_eq!(app.view.next, Some(Next::Replay("beta".into())));
}

#[test]
fn thumbnails_take_the_theme_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let store = recorded(folder.path(), &["alpha"]);
    let mut app = browsing(&store);
    act(&mut app, Action::Cancel);
    app.theme = Theme::load("light", None).unwrap();
    browser::open(&mut app, store.list().unwrap());
    assert_eq!(app.previews["alpha"].as_ref().unwrap().theme, app.theme);
}

#[test]
fn opening_a_session_asks_first_while_computing() {
    let folder = tempfile::tempdir().unwrap();
    let store = recorded(folder.path(), &["alpha"]);
    let mut done = browsing(&store);
    assert_eq!(act(&mut done, Action::Open), [Effect::Quit(Leave::Done)]);
    assert_eq!(done.view.next, Some(Next::Replay("alpha".into())));

    let mut busy = live(&synthetic::until(|e| matches!(e, Event::Iteration { products: 20, .. })), "mono");
    busy.view.overlay = Overlay::Sessions(Browser::new(store.list().unwrap()));
    assert!(act(&mut busy, Action::Open).is_empty());
    assert_eq!(busy.view.overlay, Overlay::Leaving);
    act(&mut busy, Action::Cancel);
    assert_eq!(busy.view.next, None, "staying forgets where one wanted to go");
}

#[test]
fn two_sessions_are_told_apart_in_every_pane() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = browsing(&recorded(folder.path(), &["alpha"]));
    act(&mut app, Action::Compare);
    assert!(matches!(&app.view.notice, Some(Notice::Done(text)) if text.contains("alpha is drawn beside")));
    // Another run beside: fewer products, so that curves differ.
    let other = synthetic::until(|e| matches!(e, Event::Iteration { products: 30, .. }));
    let mut half = readout(&synthetic::run());
    half.solve = readout(&other).solve;
    app.compared = Some(Compared { name: "alpha".into(), readout: half });
    app.view.notice = None;
    for (pane, views) in [(Pane::Ratio, 3), (Pane::Estimators, 1)] {
        act(&mut app, Action::Focus(pane));
        (0..views).for_each(|_| drop(act(&mut app, Action::NextView)));
    }
    let screen = text(&app, 120, 40);
    assert!(screen.contains("B: alpha"), "{screen}");
    for label in ["◆ B λ₁", "◆ B k = 16", "◆ B median error", "◆ B J_sub k = 16"] {
        assert!(screen.contains(label), "{label} is not on\n{screen}");
    }
    insta::assert_snapshot!("compared_120x40", screen);
    // In the table of estimators, and in a map of its own.
    act(&mut app, Action::PreviousView);
    insta::assert_snapshot!("compared_by_draws_200x60", text(&app, 200, 60));
    act(&mut app, Action::PreviousView);
    assert!(text(&app, 200, 60).contains("◆ B seconds"), "{}", text(&app, 200, 60));
    act(&mut app, Action::PreviousView);
    assert_eq!(app.view.views.estimators, EstimatorsView::ByKAndSigma);
    insta::assert_snapshot!("compared_by_k_and_sigma_120x40", text(&app, 120, 40));
    act(&mut app, Action::Compare);
    assert!(app.compared.is_none() && !text(&app, 120, 40).contains('◆'));
}

#[test]
fn what_cannot_be_compared_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = recorded(folder.path(), &["alpha"]);
    let refused = |app: &mut App, why: &str| {
        act(app, Action::Compare);
        assert!(matches!(&app.view.notice, Some(Notice::Refused(w)) if w.contains(why)), "{:?}", app.view.notice);
    };
    let mut app = browsing(&store);
    app.name = Some("alpha".into());
    refused(&mut app, "is the one on the screen");
    let mut app = browsing(&store);
    // Not read yet, it is compared, or refused, when it comes.
    app.previews.clear();
    act(&mut app, Action::Compare);
    assert!(matches!(&app.view.notice, Some(Notice::Done(text)) if text.contains("being read")));
    let mut later = app.clone();
    browser::arrived(&mut later, "alpha".into(), Ok(readout(&synthetic::run())));
    assert_eq!(later.compared.map(|c| c.name).as_deref(), Some("alpha"));
    browser::arrived(&mut app, "alpha".into(), Err(Error::file(Path::new("events.jsonl"), "line 2 is damaged")));
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("line 2 is damaged")));
    refused(&mut app, "line 2 is damaged");
    assert!(text(&app, 120, 40).contains("line 2 is damaged"));
    let mut alone = replay(Vec::new());
    alone.view.overlay = app.view.overlay.clone();
    refused(&mut alone, "replay one first");
    assert_eq!(act(&mut alone, Action::Cancel), [Effect::Quit(Leave::Done)]);
}

#[test]
fn a_replay_is_stepped_by_events_and_by_marks() {
    let mut app = replay(synthetic::with_power());
    let place = |app: &App| {
        let Feed::Replay(p) = &app.feed else { unreachable!() };
        (p.place().0, p.position)
    };
    act(&mut app, Action::StepOn);
    act(&mut app, Action::StepOn);
    assert_eq!(place(&app).0, 2);
    assert!(app.readout.subject.is_some());
    act(&mut app, Action::StepBack);
    act(&mut app, Action::StepBack);
    assert_eq!((place(&app).0, &app.readout), (0, &Readout::default()));
    // Along the marks to the turned knob, and what was known there is what a fold up to there knows.
    let turned = synthetic::with_power().iter().rfind(|e| matches!(e.event, Event::Knobs(_))).unwrap().t;
    for _ in 0..20 {
        if place(&app).1 < turned {
            act(&mut app, Action::MarkOn);
        }
    }
    assert_eq!(place(&app).1, turned);
    assert_eq!(app.readout.knobs.solver, eigentop::engine::knobs::SolverKind::Power);
    act(&mut app, Action::MarkBack);
    assert_eq!(app.readout.knobs.solver, eigentop::engine::knobs::SolverKind::Lanczos);
    insta::assert_snapshot!("time_line_120x40", text(&app, 120, 40).lines().nth(36).unwrap());
    act(&mut app, Action::End);
    act(&mut app, Action::MarkOn);
    assert!(matches!(app.view.notice, Some(Notice::Refused(_))));
}

#[test]
fn a_branch_takes_the_knobs_of_its_moment() {
    let mut app = replay(synthetic::run());
    assert!(act(&mut app, Action::Branch).is_empty(), "nothing is open at the very start");
    assert!(matches!(app.view.notice, Some(Notice::Refused(_))));
    pass(&mut app, 3.0);
    act(&mut app, Action::Increase);
    assert_eq!(act(&mut app, Action::Branch), [Effect::Quit(Leave::Done)]);
    let Some(Next::Branch { t, knobs }) = &app.view.next else { panic!("{:?}", app.view.next) };
    assert_eq!((*t, knobs.sigma, knobs.n), (3.0, 1.25e-3, 8));
}
