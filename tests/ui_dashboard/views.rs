//! Every view of every pane, at the sizes of the presets: without colour, in ASCII, and the colours cell by cell.

use eigentop::ui::action::Action;
use eigentop::ui::plot::raster::Marker;
use eigentop::ui::state::{App, Pane};
use eigentop::ui::theme::Token;
use eigentop::ui::update::{Message, update};

use crate::screen::{drawn, live, text};
use crate::synthetic;

/// Most views that a pane has.
const VIEWS: usize = 5;

/// The complete run with every pane at view number `view`, counted from 1; panes with fewer views begin anew.
fn at_view(theme: &str, view: usize) -> App {
    let mut app = live(&synthetic::run(), theme);
    for pane in Pane::ALL {
        update(&mut app, Message::Act(Action::Focus(pane)));
        (1..view).for_each(|_| drop(update(&mut app, Message::Act(Action::NextView))));
    }
    update(&mut app, Message::Act(Action::Focus(Pane::Spectrum)));
    app
}

/// Every view: all panes together on their pages at the larger sizes, each alone where only one fits.
fn every_view(name: &str, theme: &str, marker: Marker, shown: fn(&App, u16, u16) -> String) {
    for view in 1..=VIEWS {
        let mut app = at_view(theme, view);
        app.marker = marker;
        for (width, height) in [(120, 40), (200, 60)] {
            insta::assert_snapshot!(format!("{name}_{width}x{height}_view_{view}"), shown(&app, width, height));
            let mut more = app.clone();
            update(&mut more, Message::Act(Action::Focus(Pane::Growth)));
            insta::assert_snapshot!(format!("{name}_{width}x{height}_more_view_{view}"), shown(&more, width, height));
        }
        let alone = Pane::ALL.map(|pane| {
            let mut app = app.clone();
            update(&mut app, Message::Act(Action::Focus(pane)));
            shown(&app, 80, 24)
        });
        insta::assert_snapshot!(format!("{name}_80x24_view_{view}"), alone.join("\n\n"));
    }
    let mut tiny = at_view(theme, 1);
    tiny.marker = marker;
    insta::assert_snapshot!(format!("{name}_20x5"), shown(&tiny, 20, 5));
}

#[test]
fn every_view_without_colour() {
    every_view("mono", "mono", Marker::Braille, text);
}

#[test]
fn every_view_in_ascii() {
    every_view("ascii", "mono", Marker::Ascii, |app, width, height| {
        let screen = text(app, width, height);
        assert!(screen.is_ascii());
        let unknown = screen.replace("? help", "").replace("? lists", "");
        assert!(!unknown.contains('?'), "a sign has no ASCII stand-in: {screen}");
        screen
    });
}

/// A letter for the meaning of each cell's colour: see [`LETTERS`]. What has no sign has no colour to see.
fn colours(app: &App, width: u16, height: u16) -> String {
    let (buffer, _) = drawn(app, width, height);
    let letter = |x: u16, y: u16| {
        let cell = &buffer[(x, y)];
        let ground = app.style(Token::Ground).bg;
        if Some(cell.bg) != ground {
            return if cell.bg == app.style(Token::Selected).bg.unwrap() { 'S' } else { '#' };
        }
        if cell.symbol() == " " {
            return ' ';
        }
        let known = LETTERS.iter().find(|(token, _)| app.style(*token).fg == Some(cell.fg));
        known.unwrap_or_else(|| panic!("{:?} of {:?} at {x}, {y} is no token's", cell.fg, cell.symbol())).1
    };
    let row = |y| (0..width).map(|x| letter(x, y)).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

/// Tokens and their letters; `S` is selected, `#` a shade of a heat map.
const LETTERS: [(Token, char); 15] = [
    (Token::Text, 't'),
    (Token::Muted, 'm'),
    (Token::Faint, '.'),
    (Token::Border, 'b'),
    (Token::Series1, '1'),
    (Token::Series2, '2'),
    (Token::Series3, '3'),
    (Token::Series4, '4'),
    (Token::Series5, '5'),
    (Token::Series6, '6'),
    (Token::Guide, 'g'),
    (Token::Band, '-'),
    (Token::Stale, 's'),
    (Token::Error, 'e'),
    (Token::Warning, 'w'),
];

#[test]
fn every_view_in_colour() {
    every_view("colour", "dark", Marker::Braille, colours);
}
