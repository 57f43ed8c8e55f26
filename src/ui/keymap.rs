//! The keymap: the table of actions with the user's own keys from `keymap.toml`.
//!
//! ```toml
//! [dashboard]                       # where it holds; `eigentop keys` lists the places and the actions
//! quit = ["q", "ctrl-q"]            # replaces the keys it has
//! zoom = "z z"                      # a chord: one key after the other
//! log = []                          # no key; the palette still finds it
//! ```

use std::path::Path;

use crokey::KeyCombination;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::action::{Action, BINDINGS, Binding, Context, Footer};
use super::key::{Chord, chord, file_form, is_text, written};
use crate::error::{Error, Result, did_you_mean};

/// A row of the table with the chords in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The row.
    pub binding: &'static Binding,
    /// Chords that do it; perhaps none.
    pub chords: Vec<Chord>,
    /// The line of `keymap.toml` that says so, as a place in its text; none for the table's own keys.
    place: Option<usize>,
}

impl Bound {
    /// All its chords, as people write them, such as `← h`; empty without any.
    pub fn written(&self) -> String {
        self.chords.iter().map(|c| written(c)).collect::<Vec<_>>().join("  ")
    }
}

/// What a key means after those already pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An action.
    Action(Action),
    /// The beginning of a chord.
    Beginning,
    /// Nothing.
    Nothing,
}

/// All bindings in force, in the order of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Keymap(Vec<Bound>);

impl Default for Keymap {
    /// The table's own keys.
    fn default() -> Self {
        let bound = |binding: &'static Binding| Bound {
            binding,
            chords: binding.keys.iter().map(|key| vec![*key]).collect(),
            place: None,
        };
        Keymap(BINDINGS.iter().map(bound).collect())
    }
}

