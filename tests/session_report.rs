//! The document of a run whose figures are known in closed form.

mod synthetic;

use eigentop::criteria::increment::increment;
use eigentop::engine::event::Stamped;
use eigentop::engine::readout::Readout;
use eigentop::math::stats::Estimate;
use eigentop::report::{Document, Format, render};
use serde_json::Value;
use synthetic::{KS, N, P, gradient, hessian, increments, loss};

fn fold(events: &[Stamped]) -> Readout {
    let mut readout = Readout::default();
    events.iter().for_each(|event| readout.apply(event));
    readout
}

fn document() -> Document {
    Document::of(&fold(&synthetic::run())).unwrap()
}

fn json() -> Value {
    serde_json::from_str(&render(&document(), Format::Json)).unwrap()
}

fn close(found: &Value, expected: f64, relative: f64) {
    let x = found.as_f64().unwrap_or(f64::NAN);
    assert!((x - expected).abs() <= relative * expected.abs(), "{x} is not {expected}");
}

/// J = (a + ½σ² Tr M)² + σ²‖v‖² + ½σ⁴‖M‖_F² on the first k coordinates.
fn closed_form(k: usize, sigma: f64) -> f64 {
    let (a, b, m) =
        (increment(&(0..=N).map(loss).collect::<Vec<_>>(), N).unwrap(), increments(gradient), increments(hessian));
    let s2 = sigma * sigma;
    let trace: f64 = (0..k).map(|i| m[i * P + i]).sum();
    let frob2: f64 = (0..k).flat_map(|i| m[i * P..i * P + k].to_vec()).map(|x| x * x).sum();
    (a + 0.5 * s2 * trace).powi(2) + s2 * b[..k].iter().map(|b| b * b).sum::<f64>() + 0.5 * s2 * s2 * frob2
}

#[test]
fn the_json_has_exactly_the_fields_of_the_contract() {
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |names: &str| {
        let mut names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    };
    let json = json();
    let top = "config parameters n k seed precision device method law versions fingerprints losses loss_n loss_n1 a j1 \
               grad_norm b_norm2 eigenvalues residuals orthonormality hvp_count solver subspace full_traces full ratio \
               proxy stages warnings";
    assert_eq!(keys(&json), sorted(top));
    assert_eq!(keys(&json["fingerprints"]), sorted("checkpoint data"));
    assert_eq!(keys(&json["subspace"][0]), sorted("k c_norm2 trace_b frob2_b j"));
    assert_eq!(keys(&json["subspace"][0]["j"][0]), sorted("sigma gm quadratic direct direct_cv"));
    assert_eq!(keys(&json["subspace"][0]["j"][0]["direct"]), sorted("mean stderr draws"));
    assert_eq!(keys(&json["full_traces"]), sorted("trace_a frob2_a"));
    assert_eq!(keys(&json["full"][0]), sorted("sigma mc mc_cv gm gm_stderr"));
    let ratio = "k sigma value low high share share_low share_high gradient_share curvature_share";
    assert_eq!(keys(&json["ratio"][0]), sorted(ratio));
    assert_eq!(keys(&json["proxy"][0]), sorted("sigma abs_err rel_err rel_err_median rounding_floor"));
    assert_eq!(keys(&json["stages"][0]), sorted("stage seconds hvps sequence_passes"));
    assert_eq!(keys(&json["warnings"][0]), sorted("name message"));
    assert_eq!(json["warnings"][0]["name"], "far-from-minimiser");
    assert_eq!((&json["precision"], &json["law"], &json["solver"]), (&"f64".into(), &"top".into(), &"lanczos".into()));
}

#[test]
fn every_estimator_of_the_subspace_finds_the_closed_form() {
    let json = json();
    assert_eq!(json["subspace"].as_array().unwrap().len(), KS.len());
    for (s, k) in json["subspace"].as_array().unwrap().iter().zip(KS) {
        assert_eq!(s["k"], k);
        assert_eq!(s["j"].as_array().unwrap().len(), 3);
        for j in s["j"].as_array().unwrap() {
            let expected = closed_form(k, j["sigma"].as_f64().unwrap());
            close(&j["gm"], expected, 1e-12);
            // Quadratic losses leave the control variate no variance; the others scatter around the same value.
            close(&j["direct_cv"]["mean"], expected, 1e-9);
            for estimator in ["direct", "quadratic"] {
                let (mean, stderr) = (&j[estimator]["mean"], j[estimator]["stderr"].as_f64().unwrap());
                close(mean, expected, 5.0 * stderr / expected);
                assert_eq!(j[estimator]["draws"], synthetic::DRAWS);
            }
        }
    }
}

