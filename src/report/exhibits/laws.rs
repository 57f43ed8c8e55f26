//! What probing laws capture of the increment, and shares that owe nothing to the quadratic model.

use serde::Serialize;

use super::{Audience, Exhibits, Titled};
use crate::criteria::quadratic::Moments;
use crate::engine::knobs::Law;
use crate::engine::readout::Readout;
use crate::math::format::exact;
use crate::math::stats::Interval;
use crate::report::table::{Cell, K, Kind, SIGMA, Table};

/// What one probing law captures at (k, σ).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OnLaw {
    /// The law.
    pub law: Law,
    /// Dimension asked.
    pub k: usize,
    /// Dimensions it was given: k, or as many as the law has.
    pub dimensions: usize,
    /// σ.
    pub sigma: f64,
    /// The criterion on its subspace by the closed form, nats².
    pub j: f64,
    /// What that is made of: mean in nats, gradient and curvature part of the variance in nats².
    pub moments: Moments,
    /// Var_sub/Var_full.
    pub share: Option<Interval>,
    /// ‖c‖²/‖b‖².
    pub gradient_share: Option<f64>,
    /// ‖B‖_F²/‖A‖_F².
    pub curvature_share: Option<Interval>,
    /// The share over that of a random subspace, dimensions/P.
    pub enrichment: Option<Interval>,
    /// ‖(I − UUᵀ)AU‖_F/‖AU‖_F of all columns of the law.
    pub leakage: Option<f64>,
    /// The pure quadratic signal (σ⁴/4)(2‖B‖_F² + (Tr B)²), nats².
    pub signal: f64,
}

/// The share of the subspace in the variance of the increment, with and without the quadratic model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// Pairs of points.
    pub pairs: usize,
    /// By pick-freeze, with the model as control variate.
    pub pick_freeze: Interval,
    /// By pick-freeze alone.
    pub plain: Option<Interval>,
    /// By the quadratic model alone.
    pub quadratic: Option<Interval>,
}

/// Every law that was compared, at every k and σ asked.
pub fn laws(readout: &Readout) -> Vec<OnLaw> {
    let parameters = readout.subject.as_ref().map_or(f64::NAN, |s| s.parameters as f64);
    let at = |(k, sigma)| {
        readout.law_figures(k, sigma).into_iter().map(move |f| OnLaw {
            law: f.law,
            k,
            dimensions: f.k,
            sigma,
            j: f.moments.j(),
            moments: f.moments,
            share: f.share,
            gradient_share: f.gradient_share,
            curvature_share: f.curvature_share,
            enrichment: f.share.map(|share| share.scaled(parameters / f.k as f64)),
            leakage: f.leakage,
            signal: f.signal,
        })
    };
    // The law in force alone is no comparison.
    if readout.exhibits.laws.is_empty() { Vec::new() } else { readout.knobs.places().flat_map(at).collect() }
}

/// Shares at every k and σ with pairs enough.
pub fn shares(readout: &Readout) -> Vec<Share> {
    let n = readout.shown_n();
    let at = |(k, sigma): (usize, f64)| {
        Some(Share {
            k,
            sigma,
            pairs: readout.exhibits.pick_freeze.get(&(k, n, sigma.to_bits()))?.len(),
            pick_freeze: readout.pick_freeze_share(k, sigma)?,
            plain: readout.pick_freeze_plain(k, sigma),
            quadratic: readout.shares(n, k, sigma).map(|s| s.total),
        })
    };
    readout.knobs.places().filter_map(at).collect()
}

/// The laws, a table for each σ.
pub(super) fn law_tables(exhibits: &Exhibits) -> Vec<Titled> {
    let mut sigmas: Vec<f64> = exhibits.laws.iter().map(|l| l.sigma).collect();
    sigmas.sort_by(f64::total_cmp);
    sigmas.dedup();
    let table = |sigma: f64| Titled {
        name: "law",
        title: format!("Probing laws side by side, σ = {}", exact(sigma)),
        audience: exhibits.audience(None, sigma),
        places: 3,
        table: law_table(exhibits.laws.iter().filter(|l| l.sigma == sigma)),
    };
    sigmas.into_iter().map(table).collect()
}

/// One row each.
pub fn law_table<'a>(laws: impl IntoIterator<Item = &'a OnLaw>) -> Table {
    let row = |l: &OnLaw| {
        vec![
            Cell::Text(l.law.to_string()),
            Cell::Count(l.k),
            Cell::Knob(l.sigma),
            Cell::Count(l.dimensions),
            Cell::Value(l.j),
            l.share.into(),
            l.gradient_share.into(),
            l.curvature_share.into(),
            l.enrichment.into(),
            l.leakage.into(),
            Cell::Value(l.signal),
        ]
    };
    let columns = [
        ("law", "law", Kind::Plain),
        K,
        SIGMA,
        ("dimensions", "dimensions", Kind::Plain),
        ("j", "J, nats²", Kind::Plain),
        ("share", "share", Kind::Interval),
        ("gradient_share", "gradient share", Kind::Plain),
        ("curvature_share", "curvature share", Kind::Interval),
        ("enrichment", "enrichment", Kind::Interval),
        ("leakage", "leakage", Kind::Plain),
        ("signal", "signal, nats²", Kind::Plain),
    ];
    Table::new(&columns, laws.into_iter().map(row).collect())
}

/// Shares with and without the model.
pub(super) fn titled_shares(exhibits: &Exhibits) -> Titled {
    Titled {
        name: "share",
        title: "Shares of the deformation with and without the quadratic model".to_owned(),
        audience: Audience::Everyone,
        places: 2,
        table: share_table(&exhibits.shares),
    }
}

/// One row each.
pub fn share_table(shares: &[Share]) -> Table {
    let row = |s: &Share| {
        vec![
            Cell::Count(s.k),
            Cell::Knob(s.sigma),
            Cell::Within(s.pick_freeze),
            s.plain.into(),
            s.quadratic.into(),
            Cell::Count(s.pairs),
        ]
    };
    let columns = [
        K,
        SIGMA,
        ("pick_freeze", "pick-freeze, model as control", Kind::Interval),
        ("pick_freeze_plain", "pick-freeze alone", Kind::Interval),
        ("quadratic", "quadratic model", Kind::Interval),
        ("pairs", "pairs", Kind::Plain),
    ];
    Table::new(&columns, shares.iter().map(row).collect())
}
