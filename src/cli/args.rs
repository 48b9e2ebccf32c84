//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::incident::{Dns, Drill, Identity, Incident, Silence};
use super::terminal::Look;
use crate::config;
use crate::model::{At, Span};
use crate::sandbox::incidents;

/// An e-mail deliverability watchdog: sends canaries through every provider to seeded inboxes, and pages when they stop arriving.
#[derive(Debug, Parser)]
#[command(name = "mailcanary", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  mailcanary demo                                          see it work, without any set-up
  mailcanary print starter-config > mailcanary.toml        begin a configuration
  mailcanary check -c mailcanary.toml --live               is it right, and do all log-ins work
  mailcanary run -c mailcanary.toml                        watch

Exit codes: 0 fine, 1 failed, 2 wrong configuration or arguments.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Watch: the daemon
    Run(Run),
    /// Have the running daemon read its configuration again, and say how that ended
    Reload(OfDaemon),
    /// Does the running daemon answer
    Health(OfDaemon),
    /// The main job on an embedded world, without any set-up: normal mail, a provider's outage, the page, the recovery
    Demo(Demo),
    /// Is the configuration right
    Check(Check),
    /// Send one canary down each route now, and watch it until it arrives
    Probe(Probe),
    /// Look at the running daemon: a live view of every route, in the terminal
    Top(Top),
    /// The watchdog as a filter: one JSON event a line in, records and effects out, in the time of the events
    Step(Step),
    /// Seeded worlds in virtual time: detection time, false pages, blame, beside what other rules make of the same mail
    Simulate(Simulate),
    /// What would these settings have said of the ledger's own past, beside what was told and what other rules would have said
    Backtest(Backtest),
    /// What is open, and what to say of it: list, show, acknowledge, close; its evidence
    #[command(subcommand)]
    Incident(Incident),
    /// Tell nobody of some incidents for a while
    #[command(subcommand)]
    Silence(Silence),
    /// What mail looks like, and what in it is right
    #[command(subcommand)]
    Identity(Identity),
    /// What the DNS says, what of it has changed, and what of that is right
    #[command(subcommand)]
    Dns(Dns),
    /// Prove that the alarm can ring: one provider fails as seen by the watchdog
    #[command(subcommand)]
    Drill(Drill),
    /// Print what packaging and editors need
    Print(Print),
}

/// `run`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary run -c /etc/mailcanary/mailcanary.toml")]
pub(super) struct Run {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

/// `reload` and `health`: the daemon of a configuration.
#[derive(Debug, Args)]
#[command(after_help = "Talks to the daemon through the control socket beside its ledger.
Exit codes: 0 fine, 1 refused or not running, 2 wrong configuration or arguments.")]
pub(super) struct OfDaemon {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

/// `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Keep the world and its status page up afterwards, until interrupted; on a terminal it holds the outage, too
    #[arg(long)]
    pub(super) stay: bool,
    /// Let the outage go on until Enter is pressed or SIGUSR1 comes, so that the page can be looked at in red
    #[arg(long, conflicts_with = "incident")]
    pub(super) hold: bool,
    /// Play this incident of the library instead, in virtual time: in a second you see what would have been told, and when
    #[arg(long, value_name = "NAME", conflicts_with = "stay", value_parser = clap::builder::PossibleValuesParser::new(incidents::names()))]
    pub(super) incident: Option<String>,
}

/// `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailcanary check -c mailcanary.toml
  mailcanary check -c mailcanary.toml --live

All complaints are printed at once, each as FILE:LINE:COLUMN. Exit codes: 0 right, 1 a log-in or a sink failed, 2 wrong.")]
pub(super) struct Check {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Log in everywhere and ask the DNS for the MX of each inbox and SPF, DKIM and DMARC of each sender; tell each sink a test notice; send no canary
    #[arg(long)]
    pub(super) live: bool,
    /// Ask this name server instead of the system's
    #[arg(long, value_name = "ADDRESS:PORT", requires = "live")]
    pub(super) resolver: Option<SocketAddr>,
    #[command(flatten)]
    pub(super) look: Look,
}

/// `probe`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailcanary probe -c mailcanary.toml
  mailcanary probe -c mailcanary.toml --route 'mailchimp/*' --output nagios

Exit codes: 0 all arrived, 1 some did not, 2 wrong configuration or arguments.
With --output nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.")]
pub(super) struct Probe {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Only these routes, as provider/stream/inbox; `*` stands for any characters
    #[arg(long, value_name = "GLOB", default_value = "*")]
    pub(super) route: String,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
    /// How long to wait, as `90s` or `5m`; otherwise each stream's deadline
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) timeout: Option<Span>,
    /// Where the daemon's key cannot be read or made, go on with another: the daemon will warn of mail in your name
    #[arg(long)]
    pub(super) own_key: bool,
    #[command(flatten)]
    pub(super) look: Look,
}

/// `top`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailcanary top -c /etc/mailcanary/mailcanary.toml
  mailcanary top --url https://canary.example --user-file canary.user
  mailcanary top -c mailcanary.toml --once | less

