//! Seconds to draw one frame of the recorded demo: `cargo bench --bench frame`. Prints the median and the slowest of
//! many frames at each size, everything known, a σ moved before each so that no figure is the same as the last.

use std::path::Path;
use std::time::Instant;

use eigentop::session;
use eigentop::ui::screen;
use eigentop::ui::state::App;
use eigentop::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const FRAMES: usize = 200;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions/demo");
    let recorded = session::read(&folder).expect("the demo session is readable");
    let theme = Theme::load("dark", None).expect("a built-in theme");
    let mut app = App::still(recorded.readout(), theme);
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let mut seconds: Vec<f64> = (0..FRAMES)
            .map(|frame| {
                app.wanted.set_sigma(1e-3 * (1.0 + frame as f64 / FRAMES as f64));
                let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
                let began = Instant::now();
                screen::draw(&app, &mut buffer);
                began.elapsed().as_secs_f64()
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        let [median, slowest] = [FRAMES / 2, FRAMES - 1].map(|i| 1e3 * seconds[i]);
        println!("{columns}×{rows}: {median:.2} ms a frame, slowest {slowest:.2} ms");
    }
}
