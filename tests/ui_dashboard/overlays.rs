//! What lies over the dashboard: help, palette, settings, themes, the question how to leave; at each size, with and
//! without colour, and what keys do there.

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use eigentop::engine::event::Event;
use eigentop::engine::knobs::{Knobs, Method, SolverKind};
use eigentop::ui::Mouse;
use eigentop::ui::action::Action;
use eigentop::ui::colour::{Choice, Colours};
use eigentop::ui::input;
use eigentop::ui::menu::Kind;
use eigentop::ui::plot::raster::Marker;
use eigentop::ui::settings::{Origin, Setting};
use eigentop::ui::state::{App, Notice, Overlay};
use eigentop::ui::theme::Token;
use eigentop::ui::update::{Effect, Message, update};

use crate::screen::{after, drawn, find, live, replay, text};
use crate::synthetic;

/// A dashboard in the middle of its run.
fn computing(theme: &str) -> App {
    live(&synthetic::until(|e| matches!(e, Event::Iteration { products: 20, .. })), theme)
}

fn setting(key: &str, value: &str, origin: Origin, choices: &[&str], about: &str) -> Setting {
    let choices = choices.iter().map(|c| (*c).to_owned()).collect();
    Setting { key: key.into(), about: about.into(), choices, value: value.into(), origin, next: None }
}

/// The same with some settings, as the command line lists them.
pub fn with_settings(mut app: App) -> App {
    app.settings = vec![
        setting("n", "8", Origin::Flag, &[], "Training sequences that define the empirical risk L_n [default: 8]"),
        setting("k", "1,4,16", Origin::Default, &[], "Dimensions of the probed subspaces, such as 16 or 1,4,16"),
        setting("solver", "lanczos", Origin::File, &["lanczos", "power"], "Eigensolver [default: lanczos]"),
        setting("precision", "f32", Origin::Environment, &["f32", "f64"], "Floating-point precision [default: f32]"),
        setting("memory", "", Origin::Default, &[], "Memory that may be used, such as 4GiB"),
        setting("theme", "mono", Origin::Default, &[], "Colour theme; `eigentop themes` lists them"),
        setting(
            "colour",
            "auto",
            Origin::Default,
            &["auto", "none", "16", "256", "true"],
            "How many colours are shown",
        ),
        setting("marker", "braille", Origin::Default, &["braille", "ascii"], "What curves are drawn with"),
        setting("mouse", "on", Origin::Default, &["on", "off"], "Whether the mouse is listened to [default: on]"),
    ];
    app.check_setting =
        |key, value| if key == "precision" && value == "f16" { Err("f16 is none".into()) } else { Ok(()) };
    app
}

fn typed(mut app: App, words: &str) -> App {
    words.chars().for_each(|c| drop(update(&mut app, Message::Char(c))));
    app
}

fn press(app: &mut App, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
    let messages = input::messages(app, &Default::default(), &Input::Key(KeyEvent::new(code, modifiers)));
    messages.into_iter().flat_map(|message| update(app, message)).collect()
}

/// Each thing that can lie over the dashboard, by name.
fn overlays(theme: &str) -> Vec<(&'static str, App)> {
    let app = || with_settings(computing(theme));
    vec![
        ("help", after(app(), &[Action::Help])),
        ("palette", after(app(), &[Action::Commands])),
        ("palette_typed", typed(after(app(), &[Action::Commands]), "sigma 2e-3")),
        ("palette_words", typed(after(app(), &[Action::Commands]), "pane")),
        ("settings", after(app(), &[Action::Settings, Action::ScrollDown, Action::ScrollDown, Action::ScrollDown])),
        ("themes", after(app(), &[Action::Theme, Action::ScrollUp])),
        ("presets", after(app(), &[Action::Preset])),
        ("leaving", after(app(), &[Action::Quit])),
    ]
}

#[test]
fn overlays_at_every_size() {
    for (name, app) in overlays("mono") {
        for (width, height) in [(80, 24), (120, 40), (200, 60), (20, 5)] {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&app, width, height));
        }
    }
}

#[test]
fn overlays_in_ascii_use_no_other_sign() {
    for (name, mut app) in overlays("mono") {
        app.marker = Marker::Ascii;
        for (width, height) in [(80, 24), (120, 40), (20, 5)] {
            let screen = text(&app, width, height);
            assert!(screen.is_ascii(), "{name}:\n{screen}");
        }
        if matches!(name, "palette_typed" | "themes" | "settings") {
            insta::assert_snapshot!(format!("{name}_ascii_80x24"), text(&app, 80, 24));
        }
    }
}

