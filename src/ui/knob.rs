//! The knob bar's knobs: how each is named, shown, turned and typed.

use crate::engine::knobs::{Knobs, Law, Method, SolverKind};
use crate::error::{Error, Result};

use super::way::{Way, cycled};
use crate::math::format;

/// A knob that can be turned on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Knob {
    /// Standard deviation of the probe.
    #[default]
    Sigma,
    /// Training sequences.
    N,
    /// Dimension of the subspace.
    K,
    /// Monte Carlo draws.
    Draws,
    /// Eigensolver.
    Solver,
    /// Probing law.
    Law,
    /// Exact or the paper's method.
    Method,
    /// Tolerance of the eigensolver.
    Tol,
    /// Seed of every random stream.
    Seed,
}

/// A turn of a knob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// One step down.
    Down,
    /// One step up.
    Up,
    /// A leap down: a decade of σ, half of a count.
    FarDown,
    /// A leap up: a decade of σ, twice a count.
    FarUp,
}

/// Steps of σ within a decade: Renard's series R10, nearly equal ratios with short numbers.
const R10: [f64; 10] = [1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0];

impl Knob {
    /// The knobs in the bar, in order.
    pub const BAR: [Knob; 7] = [Knob::Sigma, Knob::N, Knob::K, Knob::Draws, Knob::Solver, Knob::Law, Knob::Method];

    /// All knobs: those in the bar, then those that only have a name.
    pub const ALL: [Knob; 9] =
        [Knob::Sigma, Knob::N, Knob::K, Knob::Draws, Knob::Solver, Knob::Law, Knob::Method, Knob::Tol, Knob::Seed];

