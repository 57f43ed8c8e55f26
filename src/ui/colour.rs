//! What the terminal can show: how many colours, and whether its ground is dark or light.

use std::time::Duration;

use clap::ValueEnum;
use ratatui::style::{Color, Style};
use terminal_colorsaurus::{QueryOptions, ThemeMode};

/// How many colours are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// None: weight and reversal alone.
    None,
    /// The sixteen of ANSI, which the terminal's own settings give.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

/// How many colours are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// What the terminal promises; none where NO_COLOR is set.
    #[default]
    Auto,
    /// None.
    None,
    /// The sixteen of ANSI.
    #[value(name = "16")]
    #[serde(rename = "16")]
    Sixteen,
    /// The 256 of xterm.
    #[value(name = "256")]
    #[serde(rename = "256")]
    Indexed,
    /// 24 bits.
    True,
}

impl Choice {
    /// The colours to show on a terminal that has these.
    pub fn of(self, terminal: Colours) -> Colours {
        match self {
            Choice::Auto => terminal,
            Choice::None => Colours::None,
            Choice::Sixteen => Colours::Sixteen,
            Choice::Indexed => Colours::Indexed,
            Choice::True => Colours::True,
        }
    }
}

impl Colours {
    /// What the environment promises of standard output: none where `NO_COLOR` is set and not empty (no-color.org); the
    /// program forgets an empty one when it starts.
    pub fn of_terminal() -> Colours {
        if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
            return Colours::None;
        }
        match supports_color::on(supports_color::Stream::Stdout) {
            Some(level) if level.has_16m => Colours::True,
            Some(level) if level.has_256 => Colours::Indexed,
            Some(_) => Colours::Sixteen,
            None => Colours::None,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Colours::None => "no colour",
            Colours::Sixteen => "16 colours",
            Colours::Indexed => "256 colours",
            Colours::True => "24-bit colour",
        }
    }

    /// `style` in these colours: each the one that looks most alike.
    pub fn reduce(self, mut style: Style) -> Style {
        match self {
            Colours::True | Colours::None => {}
            Colours::Indexed => {
                style.fg = style.fg.map(nearest_indexed);
                style.bg = style.bg.map(nearest_indexed);
            }
            Colours::Sixteen => {
                style.fg = style.fg.map(|colour| nearest_ansi(colour, |_| true));
                style.bg = style.bg.map(|colour| nearest_ansi(colour, fit_for_a_ground));
            }
        }
        style
    }
}

/// Whether the terminal's ground is dark or light, if it says so within a second. Every terminal in use answers
/// at once, also to say that it does not know; nothing is asked where there is none.
pub fn ground() -> Option<ThemeMode> {
    let mut options = QueryOptions::default();
    options.timeout = Duration::from_secs(1);
    terminal_colorsaurus::theme_mode(options).ok()
}

/// The nearest of xterm's 6×6×6 cube and 24 greys; the first sixteen of the 256 are the terminal's own and unknown.
pub fn nearest_indexed(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let seen = oklab([r, g, b]);
    let nearest = (16u8..=255).min_by(|i, j| {
        let apart = |i: u8| distance(seen, oklab(xterm_rgb(i)));
        apart(*i).total_cmp(&apart(*j))
    });
    nearest.map_or(colour, Color::Indexed)
}

/// The sixteen of ANSI with the values xterm gives them.
const ANSI: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// A grey between black and white would leave no contrast to either.
fn fit_for_a_ground(colour: Color) -> bool {
    !matches!(colour, Color::Gray | Color::DarkGray)
}

/// The nearest of those of the sixteen that fit: a grey for a grey; for a colour the one nearest in hue and lightness, since
/// all of the sixteen are far more vivid than a theme's colours.
fn nearest_ansi(colour: Color, fits: fn(Color) -> bool) -> Color {
    /// Less chroma than this looks grey.
    const GREY: f64 = 0.045;
    let Color::Rgb(r, g, b) = colour else { return colour };
    let chroma = |[_, a, b]: [f64; 3]| a.hypot(b);
    let seen = oklab([r, g, b]);
    let apart = |other: [f64; 3]| {
        let lightness = (seen[0] - other[0]).powi(2);
        match (chroma(seen) < GREY, chroma(other) < GREY) {
            (true, true) => lightness,
            (false, false) => {
                let along = (seen[1] * other[1] + seen[2] * other[2]) / (chroma(seen) * chroma(other));
                2.0 * (1.0 - along) + 4.0 * lightness
            }
            _ => f64::INFINITY,
        }
    };
    let nearest =
        ANSI.iter().filter(|(name, _)| fits(*name)).min_by(|x, y| apart(oklab(x.1)).total_cmp(&apart(oklab(y.1))));
    nearest.map_or(colour, |(name, _)| *name)
}

