//! What stands on the screen: at each size, in each state, with and without colour.

use eigentop::engine::event::{Event, Stage, Stamped};
use eigentop::engine::knobs::{Knobs, SolverKind};
use eigentop::ui::action::{Action, BINDINGS};
use eigentop::ui::colour::Colours;
use eigentop::ui::knob::Knob;
use eigentop::ui::playback::Playback;
use eigentop::ui::plot::raster::Marker;
use eigentop::ui::screen::{self, Hits};
use eigentop::ui::state::{App, Feed, Pace, Pane};
use eigentop::ui::theme::{self, Theme, Token};
use eigentop::ui::update::{Message, pass, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::synthetic;

/// A live dashboard that has seen `events`.
pub fn live(events: &[Stamped], theme: &str) -> App {
    let theme = Theme::load(theme, None).unwrap();
    let mut app = App::new(Feed::Live(Pace::Going), synthetic::knobs(), None, theme, Marker::Braille);
    app.themes = theme::all(None, Colours::True);
    for event in events {
        app.fold(event);
    }
    app
}

/// A replay of `events` at its start.
pub fn replay(events: Vec<Stamped>) -> App {
    let theme = Theme::load("mono", None).unwrap();
    let feed = Feed::Replay(Playback::new(events, 1.0));
    let mut app = App::new(feed, Knobs::default(), Some("demo".into()), theme, Marker::Braille);
    app.themes = theme::all(None, Colours::True);
    app
}

/// The dashboard after some actions.
pub fn after(mut app: App, actions: &[Action]) -> App {
    for action in actions {
        update(&mut app, Message::Act(*action));
    }
    app
}

pub fn drawn(app: &App, width: u16, height: u16) -> (Buffer, Hits) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut hits = Hits::default();
    terminal.draw(|frame| hits = screen::draw(app, frame.buffer_mut())).unwrap();
    (terminal.backend().buffer().clone(), hits)
}

