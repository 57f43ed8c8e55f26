//! The readouts drawn in the panes: the one on the screen, and a session compared with it.

use crate::engine::readout::Readout;
use crate::ui::plot::Curve;
use crate::ui::plot::raster::Stroke;
use crate::ui::state::App;
use crate::ui::theme::Token;

/// A readout drawn in the panes: the one on the screen, or a session beside it.
pub struct Side<'a> {
    /// What is known.
    pub readout: &'a Readout,
    /// The dimensions to show: those wanted, as far as its basis reaches.
    pub ks: Vec<usize>,
    /// Which of the two it is.
    pub role: Role,
}

/// Which readout a curve belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The run or recording on the screen.
    Shown,
    /// The session compared with it: its curves carry a sign of their own and the letter B.
    Compared,
}

/// The sign on the curves of the session compared.
pub const COMPARED: char = '◆';

/// Everything to draw, the one on the screen last, so that it lies on top.
pub fn sides(app: &App) -> Vec<Side<'_>> {
    let side = |readout, role| {
        let most = Readout::quadratic(readout).map_or(0, |q| q.k());
        Side { readout, ks: app.wanted.ks.iter().copied().filter(|k| *k <= most).collect(), role }
    };
    let compared = app.compared.iter().map(|c| side(&c.readout, Role::Compared));
    compared.chain([side(&app.readout, Role::Shown)]).collect()
}

impl Role {
    /// Curve number `i` of this readout: `name` is what its value is called, `label` stands beside the plot.
    pub fn curve(self, app: &App, i: usize, points: Vec<(f64, f64)>, name: &str, label: &str) -> Curve {
        let (sign, letter) = match self {
            Role::Shown => (Stroke::sign(i), ""),
            Role::Compared => (Some(COMPARED), "B "),
        };
        Curve {
            points,
            style: app.style(Token::series(i)),
            stroke: Stroke::nth(i),
            sign,
            name: format!("{letter}{name}"),
            label: Some(format!("{letter}{label}")),
        }
    }
}