#[test]
fn figures_of_the_full_space_lie_within_their_errors() {
    let json = json();
    for f in json["full"].as_array().unwrap() {
        let expected = closed_form(P, f["sigma"].as_f64().unwrap());
        let relative = |stderr: &Value| 5.0 * stderr.as_f64().unwrap() / expected + 1e-12;
        close(&f["gm"], expected, relative(&f["gm_stderr"]));
        close(&f["mc"]["mean"], expected, relative(&f["mc"]["stderr"]));
        close(&f["mc_cv"]["mean"], expected, relative(&f["mc_cv"]["stderr"]));
    }
    let m = increments(hessian);
    let trace: f64 = (0..P).map(|i| m[i * P + i]).sum();
    let t = &json["full_traces"]["trace_a"];
    close(&t["mean"], trace, 5.0 * t["stderr"].as_f64().unwrap() / trace.abs());
    for r in json["ratio"].as_array().unwrap() {
        let [low, value, high] = ["low", "value", "high"].map(|key| r[key].as_f64().unwrap());
        assert!(low <= value && value <= high, "{r}");
        let expected = closed_form(r["k"].as_u64().unwrap() as usize, r["sigma"].as_f64().unwrap())
            / closed_form(P, r["sigma"].as_f64().unwrap());
        assert!((value - expected).abs() <= 2.0 * (high - low) + 1e-9, "{value} is far from {expected}");
    }
    assert_eq!(json["ratio"].as_array().unwrap().len(), 3 * KS.len());
}

#[test]
fn quadratic_losses_leave_the_proxy_no_error_but_rounding() {
    let json = json();
    let proxy = json["proxy"].as_array().unwrap();
    assert_eq!(proxy.len(), 2);
    for p in proxy {
        assert!(p["abs_err"]["mean"].as_f64().unwrap() < 1e-14, "{p}");
        assert_eq!((&p["rounding_floor"], &p["abs_err"]["draws"]), (&1e-15.into(), &3.into()));
    }
}

#[test]
fn a_run_cut_short_reports_what_is_known() {
    let events = synthetic::run();
    for cut in 1..events.len() {
        let document = Document::of(&fold(&events[..cut])).unwrap();
        for format in [Format::Json, Format::Table, Format::Csv, Format::Md] {
            assert!(render(&document, format).ends_with('\n'));
        }
    }
    let document = Document::of(&fold(&events[..3])).unwrap();
    assert_eq!((document.losses.len(), document.grad_norm, document.subspace.len()), (synthetic::ROWS, None, 0));
    assert!(Document::of(&Readout::default()).is_none());
}

#[test]
fn the_csv_brings_every_float_back() {
    let document = document();
    let csv = render(&document, Format::Csv);
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let find = |quantity: &str, k: &str, sigma: &str| -> Vec<&str> {
        let found =
            lines.iter().filter(|l| l[0] == quantity && l[2] == k && l[3] == sigma).cloned().collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{quantity} {k} {sigma}");
        found[0].clone()
    };
    let j = document.subspace[1].j[1];
    assert_eq!(j.sigma, 1e-3);
    assert_eq!(find("j_sub_gm", "3", "0.001")[4].parse::<f64>().unwrap(), j.gm);
    let direct = find("j_sub_direct", "3", "0.001");
    let e = j.direct.unwrap();
    assert_eq!(direct[4].parse::<f64>().unwrap(), e.mean);
    assert_eq!(direct[5].parse::<f64>().unwrap(), e.stderr);
    assert_eq!(direct[6], e.draws.to_string());
    assert_eq!(find("loss_n", "", "")[4].parse::<f64>().unwrap(), document.loss_n.unwrap());
    let columns = lines[0].len();
    assert!(lines.iter().all(|l| l.len() == columns));
}

#[test]
fn tables_for_people() {
    let mut document = document();
    // Figures that are rounding errors differ from machine to machine.
    let tiny = Estimate { mean: 1e-16, stderr: 1e-17, draws: 3 };
    document.proxy.iter_mut().for_each(|p| (p.abs_err, p.rel_err, p.rel_err_median) = (tiny, tiny, 1e-16));
    document
        .subspace
        .iter_mut()
        .flat_map(|s| &mut s.j)
        .for_each(|j| j.direct_cv = Some(Estimate { mean: j.gm, ..tiny }));
    insta::assert_snapshot!("table", render(&document, Format::Table));
    insta::assert_snapshot!("markdown", render(&document, Format::Md));
}