/// The screen as text.
pub fn text(app: &App, width: u16, height: u16) -> String {
    let (buffer, _) = drawn(app, width, height);
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

/// The cell where `words` begin.
pub fn find(buffer: &Buffer, words: &str) -> (u16, u16) {
    let Rect { width, height, .. } = *buffer.area();
    let signs: Vec<String> = words.chars().map(String::from).collect();
    let starts = |x: u16, y: u16| {
        signs.iter().enumerate().all(|(i, s)| x + (i as u16) < width && buffer[(x + i as u16, y)].symbol() == s)
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    places.into_iter().find(|(x, y)| starts(*x, *y)).unwrap_or_else(|| panic!("{words:?} is not on the screen"))
}

/// The panes `away` put away, the first of the others in focus.
fn without(app: App, away: &[Pane]) -> App {
    let app = away.iter().fold(app, |app, pane| after(app, &[Action::Focus(*pane), Action::Hide]));
    let first = app.view.panes()[0];
    after(app, &[Action::Focus(first)])
}

#[test]
fn panes_are_put_away_and_brought_back() {
    let app = without(live(&synthetic::run(), "mono"), &[Pane::Growth, Pane::Laws, Pane::Theory]);
    let mut app = after(app, &[Action::Focus(Pane::Ratio), Action::Hide]);
    assert_eq!((app.view.focus, app.view.panes().len()), (Pane::Proxy, 3));
    let screen = text(&app, 120, 40);
    assert!(!screen.contains("2 Ratio") && screen.contains("Ratio is put away; 2 brings it back"));
    insta::assert_snapshot!("three_panes_120x40", screen);
    app = after(app, &[Action::Hide]);
    insta::assert_snapshot!("two_panes_120x40", text(&app, 120, 40));
    app = after(app, &[Action::Focus(Pane::Ratio)]);
    assert!(text(&app, 120, 40).contains("▸2 Ratio"));
    // However often, one pane stays, and from there all come back.
    for _ in 0..9 {
        app = after(app, &[Action::Hide]);
        assert!(app.view.panes().contains(&app.view.focus));
    }
}

#[test]
fn pages_hold_what_does_not_fit_and_the_focus_turns_them() {
    let app = live(&synthetic::run(), "mono");
    let pane = |screen: &str, pane: Pane| screen.matches(&format!("{} {} ─", pane.index() + 1, pane.name())).count();
    let shown = |app: &App, (width, height)| {
        let screen = text(app, width, height);
        // The names of all panes are in sight, and a click on one leads to it.
        assert!(Pane::ALL.iter().all(|p| screen.contains(&format!("{} {}", p.index() + 1, p.name()))), "{screen}");
        let (buffer, hits) = drawn(app, width, height);
        for pane in Pane::ALL {
            let (x, y) = find(&buffer, &format!("{} {} ", pane.index() + 1, pane.name()));
            assert_eq!((hits.pane(x, y), y), (Some(pane), 1));
        }
        Pane::ALL.into_iter().filter(|p| pane(&screen, *p) == 1).collect::<Vec<_>>()
    };
    assert_eq!(shown(&app, (120, 40)), Pane::ALL[..4]);
    assert_eq!(shown(&app, (80, 24)), [Pane::Spectrum]);
    let next = after(app.clone(), &[Action::NextPane; 4]);
    assert_eq!((next.view.focus, shown(&next, (120, 40))), (Pane::Growth, Pane::ALL[4..].to_vec()));
    assert_eq!(shown(&after(app.clone(), &[Action::Focus(Pane::Theory)]), (120, 40)), Pane::ALL[4..]);
    assert_eq!(shown(&after(app.clone(), &[Action::PreviousPane, Action::Zoom]), (120, 40)), [Pane::Theory]);
    // A pane put away makes room for the next on its page.
    let fewer = without(app, &[Pane::Proxy]);
    let screen = text(&fewer, 120, 40);
    assert!(pane(&screen, Pane::Growth) == 1 && pane(&screen, Pane::Laws) == 0, "{screen}");
}

#[test]
fn what_was_not_computed_says_how_to_get_it() {
    let none = Knobs::default();
    let mut app = live(&synthetic::without_exhibits(&none), "mono");
    app.wanted = none.clone();
    let all = [
        (Pane::Growth, 0, "growth among others, computes it"),
        (Pane::Laws, 0, "laws among others, computes it"),
        (Pane::Theory, 0, "theory among others, computes it"),
        (Pane::Theory, 2, "laws among others, computes it"),
        (Pane::Spectrum, 3, "density among others, computes it"),
        (Pane::Proxy, 2, "eigentop growth measures it"),
    ];
    let said = |app: &App, pane, view: usize| {
        let app = after(after(app.clone(), &[Action::Focus(pane)]), &vec![Action::NextView; view]);
        // Words may be broken anywhere.
        let screen = text(&app, 80, 24).replace(['│', '┃'], " ");
        screen.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (pane, view, words) in all {
        assert!(said(&app, pane, view).contains(words), "{pane:?} {view}: {}", said(&app, pane, view));
    }
    insta::assert_snapshot!("not_asked_120x40", text(&after(app.clone(), &[Action::Focus(Pane::Growth)]), 120, 40));
    // Asked for, it is on its way.
    app.wanted = synthetic::knobs();
    assert!(said(&app, Pane::Growth, 0).contains("waiting for exhibits"), "{}", said(&app, Pane::Growth, 0));
    // In a recording there is no asking.
    let mut old = replay(synthetic::without_exhibits(&none));
    pass(&mut old, 1e3);
    assert!(said(&old, Pane::Growth, 0).contains("Not in this recording: eigentop --exhibits growth computes it"));
}

#[test]
fn a_growth_run_is_shown_by_its_own_panes() {
    let mut app = replay(synthetic::growth_run());
    pass(&mut app, 2.0);
    let app = after(app, &[Action::Focus(Pane::Growth)]);
    insta::assert_snapshot!("growth_begun_80x24", text(&app, 80, 24));
    let app = after(app, &[Action::End]);
    insta::assert_snapshot!("growth_run_120x40", text(&after(app.clone(), &[Action::Zoom]), 120, 40));
    let proxy = after(app.clone(), &[Action::Focus(Pane::Proxy), Action::NextView, Action::NextView]);
    insta::assert_snapshot!("growth_proxy_80x24", text(&proxy, 80, 24));
    let first = text(&after(app, &[Action::Focus(Pane::Spectrum)]), 120, 40);
    assert_eq!(first.matches("against n: 5 shows them").count(), 4, "{first}");
}

#[test]
fn a_partial_growth_shows_what_it_has() {
    let second = |e: &Event| matches!(e, Event::Growth(point) if point.n == 2);
    let app = after(live(&synthetic::until(second), "mono"), &[Action::Focus(Pane::Growth)]);
    let screen = text(&app, 80, 24);
    assert!(screen.contains("two points") && !screen.contains("recomputing"), "{screen}");
    let first = |e: &Event| matches!(e, Event::Growth(point) if point.n == 1);
    let app = after(live(&synthetic::until(first), "mono"), &[Action::Focus(Pane::Growth)]);
    assert!(text(&app, 80, 24).contains("A slope needs two n"), "{}", text(&app, 80, 24));
    let overlap = after(app, &[Action::NextView, Action::NextView, Action::NextView]);
    assert!(text(&overlap, 80, 24).contains("second eigenspace brings the first overlap"));
}

#[test]
fn the_gradient_is_in_sight_all_along() {
    let app = live(&synthetic::until(|e| matches!(e, Event::Gradients { .. })), "mono");
    assert!(text(&app, 80, 24).contains("demo · ‖g^(8)‖ 0.31"));
    let mut app = replay(synthetic::growth_run());
    pass(&mut app, 1e3);
    assert!(text(&app, 80, 24).contains("demo · ‖g^(8)‖ 0.31"));
}

#[test]
fn wide_and_tall_screens_show_panes_in_a_row_or_a_column() {
    let app = live(&synthetic::run(), "mono");
    insta::assert_snapshot!("wide_240x45", text(&app, 240, 45));
    let tall = text(&app, 80, 64);
    assert!(Pane::ALL[..4].iter().all(|p| tall.contains(&format!("{} {} ─", p.index() + 1, p.name()))), "{tall}");
}

#[test]
fn a_newcomer_is_told_the_first_keys_until_some_were_pressed() {
    let mut app = live(&synthetic::run(), "mono");
    app.view.hint = 2;
    assert!(text(&app, 120, 40).contains("First look?"));
    let app = after(app, &[Action::NextPane, Action::NextPane]);
    assert!(!text(&app, 120, 40).contains("First look?"));
}

#[test]
fn before_anything_is_known() {
    insta::assert_snapshot!(text(&live(&[], "mono"), 120, 40));
}

#[test]
fn the_solve_under_way() {
    let half = |e: &Event| matches!(e, Event::Iteration { products: 20, .. });
    insta::assert_snapshot!(text(&live(&synthetic::until(half), "mono"), 120, 40));
}

#[test]
fn power_iteration_beside_the_former_lanczos() {
    let mut app = live(&synthetic::with_power(), "mono");
    app.wanted.solver = SolverKind::Power;
    let screen = text(&app, 120, 40);
    assert!(screen.contains("(power);") && screen.contains("before, dashed: lanczos 48 products"));
    // The spectrum is of the new solver; what follows from the former basis is marked.
    assert_eq!(screen.matches("recomputing").count(), 2);
    insta::assert_snapshot!(screen);
}

#[test]
fn a_turned_sigma_redraws_its_curves_at_once() {
    let app = live(&synthetic::run(), "mono");
    let before = text(&app, 120, 40);
    let screen = text(&after(app, &[Action::Leap]), 120, 40);
    assert!(before.contains("J_sub/J_full at σ = 1e-3") && screen.contains("J_sub/J_full at σ = 1e-2"));
    let share = |s: &str| s.lines().find(|l| l.contains("│   16  ")).unwrap().to_owned();
    assert_ne!(share(&before), share(&screen));
    assert!(!screen.contains("recomputing"), "σ makes nothing outdated");
    insta::assert_snapshot!(screen);
}

#[test]
fn a_turned_n_marks_all_that_follows_from_it() {
    let app = after(live(&synthetic::run(), "dark"), &[Action::NextKnob, Action::Decrease]);
    let (buffer, _) = drawn(&app, 120, 40);
    let screen = text(&app, 120, 40);
    assert_eq!(screen.matches("recomputing").count(), 4);
    assert_eq!(buffer[find(&buffer, "0.9998")].fg, app.style(Token::Stale).fg.unwrap());
}

#[test]
fn colour_says_what_words_and_strokes_say() {
    let app = live(&synthetic::run(), "dark");
    let (buffer, _) = drawn(&app, 120, 40);
    let fg = |words| buffer[find(&buffer, words)].fg;
    assert_eq!(Some(fg("✓ complete")), app.style(Token::Good).fg);
    assert_eq!(Some(fg("⚠ w*")), app.style(Token::Warning).fg);
    assert_eq!(Some(fg("━ λ₁")), app.style(Token::Series1).fg);
    assert_eq!(Some(fg("╍ λ₂")), app.style(Token::Series2).fg);
    assert_eq!(buffer[find(&buffer, "σ ◂ 1e-3")].bg, app.style(Token::Selected).bg.unwrap());
    assert!(buffer.content().iter().all(|c| Some(c.bg) != Some(ratatui::style::Color::Reset)), "a cell has no ground");
}

#[test]
fn help_lists_every_action() {
    let app = after(live(&synthetic::run(), "mono"), &[Action::Help]);
    let all = text(&app, 120, 180);
    for binding in BINDINGS {
        assert!(all.contains(binding.description), "{}", binding.description);
        let keys = app.keymap.of(binding.context, binding.action).unwrap().written();
        assert!(all.contains(&keys), "{keys}");
    }
    for knob in Knob::ALL {
        assert!(all.contains(knob.meaning()), "{}", knob.meaning());
    }
    let bottom = after(app, &[Action::ScrollDown; 200]);
    assert!(text(&bottom, 80, 24).contains("mouse"));
}

#[test]
fn the_log() {
    let half = |e: &Event| matches!(e, Event::Iteration { products: 20, .. });
    let app = live(&synthetic::until(half), "mono");
    insta::assert_snapshot!("log_120x40", text(&after(app, &[Action::Log]), 120, 40));
}

#[test]
fn a_typed_value_is_checked_before_it_is_taken() {
    let mut app = after(live(&synthetic::run(), "mono"), &[Action::NextKnob, Action::Type]);
    "16".chars().for_each(|c| drop(update(&mut app, Message::Char(c))));
    assert!(text(&app, 80, 24).contains("n = 16    now 8"));
    assert!(update(&mut app, Message::Act(Action::Accept)).is_empty());
    assert!(text(&app, 120, 40).contains("✗ --n: 16 needs 17 sequences"));
}

#[test]
fn a_replay_plays_the_same_screen_with_its_place() {
    let mut app = replay(synthetic::run());
    pass(&mut app, 4.0);
    insta::assert_snapshot!("replay_80x24", text(&app, 80, 24));
    pass(&mut app, 1e3);
    let panes =
        |s: String| s.lines().filter(|l| l.contains(['│', '┃', '╭', '┏'])).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(panes(text(&app, 120, 41)), panes(text(&live(&synthetic::run(), "mono"), 120, 40)));
}

#[test]
fn a_failure_says_what_happened_where_the_eye_is() {
    let mut events = synthetic::until(|e| matches!(e, Event::Done { stage: Stage::Linearise, .. }));
    events.push(Stamped { t: 1.0, event: Event::Failed { message: "the loss is NaN at sequence 3".into() } });
    let screen = text(&live(&events, "mono"), 120, 40);
    assert!(screen.contains("✗ failed") && screen.contains("✗ the loss is NaN at sequence 3"));
    assert!(screen.contains("Computing stopped before it."));
}

#[test]
fn the_mouse_finds_panes_and_knobs() {
    let app = live(&synthetic::run(), "mono");
    let (buffer, hits) = drawn(&app, 120, 40);
    let at = |words| find(&buffer, words);
    let (x, y) = at("rounding");
    assert_eq!(hits.pane(x, y), Some(Pane::Proxy));
    let (x, y) = at("solver lanczos");
    assert_eq!(hits.knob(x, y), Some(Knob::Solver));
    assert_eq!(hits.knob(0, 0), None);
}

#[test]
fn the_picture_is_well_formed_and_says_what_the_screen_says() {
    let mut readout = eigentop::engine::readout::Readout::default();
    synthetic::run().iter().for_each(|e| readout.apply(e));
    let svg = eigentop::ui::picture(&readout, (120, 40), &Theme::load("dark", None).unwrap());
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("eigentop") && svg.contains("quadratic") && svg.contains("&lt;").then_some(()).is_none());
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert!(svg.contains(&format!("#{:02x}{:02x}{:02x}", 0x7c, 0xc4, 0xf5)), "the first curve's colour");
}
