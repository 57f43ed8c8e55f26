//! What actions and the passing of time do to a recording.

use std::sync::Arc;

use crate::engine::event::Stamped;
use crate::ui::action::Action;
use crate::ui::message::{Effect, Leave};
use crate::ui::playback::{FASTEST, Motion, Playback, SLOWEST, Seek};
use crate::ui::state::{App, Feed, Next, Notice, Way};

/// What the passing of `seconds` does to a recording.
pub fn pass(app: &mut App, seconds: f64) {
    if let Feed::Replay(playback) = &mut app.feed {
        let due = playback.advance(seconds);
        fold_all(app, &due);
    }
}

/// Show a recording from the moment `t` on, held there.
pub fn begin_at(app: &mut App, t: f64) {
    if let Feed::Replay(playback) = &mut app.feed {
        playback.motion = Motion::Held;
    }
    seek(app, t);
}

fn fold_all(app: &mut App, events: &Arc<[Stamped]>) {
    for event in events.iter() {
        app.fold(event);
    }
}

/// Go on computing from the moment of the recording that is on the screen.
pub(super) fn branch(app: &mut App) -> Vec<Effect> {
    let Feed::Replay(playback) = &app.feed else { return Vec::new() };
    if app.readout.subject.is_none() {
        let why = "nothing is open yet at this moment; go on in the recording first";
        app.view.notice = Some(Notice::Refused(why.into()));
        return Vec::new();
    }
    app.view.next = Some(Next::Branch { t: playback.position, knobs: app.wanted.clone() });
    vec![Effect::Quit(Leave::Done)]
}

pub(super) fn act(app: &mut App, action: Action) {
    let Feed::Replay(playback) = &mut app.feed else { return };
    // A fiftieth of the recording a step: fine enough to find a moment, coarse enough to cross it.
    let step = (playback.duration() / 50.0).max(0.1);
    match action {
        Action::Play => match playback.motion {
            Motion::Playing => playback.motion = Motion::Held,
            Motion::Held => {
                let again = playback.ended();
                playback.motion = Motion::Playing;
                if again {
                    seek(app, 0.0);
                }
            }
        },
        Action::Slower => playback.speed = (playback.speed / 2.0).max(SLOWEST),
        Action::Faster => playback.speed = (playback.speed * 2.0).min(FASTEST),
        Action::Rewind => scrub(app, |p| p.position - step),
        Action::Forward => scrub(app, |p| p.position + step),
        Action::Start => scrub(app, |_| 0.0),
        Action::End => scrub(app, Playback::duration),
        _ => {}
    }
}

fn scrub(app: &mut App, to: impl Fn(&Playback) -> f64) {
    if let Feed::Replay(playback) = &app.feed {
        let position = to(playback);
        seek(app, position);
    }
}

/// Event by event, or from mark to mark.
pub(super) fn step(app: &mut App, action: Action) {
    let Feed::Replay(playback) = &mut app.feed else { return };
    let to = match action {
        Action::StepOn => Ok(playback.step(Way::On)),
        Action::StepBack => Ok(playback.step(Way::Back)),
        Action::MarkOn => Err(playback.next_mark(Way::On)),
        _ => Err(playback.next_mark(Way::Back)),
    };
    match to {
        Ok(seek) => go(app, seek),
        Err(Some(t)) => seek(app, t),
        Err(None) => app.view.notice = Some(Notice::Refused("no further mark that way".into())),
    }
}

fn seek(app: &mut App, position: f64) {
    let Feed::Replay(playback) = &mut app.feed else { return };
    let seek = playback.seek(position);
    go(app, seek);
}

fn go(app: &mut App, seek: Seek) {
    match seek {
        Seek::Forward(events) => fold_all(app, &events),
        Seek::Anew(events) => {
            app.forget();
            app.history.clear();
            fold_all(app, &events);
        }
    }
}
