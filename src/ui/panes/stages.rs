//! A view of the estimators: what each stage took, since stage III alone says little of what an estimator costs.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::event::Stage;
use crate::engine::readout::{Readout, StageState, Standing};
use crate::math::format::{count, number, span};
use crate::math::stats::Interval;
use crate::ui::state::App;
use crate::ui::theme::Token;

use super::Canvas;
use super::parts::{bar, line, percent};
use super::sides::COMPARED;

pub(super) fn subject(app: &App) -> String {
    format!("─ what each stage took, {} ({} threads)", app.wanted.solver, threads(&app.readout))
}

fn threads(readout: &Readout) -> usize {
    readout.subject.as_ref().map_or(0, |s| s.threads)
}

/// The paper's name of a stage, and ours.
fn name(stage: Stage) -> String {
    match stage {
        Stage::Subspace => format!("I   {stage}"),
        Stage::Coefficients => format!("II  {stage}"),
        Stage::Evaluate => format!("III {stage}"),
        other => format!("    {other}"),
    }
}

/// The stages that took any time, in order.
fn timed(readout: &Readout) -> impl Iterator<Item = (Stage, &StageState)> {
    readout.stages.iter().map(|(stage, state)| (*stage, state)).filter(|(_, s)| s.work.seconds > 0.0)
}

fn total(readout: &Readout) -> f64 {
    timed(readout).map(|(_, s)| s.work.seconds).sum()
}

pub(super) fn reading(app: &App) -> Option<String> {
    let seconds = |stage| app.readout.stages.get(&stage).map_or(0.0, |s| s.work.seconds);
    let estimate: f64 = [Stage::Subspace, Stage::Coefficients, Stage::Evaluate].into_iter().map(seconds).sum();
    let first = seconds(Stage::Subspace);
    (estimate > 0.0 && first > 0.0).then(|| {
        format!(
            "Of an estimate of J_sub (I to III) stage I takes {} %: a faster stage III saves no more than the rest. \
             Each is one pass; eigentop bench repeats them: mean ± sd.",
            percent(first / estimate)
        )
    })
}

pub(super) fn draw(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let (muted, text) = (app.style(Token::Muted), app.style(Token::Text));
    let compared = app.compared.as_ref().map(|c| &c.readout);
    let beside = if compared.is_some() { 11 } else { 0 };
    let track = usize::from(area.width).saturating_sub(48 + beside).min(40);
    let track = if track >= 6 { track } else { 0 };
    let b = if compared.is_some() { format!("{COMPARED} B seconds") } else { String::new() };
    let head = format!("{:<18}{:>8}  {:<track$}{:>9}{:>10} {b}", "stage", "seconds", "", "HVPs", "passes");
    line(canvas.buffer, area, 0, &Line::styled(head, muted));
    let whole = total(&app.readout);
    let mut row = 1;
    for (i, (stage, state)) in timed(&app.readout).enumerate() {
        let work = state.work;
        let running = state.standing == Standing::Running;
        let mut spans = vec![
            Span::styled(format!("{:<18}", name(stage)), if running { app.style(Token::Accent) } else { text }),
            Span::styled(format!("{:>8}  ", span(work.seconds)), text),
        ];
        if track > 0 {
            spans.extend(bar(app, &Interval::exact(work.seconds / whole), track, app.style(Token::series(i))));
        }
        let some = |x: f64| if x > 0.0 { count(x) } else { "–".to_owned() };
        let hvps = if work.hvps > 0.0 { number(work.hvps, 3) } else { "–".to_owned() };
        spans.push(Span::styled(format!("{hvps:>9}{:>10} ", some(work.passes)), muted));
        let other = compared.and_then(|c| c.stages.get(&stage)).filter(|s| s.work.seconds > 0.0);
        spans
            .push(Span::styled(other.map_or(String::new(), |s| format!("{COMPARED} {}", span(s.work.seconds))), muted));
        line(canvas.buffer, area, row, &Line::from(spans));
        row += 1;
    }
    let all = format!("{:<18}{:>8}  {:<track$}{:>19} ", "all", span(whole), "", "");
    let other = compared.map_or(String::new(), |c| format!("{COMPARED} {}", span(total(c))));
    line(canvas.buffer, area, row, &Line::styled(all + &other, text));
}