#[test]
fn overlays_in_colour_have_their_tokens() {
    for (name, app) in overlays("dark") {
        let (buffer, hits) = drawn(&app, 120, 40);
        let fg = |words: &str| Some(buffer[find(&buffer, words)].fg);
        let bg = |words: &str| Some(buffer[find(&buffer, words)].bg);
        let style = |token| app.style(token);
        match name {
            "help" => assert_eq!(fg("Dashboard"), style(Token::TitleFocus).fg),
            "palette" => {
                assert_eq!(bg("▸quit     "), style(Token::Selected).bg);
                assert_eq!(hits.rows[0].1, 0);
            }
            // What was typed is marked in the names of the rows that are not chosen.
            "palette_words" => {
                let row = hits.rows[1].0;
                let marked = (row.x..row.right()).filter(|x| Some(buffer[(*x, row.y)].fg) == style(Token::Accent).fg);
                assert_eq!(marked.count(), "pane".len());
            }
            "settings" => {
                assert_eq!(bg("▸precision  f32"), style(Token::Selected).bg);
                assert_eq!(hits.rows.len(), app.settings.len());
            }
            "themes" => {
                // Each theme shows its own curves on its own ground.
                let light = app.theme_called("light").unwrap();
                let row = hits.rows[1].0;
                let cells = (row.x..row.right()).map(|x| &buffer[(x, row.y)]);
                assert!(
                    cells.into_iter().any(
                        |c| Some(c.fg) == light.get(Token::Series1).fg && Some(c.bg) == light.get(Token::Ground).bg
                    )
                );
            }
            "leaving" => assert_eq!(fg("f  finish"), style(Token::Key).fg),
            _ => {}
        }
    }
}

#[test]
fn the_palette_finds_actions_knobs_themes_and_presets() {
    let app = after(computing("mono"), &[Action::Commands]);
    let first = |words: &str| {
        let app = typed(app.clone(), words);
        let Overlay::Menu(menu) = &app.view.overlay else { unreachable!() };
        menu.entry(&app).map_or(String::new(), |e| e.name)
    };
    for (words, name) in [
        ("quit", "quit"),
        ("zom", "zoom"),
        ("npane", "next-pane"),
        ("sigma 1e-3", "sigma 1e-3"),
        ("σ 2e-3", "sigma 2e-3"),
        ("n 4", "n 4"),
        ("k 1,8", "k 1,8"),
        ("sol pow", "solver power"),
        ("solver power", "solver power"),
        ("theme pap", "theme paper"),
        ("preset q", "preset quick"),
        ("seed 7", "seed 7"),
        ("logarithmic", "scale-y"),
        ("xyzzy", ""),
    ] {
        assert_eq!(first(words), name, "{words:?}");
    }
}

#[test]
fn commands_of_the_palette_are_carried_out_or_explained() {
    let run = |words: &str| {
        let mut app = typed(after(computing("mono"), &[Action::Commands]), words);
        let effects = update(&mut app, Message::Act(Action::Accept));
        (app, effects)
    };
    let (app, effects) = run("sigma 2e-3");
    assert!(matches!(effects.as_slice(), [Effect::Want(w)] if w.knobs.sigma == 2e-3));
    assert_eq!(app.view.overlay, Overlay::None);
    assert_eq!(run("solver power").0.wanted.solver, SolverKind::Power);
    assert_eq!(run("tol 1e-5").0.wanted.tol, 1e-5);
    let (app, effects) = run("n 400");
    assert!(effects.is_empty());
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("needs 401 sequences")));
    let (app, _) = run("n many");
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("not a whole number")));
    let (app, _) = run("theme light");
    assert_eq!(app.theme.name, "light");
    let (mut app, _) = run("preset paper");
    assert_eq!((app.wanted.method, app.wanted.n), (Method::Paper, 8));
    // Undo takes back a whole preset.
    update(&mut app, Message::Act(Action::Undo));
    assert_eq!(app.wanted, synthetic::knobs());
    // A knob without a value asks for one, in the palette.
    let (app, _) = run("draws");
    let Overlay::Menu(menu) = &app.view.overlay else { panic!("{:?}", app.view.overlay) };
    assert_eq!(menu.text, "draws ");
    // An action of the table: here one that opens something else.
    assert!(matches!(run("help").0.view.overlay, Overlay::Help(0)));
}