Keys: q ends it, arrows move, s sorts, / filters by a part of a route's name, Ctrl-Z suspends.
Exit codes: 0 fine, 1 with --once: no daemon answers, 2 wrong configuration or arguments.")]
pub(super) struct Top {
    /// The configuration that the daemon runs with: it is asked through the control socket beside its ledger
    #[arg(short, long, value_name = "FILE", required_unless_present = "url")]
    pub(super) config: Option<PathBuf>,
    /// Where a daemon's status page is, instead
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub(super) url: Option<url::Url>,
    /// A file with a token, sent as `Authorization: Bearer`
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) token_file: Option<PathBuf>,
    /// A file with NAME:PASSWORD, where the page asks for these
    #[arg(long, value_name = "FILE", requires = "url", conflicts_with = "token_file")]
    pub(super) user_file: Option<PathBuf>,
    /// A file with the authority of the page's certificate, where it is none of the system's
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) ca_file: Option<PathBuf>,
    /// Print what is seen now as plain text, and end
    #[arg(long)]
    pub(super) once: bool,
    #[command(flatten)]
    pub(super) look: Look,
}

/// How `probe` prints its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Table,
    /// For programs
    Json,
    /// For monitoring systems: one line with performance data
    Nagios,
}

/// `step`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary step -c mailcanary.toml < events.jsonl

Resolves no secret, opens no connection, and never reads the clock.")]
pub(super) struct Step {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

/// `simulate`.
#[derive(Debug, Args)]
#[command(after_help = "A scenario, with every default left out:
  [matrix]
  providers = 3
  inboxes = 4
  [[failure]]
  kind = \"stop\"                      # stop, hold, loss, slow, junk, refuse, blind, sleep, cut_off
  culprit = { provider = \"p0\" }      # names are p0…, s0… and i0…
  lasts = \"1h\"

Example:
  mailcanary simulate scenario.toml --output svg > scenario.svg

The whole format is in docs/simulate.md. The same scenario gives the same figures on every machine.")]
pub(super) struct Simulate {
    /// The scenario
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: PathBuf,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Drawn::Table)]
    pub(super) output: Drawn,
    /// Instead of the scenario's `[runs] count`
    #[arg(long, value_name = "N")]
    pub(super) runs: Option<u64>,
    /// Instead of the scenario's `[runs] quiet`, in pieces
    #[arg(long, value_name = "N")]
    pub(super) quiet: Option<u64>,
    #[command(flatten)]
    pub(super) look: Look,
}

/// `backtest`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailcanary backtest -c mailcanary.toml
  mailcanary backtest -c stricter.toml --last 7d --output json
  mailcanary backtest -c mailcanary.toml --from 2022-08-08T00:00:00Z --to 2022-08-09T00:00:00Z

Reads the ledger in `[ledger] path`, also while a daemon writes it, and changes nothing. All that is kept is lived through,
so that what is healthy is learnt; a span only says what is printed. What can be known from a past: docs/backtest.md.
Exit codes: 0 fine, 1 the ledger cannot be read or has nothing of it, 2 wrong configuration or arguments.")]
pub(super) struct Backtest {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Figures::Table)]
    pub(super) output: Figures,
    /// Only what was open at or after this time
    #[arg(long, value_name = "RFC3339", value_parser = instant)]
    pub(super) from: Option<At>,
    /// Only what is known at this time
    #[arg(long, value_name = "RFC3339", value_parser = instant)]
    pub(super) to: Option<At>,
    /// Only so long before the ledger's newest record, or before --to
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "from")]
    pub(super) last: Option<Span>,
    #[command(flatten)]
    pub(super) look: Look,
}

/// How `backtest` prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Figures {
    /// For people
    Table,
    /// For programs
    Json,
}

/// How `simulate` prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Drawn {
    /// For people
    Table,
    /// For programs
    Json,
    /// As a picture: one SVG document
    Svg,
}

/// `print`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailcanary print starter-config > mailcanary.toml
  mailcanary print reference-config
  mailcanary print schema > mailcanary.schema.json
  mailcanary print alert-rules > /etc/prometheus/rules/mailcanary.yml
  mailcanary print dashboards /var/lib/grafana/dashboards/mailcanary
  mailcanary print man --to /usr/local/share/man/man1
  mailcanary print completions-bash > /etc/bash_completion.d/mailcanary")]
pub(super) struct Print {
    /// What to print
    #[arg(value_enum)]
    pub(super) what: Printable,
    /// Where dashboards are written to: a folder, made if it is not there; files of their names are replaced
    #[arg(value_name = "DIR", required_if_eq("what", "dashboards"))]
    pub(super) into: Option<PathBuf>,
    /// Of `man`: into this folder, and a page for each command as well
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<PathBuf>,
}

/// What `print` can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Printable {
    /// The configuration with every key, its default and its reason
    ReferenceConfig,
    /// The smallest configuration that watches, to begin with
    StarterConfig,
    /// The JSON Schema of the configuration
    Schema,
    /// Recording and alerting rules for Prometheus
    AlertRules,
    /// The dashboards for Grafana, each in a file of its own
    Dashboards,
    /// The OpenAPI document of the HTTP API
    Openapi,
    /// The manual page
    Man,
    /// What completes arguments in bash
    CompletionsBash,
    /// The same in zsh
    CompletionsZsh,
    /// The same in fish
    CompletionsFish,
}

fn instant(text: &str) -> Result<At, &'static str> {
    At::from_rfc3339(text).ok_or("write it as `2022-08-08T19:30:00Z`")
}

fn duration(text: &str) -> Result<Span, &'static str> {
    config::span(text).filter(|span| *span > Span::ZERO).ok_or("write it as `90s`, `1m30s` or `2h`")
}
