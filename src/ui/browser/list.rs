//! The list of sessions itself: what each card says, which are shown, which is chosen, what is being typed.

use crate::session::{Branch, Entry};

/// A session in the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Card {
    /// Its name.
    pub name: String,
    /// When it was started (Coordinated Universal Time).
    pub started: String,
    /// The checkpoint's name, or what is wrong with the description.
    pub subject: String,
    /// n and k at the start.
    pub knobs: Option<(usize, usize)>,
    /// Events recorded.
    pub events: usize,
    /// Size of the events, bytes.
    pub bytes: u64,
    /// The user's note.
    pub note: String,
    /// The user's tags.
    pub tags: Vec<String>,
    /// The moment of another session from which it goes on.
    pub branched_from: Option<Branch>,
}

impl Card {
    /// The card of an entry.
    pub fn of(entry: Entry) -> Card {
        let card = Card { name: entry.name, events: entry.events, bytes: entry.bytes, ..Card::default() };
        match entry.metadata {
            Ok(m) => Card {
                started: m.created.to_string().replace('T', " ").replace('Z', ""),
                subject: m.subject.name,
                knobs: Some((m.knobs.n, m.knobs.k())),
                note: m.note,
                tags: m.tags,
                branched_from: m.branched_from,
                ..card
            },
            Err(e) => Card { started: "–".into(), subject: e.to_string(), ..card },
        }
    }

    /// Whether every word of `search` stands somewhere on it, in whatever case.
    fn matches(&self, search: &str) -> bool {
        let text = [&self.name, &self.started, &self.subject, &self.note, &self.tags.join(" ")];
        let text = text.map(|t| t.to_lowercase()).join("\n");
        search.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

/// What a line typed in the list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Words to search for.
    Search,
    /// The chosen session's note.
    Note,
    /// The chosen session's tags.
    Tags,
}

/// The list of sessions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Browser {
    /// All sessions, newest first.
    pub cards: Vec<Card>,
    /// Words that every session shown has.
    pub search: String,
    /// The line being typed.
    pub line: Option<(Field, String)>,
    /// The session that is to be drawn beside once it has been read.
    pub(super) to_compare: Option<String>,
    /// The chosen one among those shown.
    chosen: usize,
}

impl Browser {
    /// The list of `entries`, which come oldest first.
    pub fn new(entries: Vec<Entry>) -> Browser {
        let mut cards: Vec<Card> = entries.into_iter().map(Card::of).collect();
        // Names given by hand do not sort by date.
        cards.sort_by(|a, b| b.started.cmp(&a.started).then(a.name.cmp(&b.name)));
        Browser { cards, ..Browser::default() }
    }

    /// The sessions that the search lets through.
    pub fn shown(&self) -> Vec<&Card> {
        self.cards.iter().filter(|c| c.matches(&self.search)).collect()
    }

    /// The chosen session and its place among those shown.
    pub fn chosen(&self) -> Option<(usize, &Card)> {
        let shown = self.shown();
        let at = self.chosen.min(shown.len().checked_sub(1)?);
        Some((at, shown[at]))
    }

    /// Change the line being typed, if one is.
    pub fn change(&mut self, change: impl FnOnce(&mut String)) {
        if let Some((field, text)) = &mut self.line {
            change(text);
            if *field == Field::Search {
                (self.search, self.chosen) = (text.clone(), 0);
            }
        }
    }

    pub(super) fn choose(&mut self, to: impl Fn(usize) -> usize) {
        if let (Some((at, _)), count) = (self.chosen(), self.shown().len()) {
            self.chosen = to(at).min(count - 1);
        }
    }

    pub(super) fn edit(&mut self, field: Field) {
        let text = match (field, self.chosen()) {
            (Field::Search, _) => self.search.clone(),
            (_, None) => return,
            (Field::Note, Some((_, card))) => card.note.clone(),
            (Field::Tags, Some((_, card))) => card.tags.join(" "),
        };
        self.line = Some((field, text));
    }

    /// Take the line that was typed; returns the card whose description it changed.
    pub(super) fn accept(&mut self) -> Option<&Card> {
        let (field, text) = self.line.take()?;
        let name = self.chosen().map(|(_, card)| card.name.clone())?;
        let card = self.cards.iter_mut().find(|c| c.name == name)?;
        match field {
            Field::Search => return None,
            Field::Note => card.note = text.trim().to_owned(),
            Field::Tags => card.tags = text.split_whitespace().map(str::to_owned).collect(),
        }
        Some(card)
    }
}
