//! mailcanary: an e-mail deliverability watchdog.
//!
//! The data's way, and the order of the stages:
//!
//! ```text
//! config → schedule → submit → in flight → sighting → judge → incident → notice → show
//! ```
//!
//! Folders go by purity: [`model`], [`canary`], [`records`], [`config`] and [`watchdog`] decide and describe without doing; [`ledger`] and [`edge`] do
//! without deciding; [`run`] joins them; [`sandbox`] is an embedded world to try it all in, [`backtest`] tries it on the past.

pub mod backtest;
pub mod canary;
pub mod cli;
pub mod config;
pub mod edge;
pub mod ledger;
pub mod model;
pub mod records;
pub mod run;
pub mod sandbox;
pub mod watchdog;
