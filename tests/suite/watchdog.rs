//! The watchdog in worlds of events: what it raises, when, whose fault it says it is, and that a replay gives the same.

mod apis;
mod audience;
mod budget;
mod cold_start;
mod decided;
mod doors;
mod drift;
mod drill;
mod grows;
mod handing;
mod joining;
mod mail;
mod next_steps;
mod patience;
mod people;
mod replay;
mod rhythm;
mod shown;
mod signs;
mod signs_step;
mod together;
mod traced;
mod travel;
mod verdicts;
mod world;
