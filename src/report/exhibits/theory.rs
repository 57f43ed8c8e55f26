//! The paper's Theorem 2, Corollary 4 and Proposition 3 beside what was measured.

use serde::Serialize;

use super::{Audience, Exhibits, Titled};
use crate::engine::readout::Readout;
use crate::engine::readout::exhibits::IndexSet;
use crate::math::format::number;
use crate::report::table::{Cell, K, Kind, SIGMA, Table};

/// Theorem 2: J_sub ≤ (12 M_ℓ² + 3σ² M_g² + 3σ⁴(k² + 2k) M_H²)/(n+1)².
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Theory {
    /// The constants at the n shown.
    pub constants: Constants,
    /// The bound for every k and σ asked, at every increment whose coefficients are known.
    pub bounds: Vec<Bound>,
}

/// What the bound is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Constants {
    /// n.
    pub n: usize,
    /// M_ℓ ≥ |ℓ_i(w*)| for i ≤ n + 1, nats.
    pub loss: f64,
    /// M_g ≥ ‖g_{n+1} − g^(n)‖, nats per parameter unit.
    pub gradient: f64,
    /// M_H ≥ ‖H_i‖₂ for i ≤ n + 1, nats per squared parameter unit: Ritz value and residual together.
    pub curvature: f64,
}

/// The bound at one n, k and σ, nats².
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// The increment goes from n to n + 1 sequences.
    pub n: usize,
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// The whole bound.
    pub bound: f64,
    /// Its part from the losses.
    pub loss: f64,
    /// Its part from the gradients.
    pub gradient: f64,
    /// Its part from the curvatures.
    pub curvature: f64,
    /// J_sub by the closed form.
    pub measured: f64,
    /// How many times the one measured the bound is.
    pub slack: f64,
}

/// With a = 0, c = 0 and B diagonal, J = (σ⁴/4)(2Σμ_j² + (Σμ_j)²), nats².
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Corollary4 {
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// The corollary's J.
    pub diagonal: f64,
    /// The same with all of B.
    pub signal: f64,
    /// J_sub with a and c too.
    pub full: f64,
    /// Share of ‖B‖_F² off the diagonal.
    pub off_diagonal: f64,
}

/// Among subspaces of shared eigenvectors with increments ≥ 0 the top one has the largest pure quadratic signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposition3 {
    /// μ_j = u_jᵀAu_j of every column of the basis.
    pub increments: Vec<f64>,
    /// How many of them are ≥ 0; the proposition asks for all.
    pub nonnegative: usize,
    /// The signal of k columns chosen in several ways, for each k and σ asked.
    pub signals: Vec<IndexSets>,
}

/// The pure quadratic signal of k columns of the basis, nats².
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct IndexSets {
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// Of the first k.
    pub leading: f64,
    /// Of the last k.
    pub trailing: f64,
    /// Of k evenly spread.
    pub spread: f64,
}

/// The bound over what was measured.
pub fn theory(readout: &Readout) -> Option<Theory> {
    let n = readout.shown_n();
    let of_n = readout.theory(n, 1, 1.0)?.constants;
    let bound = |m: usize, k, sigma| {
        let bound = readout.theory(m, k, sigma)?;
        let measured = readout.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j();
        let (loss, gradient, curvature) = (bound.loss, bound.gradient, bound.curvature);
        let (whole, slack) = (bound.value(), readout.slack(m, k, sigma)?);
        Some(Bound { n: m, k, sigma, bound: whole, loss, gradient, curvature, measured, slack })
    };
    let all = readout.coefficients.keys().flat_map(|m| readout.knobs.places().map(move |(k, sigma)| (*m, k, sigma)));
    let (loss, gradient, curvature) = (of_n.loss, of_n.gradient, of_n.curvature);
    Some(Theory {
        constants: Constants { n, loss, gradient, curvature },
        bounds: all.filter_map(|(m, k, sigma)| bound(m, k, sigma)).collect(),
    })
}

/// Corollary 4 at every k and σ asked.
pub fn corollary4(readout: &Readout) -> Vec<Corollary4> {
    let at = |(k, sigma)| {
        let c = readout.corollary4(k, sigma)?;
        let (diagonal, signal, full, off_diagonal) = (c.diagonal, c.signal, c.full, c.off_diagonal);
        Some(Corollary4 { k, sigma, diagonal, signal, full, off_diagonal })
    };
    readout.knobs.places().filter_map(at).collect()
}

/// Proposition 3 at every k and σ asked; `None` where the basis is not one of eigenvectors of H^(n).
pub(super) fn proposition3(readout: &Readout) -> Option<Proposition3> {
    readout.eigenspace.as_ref().filter(|e| e.law.is_eigenspace())?;
    let known: Vec<_> =
        readout.knobs.places().filter_map(|(k, sigma)| Some((k, sigma, readout.proposition3(k, sigma)?))).collect();
    let (_, _, first) = known.first()?;
    let (increments, nonnegative) = (first.increments.clone(), first.nonnegative);
    let signals = known.iter().map(|(k, sigma, proposition)| {
        let of = |set| proposition.signals.iter().find(|s| s.0 == set).map_or(f64::NAN, |s| s.1);
        let [leading, trailing, spread] = [IndexSet::Leading, IndexSet::Trailing, IndexSet::Spread].map(of);
        IndexSets { k: *k, sigma: *sigma, leading, trailing, spread }
    });
    Some(Proposition3 { increments, nonnegative, signals: signals.collect() })
}

