//! The panes and the views each has.

use serde::{Deserialize, Serialize};

use super::way::{Views, Way};

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    /// Eigenvalue estimates and residuals.
    #[default]
    Spectrum,
    /// J_sub/J_full and shares.
    Ratio,
    /// Error of the quadratic model against σ.
    Proxy,
    /// Estimates of J_sub and J_full.
    Estimators,
    /// The criteria against n.
    Growth,
    /// The probing laws side by side.
    Laws,
    /// What the theory promises beside what is measured.
    Theory,
}

impl Pane {
    /// All panes in reading order.
    pub const ALL: [Pane; 7] =
        [Pane::Spectrum, Pane::Ratio, Pane::Proxy, Pane::Estimators, Pane::Growth, Pane::Laws, Pane::Theory];

    /// Its place in [`Pane::ALL`]; its digit is one more.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Pane::Spectrum => "Spectrum",
            Pane::Ratio => "Ratio",
            Pane::Proxy => "Proxy",
            Pane::Estimators => "Estimators",
            Pane::Growth => "Growth",
            Pane::Laws => "Laws",
            Pane::Theory => "Theory",
        }
    }
}

/// One definition makes the enum of a pane's views and their list.
macro_rules! views {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[$attribute:meta])+ $view:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$attribute])+ $view,)+ }

        impl Views for $name {
            const ALL: &'static [Self] = &[$($name::$view,)+];
        }
    };
}

views! {
    /// What the spectrum pane shows.
    SpectrumView {
        /// Eigenvalue estimates by products.
        #[default]
        Values,
        /// Residuals by products.
        Residuals,
        /// Both ends of the spectrum by rank.
        Ends,
        /// The spectral density with its outliers.
        Density,
    }
}

views! {
    /// What the ratio pane shows.
    RatioView {
        /// A table by k.
        #[default]
        Table,
        /// Shares against n.
        ShareByN,
        /// Ratios against n.
        RatioByN,
        /// Shares against σ.
        ShareBySigma,
        /// Ratios against σ.
        RatioBySigma,
    }
}

views! {
    /// What the proxy pane shows.
    ProxyView {
        /// Relative error.
        #[default]
        Relative,
        /// Absolute error, nats.
        Absolute,
        /// Relative error at each checkpoint of a growth run.
        Checkpoints,
    }
}

views! {
    /// What the estimators pane shows.
    EstimatorsView {
        /// Running means against draws.
        #[default]
        ByDraws,
        /// J against σ.
        BySigma,
        /// J against n.
        ByN,
        /// The gap between direct and closed form over (k, σ).
        ByKAndSigma,
        /// What each stage took.
        Stages,
    }
}

views! {
    /// What the growth pane shows.
    GrowthView {
        /// J_1, J_full and J_sub against n with their slopes.
        #[default]
        Decay,
        /// C_n: what is left once the power of n + 1 is taken out.
        Constant,
        /// J_sub/J_full against n at every σ.
        Ratio,
        /// Overlap and principal angles of eigenspaces that follow each other.
        Overlap,
        /// ‖g^(n)‖ against n.
        Gradient,
    }
}

views! {
    /// What the laws pane shows.
    LawsView {
        /// Shares of the deformation, and the same without the quadratic model.
        #[default]
        Shares,
        /// Gradient share, curvature share and leakage.
        Parts,
        /// Shares against k.
        ByK,
        /// Shares against σ.
        BySigma,
    }
}

views! {
    /// What the theory pane shows.
    TheoryView {
        /// Theorem 2: the bound over the measured curve.
        #[default]
        Bound,
        /// Corollary 4: the diagonal of B alone beside all of it.
        Diagonal,
        /// Proposition 3: top-k beside other choices.
        Choice,
    }
}

/// The view of each pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct PaneViews {
    /// View of the spectrum.
    pub spectrum: SpectrumView,
    /// View of the ratio.
    pub ratio: RatioView,
    /// View of the proxy.
    pub proxy: ProxyView,
    /// View of the estimators.
    pub estimators: EstimatorsView,
    /// View of the growth.
    pub growth: GrowthView,
    /// View of the laws.
    pub laws: LawsView,
    /// View of the theory.
    pub theory: TheoryView,
}

impl PaneViews {
    /// Show the next view of `pane`, or the one before.
    pub fn step(&mut self, pane: Pane, way: Way) {
        match pane {
            Pane::Spectrum => self.spectrum = self.spectrum.step(way),
            Pane::Ratio => self.ratio = self.ratio.step(way),
            Pane::Proxy => self.proxy = self.proxy.step(way),
            Pane::Estimators => self.estimators = self.estimators.step(way),
            Pane::Growth => self.growth = self.growth.step(way),
            Pane::Laws => self.laws = self.laws.step(way),
            Pane::Theory => self.theory = self.theory.step(way),
        }
    }
}
