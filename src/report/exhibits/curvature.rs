//! What is known of the curvature itself: traces of A, principal angles of eigenspaces, the spectral density of H^(n).

use serde::Serialize;

use super::{Audience, Exhibits, Titled};
use crate::engine::readout::Readout;
use crate::math::basis::angles;
use crate::math::stats::{Estimate, Interval};
use crate::report::document::FullTraces;
use crate::report::table::{Cell, Heading, K, Kind, Table};

/// Places of the density's curve.
const PLACES: usize = 161;

/// Traces of A by XTrace (Epperly, Tropp and Webber 2024), with the basis taken out first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Traces {
    /// n.
    pub n: usize,
    /// Tr A, nats per squared parameter unit.
    pub trace_a: Estimate,
    /// ‖A‖_F², its square.
    pub frob2_a: Estimate,
    /// Products with A.
    pub products: usize,
    /// The same by the plain Rademacher probes of stage II.
    pub plain: Option<FullTraces>,
}

/// How an eigenspace sits to the one before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    /// n of the former.
    pub former: usize,
    /// n of the new one.
    pub n: usize,
    /// ‖UᵀU′‖_F² over the smaller dimension: 1 for nested subspaces, k/P for random ones.
    pub overlap: f64,
    /// Cosines of the principal angles, largest first.
    pub cosines: Vec<f64>,
    /// The angles, radians, smallest first.
    pub angles: Vec<f64>,
}

/// The spectral density of H^(n) by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Density {
    /// n.
    pub n: usize,
    /// Eigenvalues, ascending and evenly spaced.
    pub x: Vec<f64>,
    /// The density there; it integrates to 1.
    pub mean: Vec<f64>,
    /// Lower end of its 95 % interval over the probes.
    pub low: Vec<f64>,
    /// Upper end.
    pub high: Vec<f64>,
    /// Standard deviation of the Gaussian that each node is widened to.
    pub width: f64,
    /// The ends of the bulk: outside, no more than a few eigenvalues share one width.
    pub bulk: [f64; 2],
    /// The known eigenvalues outside the bulk.
    pub outliers: Vec<f64>,
    /// The probes.
    pub probes: Vec<Quadrature>,
}

/// One probe of the density.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quadrature {
    /// Ritz values, ascending.
    pub nodes: Vec<f64>,
    /// Weights that add up to 1.
    pub weights: Vec<f64>,
}

/// Both estimates of the traces at the n shown.
pub(super) fn traces(readout: &Readout) -> Option<Traces> {
    let n = readout.shown_n();
    let traces = readout.exhibits.traces.get(&n)?;
    let plain = readout.probed_traces(n).map(|(trace_a, frob2_a)| FullTraces { trace_a, frob2_a });
    Some(Traces { n, trace_a: traces.trace, frob2_a: traces.frob2, products: traces.products, plain })
}

/// Overlaps in the order they came.
pub(super) fn overlap(readout: &Readout) -> Vec<Overlap> {
    let one = |o: &crate::engine::readout::exhibits::Overlap| Overlap {
        former: o.former,
        n: o.n,
        overlap: o.mean_square(),
        cosines: o.cosines.clone(),
        angles: angles(&o.cosines),
    };
    readout.overlaps().iter().map(one).collect()
}

/// The density at the n shown.
pub(super) fn density(readout: &Readout) -> Option<Density> {
    let n = readout.shown_n();
    let curve = readout.density_curve(PLACES)?;
    let probes = readout.exhibits.density.get(&n)?.iter();
    Some(Density {
        n,
        x: curve.x,
        mean: curve.mean,
        low: curve.low,
        high: curve.high,
        width: curve.width,
        bulk: curve.bulk,
        outliers: curve.outliers,
        probes: probes.map(|p| Quadrature { nodes: p.nodes.clone(), weights: p.weights.clone() }).collect(),
    })
}

