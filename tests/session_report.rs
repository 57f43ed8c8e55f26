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
    parsed(&document())
}

fn parsed(document: &Document) -> Value {
    serde_json::from_str(&render(document, Format::Json)).unwrap()
}

/// The document of the same run with all exhibits.
fn with_exhibits() -> Document {
    Document::of(&fold(&synthetic::exhibits::with_exhibits())).unwrap()
}

fn close(found: &Value, expected: f64, relative: f64) {
    let x = found.as_f64().unwrap_or(f64::NAN);
    assert!((x - expected).abs() <= relative * expected.abs(), "{x} is not {expected}");
}

/// J = (a + ½σ² Tr M)² + σ²‖v‖² + ½σ⁴‖M‖_F² on the first k coordinates.
fn closed_form(k: usize, sigma: f64) -> f64 {
    let columns: Vec<usize> = (0..k).collect();
    mean(&columns, sigma).powi(2) + variance(&columns, sigma)
}

/// a + ½σ² Tr M on these coordinates.
fn mean(columns: &[usize], sigma: f64) -> f64 {
    let (a, m) = (increment(&(0..=N).map(loss).collect::<Vec<_>>(), N).unwrap(), increments(hessian));
    a + 0.5 * sigma * sigma * columns.iter().map(|i| m[i * P + i]).sum::<f64>()
}

/// ‖v‖² and ‖M‖_F² on these coordinates.
fn norms(columns: &[usize]) -> (f64, f64) {
    let (b, m) = (increments(gradient), increments(hessian));
    let frob2 = columns.iter().flat_map(|i| columns.iter().map(|j| m[i * P + j].powi(2)).collect::<Vec<_>>()).sum();
    (columns.iter().map(|i| b[*i] * b[*i]).sum(), frob2)
}

/// σ²‖v‖² + ½σ⁴‖M‖_F² on these coordinates.
fn variance(columns: &[usize], sigma: f64) -> f64 {
    let (gradient, curvature) = norms(columns);
    sigma.powi(2) * gradient + 0.5 * sigma.powi(4) * curvature
}

/// Assert that an interval holds a value, up to rounding, and is none of the widest.
fn holds(interval: &Value, expected: f64, widest: f64) {
    let [low, value, high] = ["low", "value", "high"].map(|key| interval[key].as_f64().unwrap());
    let rounding = 1e-12 * expected.abs();
    assert!(low - rounding <= expected && expected <= high + rounding, "{expected} is not in {interval}");
    assert!(low <= value && value <= high && high - low <= widest, "{interval}");
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
               decomposition proxy exhibits stages warnings";
    assert_eq!(keys(&json), sorted(top));
    assert_eq!(keys(&json["fingerprints"]), sorted("checkpoint data"));
    assert_eq!(keys(&json["subspace"][0]), sorted("k c_norm2 trace_b frob2_b j"));
    assert_eq!(keys(&json["subspace"][0]["j"][0]), sorted("sigma gm quadratic direct direct_cv"));
    assert_eq!(keys(&json["subspace"][0]["j"][0]["direct"]), sorted("mean stderr draws"));
    assert_eq!(keys(&json["full_traces"]), sorted("trace_a frob2_a"));
    assert_eq!(keys(&json["full"][0]), sorted("sigma mc mc_cv gm gm_stderr"));
    let ratio = "k sigma value low high share share_low share_high gradient_share curvature_share curvature_share_low \
                 curvature_share_high";
    assert_eq!(keys(&json["ratio"][0]), sorted(ratio));
    assert_eq!(keys(&json["decomposition"][0]), sorted("space k sigma j mean2 variance gradient"));
    assert_eq!(keys(&json["decomposition"][0]["j"]), sorted("value low high"));
    assert_eq!(keys(&json["proxy"][0]), sorted("sigma abs_err rel_err rel_err_median rounding_floor"));
    assert_eq!(keys(&json["stages"][0]), sorted("stage seconds hvps sequence_passes"));
    assert_eq!(keys(&json["warnings"][0]), sorted("name message"));
    assert_eq!(json["warnings"][0]["name"], "far-from-minimiser");
    assert_eq!((&json["precision"], &json["law"], &json["solver"]), (&"f64".into(), &"top".into(), &"lanczos".into()));
}

