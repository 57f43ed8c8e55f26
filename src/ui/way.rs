//! Walking through lists: views, panes, knobs, values of a knob.

/// A pane's views: a list to walk through.
pub trait Views: Copy + PartialEq + Sized + 'static {
    /// All views in order.
    const ALL: &'static [Self];

    /// The view after this one, or before it.
    fn step(self, way: Way) -> Self {
        cycled(Self::ALL, self, way)
    }
}

/// The neighbour of `now` in `all`, going round at the ends.
pub fn cycled<T: Copy + PartialEq>(all: &[T], now: T, way: Way) -> T {
    let at = all.iter().position(|x| *x == now).unwrap_or(0);
    let by = match way {
        Way::On => 1,
        Way::Back => all.len() - 1,
    };
    all[(at + by) % all.len()]
}

/// A direction through a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the next.
    On,
    /// To the one before.
    Back,
}
