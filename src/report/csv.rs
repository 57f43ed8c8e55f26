//! One figure a line: `quantity,index,k,sigma,value,stderr,draws,low,high`. Columns that do not apply are empty; so are
//! figures that are not known. `index` says where a figure stands beside k and σ; where that takes several words, they
//! are joined by `/`. Floats are written with the digits that bring them back exactly.

use super::document::Document;
use super::exhibits::Titled;
use super::growth::{self, Growth};
use super::table::{Cell, Column, Kind, fields};
use crate::math::stats::{Estimate, Interval};

const HEADER: &str = "quantity,index,k,sigma,value,stderr,draws,low,high\n";

/// The document as comma-separated values.
pub fn render(document: &Document) -> String {
    let mut csv = Csv(HEADER.to_owned());
    csv.scalars(document);
    csv.estimates(document);
    document.tables().iter().for_each(|exhibit| csv.exhibit(exhibit));
    document.exhibits.growth.iter().for_each(|growth| csv.growth(growth));
    csv.0
}

/// Which figure a line holds, next to its quantity.
#[derive(Clone, Copy, Default)]
struct At<'a> {
    index: &'a str,
    k: Option<usize>,
    sigma: Option<f64>,
}

struct Csv(String);

impl Csv {
    fn line(&mut self, quantity: &str, at: At, rest: [String; 5]) {
        let k = at.k.map(|k| k.to_string()).unwrap_or_default();
        let sigma = at.sigma.map(float).unwrap_or_default();
        self.0 += &format!("{},{},{k},{sigma},{}\n", field(quantity), field(at.index), rest.join(","));
    }

    fn value(&mut self, quantity: &str, at: At, value: impl ToString) {
        self.line(
            quantity,
            at,
            [field(&value.to_string()), String::new(), String::new(), String::new(), String::new()],
        );
    }

    fn number(&mut self, quantity: &str, at: At, value: Option<f64>) {
        self.value(quantity, at, value.map(float).unwrap_or_default());
    }

    fn estimate(&mut self, quantity: &str, at: At, estimate: Option<Estimate>) {
        if let Some(e) = estimate {
            let rest = [float(e.mean), float(e.stderr), e.draws.to_string(), String::new(), String::new()];
            self.line(quantity, at, rest);
        }
    }

    fn interval(&mut self, quantity: &str, at: At, i: Interval) {
        self.line(quantity, at, [float(i.value), String::new(), String::new(), float(i.low), float(i.high)]);
    }

    /// Every figure of a table; its quantity is the table's name and the column's.
    fn exhibit(&mut self, exhibit: &Titled) {
        for row in &exhibit.table.rows {
            let cells: Vec<(&Column, &Cell)> = exhibit.table.columns.iter().zip(row).collect();
            let (places, figures) = cells.split_at(exhibit.places);
            let [index, k, sigma] = place(places);
            for (column, cell) in figures.iter().filter(|(_, cell)| **cell != Cell::Blank) {
                let quantity = match column.key {
                    "" => exhibit.name.to_owned(),
                    key => format!("{}_{key}", exhibit.name),
                };
                let mut figure = fields(column.kind, cell);
                figure.resize(3, String::new());
                let [value, one, other] = [0, 1, 2].map(|i| std::mem::take(&mut figure[i]));
                let (drawn, ends) = match column.kind {
                    Kind::Estimate => ([one, other], [String::new(), String::new()]),
                    Kind::Plain | Kind::Interval => ([String::new(), String::new()], [one, other]),
                };
                let line =
                    [quantity, index.clone(), k.clone(), sigma.clone(), value].into_iter().chain(drawn).chain(ends);
                self.0 += &format!("{}\n", line.collect::<Vec<_>>().join(","));
            }
        }
    }

    fn growth(&mut self, growth: &Growth) {
        for (quantity, at, k, sigma, interval) in growth::lines(growth) {
            let index = at.map(|at| at.to_string()).unwrap_or_default();
            self.interval(&format!("growth_{quantity}"), At { index: &index, k, sigma }, interval);
        }
    }

