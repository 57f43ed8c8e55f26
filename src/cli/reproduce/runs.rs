//! Making a run, or finding it made.

use std::path::{Path, PathBuf};

use super::plan::Kind;
use crate::cli::growth::{beside, left_off};
use crate::cli::watching;
use crate::engine::event::Subject;
use crate::engine::growth::run::{Job, STATE};
use crate::engine::growth::{self, Plan, Point};
use crate::engine::knobs::Knobs;
use crate::engine::readout::{Readout, State};
use crate::engine::source::Source;
use crate::engine::worker::{self, Run, Settings, Wanted};
use crate::error::{Error, Result};
use crate::math::format::span;
use crate::session::format::EVENTS;
use crate::session::{self, Branch, Naming, Origin, Recorder, Session, Store};

/// Makes runs, each recorded under its name.
pub struct Maker {
    /// The reproduction's folder.
    pub folder: PathBuf,
    /// What is looked at, with paths that hold.
    pub source: Source,
    /// How to compute; the precision is each run's own.
    pub settings: Settings,
    /// Memory that may be used, bytes.
    pub memory: Option<u64>,
}

/// What an earlier reproduction left of a run.
enum Left {
    /// All of it.
    Complete(Box<Readout>),
    /// Points of growth, and the folder they lie in.
    Points { points: Vec<Point>, folder: PathBuf, from: Branch },
    /// Nothing that can be gone on with.
    Nothing,
}

impl Maker {
    fn store(&self) -> Store {
        Store::at(self.folder.join("sessions"))
    }

    /// The run's readout: from its session if that is complete, else computed.
    ///
    /// # Errors
    /// A session of other settings or other data; whatever stops the run; what the system refuses.
    pub fn make(&self, kind: Kind, knobs: &Knobs, plan: Option<Plan>, label: &str) -> Result<Readout> {
        let settings = Settings { precision: kind.precision(), ..self.settings.clone() };
        let asked = Asked { knobs, plan: plan.as_ref(), precision: kind };
        let left = self.left(&kind.to_string(), &asked, label)?;
        if let Left::Complete(readout) = left {
            eprintln!("{label}: complete, kept");
            return Ok(*readout);
        }
        let recorder = Recorder::new(self.store(), Naming::Given(kind.to_string()), knobs.clone(), self.memory)?;
        let (known, left, branched_from) = match left {
            Left::Points { points, folder, from } => (points, Some(folder), Some(from)),
            Left::Complete(_) | Left::Nothing => (Vec::new(), None, None),
        };
        recorder.set_origin(Origin { source: Some(self.source.clone()), branched_from });
        let wanted = Wanted { knobs: knobs.clone(), run: Run::Going };
        let (source, n) = (self.source.clone(), knobs.n);
        let readout = match plan {
            None => {
                let open = move || source.open(n);
                watching::fold_named(label, |sink| worker::spawn(open, settings, wanted, sink), Some(&recorder))?
            }
            Some(plan) => {
                let rows = plan.sequences().saturating_sub(1);
                let job = Job {
                    plan,
                    source: source.clone(),
                    open: Box::new(move || source.open(rows)),
                    known,
                    left: left.as_ref().map(|folder| folder.join(STATE)),
                    leave: beside(recorder.clone(), self.store()),
                };
                let spawn = |sink| growth::run::spawn(job, settings, wanted, sink);
                watching::fold_named(label, spawn, Some(&recorder))?
            }
        };
        if let Some(folder) = left {
            std::fs::remove_dir_all(&folder).map_err(Error::io(&folder))?;
        }
        eprintln!("{label}: done, {}", span(readout.t));
        Ok(readout)
    }

    /// The run's readout if its session is there, complete and of these settings.
    pub fn kept(&self, kind: Kind, knobs: &Knobs, plan: Option<&Plan>) -> Option<Readout> {
        let session = session::read(&self.store().path(&kind.to_string()).ok()?).ok()?;
        let readout = session.readout();
        let fits = self.check(&session, &readout, &Asked { knobs, plan, precision: kind }).is_ok();
        (fits && readout.state == State::Idle).then_some(readout)
    }

