//! Verdicts: what an interval says of a claim.

use crate::math::stats::Interval;

/// What was found of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The numbers say so too.
    Agrees,
    /// The numbers say otherwise.
    Disagrees,
    /// The interval is too wide to say, or the numbers speak for both.
    Undecided,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Verdict::Agrees => "agrees",
            Verdict::Disagrees => "disagrees",
            Verdict::Undecided => "not decided",
        })
    }
}

impl Verdict {
    /// Of what is certain.
    pub fn of(holds: bool) -> Verdict {
        if holds { Verdict::Agrees } else { Verdict::Disagrees }
    }

    /// Of the claim that a criterion falls as n^rate. An interval that holds the next smaller power of 1/n too, n^(rate + 1),
    /// decides nothing.
    pub fn of_rate(slope: &Interval, rate: f64) -> Verdict {
        let holds = |x: f64| slope.low <= x && x <= slope.high;
        match (holds(rate), holds(rate + 1.0)) {
            (true, true) => Verdict::Undecided,
            (held, _) if slope.low.is_finite() && slope.high.is_finite() => Verdict::of(held),
            _ => Verdict::Undecided,
        }
    }

    /// Of the claim that a figure lies above `limit`.
    pub fn above(interval: &Interval, limit: f64) -> Verdict {
        match interval {
            Interval { low, .. } if *low > limit => Verdict::Agrees,
            Interval { high, .. } if *high < limit => Verdict::Disagrees,
            _ => Verdict::Undecided,
        }
    }

    /// Of the claim that a figure lies below `limit`.
    pub fn below(interval: &Interval, limit: f64) -> Verdict {
        let mirrored = Interval { value: -interval.value, low: -interval.high, high: -interval.low };
        Verdict::above(&mirrored, -limit)
    }

    /// Of a claim about several numbers: it agrees where every one does, and disagrees where one does and none agrees.
    pub fn together(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        let verdicts: Vec<Verdict> = verdicts.into_iter().collect();
        let some = |verdict| verdicts.contains(&verdict);
        match (some(Verdict::Agrees), some(Verdict::Disagrees), some(Verdict::Undecided)) {
            (true, false, false) => Verdict::Agrees,
            (false, true, _) => Verdict::Disagrees,
            _ => Verdict::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, high: f64) -> Interval {
        Interval { value: 0.5 * (low + high), low, high }
    }

    #[test]
    fn a_rate_is_judged_by_its_interval() {
        assert_eq!(Verdict::of_rate(&interval(-2.5, -1.5), -2.0), Verdict::Agrees);
        assert_eq!(Verdict::of_rate(&interval(-1.5, -1.2), -2.0), Verdict::Disagrees);
        assert_eq!(Verdict::of_rate(&interval(-3.0, -2.5), -2.0), Verdict::Disagrees);
        assert_eq!(Verdict::of_rate(&interval(-11.0, 3.0), -2.0), Verdict::Undecided);
        assert_eq!(Verdict::of_rate(&interval(f64::NEG_INFINITY, f64::INFINITY), -2.0), Verdict::Undecided);
        assert_eq!(Verdict::of_rate(&interval(f64::NAN, f64::NAN), -2.0), Verdict::Undecided);
    }

    #[test]
    fn a_limit_within_the_interval_decides_nothing() {
        assert_eq!(Verdict::above(&interval(0.6, 0.8), 0.5), Verdict::Agrees);
        assert_eq!(Verdict::above(&interval(0.1, 0.3), 0.5), Verdict::Disagrees);
        assert_eq!(Verdict::above(&interval(0.4, 0.6), 0.5), Verdict::Undecided);
        assert_eq!(Verdict::below(&interval(0.1, 0.3), 0.5), Verdict::Agrees);
        assert_eq!(Verdict::below(&interval(0.6, 0.8), 0.5), Verdict::Disagrees);
        assert_eq!(Verdict::below(&interval(f64::NAN, f64::NAN), 0.5), Verdict::Undecided);
    }

    #[test]
    fn numbers_that_contradict_each_other_decide_nothing() {
        use Verdict::{Agrees, Disagrees, Undecided};
        assert_eq!(Verdict::together([Agrees, Agrees]), Agrees);
        assert_eq!(Verdict::together([Agrees, Undecided, Agrees]), Undecided);
        assert_eq!(Verdict::together([Disagrees, Undecided]), Disagrees);
        assert_eq!(Verdict::together([Agrees, Disagrees]), Undecided);
        assert_eq!(Verdict::together([]), Undecided);
    }
}
