//! What can be said on the command line by the person on call.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use crate::model::{Part, Topic};

/// `incident`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Incident {
    /// What is open, and what ended lately
    List(Place),
    /// One incident with its evidence
    Show(One),
    /// I have seen it: no more reminders, nobody else is called
    #[command(after_help = "Example:
  mailcanary incident ack 7 -c /etc/mailcanary/mailcanary.toml --note 'talking to their support'")]
    Ack(Said),
    /// It is over: if mail that is sent from now on is lost, it opens again
    #[command(after_help = "Example:
  mailcanary incident close 7 -c /etc/mailcanary/mailcanary.toml --note 'their status page says it is over'")]
    Close(Said),
    /// Write all that the ledger keeps of an incident to a folder, for a ticket or a post-mortem
    Evidence(Evidence),
}

/// `silence`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Silence {
    /// Tell nobody of some incidents for a while; what is still open then is told
    Add(Wished),
    /// What is silenced
    List(Place),
    /// End a silence before its time
    End(Ended),
}

/// `identity`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Identity {
    /// What the mail of each provider and stream looks like, and what in it is foreign
    List(Place),
    /// A value is right: it is not foreign, now or when it comes
    Approve(Approval),
    /// A value is right no more, learnt or approved: it is foreign when it comes again
    Forget(Right),
    /// Learn anew what mail looks like, from the next ten canaries: for a move that was planned. What was approved stays
    Relearn(Anew),
}

/// A value that is right, or all that an incident is about.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mailcanary identity approve mailchimp password-reset reply_to help@example.com -c /etc/mailcanary/mailcanary.toml
  mailcanary identity approve --incident 7 -c /etc/mailcanary/mailcanary.toml

