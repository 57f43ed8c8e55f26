//! Turning knobs: what the user wants of the worker, checked before it is told, and taken back again. Pure.

use crate::engine::knobs::Knobs;
use crate::engine::worker::{Run, Wanted};

use super::knob::{Knob, Turn};
use super::message::Effect;
use super::state::{App, Feed, Notice, Pace};

/// Check knobs against the problem, once its size is known.
pub fn check(app: &App, knobs: &Knobs) -> Result<(), String> {
    let (sequences, parameters) =
        app.readout.subject.as_ref().map_or((usize::MAX, usize::MAX), |s| (s.sequences, s.parameters));
    knobs.check(sequences, parameters).map_err(|e| e.to_string())?;
    let only_sigma =
        Knobs { sigma: app.wanted.sigma, sigmas: app.wanted.sigmas.clone(), ..knobs.clone() } == app.wanted;
    match app.feed {
        Feed::Replay(_) if !only_sigma => {
            Err("a recording is not computed anew; only σ moves, because its curves follow from the coefficients"
                .into())
        }
        _ => Ok(()),
    }
}

/// Turn a knob, as far as the problem allows.
pub fn turn_knob(app: &mut App, knob: Knob, turn: Turn) -> Vec<Effect> {
    app.view.notice = None;
    let mut knobs = knob.turned(&app.wanted, turn);
    let mut checked = check(app, &knobs);
    // A choice that does not fit the other knobs is passed over, so that the ones behind it can be reached.
    if knob.choices().is_some() && matches!(app.feed, Feed::Live(_)) {
        for _ in 0..3 {
            if checked.is_err() {
                knobs = knob.turned(&knobs, turn);
                checked = check(app, &knobs);
            }
        }
    }
    match checked {
        Ok(()) => want(app, knobs),
        Err(why) => refuse(app, why),
    }
}

/// Want `knobs` if the problem allows; else say why not.
pub fn ask(app: &mut App, knobs: Result<Knobs, String>) -> Vec<Effect> {
    match knobs.and_then(|knobs| check(app, &knobs).map(|()| knobs)) {
        Ok(knobs) => want(app, knobs),
        Err(why) => refuse(app, why),
    }
}

fn refuse(app: &mut App, why: String) -> Vec<Effect> {
    app.view.notice = Some(Notice::Refused(why));
    Vec::new()
}

/// Want `knobs`, which were checked.
pub fn want(app: &mut App, knobs: Knobs) -> Vec<Effect> {
    if knobs == app.wanted {
        return Vec::new();
    }
    app.history.push(std::mem::replace(&mut app.wanted, knobs));
    tell(app)
}

/// Take back the last turn.
pub fn undo(app: &mut App) -> Vec<Effect> {
    match app.history.pop() {
        Some(knobs) => {
            app.wanted = knobs;
            app.view.notice = None;
            tell(app)
        }
        None => refuse(app, "no turn of a knob to undo".into()),
    }
}

/// Tell the worker what is wanted; a recording has none to tell.
fn tell(app: &App) -> Vec<Effect> {
    let run = match app.feed {
        Feed::Live(Pace::Going) => Run::Going,
        Feed::Live(Pace::Paused) => Run::Paused,
        Feed::Replay(_) => return Vec::new(),
    };
    vec![Effect::Want(Wanted { knobs: app.wanted.clone(), run })]
}

/// Hold computing, or go on.
pub fn pause(app: &mut App) -> Vec<Effect> {
    match app.feed {
        Feed::Live(Pace::Going) => set_pace(app, Pace::Paused),
        Feed::Live(Pace::Paused) => set_pace(app, Pace::Going),
        Feed::Replay(_) => Vec::new(),
    }
}

/// Compute at this pace.
pub fn set_pace(app: &mut App, pace: Pace) -> Vec<Effect> {
    match &mut app.feed {
        Feed::Live(now) if *now != pace => *now = pace,
        _ => return Vec::new(),
    }
    tell(app)
}