#[test]
fn the_exhibits_have_exactly_the_fields_of_the_contract() {
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |names: &str| {
        let mut names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    };
    let e = &parsed(&with_exhibits())["exhibits"];
    let fields = [
        ("", "traces overlap density laws shares theory corollary4 proposition3 s_curve gap growth"),
        ("/traces", "n trace_a frob2_a products plain"),
        ("/traces/plain", "trace_a frob2_a"),
        ("/overlap/0", "former n overlap cosines angles"),
        ("/density", "n x mean low high width bulk outliers probes"),
        ("/density/probes/0", "nodes weights"),
        ("/laws/0", "law k dimensions sigma j moments share gradient_share curvature_share enrichment leakage signal"),
        ("/laws/0/moments", "mean gradient curvature"),
        ("/shares/0", "k sigma pairs pick_freeze plain quadratic"),
        ("/theory", "constants bounds"),
        ("/theory/constants", "n loss gradient curvature"),
        ("/theory/bounds/0", "n k sigma bound loss gradient curvature measured slack"),
        ("/corollary4/0", "k sigma diagonal signal full off_diagonal"),
        ("/proposition3", "increments nonnegative signals"),
        ("/proposition3/signals/0", "k sigma leading trailing spread"),
        ("/s_curve/0", "k sigma draws direct quadratic direct_cv gm"),
        ("/gap/0", "k sigma size half confirmed"),
        ("/growth", "mode ks sigmas rates curves checkpoints proxy"),
        ("/growth/rates/0", "quantity k sigma theory slope"),
        ("/growth/curves/0", "quantity k sigma points"),
        ("/growth/curves/0/points/0", "at value low high"),
        (
            "/growth/checkpoints/0",
            "run step n loss grad_norm next_norm eigenvalues residuals overlap angles products seconds",
        ),
    ];
    for (at, names) in fields {
        let value = e.pointer(at).unwrap_or_else(|| panic!("no {at}"));
        assert_eq!(keys(value), sorted(names), "{at}");
    }
    // Without exhibits what needs computing is null or empty, and what does not is there.
    let none = &json()["exhibits"];
    for key in ["traces", "density", "theory", "growth"] {
        assert!(none[key].is_null(), "{key}");
    }
    for key in ["overlap", "laws", "shares"] {
        assert_eq!(none[key].as_array().unwrap().len(), 0, "{key}");
    }
    assert_eq!(none["corollary4"].as_array().unwrap().len(), 3 * KS.len());
}

#[test]
fn the_decomposition_adds_up_and_its_intervals_hold_the_closed_form() {
    let all: Vec<usize> = (0..P).collect();
    // Once with the traces of the plain probes and once with those of the exhibit, a thousand times narrower.
    for (json, widest) in [(json(), 1.0), (parsed(&with_exhibits()), 0.01)] {
        let parts = json["decomposition"].as_array().unwrap();
        assert_eq!(parts.len(), 3 * (KS.len() + 1));
        for d in parts {
            let sigma = d["sigma"].as_f64().unwrap();
            let columns = d["k"].as_u64().map_or(all.clone(), |k| (0..k as usize).collect());
            assert_eq!(d["space"], if d["k"].is_null() { "full" } else { "sub" });
            let (mean2, variance) = (mean(&columns, sigma).powi(2), variance(&columns, sigma));
            let curvature = 0.5 * sigma.powi(4) * norms(&columns).1;
            let slope = (mean(&columns, sigma) * sigma * sigma).abs() * 0.1;
            let exact = d["space"] == "sub";
            holds(&d["mean2"], mean2, if exact { 1e-15 * mean2 } else { widest * slope });
            holds(&d["variance"], variance, if exact { 1e-15 * variance } else { widest * curvature });
            holds(&d["j"], mean2 + variance, if exact { 1e-15 } else { widest * (slope + curvature) });
            close(&d["gradient"], sigma * sigma * norms(&columns).0, 1e-12);
            let [j, m, v] = ["j", "mean2", "variance"].map(|key| d[key]["value"].as_f64().unwrap());
            assert!((j - m - v).abs() <= 1e-15 * j, "{d}");
            assert!(exact == (d["variance"]["low"] == d["variance"]["high"]), "{d}");
        }
    }
}