    /// What is there of a run. A session that cannot be gone on with is removed; one whose points can be is moved aside,
    /// where it stays until the new one has all.
    fn left(&self, name: &str, asked: &Asked, label: &str) -> Result<Left> {
        let store = self.store();
        let (folder, aside) = (store.path(name)?, store.path(&format!("{name}-before"))?);
        let there = |folder: &Path| folder.join(EVENTS).is_file();
        let read = |folder: &Path| there(folder).then(|| session::read(folder)).transpose();
        let (latest, earlier) = (read(&folder)?, read(&aside)?);
        if let Some(session) = &latest {
            let readout = session.readout();
            self.check(session, &readout, asked)?;
            if readout.state == State::Idle {
                if earlier.is_some() {
                    std::fs::remove_dir_all(&aside).map_err(Error::io(&aside))?;
                }
                return Ok(Left::Complete(Box::new(readout)));
            }
        }
        if let Some(session) = &earlier {
            self.check(session, &session.readout(), asked)?;
        }
        let points = |session: &Option<Session>| -> Vec<Point> {
            session.as_ref().and_then(|session| left_off(session).ok()).map_or(Vec::new(), |(_, points)| points)
        };
        let (latest_points, earlier_points) = (points(&latest), points(&earlier));
        // A run that was stopped while it told the points of the one before it knows fewer than that.
        let (session, points, superseded) = if latest_points.len() >= earlier_points.len() {
            (latest, latest_points, (there(&aside)).then(|| aside.clone()))
        } else {
            (earlier, earlier_points, (there(&folder)).then(|| folder.clone()))
        };
        if let Some(superseded) = superseded {
            std::fs::remove_dir_all(&superseded).map_err(Error::io(&superseded))?;
        }
        let Some(session) = session else { return Ok(Left::Nothing) };
        if points.is_empty() {
            eprintln!("{label}: was stopped before anything could be kept, and begins again");
            std::fs::remove_dir_all(&session.folder).map_err(Error::io(&session.folder))?;
            return Ok(Left::Nothing);
        }
        eprintln!("{label}: was stopped, and goes on after {} points", points.len());
        if session.folder != aside {
            std::fs::rename(&session.folder, &aside).map_err(Error::io(&aside))?;
        }
        let t = session.events.last().map_or(0.0, |event| event.t);
        Ok(Left::Points { points, folder: aside, from: Branch { session: name.to_owned(), t } })
    }

    /// Refuse a session that is of something else.
    fn check(&self, session: &Session, readout: &Readout, asked: &Asked) -> Result<()> {
        // Killed before the checkpoint was open, it is of nothing.
        let Some(subject) = &readout.subject else { return Ok(()) };
        self.source.reopen(asked.rows(), subject)?;
        asked.check(subject, readout).map_err(|what| {
            let what = format!("this run was made with {what}; use the same flags, or another folder with --to");
            Error::file(&session.folder, what)
        })
    }
}

/// What a run is asked to be.
struct Asked<'a> {
    knobs: &'a Knobs,
    plan: Option<&'a Plan>,
    precision: Kind,
}

impl Asked<'_> {
    /// Sequences read beside the one added.
    fn rows(&self) -> usize {
        self.plan.map_or(self.knobs.n, |plan| plan.sequences().saturating_sub(1))
    }

    fn check(&self, subject: &Subject, readout: &Readout) -> std::result::Result<(), &'static str> {
        let untold = Knobs::default() == readout.knobs && readout.stages.is_empty();
        let plan = readout.exhibits.growth_plan.as_ref();
        match () {
            () if subject.precision != self.precision.precision() => Err("another precision"),
            () if readout.knobs != *self.knobs && !untold => Err("other knobs"),
            () if plan.is_some() && plan != self.plan => Err("another plan of growth"),
            () => Ok(()),
        }
    }
}
