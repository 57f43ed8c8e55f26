//! What the dashboard remembers from one start to the next: which panes and views were on the screen. This is state,
//! not settings: it is written when the dashboard closes, and losing it loses nothing but that.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::state::{Arrangement, Pane, PaneViews, View};
use crate::error::{Error, Result};
use crate::file::{Readers, replace};

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Memory {
    focus: Pane,
    arrangement: Arrangement,
    hidden: BTreeSet<Pane>,
    #[serde(flatten)]
    views: PaneViews,
}

impl Memory {
    /// What there is to remember of a view.
    pub fn of(view: &View) -> Memory {
        Memory { focus: view.focus, arrangement: view.arrangement, hidden: view.hidden.clone(), views: view.views }
    }

    /// Bring it back into a view.
    pub fn restore(self, view: &mut View) {
        let Memory { focus, arrangement, hidden, views } = self;
        (view.focus, view.arrangement, view.hidden, view.views) = (focus, arrangement, hidden, views);
        // A pane in focus is on the screen, so that there always is one.
        view.hidden.remove(&focus);
    }

    /// What `file` remembers; `None` where there is no file, which is the first start. A file that cannot be read
    /// remembers nothing: it is replaced when the dashboard closes.
    pub fn load(file: &Path) -> Option<Memory> {
        match std::fs::read_to_string(file) {
            Ok(text) => Some(toml::from_str(&text).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(_) => Some(Memory::default()),
        }
    }

    /// Write it into `file`, whole or not at all.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn save(&self, file: &Path) -> Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let text = toml::to_string(self).map_err(|e| Error::file(file, e.to_string()))?;
        replace(file, text.as_bytes(), Readers::Owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::state::{EstimatorsView, TheoryView};

    #[test]
    fn what_is_saved_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/dashboard.toml");
        assert_eq!(Memory::load(&file), None);
        let mut view = View { focus: Pane::Proxy, ..View::default() };
        view.views.estimators = EstimatorsView::ByKAndSigma;
        view.views.theory = TheoryView::Choice;
        view.hidden.insert(Pane::Ratio);
        Memory::of(&view).save(&file).unwrap();
        let mut again = View::default();
        Memory::load(&file).unwrap().restore(&mut again);
        assert_eq!(again, view);
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no other file is left");
    }

    #[test]
    fn a_damaged_file_remembers_nothing_and_hides_nothing_in_focus() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dashboard.toml");
        std::fs::write(&file, "focus = 7").unwrap();
        assert_eq!(Memory::load(&file), Some(Memory::default()));
        std::fs::write(&file, "focus = \"proxy\"\nhidden = [\"proxy\", \"ratio\"]\nfuture = 1\n").unwrap();
        let mut view = View::default();
        Memory::load(&file).unwrap().restore(&mut view);
        assert_eq!((view.focus, view.hidden), (Pane::Proxy, BTreeSet::from([Pane::Ratio])));
    }
}
