//! Numbers as people read them: as many digits as are known, no more.

/// `x` to `digits` significant digits: plain between 1e-3 and 1e5, scientific outside; a dash where nothing is known.
pub fn number(x: f64, digits: usize) -> String {
    let last = digits.saturating_sub(1);
    if !x.is_finite() {
        return "–".to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    // Through the scientific form, so that 9.996 to three digits counts as 10.0 and not as 9.99…
    let scientific = format!("{x:.last$e}");
    let exponent = exponent_of(&scientific);
    if (-3..5).contains(&exponent) { format!("{x:.*}", (last as i32 - exponent).max(0) as usize) } else { scientific }
}

/// The exponent of a number printed with `{:e}`.
fn exponent_of(scientific: &str) -> i32 {
    scientific.rsplit_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// The decimal exponent of |x|.
fn exponent(x: f64) -> i32 {
    exponent_of(&format!("{:e}", x.abs()))
}

/// A value with its half-width, both rounded where the half-width's first digit stands, or its second where the first is
/// 1 or 2 and one digit would round too coarsely: `0.9992 ±0.0006`, `1.8961e-4 ±4e-8`, `-1.93 ±0.12`. Never more than seven
/// digits; five where the half-width is not known.
pub fn measured(value: f64, half: f64) -> String {
    measured_to(value, half, 7)
}

/// The same with at most `most` digits. Where that is fewer than five the column is narrow, and a half-width beside a number
/// in scientific notation keeps one digit.
pub fn measured_to(value: f64, half: f64, most: i32) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if !half.is_finite() {
        return number(value, most.min(5) as usize);
    }
    if half <= 0.0 {
        return number(value, most.min(6) as usize);
    }
    // Of the half-width as it will be printed: 9.8e-5 prints as 1e-4.
    let first = exponent_of(&format!("{half:.0e}"));
    let narrow = most < 5 && !(-3..5).contains(&exponent(value));
    let fine = format!("{half:.1e}").starts_with(['1', '2']) && exponent(value) - first + 2 <= most && !narrow;
    let last = first - i32::from(fine);
    let digits = (exponent(value) - last + 1).clamp(1, most) as usize;
    let step = 10f64.powi(last.max(0));
    let whole = |x: f64| if last > 0 { (x / step).round() * step } else { x };
    let (short, half) = (number(whole(value), digits), whole(half));
    let plain = !short.contains('e') && first >= -4;
    let margin = if plain {
        format!("{half:.*}", (-last).max(0) as usize)
    } else {
        format!("{half:.*e}", (first - last) as usize)
    };
    format!("{short} ±{margin}")
}

/// A signed share in per cent, parts per million or parts per billion, whichever reads best: `+0.3 %`, `−12 ppm`.
pub fn deviation(x: f64) -> String {
    let (scaled, unit) = match x.abs() {
        a if a >= 1e-3 || a == 0.0 => (x * 1e2, "%"),
        a if a >= 1e-6 => (x * 1e6, "ppm"),
        _ => (x * 1e9, "ppb"),
    };
    if !x.is_finite() {
        return "–".to_owned();
    }
    let sign = if x > 0.0 {
        "+"
    } else if x < 0.0 {
        "−"
    } else {
        ""
    };
    format!("{sign}{} {unit}", number(scaled.abs(), 2))
}

/// A knob's number as short as it can be exactly: `1e-3`, `2.5e-4`, `64`.
pub fn exact(x: f64) -> String {
    format!("{x:e}")
}

/// A count with a unit letter: `512`, `107M`, `1.2G`.
pub fn count(x: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.iter().find(|(unit, _)| x >= *unit) {
        Some((unit, letter)) => {
            let scaled = x / unit;
            let decimals = usize::from(scaled < 9.95);
            format!("{scaled:.decimals$}{letter}")
        }
        None => format!("{x:.0}"),
    }
}

/// Seconds as `0:07`, `12:30` or `1:02:03`.
pub fn clock(seconds: f64) -> String {
    let whole = if seconds.is_finite() { seconds.max(0.0) as u64 } else { return "–:––".to_owned() };
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A span of computing: `1.2e-4 s`, `0.41 s`, `17.5 s`, `3:07`.
pub fn span(seconds: f64) -> String {
    if seconds < 100.0 { format!("{} s", number(seconds, 3)) } else { clock(seconds) }
}

/// An amount of bytes in binary units: `512 B`, `1.4 MiB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// A small number as subscripts, for λ₁.
pub fn subscript(i: usize) -> String {
    i.to_string().bytes().filter_map(|digit| char::from_u32(0x2080 + u32::from(digit - b'0'))).collect()
}

/// A small number as superscripts, for 10⁻³.
pub fn superscript(i: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(0x2070 + digit.to_digit(10).unwrap_or(0)).unwrap_or(digit),
    };
    i.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_the_digits_asked_for() {
        assert_eq!(number(9.30331, 5), "9.3033");
        assert_eq!(number(0.00123456, 3), "0.00123");
        assert_eq!(number(1.89612e-4, 3), "1.90e-4");
        assert_eq!(number(-123456.0, 2), "-1.2e5");
        assert_eq!(number(9.996, 3), "10.0");
        assert_eq!(number(0.0, 4), "0");
        assert_eq!(number(f64::NAN, 4), "–");
    }

    #[test]
    fn the_interval_decides_the_digits() {
        assert_eq!(measured(0.99923, 6.1e-4), "0.9992 ±0.0006");
        assert_eq!(measured(1.89612e-4, 4.2e-8), "1.8961e-4 ±4e-8");
        assert_eq!(measured(9.30331, 2e-6), "9.303310 ±2e-6");
        assert_eq!(measured(0.24, 0.31), "0.2 ±0.3");
        assert_eq!(measured(3.0, f64::INFINITY), "3.0000");
        assert_eq!(measured(0.5, 0.0), "0.500000");
        // One digit of 1 or 2 would say too little.
        assert_eq!(measured(123.4, 20.0), "123 ±20");
        assert_eq!(measured(-1.934, 0.124), "-1.93 ±0.12");
        assert_eq!(measured(0.05312, 0.02960), "0.05 ±0.03");
        assert_eq!(measured(1.89612e-4, 2.2e-8), "1.89612e-4 ±2.2e-8");
        assert_eq!(measured(1234.5, 123.0), "1230 ±120");
        assert_eq!(measured_to(0.99923, 1.2e-4, 4), "0.9992 ±0.0001");
        assert_eq!(measured_to(3.327e-7, 2.2e-9, 4), "3.33e-7 ±2e-9");
    }

    #[test]
    fn deviations_choose_their_unit() {
        assert_eq!(deviation(0.0031), "+0.31 %");
        assert_eq!(deviation(-1.23e-5), "−12 ppm");
        assert_eq!(deviation(4e-8), "+40 ppb");
        assert_eq!(deviation(0.0), "0 %");
    }

    #[test]
    fn counts_clocks_and_subscripts() {
        assert_eq!(count(917_634.0), "918k");
        assert_eq!(count(107_200_658.0), "107M");
        assert_eq!(count(1_234_000.0), "1.2M");
        assert_eq!(count(512.0), "512");
        assert_eq!((clock(7.4).as_str(), clock(3723.0).as_str()), ("0:07", "1:02:03"));
        assert_eq!(exact(2.5e-4), "2.5e-4");
        assert_eq!(subscript(16), "₁₆");
        assert_eq!((superscript(-12).as_str(), superscript(30).as_str()), ("⁻¹²", "³⁰"));
        assert_eq!((span(0.41).as_str(), span(187.0).as_str()), ("0.410 s", "3:07"));
    }
}
