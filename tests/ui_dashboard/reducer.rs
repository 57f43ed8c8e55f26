//! What keys do: pure, so that any sequence of them can be tried.

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use eigentop::engine::event::{Event, Stamped};
use eigentop::engine::knobs::{Law, SolverKind};
use eigentop::engine::worker::Run;
use eigentop::ui::action::{Action, BINDINGS};
use eigentop::ui::bars::contexts;
use eigentop::ui::input;
use eigentop::ui::knob::{Knob, Turn};
use eigentop::ui::look::Pointer;
use eigentop::ui::plot::window::Span;
use eigentop::ui::screen::{self, Hits};
use eigentop::ui::state::{App, Feed, Freshness, Notice, Overlay, Pace, Pane};
use eigentop::ui::update::{Effect, Leave, Message, pass, receive, update};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::overlays::with_settings;
use crate::screen::{live, replay};
use crate::synthetic;

fn act(app: &mut App, action: Action) -> Vec<Effect> {
    update(app, Message::Act(action))
}

fn computing() -> App {
    live(&synthetic::until(|e| matches!(e, Event::Iteration { products: 20, .. })), "mono")
}

#[test]
fn a_turned_knob_is_told_to_the_worker_once() {
    let mut app = computing();
    let effects = act(&mut app, Action::Increase);
    let [Effect::Want(wanted)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((wanted.knobs.sigma, wanted.run), (1.25e-3, Run::Going));
    assert_eq!(app.wanted, wanted.knobs);
    let undone = act(&mut app, Action::Undo);
    assert!(matches!(undone.as_slice(), [Effect::Want(w)] if w.knobs == synthetic::knobs()));
    assert!(act(&mut app, Action::Undo).is_empty());
    assert!(matches!(app.view.notice, Some(Notice::Refused(_))));
}

#[test]
fn a_knob_at_its_limit_says_why() {
    let mut app = computing();
    app.wanted.n = 15;
    assert!(update(&mut app, Message::Turn(Knob::N, Turn::Up)).is_empty());
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("needs 17 sequences")));
    assert_eq!(app.wanted.n, 15);
}

#[test]
fn a_law_that_does_not_fit_is_passed_over() {
    let mut app = computing();
    let laws: Vec<Law> = (0..3)
        .map(|_| {
            update(&mut app, Message::Turn(Knob::Law, Turn::Up));
            app.wanted.law
        })
        .collect();
    assert_eq!(laws, [Law::Bottom, Law::Random, Law::Top]);
}

#[test]
fn pausing_keeps_the_knobs() {
    let mut app = computing();
    assert!(matches!(act(&mut app, Action::Pause).as_slice(), [Effect::Want(w)] if w.run == Run::Paused));
    assert!(matches!(act(&mut app, Action::Increase).as_slice(), [Effect::Want(w)] if w.run == Run::Paused));
    assert!(matches!(act(&mut app, Action::Pause).as_slice(), [Effect::Want(w)] if w.run == Run::Going));
}

#[test]
fn leaving_asks_only_while_computing() {
    let mut app = live(&synthetic::run(), "mono");
    assert_eq!(act(&mut app, Action::Quit), [Effect::Quit(Leave::Done)]);
    let mut app = computing();
    assert!(act(&mut app, Action::Quit).is_empty());
    assert_eq!(app.view.overlay, Overlay::Leaving);
    assert!(act(&mut app, Action::Cancel).is_empty());
    assert_eq!(app.view.overlay, Overlay::None);
    act(&mut app, Action::Quit);
    assert_eq!(act(&mut app, Action::Stop), [Effect::Quit(Leave::Stopped)]);
    // Ctrl-C twice leaves at once.
    let mut app = computing();
    act(&mut app, Action::Quit);
    assert_eq!(act(&mut app, Action::Quit), [Effect::Quit(Leave::Stopped)]);
}

#[test]
fn finishing_goes_on_to_the_end_even_if_paused() {
    let mut app = computing();
    act(&mut app, Action::Pause);
    act(&mut app, Action::Quit);
    assert!(matches!(act(&mut app, Action::Finish).as_slice(), [Effect::Want(w)] if w.run == Run::Going));
    let seen = app.readout.t;
    let rest: Vec<Stamped> = synthetic::run().into_iter().filter(|e| e.t > seen).collect();
    let (last, others) = rest.split_last().unwrap();
    assert!(others.iter().all(|e| receive(&mut app, e).is_empty()));
    assert_eq!(receive(&mut app, last), [Effect::Quit(Leave::Done)]);
}

#[test]
fn saving_asks_for_a_name() {
    let mut app = computing();
    act(&mut app, Action::Save);
    assert!(act(&mut app, Action::Accept).is_empty());
    "first light".chars().for_each(|c| drop(update(&mut app, Message::Char(c))));
    act(&mut app, Action::Erase);
    assert_eq!(act(&mut app, Action::Accept), [Effect::Save("first ligh".into())]);
}