#[test]
fn in_a_replay_the_palette_offers_what_a_replay_can() {
    let app = after(replay(synthetic::run()), &[Action::Commands]);
    let screen = text(&typed(app.clone(), "speed"), 120, 40);
    assert!(screen.contains("slower") && screen.contains("faster"), "{screen}");
    assert!(!text(&typed(app, "preset"), 120, 40).contains("preset quick"));
}

#[test]
fn a_theme_is_shown_while_it_is_chosen_and_escape_brings_the_former_back() {
    let mut app = computing("dark");
    assert_eq!(update(&mut app, Message::Act(Action::Theme)), [Effect::ReadThemes]);
    update(&mut app, Message::Act(Action::ScrollDown));
    assert_eq!(app.theme.name, "light");
    let app = typed(app, "nord");
    assert_eq!(app.theme.name, "nord");
    let mut cancelled = app.clone();
    update(&mut cancelled, Message::Act(Action::Cancel));
    assert_eq!((cancelled.theme.name.as_str(), &cancelled.view.overlay), ("dark", &Overlay::None));
    let mut taken = app.clone();
    update(&mut taken, Message::Act(Action::Accept));
    assert_eq!(taken.theme.name, "nord");
    // Ctrl-C asks how to leave, in the former theme.
    let mut left = app;
    update(&mut left, Message::Act(Action::Quit));
    assert_eq!((left.theme.name.as_str(), &left.view.overlay), ("dark", &Overlay::Leaving));
}

#[test]
fn a_broken_theme_is_named_and_not_taken() {
    let mut app = computing("dark");
    app.themes.push(("odd".into(), Err("odd.toml: line 3: tokens.text: no".into())));
    let mut app = typed(after(app, &[Action::Theme]), "odd");
    assert!(text(&app, 120, 40).contains("✗ odd.toml: line 3:"));
    update(&mut app, Message::Act(Action::Accept));
    assert_eq!(app.theme.name, "dark");
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("line 3")));
}

#[test]
fn settings_change_what_can_change_and_keep_the_rest_for_the_next_start() {
    let mut app = after(with_settings(computing("dark")), &[Action::Settings]);
    let act = |app: &mut App, action| update(app, Message::Act(action));
    // n is a knob: it turns, and its turn can be kept.
    assert!(matches!(act(&mut app, Action::Decrease).as_slice(), [Effect::Want(w)] if w.knobs.n == 7));
    assert_eq!(act(&mut app, Action::Save), [Effect::Keep { key: "n".into(), value: "7".into() }]);
    eigentop::ui::settings::kept(&mut app, "n", "7");
    assert_eq!((app.settings[0].value.as_str(), app.settings[0].origin), ("7", Origin::File));
    // k takes a list, typed.
    let mut app = typed(after(app, &[Action::ScrollDown, Action::Type]), "1,2");
    act(&mut app, Action::Accept);
    assert_eq!(app.wanted.ks, [1, 2]);
    // The precision waits.
    let mut app = after(app, &[Action::ScrollDown, Action::ScrollDown, Action::Increase]);
    assert_eq!(app.settings[3].next.as_deref(), Some("f64"));
    assert!(text(&app, 120, 40).contains("f32 → f64"));
    assert_eq!(act(&mut app, Action::Save), [Effect::Keep { key: "precision".into(), value: "f64".into() }]);
    let mut app = typed(after(app, &[Action::Type]), "f16");
    act(&mut app, Action::Accept);
    assert!(text(&app, 120, 40).contains("✗ f16 is none"));
    act(&mut app, Action::Cancel);
    // What has no choices is typed.
    let mut app = after(app, &[Action::ScrollDown, Action::Increase]);
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("type a value")));
    // Theme, colours, marker and mouse change at once.
    app = after(app, &[Action::ScrollDown, Action::Increase]);
    assert_eq!(app.theme.name, "light");
    app = after(app, &[Action::ScrollDown, Action::Increase]);
    assert_eq!((app.colour, app.colours()), (Choice::None, Colours::None));
    assert_eq!(app.style(Token::Series1).fg, Some(ratatui::style::Color::Reset));
    app = after(app, &[Action::ScrollDown, Action::Decrease]);
    assert_eq!(app.marker, Marker::Ascii);
    app = after(app, &[Action::ScrollDown]);
    assert_eq!(act(&mut app, Action::Increase), [Effect::Mouse(Mouse::Off)]);
    act(&mut app, Action::Cancel);
    assert_eq!(app.view.overlay, Overlay::None);
}