#[test]
fn exhibits_show_what_the_matrices_give() {
    let readout = fold(&synthetic::exhibits::with_exhibits());
    let e = &parsed(&with_exhibits())["exhibits"];
    let (b, m) = (increments(gradient), increments(hessian));
    let all: Vec<usize> = (0..P).collect();
    let list = |key: &str| e[key].as_array().unwrap().clone();
    let place = |v: &Value| (v["k"].as_u64().unwrap() as usize, v["sigma"].as_f64().unwrap());

    close(&e["traces"]["frob2_a"]["mean"], norms(&all).1, 1e-12);
    close(&e["traces"]["trace_a"]["mean"], all.iter().map(|i| m[i * P + i]).sum(), 1e-12);
    assert_eq!(e["traces"]["plain"]["trace_a"]["draws"], synthetic::PROBES);
    assert_eq!(e["overlap"][0]["former"], 7);
    close(&e["overlap"][0]["overlap"], (1.0 + 0.81 + 0.36) / 3.0, 1e-12);
    close(&e["overlap"][0]["angles"][2], 0.6f64.acos(), 1e-12);

    let column =
        |key: &str| -> Vec<f64> { e["density"][key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
    let (x, mean, low, high) = (column("x"), column("mean"), column("low"), column("high"));
    let area: f64 = x.windows(2).zip(mean.windows(2)).map(|(x, y)| 0.5 * (x[1] - x[0]) * (y[0] + y[1])).sum();
    assert!((area - 1.0).abs() < 1e-3, "{area}");
    assert!(mean.iter().zip(&low).zip(&high).all(|((mean, low), high)| low <= mean && mean <= high));
    assert_eq!(e["density"]["probes"].as_array().unwrap().len(), 4);

    let laws = list("laws");
    assert_eq!(laws.len(), 4 * 3 * KS.len());
    for law in &laws {
        let (k, sigma) = place(law);
        let length2 = norms(&all).0;
        let along: f64 = synthetic::form(&m, &b) / length2;
        let columns = match law["law"].as_str().unwrap() {
            "top" => &[0, 1, 2][..k],
            "bottom" => &[5, 4, 3][..k],
            "random" => &[1, 3, 5][..k],
            _ => &[],
        };
        let ((gradient, curvature), dimensions) =
            if columns.is_empty() { ((length2, along * along), 1) } else { (norms(columns), k) };
        let variance_there = sigma.powi(2) * gradient + 0.5 * sigma.powi(4) * curvature;
        let share = variance_there / variance(&all, sigma);
        assert_eq!(law["dimensions"], dimensions);
        close(&law["share"]["value"], share, 1e-9);
        holds(&law["share"], share, 0.01 * share);
        close(&law["gradient_share"], gradient / length2, 1e-9);
        holds(&law["curvature_share"], curvature / norms(&all).1, 0.02);
        holds(&law["enrichment"], share * P as f64 / dimensions as f64, 0.1);
        let parts = ["gradient", "curvature"].map(|part| law["moments"][part].as_f64().unwrap());
        assert!((parts[0] + parts[1] - variance_there).abs() < 1e-12 * variance_there, "{law}");
        close(&law["j"], law["moments"]["mean"].as_f64().unwrap().powi(2) + variance_there, 1e-12);
    }

    for share in list("shares") {
        let (k, sigma) = place(&share);
        let expected = variance(&all[..k], sigma) / variance(&all, sigma);
        assert_eq!(share["pairs"], synthetic::exhibits::PAIRS);
        // The losses are their own quadratic model, so all that is left is the error of the traces.
        close(&share["pick_freeze"]["value"], expected, 1e-6);
        close(&share["quadratic"]["value"], expected, 1e-9);
        assert_eq!(share["pick_freeze"]["value"], readout.pick_freeze_share(k, sigma).unwrap().value);
        assert_eq!(share["plain"]["low"], readout.pick_freeze_plain(k, sigma).unwrap().low);
    }
    assert_eq!(list("shares").len(), 3 * KS.len());

    let constants = &e["theory"]["constants"];
    let largest = |of: &dyn Fn(usize) -> f64| (0..=N).map(of).fold(0.0, f64::max);
    let (of_loss, of_curvature) =
        (largest(&loss), largest(&|i| hessian(i).iter().fold(0.0, |m: f64, h| m.max(h.abs()))));
    close(&constants["loss"], of_loss, 1e-12);
    close(&constants["curvature"], of_curvature + 1e-4, 1e-12);
    let last = gradient(N);
    let of_gradient = synthetic::dot(&last, &last).sqrt().max((N + 1) as f64 * norms(&all).0.sqrt());
    close(&constants["gradient"], of_gradient, 1e-12);
    for bound in e["theory"]["bounds"].as_array().unwrap() {
        let ((k, sigma), n1) = (place(bound), (N + 1) as f64);
        let curvature = 3.0 * sigma.powi(4) * ((k * k + 2 * k) as f64) * (of_curvature + 1e-4).powi(2);
        let expected = (12.0 * of_loss.powi(2) + 3.0 * sigma * sigma * of_gradient.powi(2) + curvature) / (n1 * n1);
        close(&bound["bound"], expected, 1e-12);
        close(&bound["measured"], closed_form(k, sigma), 1e-12);
        close(&bound["slack"], expected / closed_form(k, sigma), 1e-12);
        assert!(bound["slack"].as_f64().unwrap() > 1.0);
    }

    for c in list("corollary4") {
        // B is diagonal on these coordinates.
        assert!(c["off_diagonal"].as_f64().unwrap().abs() < 1e-12, "{c}");
        let (k, sigma) = place(&c);
        let (trace, frob2) = ((0..k).map(|i| m[i * P + i]).sum::<f64>(), norms(&all[..k]).1);
        close(&c["diagonal"], 0.25 * sigma.powi(4) * (2.0 * frob2 + trace * trace), 1e-12);
        close(&c["signal"], c["diagonal"].as_f64().unwrap(), 1e-12);
        close(&c["full"], closed_form(k, sigma), 1e-12);
    }
    let increments: Vec<f64> = (0..3).map(|i| m[i * P + i]).collect();
    for (found, expected) in e["proposition3"]["increments"].as_array().unwrap().iter().zip(&increments) {
        close(found, *expected, 1e-12);
    }
    assert_eq!(e["proposition3"]["nonnegative"], increments.iter().filter(|mu| **mu >= 0.0).count());
    let single = &e["proposition3"]["signals"][0];
    let sigma = place(single).1;
    for (key, mu) in [("leading", increments[0]), ("trailing", increments[2])] {
        close(&single[key], 0.75 * sigma.powi(4) * mu * mu, 1e-12);
    }

    for gap in list("gap") {
        let (k, sigma) = place(&gap);
        let sub = readout.subspace(k, sigma).unwrap();
        let direct = sub.direct.unwrap();
        close(&gap["size"], (direct.mean - sub.gm.j()).abs() / direct.mean, 1e-12);
        assert_eq!(gap["confirmed"], (direct.mean - sub.gm.j()).abs() <= direct.half_width());
        let curve: Vec<Value> = list("s_curve").into_iter().filter(|at| place(at) == (k, sigma)).collect();
        let last = curve.last().unwrap();
        assert_eq!((&last["draws"], &last["direct"]["mean"]), (&synthetic::DRAWS.into(), &direct.mean.into()));
        assert!(curve.windows(2).all(|w| w[0]["draws"].as_u64() < w[1]["draws"].as_u64()));
        close(&last["gm"], closed_form(k, sigma), 1e-12);
    }
}

#[test]
fn growth_is_told_with_its_rates_and_what_it_stands_on() {
    let json = parsed(&with_exhibits());
    let growth = &json["exhibits"]["growth"];
    let curve = |quantity: &str, k: Option<usize>, sigma: Option<f64>| -> Vec<Value> {
        let all = growth["curves"].as_array().unwrap();
        let (k, sigma) = (k.map_or(Value::Null, Value::from), sigma.map_or(Value::Null, Value::from));
        let found: Vec<&Value> =
            all.iter().filter(|c| c["quantity"] == quantity && c["k"] == k && c["sigma"] == sigma).collect();
        assert_eq!(found.len(), 1, "{quantity}");
        found[0]["points"].as_array().unwrap().clone()
    };
    let losses: Vec<f64> = (0..=N).map(loss).collect();
    for ((n, j1), constant) in
        synthetic::exhibits::GRID.iter().zip(curve("j1", None, None)).zip(curve("c_j1", None, None))
    {
        let expected = increment(&losses[..=*n], *n).unwrap().abs();
        assert_eq!(j1["at"], *n);
        close(&j1["value"], expected, 1e-12);
        close(&constant["value"], expected * (*n as f64 + 1.0), 1e-12);
    }
    let last = |quantity, k| curve(quantity, k, Some(1e-2)).last().unwrap().clone();
    close(&last("j_sub", Some(3))["value"], closed_form(3, 1e-2), 1e-12);
    holds(&last("j_full", None), closed_form(P, 1e-2), 0.01 * closed_form(P, 1e-2));
    holds(&last("ratio", Some(3)), closed_form(3, 1e-2) / closed_form(P, 1e-2), 0.01);
    let all: Vec<usize> = (0..P).collect();
    holds(&last("share", Some(3)), variance(&all[..3], 1e-2) / variance(&all, 1e-2), 0.01);

    let point = synthetic::exhibits::point(4);
    let checkpoint = &growth["checkpoints"][2];
    close(&checkpoint["grad_norm"], point.grad_norm, 1e-12);
    close(&checkpoint["next_norm"], point.next[0].b_norm2.sqrt() * 5.0, 1e-12);
    close(&checkpoint["overlap"], (1.0 + 1.0 + 0.25) / 3.0, 1e-12);
    close(&checkpoint["angles"][2], std::f64::consts::PI / 3.0, 1e-12);
    assert!(growth["checkpoints"][0]["overlap"].is_null());

    let rate = &growth["rates"][0];
    assert_eq!((&rate["quantity"], &rate["theory"]), (&"j1".into(), &(-1.0).into()));
    let slope = fold(&synthetic::exhibits::with_exhibits())
        .growth_slope(eigentop::engine::readout::growth::Quantity::J1, 1, 1.0)
        .unwrap();
    assert_eq!((&rate["slope"]["value"], &rate["slope"]["high"]), (&slope.value.into(), &slope.high.into()));
}

#[test]
fn the_csv_says_of_the_exhibits_what_the_json_says() {
    let document = with_exhibits();
    let (csv, json) = (render(&document, Format::Csv), parsed(&document));
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert!(lines.iter().all(|line| line.len() == 9));
    let find = |place: [&str; 4]| -> Vec<f64> {
        let found: Vec<_> = lines.iter().filter(|line| line[..4] == place).collect();
        assert_eq!(found.len(), 1, "{place:?}");
        found[0][4..].iter().map(|x| x.parse().unwrap_or(f64::NAN)).collect()
    };
    let e = &json["exhibits"];
    let law = e["laws"].as_array().unwrap().iter().find(|l| l["law"] == "random" && l["k"] == 3 && l["sigma"] == 1e-3);
    let law = law.unwrap();
    let share = find(["law_share", "random", "3", "0.001"]);
    let ends = ["value", "low", "high"].map(|key| law["share"][key].as_f64().unwrap());
    assert_eq!([share[0], share[3], share[4]], ends);
    let traces = find(["traces_frob2_a", "xtrace", "", ""]);
    let frob2 = &e["traces"]["frob2_a"];
    assert_eq!(traces[..3], ["mean", "stderr", "draws"].map(|key| frob2[key].as_f64().unwrap()));
    let bound = &e["theory"]["bounds"][0];
    assert_eq!(find(["theory_slack", "8", "1", "0.0001"])[0], bound["slack"].as_f64().unwrap());
    assert_eq!(find(["theory_constant", "m_loss", "", ""])[0], e["theory"]["constants"]["loss"].as_f64().unwrap());
    assert_eq!(find(["overlap", "7/8", "3", ""])[0], e["overlap"][0]["overlap"].as_f64().unwrap());
    assert_eq!(find(["gap", "", "3", "0.01"])[0], e["gap"][5]["size"].as_f64().unwrap());
    let full = json["decomposition"].as_array().unwrap().last().unwrap();
    let variance = find(["decomposition_variance", "full", "", "0.01"]);
    assert_eq!([variance[0], variance[3]], ["value", "low"].map(|key| full["variance"][key].as_f64().unwrap()));
    let j1 = &e["growth"]["curves"][0]["points"][3];
    assert_eq!((&j1["at"], find(["growth_j1", "8", "", ""])[0]), (&8.into(), j1["value"].as_f64().unwrap()));
    assert_eq!(find(["growth_slope_j1", "", "", ""])[0], e["growth"]["rates"][0]["slope"]["value"].as_f64().unwrap());
    let outliers = e["density"]["outliers"].as_array().unwrap().len();
    assert_eq!(lines.iter().filter(|line| line[0] == "density_outlier").count(), outliers);
    let places = e["density"]["x"].as_array().unwrap();
    let curve: Vec<_> = lines.iter().filter(|line| line[0] == "density_curve").collect();
    assert_eq!((curve.len(), curve[7][1].parse().ok()), (places.len(), places[7].as_f64()));
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
    let events = synthetic::exhibits::with_exhibits();
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

/// A document whose figures that are rounding errors are the same on every machine.
fn settled(mut document: Document) -> Document {
    let tiny = Estimate { mean: 1e-16, stderr: 1e-17, draws: 3 };
    document.proxy.iter_mut().for_each(|p| (p.abs_err, p.rel_err, p.rel_err_median) = (tiny, tiny, 1e-16));
    document
        .subspace
        .iter_mut()
        .flat_map(|s| &mut s.j)
        .for_each(|j| j.direct_cv = Some(Estimate { mean: j.gm, ..tiny }));
    document.exhibits.s_curve.iter_mut().for_each(|at| at.direct_cv = Estimate { mean: at.gm, ..tiny });
    document.exhibits.corollary4.iter_mut().for_each(|c| c.off_diagonal = 0.0);
    document
}

#[test]
fn tables_for_people() {
    let document = settled(document());
    insta::assert_snapshot!("table", render(&document, Format::Table));
    insta::assert_snapshot!("markdown", render(&document, Format::Md));
    insta::assert_snapshot!("table_with_exhibits", render(&settled(with_exhibits()), Format::Table));
}
