//! Whether the draws bear out the closed form: the paper's S-curve and its map over k and σ.

use serde::Serialize;

use super::{Audience, Exhibits, Titled};
use crate::engine::readout::Readout;
use crate::math::format::{exact, number};
use crate::math::stats::{Estimate, Interval};
use crate::report::table::{Cell, K, Kind, SIGMA, Table};

/// J_sub(k, σ) after the first draws, nats².
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AfterDraws {
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// Draws (antithetic pairs) so far.
    pub draws: usize,
    /// Direct Monte Carlo.
    pub direct: Estimate,
    /// Quadratic Monte Carlo.
    pub quadratic: Estimate,
    /// Direct Monte Carlo with the quadratic model as control variate.
    pub direct_cv: Estimate,
    /// The closed form that quadratic Monte Carlo tends to.
    pub gm: f64,
}

/// How far direct Monte Carlo lies from the closed form at (k, σ).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// |direct − GM|/|direct|.
    pub size: f64,
    /// Half of the 95 % interval of direct, over |direct|.
    pub half: f64,
    /// Whether the closed form lies in that interval.
    pub confirmed: bool,
}

/// The S-curve at every k and σ asked.
pub(super) fn s_curve(readout: &Readout) -> Vec<AfterDraws> {
    let curve = |(k, sigma)| {
        let gm = readout.subspace(k, sigma).map(|s| s.gm.j());
        readout.s_curve(k, sigma).into_iter().filter_map(move |after| {
            let (draws, direct, quadratic, direct_cv) = (after.draws, after.direct, after.quadratic, after.direct_cv);
            Some(AfterDraws { k, sigma, draws, direct, quadratic, direct_cv, gm: gm? })
        })
    };
    readout.knobs.places().flat_map(curve).collect()
}

/// The gap at every k and σ asked.
pub(super) fn gap(readout: &Readout) -> Vec<Gap> {
    let at = |(k, sigma)| {
        let gap = readout.gap(k, sigma)?;
        Some(Gap { k, sigma, size: gap.size, half: gap.half, confirmed: gap.confirms() })
    };
    readout.knobs.places().filter_map(at).collect()
}

/// The S-curve, a table for each k and σ.
pub(super) fn s_curve_tables(exhibits: &Exhibits) -> Vec<Titled> {
    let same_place = exhibits.s_curve.chunk_by(|a, b| (a.k, a.sigma) == (b.k, b.sigma));
    let table = |curve: &[AfterDraws]| {
        let AfterDraws { k, sigma, gm, .. } = curve[0];
        let row = |at: &AfterDraws| {
            let drawn = [at.direct, at.quadratic, at.direct_cv].map(Cell::Drawn);
            [Cell::Count(k), Cell::Knob(sigma), Cell::Count(at.draws)].into_iter().chain(drawn).collect()
        };
        let columns = [
            K,
            SIGMA,
            ("draws", "draws", Kind::Plain),
            ("direct", "direct", Kind::Estimate),
            ("quadratic", "quadratic", Kind::Estimate),
            ("direct_cv", "direct, control variate", Kind::Estimate),
        ];
        let closed = number(gm, 6);
        Titled {
            name: "s_curve",
            title: format!("S-curve: J_sub, nats², against draws, k = {k}, σ = {}; closed form {closed}", exact(sigma)),
            audience: exhibits.audience(Some(k), sigma),
            places: 3,
            table: Table::new(&columns, curve.iter().map(row).collect()),
        }
    };
    same_place.map(table).collect()
}

/// The map of the gap over k and σ.
pub(super) fn gap_table(exhibits: &Exhibits) -> Titled {
    let row = |g: &Gap| {
        let size = Interval { value: g.size, low: (g.size - g.half).max(0.0), high: g.size + g.half };
        let confirmed = if g.confirmed { "yes" } else { "no" };
        vec![Cell::Count(g.k), Cell::Knob(g.sigma), Cell::Within(size), confirmed.into()]
    };
    let columns = [
        K,
        SIGMA,
        ("", "|direct − GM|/|direct|", Kind::Interval),
        ("confirmed", "GM within the interval", Kind::Plain),
    ];
    Titled {
        name: "gap",
        title: "Direct Monte Carlo against the closed form of J_sub".to_owned(),
        audience: Audience::Everyone,
        places: 2,
        table: Table::new(&columns, exhibits.gap.iter().map(row).collect()),
    }
}