#[test]
fn in_a_replay_knobs_are_settings_for_the_next_start() {
    let mut app = with_settings(replay(synthetic::run()));
    app = typed(after(app, &[Action::Settings, Action::Type]), "4");
    update(&mut app, Message::Act(Action::Accept));
    assert_eq!((app.settings[0].next.as_deref(), &app.wanted), (Some("4"), &Knobs::default()));
}

#[test]
fn rows_are_chosen_and_taken_with_the_mouse() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut app = after(computing("dark"), &[Action::Theme]);
    let (_, hits) = drawn(&app, 120, 40);
    let at = |row: usize| (hits.rows[row].0.x, hits.rows[row].0.y);
    let mut mouse = |kind, (column, row)| {
        let event = Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
        input::messages(&app, &hits, &event).into_iter().for_each(|message| drop(update(&mut app, message)));
        (app.theme.name.clone(), matches!(app.view.overlay, Overlay::Menu(_)))
    };
    assert_eq!(mouse(MouseEventKind::Down(MouseButton::Left), at(2)), ("contrast".into(), true));
    assert_eq!(mouse(MouseEventKind::ScrollDown, at(0)), ("colour-blind".into(), true));
    assert_eq!(mouse(MouseEventKind::Down(MouseButton::Left), at(3)), ("colour-blind".into(), false));
}

#[test]
fn a_chord_waits_for_its_second_key_and_shows_what_may_follow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keymap.toml");
    std::fs::write(&file, "[dashboard]\nzoom = 'm z'\nlog = 'm l'\n").unwrap();
    let mut app = computing("mono");
    app.keymap = eigentop::ui::keymap::Keymap::load(Some(&file)).unwrap();
    press(&mut app, KeyCode::Char('m'), KeyModifiers::NONE);
    let footer = text(&app, 120, 40).lines().last().unwrap().to_owned();
    assert!(footer.contains("m …") && footer.contains("z zoom") && footer.contains("l log"), "{footer}");
    press(&mut app, KeyCode::Char('z'), KeyModifiers::NONE);
    assert!(app.view.begun.is_empty() && text(&app, 120, 40).contains("▸1 Spectrum"));
    assert!(!text(&app, 120, 40).contains("4 Estimators ─"));
    // A key that does not follow ends the chord and does nothing else.
    press(&mut app, KeyCode::Char('m'), KeyModifiers::NONE);
    assert!(press(&mut app, KeyCode::Char('q'), KeyModifiers::NONE).is_empty());
    assert_eq!((app.view.begun.len(), &app.view.overlay), (0, &Overlay::None));
    assert!(text(&app, 120, 40).contains("m z zoom"));
}

#[test]
fn typing_takes_back_signs_words_and_all() {
    let mut app = typed(after(computing("mono"), &[Action::Commands]), "one two three");
    let said = |app: &App| match &app.view.overlay {
        Overlay::Menu(menu) if menu.kind == Kind::Commands => menu.text.clone(),
        other => panic!("{other:?}"),
    };
    press(&mut app, KeyCode::Backspace, KeyModifiers::NONE);
    assert_eq!(said(&app), "one two thre");
    press(&mut app, KeyCode::Char('w'), KeyModifiers::CONTROL);
    assert_eq!(said(&app), "one two ");
    press(&mut app, KeyCode::Char('w'), KeyModifiers::CONTROL);
    assert_eq!(said(&app), "one ");
    press(&mut app, KeyCode::Char('u'), KeyModifiers::CONTROL);
    assert_eq!(said(&app), "");
}

#[test]
fn ctrl_z_suspends_wherever_one_is() {
    for (name, mut app) in overlays("mono") {
        let before = app.view.overlay.clone();
        assert_eq!(press(&mut app, KeyCode::Char('z'), KeyModifiers::CONTROL), [Effect::Suspend], "{name}");
        assert_eq!(app.view.overlay, before);
    }
}
