//! The workbench without a window: the same calls the window makes, the real sandbox, the real trainer.

mod asked;
mod attachments;
mod bringing;
mod connections;
mod datasets;
mod evaluations;
mod host;
mod killed;
mod library;
mod life_cycle;
mod places_and_costs;
mod serving;
mod wizard;