    /// Its letter or word.
    pub fn name(self) -> &'static str {
        match self {
            Knob::Sigma => "σ",
            Knob::N => "n",
            Knob::K => "k",
            Knob::Draws => "S",
            Knob::Solver => "solver",
            Knob::Law => "law",
            Knob::Method => "method",
            Knob::Tol => "tol",
            Knob::Seed => "seed",
        }
    }

    /// Its flag without the dashes: its name in `config.toml` and in the palette.
    pub fn command(self) -> &'static str {
        match self {
            Knob::Sigma => "sigma",
            Knob::Draws => "draws",
            _ => self.name(),
        }
    }

    /// What it is, with the paper's letter where that differs.
    pub fn meaning(self) -> &'static str {
        match self {
            Knob::Sigma => "standard deviation of the probe, per coordinate",
            Knob::N => "training sequences in the risk L_n (the paper's k)",
            Knob::K => "dimension of the probed subspace (the paper's D)",
            Knob::Draws => "Monte Carlo draws, antithetic pairs (the paper's S)",
            Knob::Solver => "eigensolver of stage I",
            Knob::Law => "probing law: which subspace the draws live in",
            Knob::Method => "exact, or as in the paper's public code",
            Knob::Tol => "largest residual, in units of the largest eigenvalue",
            Knob::Seed => "seed of every random number",
        }
    }

    /// Its value as it stands in the bar.
    pub fn value(self, knobs: &Knobs) -> String {
        match self {
            Knob::Sigma => format::exact(knobs.sigma),
            Knob::N => knobs.n.to_string(),
            Knob::K => knobs.k().to_string(),
            Knob::Draws => knobs.draws.to_string(),
            Knob::Solver => knobs.solver.to_string(),
            Knob::Law => knobs.law.to_string(),
            Knob::Method => knobs.method.to_string(),
            Knob::Tol => format::exact(knobs.tol),
            Knob::Seed => knobs.seed.to_string(),
        }
    }

    /// Its value as flag and file have it: σ and k with all that is evaluated.
    pub fn setting(self, knobs: &Knobs) -> String {
        match self {
            Knob::Sigma => knobs.sigmas.iter().map(|s| format::exact(*s)).collect::<Vec<_>>().join(","),
            Knob::K => knobs.ks.iter().map(usize::to_string).collect::<Vec<_>>().join(","),
            _ => self.value(knobs),
        }
    }

    /// The values of a knob that has only a few.
    pub fn choices(self) -> Option<&'static str> {
        match self {
            Knob::Solver => Some("lanczos, power"),
            Knob::Law => Some("top, bottom, random, gradients"),
            Knob::Method => Some("exact, paper"),
            _ => None,
        }
    }

    /// The knobs after a turn. Not checked: see [`Knobs::check`]. A knob of choices goes round.
    pub fn turned(self, knobs: &Knobs, turn: Turn) -> Knobs {
        let mut turned = knobs.clone();
        let up = matches!(turn, Turn::Up | Turn::FarUp);
        let way = if up { Way::On } else { Way::Back };
        let count = |value: usize| match turn {
            Turn::Down => value.saturating_sub(1).max(1),
            Turn::Up => value.saturating_add(1),
            Turn::FarDown => (value / 2).max(1),
            Turn::FarUp => value.saturating_mul(2),
        };
        match self {
            Knob::Sigma => turned.set_sigma(turned_sigma(knobs.sigma, turn)),
            Knob::N => turned.n = count(knobs.n),
            Knob::K => turned.set_k(count(knobs.k())),
            // Monte Carlo errors fall with the root of the draws: one more is nothing, so a step doubles.
            Knob::Draws => {
                turned.draws = if up { knobs.draws.saturating_mul(2) } else { (knobs.draws / 2).max(2) };
            }
            Knob::Solver => turned.solver = cycled(&SolverKind::ALL, knobs.solver, way),
            Knob::Law => turned.law = cycled(&[Law::Top, Law::Bottom, Law::Random, Law::Gradients], knobs.law, way),
            Knob::Method => turned.method = cycled(&[Method::Exact, Method::Paper], knobs.method, way),
            Knob::Tol => turned.tol = shifted(knobs.tol, if up { 1 } else { -1 }).clamp(1e-14, 1.0),
            Knob::Seed => turned.seed = if up { knobs.seed.saturating_add(1) } else { knobs.seed.saturating_sub(1) },
        }
        turned
    }

    /// The knobs with a typed value; σ and k take a list too, such as `1,4,16`. Not checked: see [`Knobs::check`].
    ///
    /// # Errors
    /// [`Error::Knob`] if the text is not a value of this knob.
    pub fn typed(self, knobs: &Knobs, text: &str) -> Result<Knobs> {
        let mut typed = knobs.clone();
        let text = text.trim();
        let count = |flag| number::<usize>(flag, text, "16");
        let choice = |flag| Error::knob(flag, format!("{text:?} is none of {}", self.choices().unwrap_or_default()));
        match self {
            Knob::Sigma => match list::<f64>("--sigma", text, "1e-3")?.as_slice() {
                [sigma] => typed.set_sigma(*sigma),
                sigmas => {
                    typed.sigmas = sigmas.to_vec();
                    typed.sigmas.sort_by(f64::total_cmp);
                    typed.sigmas.dedup();
                    // The focus stays where it can.
                    if !sigmas.contains(&typed.sigma) {
                        typed.sigma = typed.sigmas[0];
                    }
                }
            },
            Knob::N => typed.n = count("--n")?,
            Knob::K => match list::<usize>("--k", text, "16")?.as_slice() {
                [k] => typed.set_k(*k),
                ks => {
                    typed.ks = ks.to_vec();
                    typed.ks.sort_unstable();
                    typed.ks.dedup();
                }
            },
            Knob::Draws => typed.draws = count("--draws")?,
            Knob::Solver => typed.solver = parse(text).ok_or_else(|| choice("--solver"))?,
            Knob::Law => typed.law = parse(text).ok_or_else(|| choice("--law"))?,
            Knob::Method => typed.method = parse(text).ok_or_else(|| choice("--method"))?,
            Knob::Tol => typed.tol = number("--tol", text, "1e-3")?,
            Knob::Seed => typed.seed = number("--seed", text, "16")?,
        }
        Ok(typed)
    }
}

/// A number; whole or not is told from the example.
fn number<T: std::str::FromStr>(flag: &'static str, text: &str, example: &str) -> Result<T> {
    let kind = if example.contains('e') { "number" } else { "whole number" };
    text.trim().parse().map_err(|_| Error::knob(flag, format!("{text:?} is not a {kind} such as {example}")))
}

/// Numbers between commas; at least one.
fn list<T: std::str::FromStr>(flag: &'static str, text: &str, example: &str) -> Result<Vec<T>> {
    text.split(',').map(|part| number(flag, part, example)).collect()
}

fn parse<T: clap::ValueEnum>(text: &str) -> Option<T> {
    T::from_str(text, true).ok()
}