#[test]
fn keys_typed_into_a_line_are_not_commands() {
    let mut app = computing();
    act(&mut app, Action::Save);
    let key = |c| crossterm::event::Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
    assert_eq!(input::messages(&app, &Hits::default(), &key('q')), [Message::Char('q')]);
    act(&mut app, Action::Cancel);
    assert_eq!(input::messages(&app, &Hits::default(), &key('q')), [Message::Act(Action::Quit)]);
}

#[test]
fn every_digit_leads_to_its_pane_and_brings_it_back() {
    let mut app = computing();
    for pane in Pane::ALL {
        app.view.hidden.insert(pane);
        let digit = char::from_digit(pane.index() as u32 + 1, 10).unwrap();
        let key = crossterm::event::Event::Key(KeyEvent::new(KeyCode::Char(digit), KeyModifiers::NONE));
        let messages = input::messages(&app, &Hits::default(), &key);
        assert_eq!(messages, [Message::Act(Action::Focus(pane))]);
        update(&mut app, messages[0]);
        assert!(app.view.focus == pane && app.view.panes().contains(&pane));
    }
}

#[test]
fn every_pane_goes_through_its_views_and_back() {
    let mut app = computing();
    for pane in Pane::ALL {
        act(&mut app, Action::Focus(pane));
        let start = app.view.views;
        let mut seen = vec![start];
        loop {
            act(&mut app, Action::NextView);
            if app.view.views == start {
                break;
            }
            assert!(!seen.contains(&app.view.views));
            seen.push(app.view.views);
        }
        act(&mut app, Action::PreviousView);
        assert_eq!(app.view.views, seen[seen.len() - 1]);
        act(&mut app, Action::NextView);
        assert!(seen.len() >= 3, "{pane:?}");
    }
}

#[test]
fn figures_are_stale_until_the_new_ones_come() {
    let mut app = live(&synthetic::run(), "mono");
    assert!(Pane::ALL.iter().all(|p| app.freshness(*p) == Freshness::Fresh));
    update(&mut app, Message::Turn(Knob::Solver, Turn::Up));
    assert_eq!(app.wanted.solver, SolverKind::Power);
    assert_eq!(
        Pane::ALL.map(|p| app.freshness(p)),
        [
            Freshness::Stale,
            Freshness::Stale,
            Freshness::Fresh,
            Freshness::Stale,
            // A point of growth holds at its own n.
            Freshness::Fresh,
            Freshness::Stale,
            Freshness::Stale
        ]
    );
    let knobs = Event::Knobs(app.wanted.clone());
    app.fold(&Stamped { t: 30.0, event: knobs });
    assert_eq!(app.freshness(Pane::Spectrum), Freshness::Stale);
    let first = synthetic::with_power().into_iter().rfind(|e| matches!(e.event, Event::Iteration { products: 1, .. }));
    app.fold(&first.unwrap());
    assert_eq!(app.freshness(Pane::Spectrum), Freshness::Fresh);
    assert_eq!(app.freshness(Pane::Ratio), Freshness::Stale);
}

#[test]
fn sigma_moves_in_a_replay_and_nothing_else_does() {
    let mut app = replay(synthetic::run());
    pass(&mut app, 1e3);
    assert!(update(&mut app, Message::Turn(Knob::Sigma, Turn::FarUp)).is_empty());
    assert_eq!(app.wanted.sigma, 1e-2);
    update(&mut app, Message::Turn(Knob::N, Turn::Down));
    assert_eq!(app.wanted.n, 8);
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("only σ moves")));
}

#[test]
fn scrubbing_back_shows_what_was_known_then() {
    let mut app = replay(synthetic::run());
    pass(&mut app, 3.0);
    let then = app.readout.clone();
    act(&mut app, Action::End);
    assert!(app.readout.proxy().len() > then.proxy().len());
    act(&mut app, Action::Start);
    pass(&mut app, 0.0);
    act(&mut app, Action::Play);
    act(&mut app, Action::Play);
    let Feed::Replay(playback) = &app.feed else { unreachable!() };
    let missing = 3.0 - playback.position;
    pass(&mut app, missing);
    assert_eq!(app.readout, then);
}

const POINTERS: [Pointer; 6] =
    [Pointer::Moved, Pointer::Pressed, Pointer::Dragged, Pointer::Released, Pointer::WheelUp, Pointer::WheelDown];

