//! Journeys through the real window: what a person does, seen from outside.
//!
//! They want a display (Xvfb will do) and WebKitWebDriver; `scripts/test window` brings both.

mod attachments;
mod bad_input;
mod connections;
mod evaluation;
mod first_tune;
mod harness;
mod jobs;
mod million;
mod models;
mod secrets;
mod survival;
mod wizard;