The notice of an `identity` incident has this command for its value. A domain stands for all hosts below it and, in the text, for the addresses
there; a network for those in it; `html-added` for whatever is added.")]
pub(in crate::cli) struct Approval {
    /// In whose mail
    #[arg(value_name = "PROVIDER", required_unless_present = "incident", requires = "value")]
    pub(in crate::cli) provider: Option<String>,
    /// Of which stream
    #[arg(value_name = "STREAM")]
    pub(in crate::cli) stream: Option<String>,
    /// Where it stands, as `from` or `reply_to`
    #[arg(value_name = "PART", value_parser = clap::builder::PossibleValuesParser::new(Part::ALL.map(Part::as_str)))]
    pub(in crate::cli) part: Option<String>,
    /// The value
    #[arg(value_name = "VALUE")]
    pub(in crate::cli) value: Option<String>,
    /// All that is foreign by this incident
    #[arg(long, value_name = "ID", conflicts_with = "provider")]
    pub(in crate::cli) incident: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// Mail that is to be learnt anew.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary identity relearn mailchimp password-reset -c /etc/mailcanary/mailcanary.toml

What stands in its next ten canaries is taken for its own, whoever wrote it: look at the mail itself first.")]
pub(in crate::cli) struct Anew {
    /// Whose
    #[arg(value_name = "PROVIDER")]
    pub(in crate::cli) provider: String,
    /// Of which stream
    #[arg(value_name = "STREAM")]
    pub(in crate::cli) stream: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// A value of the mail of a provider and stream.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary identity forget mailchimp password-reset reply_to help@example.com -c /etc/mailcanary/mailcanary.toml

`mailcanary identity list` shows what is known. Where others of its organisation are known as well, another host of it is no news.")]
pub(in crate::cli) struct Right {
    /// In whose mail
    #[arg(value_name = "PROVIDER")]
    pub(in crate::cli) provider: String,
    /// Of which stream
    #[arg(value_name = "STREAM")]
    pub(in crate::cli) stream: String,
    /// Where it stands, as `from` or `reply_to`
    #[arg(value_name = "PART", value_parser = clap::builder::PossibleValuesParser::new(Part::ALL.map(Part::as_str)))]
    pub(in crate::cli) part: String,
    /// The value
    #[arg(value_name = "VALUE")]
    pub(in crate::cli) value: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// `dns`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Dns {
    /// What the DNS says of your domains, keys, sending addresses and inboxes, and what of it has changed
    List(Place),
    /// What stands there now is right
    Approve(Accepted),
}

/// What is right.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary dns approve dkim s1._domainkey.example.com -c /etc/mailcanary/mailcanary.toml

The notice of a `dns` incident has this command for its record.")]
pub(in crate::cli) struct Accepted {
    /// What it is, as `dkim` or `spf`
    #[arg(value_name = "TOPIC", value_parser = clap::builder::PossibleValuesParser::new(Topic::ALL.map(Topic::as_str)))]
    pub(in crate::cli) topic: String,
    /// Of what: a domain, the name of a key, an address
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: String,
    /// On which blocklist, of a listing
    #[arg(value_name = "LIST")]
    pub(in crate::cli) list: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// Who says it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Who {
    /// Who you are
    #[arg(long, value_name = "NAME", env = "USER", default_value = "the command line", hide_env_values = true)]
    pub(in crate::cli) by: String,
}

/// Where the daemon is.
#[derive(Debug, Args)]
pub(in crate::cli) struct Place {
    /// The configuration that the daemon runs with
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// An incident.
#[derive(Debug, Args)]
pub(in crate::cli) struct One {
    /// Its number
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: u64,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
}

/// What is said of an incident.
#[derive(Debug, Args)]
pub(in crate::cli) struct Said {
    #[command(flatten)]
    pub(in crate::cli) one: One,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
    /// What others should know
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) note: Option<String>,
}

/// The evidence of an incident.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary incident evidence 7 -c /etc/mailcanary/mailcanary.toml --out ticket-4711 --redact-addresses

The folder has incident.md and incident.json. It is read from the ledger: the daemon may run or not, and the incident may be over. Secrets
of the configuration, as far as they can be read here, and tokens of canaries are taken out. Read it before you pass it on.")]
pub(in crate::cli) struct Evidence {
    #[command(flatten)]
    pub(in crate::cli) one: One,
    /// The folder to write; otherwise mailcanary-evidence-ID
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Write into a folder that is there, and replace what was written before
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Take out what stands before the @ of addresses; their domains stay
    #[arg(long)]
    pub(in crate::cli) redact_addresses: bool,
}

/// A silence that is wished for.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary silence add -c /etc/mailcanary/mailcanary.toml --provider mailchimp --for 2h --reason 'announced maintenance'

All that is given must fit. A provider's silence covers its streams and routes, and nothing larger. What is not to be told of has to be said:
of everything only with --all.")]
#[command(group(ArgGroup::new("which").args(["provider", "stream", "inbox", "kind", "all"]).required(true).multiple(true)))]
pub(in crate::cli) struct Wished {
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Incidents of this provider
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) provider: Option<String>,
    /// Incidents of this stream
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) stream: Option<String>,
    /// Incidents of this inbox
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) inbox: Option<String>,
    /// Incidents of this kind, as `slow` or `blind`
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: Option<String>,
    /// Every incident there is
    #[arg(long, conflicts_with_all = ["provider", "stream", "inbox", "kind"])]
    pub(in crate::cli) all: bool,
    /// How long, as `90m` or `2h`; at most 90 days
    #[arg(long = "for", value_name = "DURATION", required_unless_present = "until", conflicts_with = "until")]
    pub(in crate::cli) lasts: Option<String>,
    /// Until when
    #[arg(long, value_name = "RFC3339")]
    pub(in crate::cli) until: Option<String>,
    /// From when; otherwise from now on
    #[arg(long, value_name = "RFC3339")]
    pub(in crate::cli) from: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: String,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// A silence that is to end.
#[derive(Debug, Args)]
pub(in crate::cli) struct Ended {
    /// Its number
    #[arg(value_name = "NUMBER")]
    pub(in crate::cli) number: u64,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// `drill`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Drill {
    /// Withhold a provider's canaries until somebody was paged, and say how long that took
    Provider(Drilled),
    /// End the drill that goes on
    Stop(Speaker),
}

/// A drill.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  mailcanary drill provider mailchimp --as stopped -c /etc/mailcanary/mailcanary.toml

Mail goes on as ever: only the watchdog does not know of its arrival until the drill is over. The page goes to the real sinks, says that it is
a drill, and is taken back half a minute later. Exit codes: 0 paged, 1 not paged or no drill, 2 wrong configuration or arguments.")]
pub(in crate::cli) struct Drilled {
    /// Whose canaries
    #[arg(value_name = "NAME")]
    pub(in crate::cli) provider: String,
    /// As what it is to look
    #[arg(long = "as", value_enum, default_value_t = Looks::Stopped)]
    pub(in crate::cli) looks: Looks,
    /// At most so long, as `10m`; no longer than 30 minutes
    #[arg(long = "for", value_name = "DURATION", default_value = "10m")]
    pub(in crate::cli) lasts: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}

/// As what a provider looks in a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Looks {
    /// Nothing arrives
    Stopped,
}

/// Who speaks.
#[derive(Debug, Args)]
pub(in crate::cli) struct Speaker {
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) who: Who,
}
