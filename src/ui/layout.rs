//! How the panes share the screen, by its size.
//!
//! ```text
//! 80×24 one        80×50 column     120×40, 200×60 grid     240×50 row
//! ┌─────┐          ┌─────┐          ┌─────┬─────┐           ┌───┬───┬───┬───┐
//! │  1  │ and tabs │  1  │          │  1  │  2  │           │ 1 │ 2 │ 3 │ 4 │
//! └─────┘          ├─────┤          ├─────┼─────┤           └───┴───┴───┴───┘
//!                  │  2  │          │  3  │  4  │
//!                  └─────┘          └─────┴─────┘
//! ```

use ratatui::layout::{Constraint, Layout, Rect};

use super::state::Pane;

/// How panes share the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The pane in focus alone, with tabs that lead to the others.
    One,
    /// Full width, one below the other.
    Column,
    /// Two side by side, two rows.
    Grid,
    /// Full height, side by side.
    Row,
}

/// Smallest screen on which panes stand side by side.
const GRID: (u16, u16) = (100, 30);
/// Columns that a pane needs in a row, and the height from which a grid shows more.
const ROW: (u16, u16) = (55, 55);
/// Rows that a pane needs in a column.
const COLUMN: u16 = 14;
/// Rows of the bars around the panes.
const BARS: u16 = 6;

impl Preset {
    /// The preset for a screen of `columns` × `rows` and `panes` panes.
    pub fn of((columns, rows): (u16, u16), panes: usize) -> Preset {
        let panes = panes as u16;
        let grid = columns >= GRID.0 && rows >= GRID.1;
        match panes {
            0 | 1 => Preset::One,
            _ if grid && (panes == 2 || columns >= panes * ROW.0 && rows < ROW.1) => Preset::Row,
            _ if grid => Preset::Grid,
            _ if rows >= BARS + panes * COLUMN => Preset::Column,
            _ => Preset::One,
        }
    }

    /// The cells of each pane in `area`. `focus` is the one that stands alone.
    pub fn arrange(self, area: Rect, panes: &[Pane], focus: Pane) -> Vec<(Pane, Rect)> {
        let share = |direction: fn(Vec<Constraint>) -> Layout, area: Rect, count: usize| {
            direction(vec![Constraint::Fill(1); count]).split(area).to_vec()
        };
        let cells = match self {
            Preset::One => return vec![(focus, area)],
            Preset::Column => share(Layout::vertical, area, panes.len()),
            Preset::Row => share(Layout::horizontal, area, panes.len()),
            // Of three the first has the whole height: it is what the others follow from.
            Preset::Grid if panes.len() == 3 => {
                let halves = share(Layout::horizontal, area, 2);
                [vec![halves[0]], share(Layout::vertical, halves[1], 2)].concat()
            }
            Preset::Grid => {
                let rows = share(Layout::vertical, area, panes.len().div_ceil(2));
                rows.into_iter().flat_map(|row| share(Layout::horizontal, row, panes.len().min(2))).collect()
            }
        };
        panes.iter().copied().zip(cells).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_its_preset() {
        let all = |size| Preset::of(size, 4);
        assert_eq!(all((80, 24)), Preset::One);
        assert_eq!(all((80, 62)), Preset::Column);
        assert_eq!(all((120, 40)), Preset::Grid);
        assert_eq!(all((200, 60)), Preset::Grid);
        assert_eq!(all((240, 50)), Preset::Row);
        assert_eq!(Preset::of((120, 40), 2), Preset::Row);
        assert_eq!(Preset::of((120, 40), 3), Preset::Grid);
        assert_eq!(Preset::of((300, 90), 1), Preset::One);
    }

    #[test]
    fn panes_fill_the_area_and_do_not_overlap() {
        let area = Rect::new(0, 2, 121, 33);
        for preset in [Preset::One, Preset::Column, Preset::Grid, Preset::Row] {
            for count in 1..=4 {
                let placed = preset.arrange(area, &Pane::ALL[..count], Pane::Spectrum);
                let cells: u32 = placed.iter().map(|(_, r)| r.area()).sum();
                assert_eq!(cells, area.area(), "{preset:?} {count}");
                for (i, (_, a)) in placed.iter().enumerate() {
                    assert!(area.union(*a) == area && placed[i + 1..].iter().all(|(_, b)| !a.intersects(*b)));
                }
            }
        }
    }
}
