//! The dashboard as a user meets it: what stands on the screen, and what keys do.

mod look;
mod overlays;
mod reducer;
mod screen;
mod sessions;
mod synthetic;
mod views;