/// Both estimates side by side.
pub(super) fn traces_table(exhibits: &Exhibits) -> Titled {
    let row = |name: &str, t: FullTraces, products: Option<usize>| {
        let products = products.map_or(Cell::Blank, Cell::Count);
        vec![name.into(), Cell::Drawn(t.trace_a), Cell::Drawn(t.frob2_a), Cell::Count(t.trace_a.draws), products]
    };
    let rows = exhibits.traces.iter().flat_map(|t| {
        let own = FullTraces { trace_a: t.trace_a, frob2_a: t.frob2_a };
        let plain = t.plain.map(|plain| row("plain", plain, None));
        std::iter::once(row("xtrace", own, Some(t.products))).chain(plain)
    });
    let columns = [
        ("estimator", "estimator", Kind::Plain),
        ("trace_a", "Tr A", Kind::Estimate),
        ("frob2_a", "‖A‖_F²", Kind::Estimate),
        ("probes", "probes", Kind::Plain),
        ("products", "products", Kind::Plain),
    ];
    Titled {
        name: "traces",
        title: "Traces of A in the full space".to_owned(),
        audience: Audience::Everyone,
        places: 1,
        table: Table::new(&columns, rows.collect()),
    }
}

/// One row a pair of eigenspaces.
pub(super) fn overlap_table(exhibits: &Exhibits) -> Titled {
    let row = |o: &Overlap| {
        let ends = [o.angles.first(), o.angles.last()].map(|angle| angle.copied().into());
        let [smallest, largest] = ends;
        vec![
            Cell::Count(o.former),
            Cell::Count(o.n),
            Cell::Count(o.cosines.len()),
            Cell::Value(o.overlap),
            smallest,
            largest,
        ]
    };
    let columns = [
        ("former", "former n", Kind::Plain),
        ("n", "n", Kind::Plain),
        K,
        ("", "‖UᵀU′‖_F²/k", Kind::Plain),
        ("smallest_angle", "smallest angle", Kind::Plain),
        ("largest_angle", "largest angle", Kind::Plain),
    ];
    Titled {
        name: "overlap",
        title: "Eigenspaces that followed each other: overlap and principal angles, radians".to_owned(),
        audience: Audience::Everyone,
        places: 3,
        table: Table::new(&columns, exhibits.overlap.iter().map(row).collect()),
    }
}

/// The curve for programs, what it says for everyone.
pub(super) fn density_tables(exhibits: &Exhibits) -> Vec<Titled> {
    let Some(d) = &exhibits.density else { return Vec::new() };
    let at = |i: usize| Interval { value: d.mean[i], low: d.low[i], high: d.high[i] };
    let curve = (0..d.x.len()).map(|i| vec![Cell::Value(d.x[i]), Cell::Within(at(i))]);
    let title = format!("Spectral density of H^({}) by stochastic Lanczos quadrature", d.n);
    let facts = [
        ("probes", Cell::Count(d.probes.len())),
        ("smoothing", Cell::Value(d.width)),
        ("bulk_low", Cell::Value(d.bulk[0])),
        ("bulk_high", Cell::Value(d.bulk[1])),
    ];
    let facts = facts.into_iter().map(|(name, cell)| vec![name.into(), cell]).collect();
    let outliers = d.outliers.iter().enumerate().map(|(i, value)| vec![Cell::Count(i + 1), Cell::Value(*value)]);
    let exhibit = |name, title: &str, audience, columns: [Heading; 2], rows| Titled {
        name,
        title: title.to_owned(),
        audience,
        places: 1,
        table: Table::new(&columns, rows),
    };
    let plain = |key, head| (key, head, Kind::Plain);
    let known = format!("Eigenvalues of the basis outside the bulk of H^({})", d.n);
    vec![
        exhibit("density", &title, Audience::Everyone, [plain("fact", "fact"), plain("", "value")], facts),
        exhibit("density_outlier", &known, Audience::Everyone, [plain("i", "i"), plain("", "λ")], outliers.collect()),
        exhibit(
            "density_curve",
            &title,
            Audience::Programs,
            [plain("x", "λ"), ("", "density", Kind::Interval)],
            curve.collect(),
        ),
    ]
}