/// Any message a user can cause.
fn message() -> impl Strategy<Value = Message> {
    let actions: Vec<Action> = BINDINGS.iter().map(|b| b.action).collect();
    let turns = vec![Turn::Up, Turn::Down, Turn::FarUp, Turn::FarDown];
    prop_oneof![
        6 => prop::sample::select(actions).prop_map(Message::Act),
        1 => any::<char>().prop_map(Message::Char),
        1 => prop::sample::select(vec!['1', '0', 'e', '-', '3', ' ', 'n']).prop_map(Message::Char),
        1 => (0usize..30).prop_map(Message::Row),
        1 => prop::sample::select(Knob::ALL.to_vec()).prop_map(Message::Choose),
        2 => (prop::sample::select(Knob::ALL.to_vec()), prop::sample::select(turns))
            .prop_map(|(knob, turn)| Message::Turn(knob, turn)),
        3 => (prop::sample::select(POINTERS.to_vec()), 0u16..220, 0u16..64).prop_map(|(p, x, y)| Message::Point(p, x, y)),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    User(Message),
    /// A key or a click, through the keymap and what lies where.
    Input(Input),
    /// The next so many events, or so many hundredths of a second of a replay.
    Time(usize),
    Resize(u16, u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => message().prop_map(Step::User),
        4 => input().prop_map(Step::Input),
        3 => (0usize..120).prop_map(Step::Time),
        2 => (0u16..220, 0u16..64).prop_map(|(w, h)| Step::Resize(w, h)),
    ]
}

/// Anything a terminal can send.
fn input() -> impl Strategy<Value = Input> {
    let named = vec![KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Up, KeyCode::Down];
    let code = prop_oneof![
        3 => prop::sample::select((' '..='~').collect::<Vec<char>>()).prop_map(KeyCode::Char),
        2 => prop::sample::select(named),
    ];
    let modifiers = prop::sample::select(vec![KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::SHIFT]);
    let kind = prop::sample::select(vec![MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollDown]);
    prop_oneof![
        5 => (code, modifiers).prop_map(|(code, modifiers)| Input::Key(KeyEvent::new(code, modifiers))),
        1 => (kind, 0u16..120, 0u16..40).prop_map(|(kind, column, row)| {
            Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
        }),
        1 => any::<String>().prop_map(Input::Paste),
    ]
}

fn places(hits: &Hits) -> impl Iterator<Item = Rect> {
    let (panes, knobs) = (hits.panes.iter().map(|h| h.0), hits.knobs.iter().map(|h| h.0));
    panes.chain(knobs).chain(hits.rows.iter().map(|h| h.0))
}

/// Walk through `steps` and draw after each; everything drawn lies on the screen, and knobs stay usable.
fn walk(mut app: App, events: &[Stamped], steps: &[Step]) {
    let (mut at, mut size, mut hits) = (0, (80, 24), Hits::default());
    for step in steps {
        match step {
            Step::User(message) => drop(update(&mut app, *message)),
            Step::Input(event) => {
                for message in input::messages(&app, &hits, event) {
                    update(&mut app, message);
                }
            }
            Step::Time(count) => {
                pass(&mut app, *count as f64 / 100.0);
                let end = (at + count).min(events.len());
                events[at..end].iter().for_each(|e| drop(receive(&mut app, e)));
                at = end;
            }
            Step::Resize(width, height) => size = (*width, *height),
        }
        let area = Rect::new(0, 0, size.0, size.1);
        hits = screen::draw(&app, &mut Buffer::empty(area));
        app.plots.clone_from(&hits.plots);
        for window in app.view.windows {
            let inside = |s: Span| s.low() >= 0.0 && s.high() <= 1.0 + 1e-9 && s.length() > 0.0;
            assert!(inside(window.x) && inside(window.y), "{window:?}");
        }
        for (pane, placed) in &hits.plots {
            let finite = |(low, high): (f64, f64)| low < high && low.is_finite() && high.is_finite();
            assert!(finite(placed.x.bounds()) && finite(placed.y.bounds()), "{pane:?} {placed:?}");
            assert!(area.union(placed.area) == area);
        }
        assert!(app.view.crosshair.is_none_or(|c| c.x.is_finite()));
        assert!(places(&hits).all(|r| area.union(r) == area));
        assert!(app.wanted.check(usize::MAX, usize::MAX).is_ok());
        assert!(!contexts(&app).is_empty());
    }
}

#[test]
fn tabs_beyond_a_narrow_screen_lie_nowhere() {
    let steps = [Step::User(Message::Act(Action::Focus(Pane::Estimators))), Step::Resize(40, 34)];
    walk(with_settings(replay(synthetic::with_power())), &[], &steps);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_at_any_moment_and_size_break_the_live_dashboard(steps in prop::collection::vec(step(), 1..40)) {
        let app = with_settings(live(&[], "mono"));
        prop_assert_eq!(matches!(app.feed, Feed::Live(Pace::Going)), true);
        walk(app, &synthetic::with_power(), &steps);
    }

    #[test]
    fn no_keys_at_any_moment_and_size_break_a_replay(steps in prop::collection::vec(step(), 1..40)) {
        walk(with_settings(replay(synthetic::with_power())), &[], &steps);
    }
}
