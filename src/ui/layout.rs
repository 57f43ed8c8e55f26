//! How the panes share the screen, by its size: on pages, each with as many as there is room for. The page that holds the
//! pane in focus is shown; a line of tabs names all panes where there is more than one.
//!
//! ```text
//! 80×24 one        80×50 column     120×40, 200×60 grid     240×50 row
//! ┌─────┐          ┌─────┐          ┌─────┬─────┐           ┌───┬───┬───┬───┐
//! │  1  │          │  1  │          │  1  │  2  │           │ 1 │ 2 │ 3 │ 4 │
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
    /// Two rows.
    Grid,
    /// Full height, side by side.
    Row,
}

/// Smallest screen on which panes stand side by side.
const GRID: (u16, u16) = (100, 30);
/// Columns that a pane needs in a row, and the height from which a grid shows more.
const ROW: (u16, u16) = (55, 55);
/// Columns from which a grid has room for one more beside two.
const WIDE: u16 = 80;
/// Rows that a pane needs in a column.
const COLUMN: u16 = 14;
/// Rows of the bars around the panes.
const BARS: u16 = 6;

/// How many panes a screen of `columns` × `rows` has room for at once.
pub fn room((columns, rows): (u16, u16)) -> usize {
    let room = match (columns, rows) {
        _ if columns < GRID.0 || rows < GRID.1 => rows.saturating_sub(BARS) / COLUMN,
        _ if rows < ROW.1 => (columns / ROW.0).max(4),
        _ => 2 * (columns / WIDE).max(2),
    };
    usize::from(room.max(1))
}

/// The page that holds `focus`, if pages have `room` for so many panes.
pub fn page(panes: &[Pane], focus: Pane, room: usize) -> &[Pane] {
    panes.chunks(room.max(1)).find(|page| page.contains(&focus)).unwrap_or_default()
}

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

    /// The cells of each pane in `area`.
    pub fn arrange(self, area: Rect, panes: &[Pane]) -> Vec<(Pane, Rect)> {
        let share = |direction: fn(Vec<Constraint>) -> Layout, area: Rect, count: usize| {
            direction(vec![Constraint::Fill(1); count]).split(area).to_vec()
        };
        let cells = match self {
            Preset::One => vec![area],
            Preset::Column => share(Layout::vertical, area, panes.len()),
            Preset::Row => share(Layout::horizontal, area, panes.len()),
            // Of three the first has the whole height: it is what the others follow from.
            Preset::Grid if panes.len() == 3 => {
                let halves = share(Layout::horizontal, area, 2);
                [vec![halves[0]], share(Layout::vertical, halves[1], 2)].concat()
            }
            Preset::Grid => {
                let upper = panes.len().div_ceil(2);
                let rows = share(Layout::vertical, area, 2);
                let counts = [upper, panes.len() - upper];
                rows.into_iter().zip(counts).flat_map(|(row, count)| share(Layout::horizontal, row, count)).collect()
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
        let all = |size| Preset::of(size, room(size).min(4));
        assert_eq!(all((80, 24)), Preset::One);
        assert_eq!(all((80, 40)), Preset::Column);
        assert_eq!(all((80, 62)), Preset::Column);
        assert_eq!(all((120, 40)), Preset::Grid);
        assert_eq!(all((200, 60)), Preset::Grid);
        assert_eq!(all((240, 50)), Preset::Row);
        assert_eq!(Preset::of((120, 40), 2), Preset::Row);
        assert_eq!(Preset::of((120, 40), 3), Preset::Grid);
        assert_eq!(Preset::of((300, 90), 1), Preset::One);
    }

    #[test]
    fn pages_hold_all_panes_in_order_and_the_one_in_focus() {
        assert_eq!(
            [(80, 24), (80, 40), (120, 40), (200, 60), (240, 50), (240, 60), (400, 50)].map(room),
            [1, 2, 4, 4, 4, 6, 7]
        );
        let all = &Pane::ALL[..];
        assert_eq!(page(all, Pane::Proxy, 4), &all[..4]);
        assert_eq!(page(all, Pane::Laws, 4), &all[4..]);
        assert_eq!(page(all, Pane::Laws, 1), [Pane::Laws]);
        // A pane put away makes room for the next.
        let fewer = [Pane::Spectrum, Pane::Ratio, Pane::Estimators, Pane::Growth, Pane::Theory];
        assert_eq!(page(&fewer, Pane::Growth, 4), &fewer[..4]);
        for room in 1..9 {
            let pages: Vec<Pane> = all.iter().flat_map(|pane| page(all, *pane, room)).copied().collect();
            assert!(all.iter().all(|pane| pages.contains(pane)) && page(all, Pane::Theory, room).len() <= room);
        }
    }

    #[test]
    fn panes_fill_the_area_and_do_not_overlap() {
        let area = Rect::new(0, 2, 121, 33);
        for (preset, counts) in
            [(Preset::One, 1..=1), (Preset::Column, 1..=4), (Preset::Grid, 2..=7), (Preset::Row, 1..=4)]
        {
            for count in counts {
                let placed = preset.arrange(area, &Pane::ALL[..count]);
                let cells: u32 = placed.iter().map(|(_, r)| r.area()).sum();
                assert_eq!(cells, area.area(), "{preset:?} {count}");
                for (i, (_, a)) in placed.iter().enumerate() {
                    assert!(area.union(*a) == area && placed[i + 1..].iter().all(|(_, b)| !a.intersects(*b)));
                }
            }
        }
    }
}