/// The neighbour of σ in the series, or σ by a decade; kept within 1e-12 and 1e3.
fn turned_sigma(sigma: f64, turn: Turn) -> f64 {
    let series = |place: i32| {
        let mantissa = R10[place.rem_euclid(10) as usize];
        // Through text, so that 1e-3 is the same number as the flag's 1e-3.
        format!("{mantissa}e{}", place.div_euclid(10)).parse().unwrap_or(sigma)
    };
    let place = 10.0 * sigma.log10();
    let moved = match turn {
        Turn::Up => series((place + 0.1).floor() as i32 + 1),
        Turn::Down => series((place - 0.1).ceil() as i32 - 1),
        Turn::FarUp => shifted(sigma, 1),
        Turn::FarDown => shifted(sigma, -1),
    };
    if (1e-12..=1e3).contains(&moved) { moved } else { sigma }
}

/// σ with its decimal exponent moved, digits untouched.
fn shifted(sigma: f64, by: i32) -> f64 {
    let text = format!("{sigma:e}");
    let parts = text.split_once('e').and_then(|(digits, e)| Some((digits, e.parse::<i32>().ok()?)));
    parts.and_then(|(digits, e)| format!("{digits}e{}", e + by).parse().ok()).unwrap_or(sigma)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_walks_the_series_and_comes_back() {
        let mut knobs = Knobs::default();
        let mut seen = vec![knobs.sigma];
        for _ in 0..10 {
            knobs = Knob::Sigma.turned(&knobs, Turn::Up);
            seen.push(knobs.sigma);
        }
        assert_eq!(seen, [1e-3, 1.25e-3, 1.6e-3, 2e-3, 2.5e-3, 3.15e-3, 4e-3, 5e-3, 6.3e-3, 8e-3, 1e-2]);
        for expected in seen.iter().rev().skip(1) {
            knobs = Knob::Sigma.turned(&knobs, Turn::Down);
            assert_eq!(knobs.sigma, *expected);
        }
        assert_eq!(Knob::Sigma.turned(&knobs, Turn::FarUp).sigma, 1e-2);
    }

    #[test]
    fn an_odd_sigma_joins_the_series_in_the_right_direction() {
        let odd = Knob::Sigma.typed(&Knobs::default(), "1.1e-3").unwrap();
        assert_eq!(Knob::Sigma.turned(&odd, Turn::Up).sigma, 1.25e-3);
        assert_eq!(Knob::Sigma.turned(&odd, Turn::Down).sigma, 1e-3);
        let tiny = Knob::Sigma.typed(&odd, "1e-12").unwrap();
        assert_eq!(Knob::Sigma.turned(&tiny, Turn::Down).sigma, 1e-12);
    }

    #[test]
    fn counts_and_choices_turn() {
        let knobs = Knobs::default();
        assert_eq!(Knob::N.turned(&knobs, Turn::Down).n, 7);
        assert_eq!(Knob::K.turned(&knobs, Turn::FarUp).ks, [1, 4, 16, 32]);
        assert_eq!(Knob::Draws.turned(&knobs, Turn::Up).draws, 128);
        let law = |n| (0..n).fold(knobs.clone(), |k, _| Knob::Law.turned(&k, Turn::Up)).law;
        assert_eq!((law(1), law(4)), (Law::Bottom, Law::Top));
        assert_eq!(Knob::Solver.turned(&knobs, Turn::Down).solver, SolverKind::Lobpcg);
    }

    #[test]
    fn typed_values_are_taken_or_explained() {
        let knobs = Knobs::default();
        assert_eq!(Knob::K.typed(&knobs, " 20 ").unwrap().ks, [1, 4, 16, 20]);
        assert_eq!(Knob::Law.typed(&knobs, "Random").unwrap().law, Law::Random);
        let wrong = |knob: Knob, text| knob.typed(&knobs, text).unwrap_err().to_string();
        assert_eq!(wrong(Knob::Sigma, "big"), "--sigma: \"big\" is not a number such as 1e-3");
        assert_eq!(wrong(Knob::N, "-1"), "--n: \"-1\" is not a whole number such as 16");
        assert_eq!(wrong(Knob::Solver, "magic"), "--solver: \"magic\" is none of lanczos, power");
        assert_eq!(wrong(Knob::K, "1,x"), "--k: \"x\" is not a whole number such as 16");
    }

    #[test]
    fn lists_are_put_in_order_and_read_back() {
        let knobs = Knob::K.typed(&Knobs::default(), "8, 2,8").unwrap();
        let knobs = Knob::Sigma.typed(&knobs, "1e-2,1e-5").unwrap();
        assert_eq!((&knobs.ks[..], &knobs.sigmas[..], knobs.sigma), (&[2, 8][..], &[1e-5, 1e-2][..], 1e-5));
        for knob in Knob::ALL {
            assert_eq!(knob.typed(&knobs, &knob.setting(&knobs)).unwrap(), knobs, "{knob:?}");
        }
    }
}
