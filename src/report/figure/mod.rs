//! Figures: what a session shows, each as a chart with a caption and the table behind it. Built from the [`Readout`]
//! alone; [`Figure`] is the one list of them, with the names their files have.

mod against_n;
mod decay;
mod estimators;
mod laws;
mod proxy;
mod spectrum;
mod stages;
mod theory;

pub use against_n::{AgainstN, distance_from_minimisers};

use super::chart::{Axis, Chart, Content, Mark, Panel, Series};
use super::table::Table;
use crate::engine::readout::Readout;
use crate::math::format::exact;
use crate::math::stats::{Estimate, Interval};

/// The figures, in the order of a report: the paper's first, under its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Fig. 2: J_1, J_full and J_sub against n.
    Decay,
    /// C_n = (n + 1)² J, what is left of Fig. 2 without the algebra.
    Constants,
    /// The slopes of Fig. 2.
    Rates,
    /// Fig. 3: J_sub/J_full against n, and the share.
    Ratio,
    /// Fig. 4: error of the quadratic proxy against σ.
    Proxy,
    /// Fig. 5: the estimators against draws.
    SCurve,
    /// Fig. 6: |direct − GM|/|direct| over k and σ.
    Map,
    /// Table 3: seconds by stage.
    Stages,
    /// Eigenvalues with their residuals.
    Spectrum,
    /// The spectral density of H^(n) and its outliers.
    Density,
    /// Overlap and principal angles of eigenspaces that follow each other.
    Stability,
    /// ‖g^(n)‖ against n: how far w* is from a minimiser.
    Gradient,
    /// J as mean² + variance against σ.
    Decomposition,
    /// The estimators of J_sub and J_full side by side.
    Estimators,
    /// Theorem 2's bound over the measured curve.
    Theorem2,
    /// Corollary 4: B without its off-diagonal part.
    Corollary4,
    /// Proposition 3: top-k against other index sets.
    Proposition3,
    /// The probing laws side by side.
    Laws,
    /// The share by the quadratic model and without it.
    Shares,
}

/// What a figure shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// How it reads: what is drawn, from what, with which uncertainty.
    pub caption: String,
    /// The chart; some figures are tables alone.
    pub chart: Option<Chart>,
    /// The numbers.
    pub table: Table,
}

/// A figure, or what a session lacks for it and what would compute that.
pub type Result = std::result::Result<Shown, &'static str>;

impl Figure {
    /// All.
    pub const ALL: [Figure; 19] = [
        Figure::Decay,
        Figure::Constants,
        Figure::Rates,
        Figure::Ratio,
        Figure::Proxy,
        Figure::SCurve,
        Figure::Map,
        Figure::Stages,
        Figure::Spectrum,
        Figure::Density,
        Figure::Stability,
        Figure::Gradient,
        Figure::Decomposition,
        Figure::Estimators,
        Figure::Theorem2,
        Figure::Corollary4,
        Figure::Proposition3,
        Figure::Laws,
        Figure::Shares,
    ];

