//! Growth for people.

use super::{Checkpoint, Curve, Followed, Growth, Run};
use crate::engine::growth::Mode;
use crate::engine::readout::growth::{Position, Quantity};
use crate::math::format::{exact, measured, number, span};
use crate::math::stats::Interval;
use crate::report::sections::{Section, UNKNOWN, section, warnings};
use crate::train::curriculum::Rows;

/// A growth run: what was done, then what it found for every σ.
pub(super) fn of_run(run: &Run<'_>) -> Vec<Section> {
    let found = of(run.growth, &run.growth.sigmas);
    let warnings = Some(warnings(&run.warnings)).filter(|section| !section.rows.is_empty());
    std::iter::once(about(run)).chain(found).chain(warnings).collect()
}

/// What was found, with criteria at these σ. Sections without rows are left out.
pub fn of(growth: &Growth, sigmas: &[f64]) -> Vec<Section> {
    let by_sigma = sigmas.iter().flat_map(|sigma| [decay(growth, *sigma), constants(growth, *sigma)]);
    let all = [rates(growth), course(growth), proxy(growth)].into_iter().chain(by_sigma);
    all.filter(|section| !section.rows.is_empty()).collect()
}

fn about(run: &Run<'_>) -> Section {
    let Run { subject, plan, seed, .. } = run;
    let checkpoints = match plan.mode {
        Mode::Fixed => format!("{} for every n, each n with its own eigenspace", subject.name),
        Mode::Frozen => format!("{} for every n, on the eigenspace of n = {}", subject.name, plan.n()),
        Mode::Training => {
            let c = plan.curriculum;
            let rows = match c.rows {
                Rows::Newest => "the newest sequence",
                Rows::All => "L_n",
            };
            let (model, steps, lr) = (&subject.model, c.steps_per_sequence, exact(c.learning_rate));
            format!("{model} trained on the sequences in order: {steps} steps down {rows} for each, at {lr}")
        }
        Mode::Checkpoints => format!("all steps saved with {}, at n = {}", subject.name, plan.n()),
    };
    let rows = [
        ("checkpoints", checkpoints),
        ("next sequences", plan.next.to_string()),
        ("runs", format!("{}, seeds from {seed}", plan.runs)),
        ("probes of A", plan.probes.to_string()),
        ("computed", format!("{} on {}, eigentop {}", subject.precision, subject.device, subject.version)),
    ];
    section("eigentop growth", &[], rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect())
}

/// A criterion's name for people.
fn label(quantity: Quantity, k: Option<usize>) -> String {
    match (quantity, k) {
        (Quantity::J1, _) => "J_1".to_owned(),
        (Quantity::JFull, _) => "J_full".to_owned(),
        (Quantity::JSub, Some(k)) => format!("J_sub k={k}"),
        (Quantity::JSub, None) => "J_sub".to_owned(),
    }
}

/// A curve's name for people.
fn head(curve: &Curve) -> String {
    let with_k = |name: &str| curve.k.map_or(name.to_owned(), |k| format!("{name} k={k}"));
    match curve.quantity {
        Followed::Criterion(quantity) | Followed::Constant(quantity) => label(quantity, curve.k),
        Followed::Ratio => with_k("ratio"),
        Followed::Share => with_k("share"),
        Followed::GradNorm => "‖g‖".to_owned(),
    }
}

fn rates(growth: &Growth) -> Section {
    let rows = growth.rates.iter().map(|rate| {
        let Interval { value, low, high } = rate.slope;
        let agrees = match rate.theory {
            _ if !(low.is_finite() && high.is_finite()) => UNKNOWN,
            theory if theory < low => "no, slower",
            theory if theory > high => "no, faster",
            _ if rate.slope.is_wider_than(value.abs()) => "undecided",
            _ => "yes",
        };
        vec![
            label(rate.quantity, rate.k),
            rate.sigma.map_or(String::new(), exact),
            number(value, 3),
            format!("{} … {}", number(low, 3), number(high, 3)),
            number(rate.theory, 1),
            agrees.to_owned(),
        ]
    });
    let columns = ["criterion", "σ", "slope", "95 % interval", "theory", "agrees"];
    section("Slopes of log J against log(n + 1)", &columns, rows.collect())
}

