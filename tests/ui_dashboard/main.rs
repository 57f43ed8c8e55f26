//! The dashboard as a user meets it: what stands on the screen, and what keys do.

mod overlays;
mod reducer;
mod screen;
mod synthetic;