/// Red, green and blue of xterm's colour `index`.
fn xterm_rgb(index: u8) -> [u8; 3] {
    let level = |i: u8| if i == 0 { 0 } else { 55 + 40 * i };
    match index {
        0..16 => ANSI[usize::from(index)].1,
        16..232 => [level((index - 16) / 36), level((index - 16) / 6 % 6), level((index - 16) % 6)],
        232.. => [8 + 10 * (index - 232); 3],
    }
}

/// sRGB without its gamma, 0 to 1.
fn linear(rgb: [u8; 3]) -> [f64; 3] {
    rgb.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    })
}

/// Lightness and two opponent colours in which distances are about as large as they look (Ottosson 2020, "A perceptual
/// color space for image processing").
fn oklab(rgb: [u8; 3]) -> [f64; 3] {
    oklab_of_linear(linear(rgb))
}

fn oklab_of_linear([r, g, b]: [f64; 3]) -> [f64; 3] {
    let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
    let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
    let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
    [
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    ]
}

fn distance(x: [f64; 3], y: [f64; 3]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

/// How colours are seen, to test themes by.
#[cfg(test)]
pub mod seeing {
    use super::*;

    /// The colour xterm shows for it.
    pub fn xterm(colour: Color) -> Color {
        let [r, g, b] = match colour {
            Color::Indexed(i) => xterm_rgb(i),
            named => ANSI.iter().find(|(name, _)| *name == named).unwrap_or_else(|| panic!("{named:?}")).1,
        };
        Color::Rgb(r, g, b)
    }

    fn rgb(colour: Color) -> [u8; 3] {
        let Color::Rgb(r, g, b) = colour else { panic!("{colour:?} has no fixed values") };
        [r, g, b]
    }

    /// Contrast ratio of WCAG 2.
    pub fn contrast(a: Color, b: Color) -> f64 {
        let luminance = |c| linear(rgb(c)).iter().zip([0.2126, 0.7152, 0.0722]).map(|(x, w)| x * w).sum::<f64>();
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Whose eyes.
    #[derive(Debug, Clone, Copy)]
    pub enum Sight {
        Full,
        NoRed,
        NoGreen,
        NoBlue,
    }

    impl Sight {
        /// What is seen of a colour, in linear sRGB (Machado, Oliveira and Fernandes 2009, severity 1).
        pub fn sees(self, colour: Color) -> [f64; 3] {
            let matrix = match self {
                Sight::Full => return linear(rgb(colour)),
                Sight::NoRed => {
                    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
                }
                Sight::NoGreen => {
                    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
                }
                Sight::NoBlue => {
                    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
                }
            };
            let seen = linear(rgb(colour));
            matrix.map(|row| row.iter().zip(seen).map(|(w, x)| w * x).sum::<f64>().clamp(0.0, 1.0))
        }
    }

    /// How far apart two colours look, given in linear sRGB.
    pub fn difference(a: [f64; 3], b: [f64; 3]) -> f64 {
        distance(oklab_of_linear(a), oklab_of_linear(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_fall_to_the_nearest_of_256() {
        assert_eq!(nearest_indexed(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(nearest_indexed(Color::Rgb(9, 9, 9)), Color::Indexed(232));
        assert_eq!(nearest_indexed(Color::Red), Color::Red);
    }

    #[test]
    fn colours_keep_their_hue_among_sixteen() {
        for (rgb, name) in [
            ((16, 19, 26), Color::Black),
            ((251, 250, 247), Color::White),
            ((127, 130, 130), Color::DarkGray),
            ((240, 138, 164), Color::LightRed),
            ((95, 211, 165), Color::Green),
            ((183, 156, 247), Color::LightBlue),
        ] {
            assert_eq!(nearest_ansi(Color::Rgb(rgb.0, rgb.1, rgb.2), |_| true), name, "{rgb:?}");
        }
        assert_eq!(nearest_ansi(Color::Rgb(46, 52, 64), fit_for_a_ground), Color::Black);
        assert_eq!(nearest_ansi(Color::Reset, |_| true), Color::Reset);
    }

    #[test]
    fn a_choice_comes_before_what_the_terminal_promises() {
        assert_eq!(Choice::Auto.of(Colours::Indexed), Colours::Indexed);
        assert_eq!(Choice::True.of(Colours::None), Colours::True);
        assert_eq!(Choice::None.of(Colours::True), Colours::None);
        let names: Vec<_> = Choice::value_variants().iter().filter_map(|c| c.to_possible_value()).collect();
        assert_eq!(names.iter().map(|v| v.get_name()).collect::<Vec<_>>(), ["auto", "none", "16", "256", "true"]);
    }
}
