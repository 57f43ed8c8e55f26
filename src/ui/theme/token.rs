//! What colours on the screen mean.

/// One definition of the tokens makes the enum, the list and the names in files.
macro_rules! tokens {
    ($($(#[doc = $doc:literal])+ $token:ident = $name:literal,)+) => {
        /// What a colour means, never what it looks like.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Token { $($(#[doc = $doc])+ $token,)+ }

        impl Token {
            /// Every token, in the order of declaration.
            pub const ALL: &[Token] = &[$(Token::$token,)+];

            /// The token's name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Token::$token => $name,)+ }
            }
        }
    };
}

tokens! {
    /// The screen's ground: background behind everything.
    Ground = "ground",
    /// Figures and what is being read now.
    Text = "text",
    /// Explanations and units.
    Muted = "muted",
    /// Axes, tracks and what should recede.
    Faint = "faint",
    /// Borders of panes.
    Border = "border",
    /// Border of the pane in focus.
    BorderFocus = "border-focus",
    /// Titles of panes.
    Title = "title",
    /// Title of the pane in focus.
    TitleFocus = "title-focus",
    /// The program's name, progress and the chosen knob.
    Accent = "accent",
    /// The chosen knob or row.
    Selected = "selected",
    /// Keys in the footer and the help.
    Key = "key",
    /// Converged, valid, agreed.
    Good = "good",
    /// A result in doubt.
    Warning = "warning",
    /// Something could not be done.
    Error = "error",
    /// Figures that belong to former knobs.
    Stale = "stale",
    /// Guides in plots: thresholds and marks.
    Guide = "guide",
    /// Intervals around curves.
    Band = "band",
    /// First curve.
    Series1 = "series-1",
    /// Second curve.
    Series2 = "series-2",
    /// Third curve.
    Series3 = "series-3",
    /// Fourth curve.
    Series4 = "series-4",
    /// Fifth curve.
    Series5 = "series-5",
    /// Sixth curve.
    Series6 = "series-6",
}

impl Token {
    /// The token of curve number `i`, counted from 0; they repeat after six.
    pub fn series(i: usize) -> Token {
        use Token::*;
        [Series1, Series2, Series3, Series4, Series5, Series6][i % 6]
    }
}
