//! The use cases on a real database with a clock moved by hand.

mod harness;
mod histories;
mod journeys;
mod model;