impl Keymap {
    /// The table's keys, changed by the file at `path` if there is one.
    ///
    /// # Errors
    /// A file that cannot be read; an unknown context, action or key; keys that mean two things; no way out left. The
    /// message names file and line.
    pub fn load(path: Option<&Path>) -> Result<Keymap> {
        let Some(path) = path else { return Ok(Keymap::default()) };
        match std::fs::read_to_string(path) {
            Ok(text) => Keymap::parse(path, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Keymap::default()),
            Err(e) => Err(Error::io(path)(e)),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Keymap> {
        let at = |place: usize, what: String| Error::file_at(path, text, place, what);
        let table = DeTable::parse(text).map_err(|e| Error::toml(path, text, &e))?;
        let mut keymap = Keymap::default();
        for (name, actions) in table.get_ref() {
            let context = Context::ALL.into_iter().find(|c| c.name() == name.get_ref()).ok_or_else(|| {
                let names = Context::ALL.map(Context::name);
                let what = format!("[{}]: no such place{}", name.get_ref(), did_you_mean(name.get_ref(), names));
                at(name.span().start, format!("{what}; there are {}", names.join(", ")))
            })?;
            let DeValue::Table(actions) = actions.get_ref() else {
                return Err(at(name.span().start, format!("{} must be a table, [{0}]", name.get_ref())));
            };
            for (action, keys) in actions {
                let here =
                    |what: String| at(action.span().start, format!("{}.{}: {what}", context.name(), action.get_ref()));
                let known = |b: &&mut Bound| b.binding.context == context;
                let bound = keymap.0.iter_mut().filter(known).find(|b| b.binding.action.name() == *action.get_ref());
                let Some(bound) = bound else {
                    let names = BINDINGS.iter().filter(|b| b.context == context).map(|b| b.action.name());
                    let meant = did_you_mean(action.get_ref(), names);
                    return Err(here(format!("no such action here{meant}; `eigentop keys` lists them")));
                };
                bound.chords = chords(keys).map_err(&here)?;
                bound.place = Some(action.span().start);
            }
        }
        keymap.check().map_err(|(place, what)| at(place, what))?;
        Ok(keymap)
    }

    /// Whether every chord means one thing, what is typed can be typed, and there is a way out.
    fn check(&self) -> std::result::Result<(), (usize, String)> {
        let quit = self.0.iter().find(|b| b.binding.context == Context::Everywhere && b.binding.action == Action::Quit);
        if let Some(Bound { chords, place: Some(place), .. }) = quit
            && chords.is_empty()
        {
            return Err((*place, "everywhere.quit: needs a key, or there is no way out".into()));
        }
        for contexts in Context::TOGETHER {
            let held: Vec<(&Bound, &Chord)> =
                self.held(contexts).flat_map(|b| b.chords.iter().map(move |c| (b, c))).collect();
            for (i, (bound, chord)) in held.iter().enumerate() {
                let name = |b: &Bound| format!("{}.{}", b.binding.context.name(), b.binding.action.name());
                if let Some(place) = bound.place
                    && contexts.contains(&Context::Typing)
                    && is_text(chord[0])
                {
                    let what =
                        format!("{}: {:?} is typed as text there; use ctrl or alt", name(bound), file_form(chord));
                    return Err((place, what));
                }
                for (other, others) in &held[..i] {
                    let (short, long) = if chord.len() < others.len() { (*chord, *others) } else { (*others, *chord) };
                    let covered = bound.binding.context != other.binding.context
                        && [bound, other].iter().any(|b| b.binding.context.covers());
                    let same = bound.binding.action == other.binding.action;
                    if covered || same || !long.starts_with(short) {
                        continue;
                    }
                    // The table itself has no such pair, so at least one of the two has a line.
                    let (mine, theirs) = if bound.place > other.place { (bound, other) } else { (other, bound) };
                    let shared = if short.len() == long.len() { "is" } else { "begins or continues what is" };
                    let what = format!(
                        "{}: {:?} {shared} already bound to {}; give that another key, or none: {} = []",
                        name(mine),
                        file_form(if mine.chords.contains(chord) { chord } else { others }),
                        name(theirs),
                        theirs.binding.action.name(),
                    );
                    return Err((mine.place.unwrap_or(0), what));
                }
            }
        }
        Ok(())
    }

    /// The bindings that hold in `contexts`.
    pub fn held<'a>(&'a self, contexts: &'a [Context]) -> impl Iterator<Item = &'a Bound> {
        self.0.iter().filter(|b| contexts.contains(&b.binding.context))
    }

    /// The binding of `action` in `context`.
    pub fn of(&self, context: Context, action: Action) -> Option<&Bound> {
        self.0.iter().find(|b| b.binding.context == context && b.binding.action == action)
    }

    /// The first key of `action` in `context`; without one, the command of the palette.
    pub fn key(&self, context: Context, action: Action) -> String {
        let chord = self.of(context, action).and_then(|b| b.chords.first());
        chord.map_or_else(|| action.name(), |c| written(c))
    }

    /// What `key` means where `contexts` hold, after the keys of `begun`.
    pub fn find(&self, contexts: &[Context], begun: &[KeyCombination], key: KeyCombination) -> Found {
        let mut found = Found::Nothing;
        for bound in contexts.iter().flat_map(|context| self.held(std::slice::from_ref(context))) {
            for chord in &bound.chords {
                match chord.strip_prefix(begun) {
                    Some([last]) if *last == key => return Found::Action(bound.binding.action),
                    Some([next, ..]) if *next == key => found = Found::Beginning,
                    _ => {}
                }
            }
        }
        found
    }

    /// What may follow the keys of `begun`: how it is written, and its label.
    pub fn continuations(&self, contexts: &[Context], begun: &[KeyCombination]) -> Vec<(String, &'static str)> {
        let follow = |b: &Bound| -> Vec<(String, &'static str)> {
            let rests = b.chords.iter().filter_map(|c| c.strip_prefix(begun)).filter(|rest| !rest.is_empty());
            rests.map(|rest| (written(rest), b.binding.label)).collect()
        };
        self.held(contexts).flat_map(follow).collect()
    }

    /// The keys and words of the footer, in order.
    pub fn footer(&self, contexts: &[Context]) -> Vec<(String, &'static str)> {
        let first = |b: &Bound| b.chords.first().map(|c| written(c));
        let entry = |b: &Bound| {
            let keys = match b.binding.footer {
                Footer::Hidden => None,
                Footer::Shown => first(b),
                Footer::After(other) => {
                    let keys: Vec<String> =
                        [self.of(b.binding.context, other), Some(b)].into_iter().flatten().filter_map(first).collect();
                    let between = if keys.iter().all(|k| k.chars().count() == 1) { "" } else { "/" };
                    Some(keys.join(between)).filter(|keys| !keys.is_empty())
                }
            };
            keys.map(|keys| (keys, b.binding.label))
        };
        self.held(contexts).filter(|b| !self.is_covered(contexts, b)).filter_map(entry).collect()
    }

    /// Whether a context that lies over that of `bound` has taken its first key.
    fn is_covered(&self, contexts: &[Context], bound: &Bound) -> bool {
        let others = self.held(contexts).filter(|b| b.binding.context.covers() && !bound.binding.context.covers());
        bound.chords.first().is_some_and(|chord| others.into_iter().any(|b| b.chords.contains(chord)))
    }
}

fn chords(value: &Spanned<DeValue>) -> std::result::Result<Vec<Chord>, String> {
    let one = |value: &DeValue| match value {
        DeValue::String(text) => chord(text),
        other => Err(format!("a {} is no key; write it such as \"ctrl-x\" or \"g g\"", other.type_str())),
    };
    match value.get_ref() {
        DeValue::Array(list) => list.iter().map(|value| one(value.get_ref())).collect(),
        value => Ok(vec![one(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::key::pressed;
    use crokey::key;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn parse(text: &str) -> Result<Keymap> {
        Keymap::parse(Path::new("keymap.toml"), text)
    }

    fn press(keymap: &Keymap, contexts: &[Context], code: KeyCode, modifiers: KeyModifiers) -> Found {
        keymap.find(contexts, &[], pressed(&KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn the_table_means_one_thing_by_every_key_and_takes_no_text() {
        let placed: Vec<Bound> = Keymap::default().0.into_iter().map(|b| Bound { place: Some(0), ..b }).collect();
        assert_eq!(Keymap(placed).check(), Ok(()));
    }

    #[test]
    fn keys_are_found_with_their_modifiers() {
        let keymap = Keymap::default();
        let live = |code, modifiers| press(&keymap, Context::LIVE, code, modifiers);
        let act = Found::Action;
        assert_eq!(live(KeyCode::Char('c'), KeyModifiers::CONTROL), act(Action::Quit));
        assert_eq!(live(KeyCode::Char('c'), KeyModifiers::NONE), act(Action::Crosshair));
        assert_eq!(live(KeyCode::Char('e'), KeyModifiers::NONE), Found::Nothing);
        assert_eq!(live(KeyCode::Char('L'), KeyModifiers::SHIFT), act(Action::Log));
        assert_eq!(live(KeyCode::Char('L'), KeyModifiers::NONE), act(Action::Log));
        // Some terminals report Shift with a sign that needs it, others do not.
        assert_eq!(live(KeyCode::Char('?'), KeyModifiers::SHIFT), act(Action::Help));
        assert_eq!(live(KeyCode::BackTab, KeyModifiers::SHIFT), act(Action::PreviousPane));
        assert_eq!(live(KeyCode::BackTab, KeyModifiers::NONE), act(Action::PreviousPane));
        assert_eq!(live(KeyCode::Right, KeyModifiers::SHIFT), act(Action::Leap));
        // What lies over the dashboard comes before it.
        let reading = |code| press(&keymap, Context::CROSSHAIR_LIVE, code, KeyModifiers::NONE);
        assert_eq!(reading(KeyCode::Left), act(Action::CrosshairLeft));
        assert_eq!(reading(KeyCode::Esc), act(Action::Crosshair));
        assert_eq!(reading(KeyCode::Char('q')), act(Action::Quit));
        assert_eq!(press(&keymap, Context::TYPING, KeyCode::Char('q'), KeyModifiers::NONE), Found::Nothing);
    }

    #[test]
    fn a_file_replaces_keys_adds_chords_and_takes_keys_away() {
        let keymap =
            parse("[dashboard]\nquit = ['Q', 'ctrl-q']\nzoom = 'z z'\nlog = []\n[replay]\nstart = 'g g'\n").unwrap();
        let live = |code, modifiers| press(&keymap, Context::LIVE, code, modifiers);
        assert_eq!(live(KeyCode::Char('q'), KeyModifiers::NONE), Found::Nothing);
        assert_eq!(live(KeyCode::Char('Q'), KeyModifiers::SHIFT), Found::Action(Action::Quit));
        assert_eq!(live(KeyCode::Char('q'), KeyModifiers::CONTROL), Found::Action(Action::Quit));
        assert_eq!(live(KeyCode::Char('L'), KeyModifiers::SHIFT), Found::Nothing);
        assert_eq!(live(KeyCode::Char('z'), KeyModifiers::NONE), Found::Beginning);
        assert_eq!(keymap.find(Context::LIVE, &[key!(z)], key!(z)), Found::Action(Action::Zoom));
        assert_eq!(keymap.find(Context::LIVE, &[key!(z)], key!(q)), Found::Nothing);
        assert_eq!(keymap.continuations(Context::LIVE, &[key!(z)]), [("z".to_owned(), "zoom")]);
        assert_eq!(keymap.of(Context::Board, Action::Quit).unwrap().written(), "Q  Ctrl-Q");
        assert_eq!(parse("").unwrap(), Keymap::default());
        // The same action in two places may have the same key.
        assert!(parse("[live]\nincrease = [']', 'right']\n").is_ok());
    }

    #[test]
    fn mistakes_name_file_line_and_what_was_meant() {
        for (text, line, words) in [
            (
                "[dashbord]\nquit = 'x'\n",
                1,
                &["[dashbord]: no such place", "did you mean \"dashboard\"?", "everywhere"][..],
            ),
            ("[dashboard]\n\nqiut = 'x'\n", 3, &["dashboard.qiut: no such action", "did you mean \"quit\"?"]),
            ("[live]\nzoom = 'x'\n", 2, &["live.zoom: no such action here"]),
            ("[dashboard]\nquit = 'pgdown'\n", 2, &["\"pgdown\" is no key", "did you mean \"pagedown\"?"]),
            ("[dashboard]\nquit = 'ctrl-entr'\n", 2, &["\"ctrl-entr\" is no key", "did you mean \"enter\"?"]),
            ("[dashboard]\nquit = 'a-b'\n", 2, &["\"a-b\" is no key"]),
            ("[dashboard]\nquit = ''\n", 2, &["an empty text is no key"]),
            ("[dashboard]\nquit = 7\n", 2, &["a integer is no key"]),
            ("[dashboard]\nquit = ['x', 7]\n", 2, &["is no key"]),
            ("dashboard = 'q'\n", 1, &["dashboard must be a table"]),
            ("[dashboard\n", 1, &[]),
            (
                "[dashboard]\nzoom = 'q'\n",
                2,
                &["dashboard.zoom: \"q\" is already bound to dashboard.quit", "quit = []"],
            ),
            ("[live]\nsave = 'e'\npause = 'e'\n", 3, &["live.pause: \"e\" is already bound to live.save"]),
            ("[live]\nsave = 'v'\n", 2, &["live.save: \"v\" is already bound to dashboard.next-view"]),
            ("[dashboard]\nzoom = 'q x'\n", 2, &["dashboard.zoom: \"q x\" begins or continues"]),
            ("[typing]\nclear = 'x'\n", 2, &["typing.clear: \"x\" is typed as text there"]),
            ("[list]\nscroll-up = 'space'\n", 2, &["\"space\" is typed as text there"]),
            ("[everywhere]\nquit = []\n", 2, &["no way out"]),
            ("[dashboard]\nquit = 'x'\nquit = 'y'\n", 3, &["duplicate"]),
        ] {
            let said = parse(text).unwrap_err().to_string();
            assert!(said.starts_with(&format!("keymap.toml: line {line}: ")), "{text:?} gave: {said}");
            assert!(words.iter().all(|word| said.contains(word)), "{text:?} gave: {said}");
        }
    }

    #[test]
    fn what_is_written_in_a_file_reads_back() {
        for bound in &Keymap::default().0 {
            for chord_ in &bound.chords {
                assert_eq!(chord(&file_form(chord_)).as_ref(), Ok(chord_), "{}", file_form(chord_));
            }
        }
    }
}