/// What the checkpoints are: how far from a minimiser, and how their eigenspaces follow each other.
fn course(growth: &Growth) -> Section {
    let known = |x: Option<f64>, digits| x.map_or(UNKNOWN.to_owned(), |x| number(x, digits));
    let row = |c: &Checkpoint| {
        vec![
            c.run.to_string(),
            c.step.map_or(String::new(), |step| step.to_string()),
            c.n.to_string(),
            number(c.loss, 5),
            number(c.grad_norm, 3),
            known(c.next_norm.map(|next| c.grad_norm / next), 2),
            known(c.eigenvalues.first().copied(), 4),
            known(c.overlap, 3),
            known(c.angles.last().copied(), 3),
            c.products.to_string(),
            span(c.seconds),
        ]
    };
    let columns =
        ["run", "step", "n", "L_n", "‖g‖", "‖g‖/‖g_next − g‖", "λ₁", "overlap", "largest angle", "products", "seconds"];
    let title = "Checkpoints: a minimiser, as the theory assumes, has ‖g‖ = 0";
    section(title, &columns, growth.checkpoints.iter().map(row).collect())
}

fn decay(growth: &Growth, sigma: f64) -> Section {
    let wanted = |figure| matches!(figure, Followed::Criterion(_) | Followed::Ratio | Followed::Share);
    by_position(growth, sigma, format!("Against {}, σ = {}", axis(growth), exact(sigma)), wanted)
}

fn constants(growth: &Growth, sigma: f64) -> Section {
    let title = format!("C_n: (n + 1) J_1 and (n + 1)² J of the others, σ = {}", exact(sigma));
    by_position(growth, sigma, title, |figure| matches!(figure, Followed::Constant(_)))
}

/// A row a position, a column a curve.
fn by_position(growth: &Growth, sigma: f64, title: String, wanted: impl Fn(Followed) -> bool) -> Section {
    let here = |curve: &&Curve| curve.sigma.is_none_or(|s| s == sigma) && wanted(curve.quantity);
    let curves: Vec<&Curve> = growth.curves.iter().filter(here).collect();
    let at = |curve: &Curve, position: Position| {
        let interval = curve.points.iter().find(|p| p.at == position).map(|p| p.interval);
        interval.map_or(UNKNOWN.to_owned(), |i| measured(i.value, (i.high - i.value).max(i.value - i.low)))
    };
    let positions = curves.first().map_or(Vec::new(), |curve| curve.points.iter().map(|p| p.at).collect());
    let rows = positions.into_iter().map(|position| {
        std::iter::once(position.to_string()).chain(curves.iter().map(|curve| at(curve, position))).collect()
    });
    let columns = std::iter::once(axis(growth).to_owned()).chain(curves.iter().map(|curve| head(curve)));
    Section { title, columns: columns.collect(), rows: rows.collect() }
}

/// What a position is.
fn axis(growth: &Growth) -> &'static str {
    match growth.mode {
        Mode::Checkpoints => "step",
        Mode::Fixed | Mode::Frozen | Mode::Training => "n",
    }
}

fn proxy(growth: &Growth) -> Section {
    let sigmas: Vec<f64> = growth.proxy.first().map_or(Vec::new(), |p| p.errors.iter().map(|v| v.sigma).collect());
    let rows = growth.proxy.iter().map(|point| {
        let errors = sigmas.iter().map(|sigma| {
            let here = point.errors.iter().find(|v| v.sigma == *sigma);
            here.map_or(UNKNOWN.to_owned(), |v| format!("{:.1e}", v.median))
        });
        [point.run.to_string(), point.at.to_string()].into_iter().chain(errors).collect()
    });
    let heads = ["run", axis(growth)].map(str::to_owned).into_iter();
    let columns = heads.chain(sigmas.iter().map(|sigma| format!("{sigma:.1e}"))).collect();
    Section { title: "Median relative error of the quadratic model by σ".to_owned(), columns, rows: rows.collect() }
}