    /// The stem of its files.
    pub fn name(self) -> &'static str {
        match self {
            Figure::Decay => "fig2-decay",
            Figure::Constants => "fig2-constants",
            Figure::Rates => "fig2-rates",
            Figure::Ratio => "fig3-ratio",
            Figure::Proxy => "fig4-proxy",
            Figure::SCurve => "fig5-s-curve",
            Figure::Map => "fig6-map",
            Figure::Stages => "table3-stages",
            Figure::Spectrum => "spectrum",
            Figure::Density => "density",
            Figure::Stability => "stability",
            Figure::Gradient => "gradient",
            Figure::Decomposition => "decomposition",
            Figure::Estimators => "estimators",
            Figure::Theorem2 => "theorem2",
            Figure::Corollary4 => "corollary4",
            Figure::Proposition3 => "proposition3",
            Figure::Laws => "laws",
            Figure::Shares => "shares",
        }
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Figure::Decay => "Fig. 2: decay of J_1, J_full and J_sub",
            Figure::Constants => "Fig. 2 without the algebra: C_n",
            Figure::Rates => "Slopes of Fig. 2",
            Figure::Ratio => "Fig. 3: J_sub/J_full and the share",
            Figure::Proxy => "Fig. 4: validity of the quadratic proxy",
            Figure::SCurve => "Fig. 5: estimators against draws",
            Figure::Map => "Fig. 6: direct Monte Carlo against the closed form",
            Figure::Stages => "Table 3: cost of the stages",
            Figure::Spectrum => "Eigenvalues of H^(n)",
            Figure::Density => "Spectral density of H^(n)",
            Figure::Stability => "Stability of the eigenspace",
            Figure::Gradient => "Distance from a minimiser: ‖g^(n)‖",
            Figure::Decomposition => "What J is made of",
            Figure::Estimators => "Estimators side by side",
            Figure::Theorem2 => "Theorem 2: the bound over the measured curve",
            Figure::Corollary4 => "Corollary 4: the diagonal formula",
            Figure::Proposition3 => "Proposition 3: top-k against other index sets",
            Figure::Laws => "Probing laws side by side",
            Figure::Shares => "Share with and without the quadratic model",
        }
    }

    /// Build it from a readout.
    ///
    /// # Errors
    /// What the session lacks, with the command that would compute it.
    pub fn of(self, readout: &Readout) -> Result {
        match self {
            Figure::Decay => decay::decay(readout),
            Figure::Constants => decay::constants(readout),
            Figure::Rates => decay::rates(readout),
            Figure::Ratio => decay::ratio(readout),
            Figure::Proxy => proxy::proxy(readout),
            Figure::SCurve => estimators::s_curve(readout),
            Figure::Map => estimators::map(readout),
            Figure::Stages => stages::stages(readout),
            Figure::Spectrum => spectrum::spectrum(readout),
            Figure::Density => spectrum::density(readout),
            Figure::Stability => spectrum::stability(readout),
            Figure::Gradient => decay::gradient(readout),
            Figure::Decomposition => estimators::decomposition(readout),
            Figure::Estimators => estimators::side_by_side(readout),
            Figure::Theorem2 => theory::theorem2(readout),
            Figure::Corollary4 => theory::corollary4(readout),
            Figure::Proposition3 => theory::proposition3(readout),
            Figure::Laws => laws::laws(readout),
            Figure::Shares => laws::shares(readout),
        }
    }
}

/// What a run lacks that went no further than its eigenspace.
const NO_MODEL: &str = "the session ends before the quadratic model was known; `eigentop measure` computes it";

/// A panel of series.
pub(in crate::report) fn panel(
    title: impl Into<String>,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    marks: Vec<Mark>,
) -> Panel {
    Panel { title: title.into(), x, y, content: Content::Series(series, marks) }
}

/// Panels side by side, at most three in a row.
pub(in crate::report) fn side_by_side(panels: Vec<Panel>) -> Chart {
    let columns = panels.len().min(3);
    Chart { panels, columns }
}

/// `σ = 1e-3`.
fn at_sigma(sigma: f64) -> String {
    format!("σ = {}", exact(sigma))
}

/// The interval of an estimate.
pub(in crate::report) fn interval(e: &Estimate) -> Interval {
    let half = e.half_width();
    Interval { value: e.mean, low: e.mean - half, high: e.mean + half }
}

/// The dimensions that a readout's quadratic model reaches.
pub(in crate::report) fn known_ks(readout: &Readout) -> Vec<usize> {
    let most = readout.quadratic().map_or(0, |q| q.k());
    readout.knobs.ks.iter().copied().filter(|k| *k <= most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_file_name_of_its_own() {
        let mut names = Figure::ALL.map(Figure::name).to_vec();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Figure::ALL.len());
    }

    #[test]
    fn an_empty_readout_shows_nothing_and_says_what_would_help() {
        for figure in Figure::ALL {
            let missing = figure.of(&Readout::default()).expect_err(figure.name());
            assert!(missing.contains("eigentop"), "{}: {missing}", figure.name());
        }
    }
}
