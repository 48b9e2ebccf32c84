//! The stage: a world, a pager, and a daemon that watches the one and calls the other.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::DemoError;
use super::pager::{self, Page};
use crate::config;
use crate::model::{Name, Now, Span};
use crate::run::{self, Daemon};
use crate::sandbox::{InboxPlan, Plan, ProviderPlan, Transport, World};

/// A round of the demo: fast enough to watch, slow enough for the eye.
const EVERY: Span = Span::from_secs(2);

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) now: Now,
    pub(super) daemon: Daemon,
    pub(super) pages: mpsc::Receiver<Page>,
    pub(super) pager: futures::future::BoxFuture<'static, ()>,
    _folder: Folder,
}

impl Stage {
    pub(super) async fn build() -> Result<Self, DemoError> {
        let now = run::clock();
        let folder = Folder::make(&now)?;
        let world = World::start(plan(&now))?;
        let (pager, url, pages) = pager::open().await.map_err(DemoError::Pager)?;
        let listed = |e: std::io::Error| DemoError::Folder(folder.0.display().to_string(), e);
        let mut text = world.configuration(&folder.0).map_err(listed)?;
        // A fixed port would keep a second demo, or one beside a daemon, from starting.
        let (from, subject) = (super::story::USAGE, super::story::SUBJECT);
        let rest = format!(
            "\n[[expected_mail]]\nfrom = \"{from}\"\nsubject = \"{subject}*\"\n\n[sink.pager.webhook]\nurl = \"{url}\"\n\n[http]\nlisten = \"127.0.0.1:0\"\n"
        );
        text.push_str(&rest);
        let checked = config::parse(&text, "demo").map_err(|complaints| DemoError::Configuration(listing(&complaints)))?;
        let secrets = checked.secrets().map_err(|complaints| DemoError::Configuration(listing(&complaints)))?;
        let daemon = Daemon::start(checked.settings, &secrets).await?;
        Ok(Self { world, now, daemon, pages, pager, _folder: folder })
    }
}

pub(super) fn listing(complaints: &[config::Complaint]) -> String {
    complaints.iter().fold(String::new(), |mut text, complaint| {
        // Writing to a string does not fail.
        let _ = write!(text, "{complaint}; ");
        text
    })
}

fn plan(now: &Now) -> Plan {
    let mut plan = Plan::new(now.clone(), 20_220_808);
    plan.every = EVERY;
    let providers = [("mailchimp", Transport::Mandrill), ("postmark", Transport::Smtp), ("relay", Transport::Smtp)];
    for (name, transport) in providers.into_iter().filter_map(|(n, t)| Some((Name::new(n).ok()?, t))) {
        let from = Some(format!("Example <{}>", super::story::RESETS));
        plan = plan.provider(name, ProviderPlan { from, ..ProviderPlan::new(transport) });
    }
    for name in ["gmail", "outlook", "fastmail"].into_iter().filter_map(|n| Name::new(n).ok()) {
        plan = plan.inbox(name, InboxPlan::default());
    }
    match Name::new("password-reset") {
        Ok(name) => plan.stream(name, "Reset your password", Span::from_secs(900)),
        Err(_) => plan,
    }
}

/// A folder of our own that goes when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make(now: &Now) -> Result<Self, DemoError> {
        let name = format!("mailcanary-demo-{}-{}", std::process::id(), now().as_ms());
        let path = std::env::temp_dir().join(name);
        private(&path).map_err(|e| DemoError::Folder(path.display().to_string(), e))?;
        Ok(Self(path))
    }
}

fn private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind lies in the system's temporary folder and holds secrets of a world that is gone.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