    fn scalars(&mut self, d: &Document) {
        let here = At::default();
        self.value("parameters", here, d.parameters);
        self.value("n", here, d.n);
        self.value("k", here, d.k);
        self.value("seed", here, d.seed);
        self.value("precision", here, d.precision);
        self.value("device", here, &d.device);
        self.value("method", here, d.method);
        self.value("law", here, d.law);
        self.value("solver", here, d.solver);
        self.value("eigentop", here, &d.versions.eigentop);
        self.value("checkpoint", here, &d.fingerprints.checkpoint);
        self.value("data", here, &d.fingerprints.data);
        let numbers = [
            ("loss_n", d.loss_n),
            ("loss_n1", d.loss_n1),
            ("a", d.a),
            ("j1", d.j1),
            ("grad_norm", d.grad_norm),
            ("b_norm2", d.b_norm2),
            ("orthonormality", d.orthonormality),
            ("hvp_count", d.hvp_count.map(|count| count as f64)),
        ];
        numbers.into_iter().for_each(|(quantity, value)| self.number(quantity, here, value));
        for (quantity, values) in [("loss", &d.losses), ("eigenvalue", &d.eigenvalues), ("residual", &d.residuals)] {
            for (i, value) in values.iter().enumerate() {
                self.number(quantity, At { index: &(i + 1).to_string(), ..here }, Some(*value));
            }
        }
        for s in &d.stages {
            let at = At { index: &s.stage.to_string(), ..here };
            self.number("stage_seconds", at, Some(s.seconds));
            self.number("stage_hvps", at, Some(s.hvps));
            self.number("stage_sequence_passes", at, Some(s.sequence_passes));
        }
        for w in &d.warnings {
            self.value("warning", At { index: &super::sections::warning_name(w.name), ..here }, &w.message);
        }
        if let Some(probe) = &d.probe {
            self.number("hvp_norm", here, Some(probe.hvp_norm));
            self.number("vHv", here, Some(probe.vhv));
            for t in &probe.tensor_norms {
                let at = At { index: &t.name, ..here };
                self.number("tensor_grad_norm", at, Some(t.grad));
                self.number("tensor_hvp_norm", at, Some(t.hvp));
            }
        }
    }

    fn estimates(&mut self, d: &Document) {
        for s in &d.subspace {
            let at = At { k: Some(s.k), ..At::default() };
            self.number("c_norm2", at, Some(s.c_norm2));
            self.number("trace_b", at, Some(s.trace_b));
            self.number("frob2_b", at, Some(s.frob2_b));
            for j in &s.j {
                let at = At { sigma: Some(j.sigma), ..at };
                self.number("j_sub_gm", at, Some(j.gm));
                self.estimate("j_sub_quadratic", at, j.quadratic);
                self.estimate("j_sub_direct", at, j.direct);
                self.estimate("j_sub_direct_cv", at, j.direct_cv);
            }
        }
        self.estimate("trace_a", At::default(), d.full_traces.map(|t| t.trace_a));
        self.estimate("frob2_a", At::default(), d.full_traces.map(|t| t.frob2_a));
        for f in &d.full {
            let at = At { sigma: Some(f.sigma), ..At::default() };
            self.estimate("j_full_mc", at, f.mc);
            self.estimate("j_full_mc_cv", at, f.mc_cv);
            if let Some(gm) = f.gm {
                let stderr = f.gm_stderr.map(float).unwrap_or_default();
                self.line("j_full_gm", at, [float(gm), stderr, String::new(), String::new(), String::new()]);
            }
        }
        for r in &d.ratio {
            let at = At { k: Some(r.k), sigma: Some(r.sigma), ..At::default() };
            self.interval("ratio", at, Interval { value: r.value, low: r.low, high: r.high });
            if let (Some(value), Some(low), Some(high)) = (r.share, r.share_low, r.share_high) {
                self.interval("share", at, Interval { value, low, high });
            }
            self.number("gradient_share", at, r.gradient_share);
            if let (Some(value), Some(low), Some(high)) =
                (r.curvature_share, r.curvature_share_low, r.curvature_share_high)
            {
                self.interval("curvature_share", at, Interval { value, low, high });
            }
        }
        for p in &d.proxy {
            let at = At { sigma: Some(p.sigma), ..At::default() };
            self.estimate("proxy_abs_err", at, Some(p.abs_err));
            self.estimate("proxy_rel_err", at, Some(p.rel_err));
            self.number("proxy_rel_err_median", at, Some(p.rel_err_median));
            self.number("proxy_rounding_floor", at, Some(p.rounding_floor));
        }
    }
}

/// Which cell of its row a column is: k, σ or another word about the place.
fn place(row: &[(&Column, &Cell)]) -> [String; 3] {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        let cells =
            row.iter().filter(|(column, _)| wanted(column.key)).flat_map(|(column, cell)| fields(column.kind, cell));
        cells.collect::<Vec<_>>().join("/")
    };
    [of(&|key| !["k", "sigma"].contains(&key)), of(&|key| key == "k"), of(&|key| key == "sigma")]
}

/// The shortest text that reads back as the same float; empty for what is not finite.
pub(super) fn float(x: f64) -> String {
    if x.is_finite() { format!("{x:?}") } else { String::new() }
}

/// Quoted where a comma, a quote or a line break would be taken for structure (RFC 4180).
pub(super) fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
