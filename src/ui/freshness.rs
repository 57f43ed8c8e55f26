//! What a pane's figures are worth for the knobs wanted.

use crate::engine::event::Stage;
use crate::engine::ladder;
use crate::engine::readout::{AtN, Standing};

use super::pane::{EstimatorsView, Pane, ProxyView};
use super::state::{App, Feed};

/// What a pane's figures are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing to show yet.
    Awaited,
    /// Belongs to former knobs.
    Stale,
    /// Belongs to the knobs in force; may still grow.
    Fresh,
}

impl App {
    /// What the figures of `pane` are worth for the knobs wanted.
    pub fn freshness(&self, pane: Pane) -> Freshness {
        let (known, fresh) = match pane {
            Pane::Spectrum => (self.readout.solve.is_some(), self.is_current(Stage::Subspace)),
            Pane::Ratio | Pane::Laws | Pane::Theory => {
                (self.readout.quadratic().is_some(), self.is_current(Stage::Coefficients))
            }
            Pane::Estimators => {
                // What a stage took is told from the first one on.
                let timed = self.view.views.estimators == EstimatorsView::Stages && !self.readout.stages.is_empty();
                (timed || self.readout.quadratic().is_some(), timed || self.is_current(Stage::Coefficients))
            }
            Pane::Proxy if self.view.views.proxy == ProxyView::Checkpoints => {
                (!self.readout.growth_proxy().is_empty(), true)
            }
            // The proxy depends on n and the checkpoint alone, so it outlives a turn of any other knob.
            Pane::Proxy => {
                let begun = |here: &AtN| here.proxy.values().any(|d| !d.losses.is_empty());
                (self.readout.here().is_some_and(begun), self.readout.shown_n() == self.wanted.n)
            }
            // A point of growth holds at its own n whatever is turned, and σ and k move its curves within the frame.
            Pane::Growth => (self.readout.growth_mode().is_some(), true),
        };
        match (known, fresh) {
            (false, _) => Freshness::Awaited,
            (true, false) => Freshness::Stale,
            (true, true) => Freshness::Fresh,
        }
    }

    /// Whether the figures of `stage` are those of the knobs wanted.
    fn is_current(&self, stage: Stage) -> bool {
        let ahead = matches!(self.feed, Feed::Live(_))
            && ladder::invalidated(&self.readout.knobs, &self.wanted).is_some_and(|first| first <= stage);
        !ahead && (self.readout.standing(stage) == Standing::Complete || self.delivered.contains(&stage))
    }
}