/// All three as tables.
pub(super) fn tables(exhibits: &Exhibits) -> Vec<Titled> {
    let bounds = exhibits.theory.iter().flat_map(bound_tables);
    bounds
        .chain([titled_corollary4(exhibits)])
        .chain(exhibits.proposition3.iter().flat_map(proposition3_tables))
        .collect()
}

fn bound_tables(theory: &Theory) -> Vec<Titled> {
    let Constants { n, loss, gradient, curvature } = theory.constants;
    let title = format!(
        "Theorem 2, nats²: M_ℓ = {}, M_g = {}, M_H = {}",
        number(loss, 4),
        number(gradient, 4),
        number(curvature, 4)
    );
    let part = |audience, wanted: &dyn Fn(usize) -> bool| Titled {
        name: "theory",
        title: title.clone(),
        audience,
        places: 3,
        table: bound_table(theory.bounds.iter().filter(|b| wanted(b.n))),
    };
    let names = [("m_loss", loss), ("m_gradient", gradient), ("m_curvature", curvature)];
    let constants = names.into_iter().map(|(name, value)| vec![name.into(), Cell::Value(value)]);
    vec![
        part(Audience::Everyone, &|m| m == n),
        part(Audience::Programs, &|m| m != n),
        Titled {
            name: "theory_constant",
            title: title.clone(),
            audience: Audience::Programs,
            places: 1,
            table: Table::new(&[("constant", "", Kind::Plain), ("", "", Kind::Plain)], constants.collect()),
        },
    ]
}

/// One row each.
pub fn bound_table<'a>(bounds: impl IntoIterator<Item = &'a Bound>) -> Table {
    let row = |b: &Bound| {
        let place = [Cell::Count(b.n), Cell::Count(b.k), Cell::Knob(b.sigma)];
        let figures = [b.bound, b.loss, b.gradient, b.curvature, b.measured, b.slack].map(Cell::Value);
        place.into_iter().chain(figures).collect::<Vec<Cell>>()
    };
    let columns = [
        ("n", "n", Kind::Plain),
        K,
        SIGMA,
        ("bound", "bound", Kind::Plain),
        ("bound_loss", "from losses", Kind::Plain),
        ("bound_gradient", "from gradients", Kind::Plain),
        ("bound_curvature", "from curvatures", Kind::Plain),
        ("measured", "J_sub", Kind::Plain),
        ("slack", "bound/J_sub", Kind::Plain),
    ];
    Table::new(&columns, bounds.into_iter().map(row).collect())
}

fn titled_corollary4(exhibits: &Exhibits) -> Titled {
    Titled {
        name: "corollary4",
        title: "Corollary 4, nats²: what is left of J_sub with a = 0, c = 0 and B diagonal".to_owned(),
        audience: Audience::Everyone,
        places: 2,
        table: corollary4_table(&exhibits.corollary4),
    }
}

/// One row each.
pub fn corollary4_table(corollaries: &[Corollary4]) -> Table {
    let row = |c: &Corollary4| {
        let figures = [c.diagonal, c.signal, c.full, c.off_diagonal].map(Cell::Value);
        [Cell::Count(c.k), Cell::Knob(c.sigma)].into_iter().chain(figures).collect()
    };
    let columns = [
        K,
        SIGMA,
        ("diagonal", "from the diagonal of B", Kind::Plain),
        ("signal", "from all of B", Kind::Plain),
        ("full", "J_sub", Kind::Plain),
        ("off_diagonal", "share of ‖B‖_F² off the diagonal", Kind::Plain),
    ];
    Table::new(&columns, corollaries.iter().map(row).collect())
}

fn proposition3_tables(proposition: &Proposition3) -> Vec<Titled> {
    let found = proposition.increments.len();
    let title = format!(
        "Proposition 3: the pure quadratic signal by columns of the basis, nats²; {} of {found} increments are ≥ 0",
        proposition.nonnegative
    );
    let row = |s: &IndexSets| {
        let figures = [s.leading, s.trailing, s.spread].map(Cell::Value);
        [Cell::Count(s.k), Cell::Knob(s.sigma)].into_iter().chain(figures).collect()
    };
    let columns = [
        K,
        SIGMA,
        ("leading", "first k", Kind::Plain),
        ("trailing", "last k", Kind::Plain),
        ("spread", "k spread evenly", Kind::Plain),
    ];
    let increments =
        proposition.increments.iter().enumerate().map(|(i, mu)| vec![Cell::Count(i + 1), Cell::Value(*mu)]);
    let columns_of_increments = [("j", "j", Kind::Plain), ("increment", "μ_j", Kind::Plain)];
    vec![
        Titled {
            name: "proposition3",
            title: title.clone(),
            audience: Audience::Everyone,
            places: 2,
            table: Table::new(&columns, proposition.signals.iter().map(row).collect()),
        },
        Titled {
            name: "proposition3",
            title,
            audience: Audience::Programs,
            places: 1,
            table: Table::new(&columns_of_increments, increments.collect()),
        },
    ]
}
