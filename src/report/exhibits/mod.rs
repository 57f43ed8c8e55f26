//! The exhibits of a document: the paper's figures, and what they could not show, as data for JSON and as tables for
//! every other form.

mod agreement;
mod curvature;
pub mod laws;
pub mod theory;

pub use agreement::{AfterDraws, Gap};
pub use curvature::{Density, Overlap, Quadrature, Traces};
pub use laws::{OnLaw, Share};
pub use theory::{Bound, Constants, Corollary4, IndexSets, Proposition3, Theory};

use serde::Serialize;

use super::growth::Growth;
use super::table::Table;
use crate::engine::readout::Readout;

/// All exhibits. What was not computed is `null` or an empty list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exhibits {
    /// Tr A and ‖A‖_F² by the estimator that knows the basis.
    pub traces: Option<Traces>,
    /// How eigenspaces that followed each other sit to one another.
    pub overlap: Vec<Overlap>,
    /// The spectral density of H^(n).
    pub density: Option<Density>,
    /// The probing laws side by side, for each k and σ asked.
    pub laws: Vec<OnLaw>,
    /// Shares without the quadratic model, for each k and σ asked.
    pub shares: Vec<Share>,
    /// Theorem 2: constants, bound and slack.
    pub theory: Option<Theory>,
    /// Corollary 4 beside what it leaves out, for each k and σ asked.
    pub corollary4: Vec<Corollary4>,
    /// What Proposition 3 asks for and says.
    pub proposition3: Option<Proposition3>,
    /// J_sub by Monte Carlo after more and more draws, for each k and σ asked.
    pub s_curve: Vec<AfterDraws>,
    /// |direct − GM|/|direct| for each k and σ asked.
    pub gap: Vec<Gap>,
    /// The criteria against n.
    pub growth: Option<Growth>,
    /// Where tables that would be too long for people are cut.
    #[serde(skip)]
    pub focus: Focus,
}

/// The place that is looked at among all that are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focus {
    /// The largest k.
    pub k: usize,
    /// The σ in focus.
    pub sigma: f64,
}

/// Whom a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Short enough to read.
    Everyone,
    /// In CSV alone.
    Programs,
}

/// A table with its title.
#[derive(Debug, Clone, PartialEq)]
pub struct Titled {
    /// What its quantities begin with in CSV.
    pub name: &'static str,
    /// Its title.
    pub title: String,
    /// Whom it is for.
    pub audience: Audience,
    /// So many of its first columns say where a row stands; the others hold figures.
    pub places: usize,
    /// The table.
    pub table: Table,
}

impl Exhibits {
    /// All exhibits known to a readout.
    pub fn of(readout: &Readout) -> Exhibits {
        Exhibits {
            traces: curvature::traces(readout),
            overlap: curvature::overlap(readout),
            density: curvature::density(readout),
            laws: laws::laws(readout),
            shares: laws::shares(readout),
            theory: theory::theory(readout),
            corollary4: theory::corollary4(readout),
            proposition3: theory::proposition3(readout),
            s_curve: agreement::s_curve(readout),
            gap: agreement::gap(readout),
            growth: Growth::of(readout),
            focus: Focus { k: readout.knobs.k(), sigma: readout.knobs.sigma },
        }
    }

    /// Every exhibit but growth, which has tables of another form, as a table; those without rows are left out.
    pub fn tables(&self) -> Vec<Titled> {
        let curvature = [curvature::traces_table(self), curvature::overlap_table(self)];
        let all = curvature
            .into_iter()
            .chain(curvature::density_tables(self))
            .chain(laws::law_tables(self))
            .chain([laws::titled_shares(self)])
            .chain(theory::tables(self))
            .chain(agreement::s_curve_tables(self))
            .chain([agreement::gap_table(self)]);
        all.filter(|exhibit| !exhibit.table.rows.is_empty()).collect()
    }

    /// Whom a table of one σ, or of one k and σ, is for.
    fn audience(&self, k: Option<usize>, sigma: f64) -> Audience {
        let here = sigma == self.focus.sigma && k.is_none_or(|k| k == self.focus.k);
        if here { Audience::Everyone } else { Audience::Programs }
    }
}
