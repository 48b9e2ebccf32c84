//! Hindsight: a watchdog that lives through what another one wrote down, and draws its own conclusions.

use super::Watchdog;
use super::event::{Event, Reads};
use super::record::{Fact, Record};
use super::step::{Step, Unfit};
use crate::config::Settings;
use crate::model::Route;

impl Watchdog {
    /// A watchdog that knows nothing yet, sends nothing, and is fed with [`Watchdog::relive`].
    ///
    /// Between records it is woken as ever, at [`Watchdog::wake_at`]; not before [`Fact::Slept`], for then nobody was awake.
    #[must_use]
    pub fn in_hindsight(settings: &Settings) -> Self {
        let mut this = Self::new(settings);
        this.stop_sending();
        this
    }

    /// Takes in what another watchdog wrote down: canaries that it sent are judged as if they were its own, and what happened happens
    /// again. The other's conclusions (what was lost, who was blamed, what was told) only let time pass.
    ///
    /// # Errors
    /// [`Unfit`] if it does not fit what is known: a route, inbox or canary that is not watched here. Then nothing has changed.
    pub fn relive(&mut self, record: &Record) -> Result<Step, Unfit> {
        let at = record.at;
        match &record.fact {
            Fact::Began { seed, reads } => self.step(at, Event::Started { seed: *seed, reads: *reads }),
            Fact::Sent { provider, stream, inbox, .. } => {
                let route = Route { provider: provider.clone(), stream: stream.clone(), inbox: inbox.clone() };
                if self.plan.find(&route).is_none() {
                    return Err(Unfit::UnknownRoute(route));
                }
                self.live_by(record)
            }
            Fact::Slept {} => self.live_by(record),
            Fact::Happened(event) if self.is_told_again(event) => self.step(at, event.clone()),
            Fact::Happened(_)
            | Fact::Asked { .. }
            | Fact::Polled { .. }
            | Fact::Passed {}
            | Fact::Lost { .. }
            | Fact::Forgotten { .. }
            | Fact::Alarmed { .. }
            | Fact::Sorted { .. }
            | Fact::Calmed { .. }
            | Fact::DrillOver {}
            | Fact::Tried { .. }
            | Fact::Told { .. } => self.step(at, Event::Woke {}),
        }
    }

    /// A fact that no event makes.
    fn live_by(&mut self, record: &Record) -> Result<Step, Unfit> {
        self.check(record.at, &Event::Woke {})?;
        let mut step = Step::default();
        self.last_at = Some(record.at);
        self.record(&mut step, record.at, record.fact.clone());
        self.follow(&mut step, record.at);
        Ok(step)
    }

    /// Whether an event comes from outside. With explicit reads a cut is a conclusion; and how the other's notices ended is nothing to this one.
    fn is_told_again(&self, event: &Event) -> bool {
        match event {
            Event::CutOff {} | Event::Connected {} => self.state.reads() == Reads::Implied,
            // Whose account is not asked about here says nothing here.
            Event::Signs { provider, .. } | Event::NoSigns { provider, .. } => self.plan.polls(provider),
            // What a person took for right may not be asked about here.
            Event::Accepted { subject, .. } => self.state.dns.subjects.contains_key(subject),
            Event::Noticed { .. } | Event::SinksRenewed { .. } | Event::Started { .. } | Event::Woke {} => false,
            // Of what people said of the other's incidents nothing follows for those of this one.
            Event::Acknowledged { .. }
            | Event::Unacknowledged { .. }
            | Event::Closed { .. }
            | Event::Silenced { .. }
            | Event::Unsilenced { .. } => false,
            // A drill was on: what was withheld then was seen all the same.
            Event::DrillBegan { .. } | Event::DrillStopped { .. } => false,
            Event::Answered { .. }
            | Event::Traced { .. }
            | Event::Sighted { .. }
            | Event::Mismatched { .. }
            | Event::Examined { .. }
            | Event::Travelled { .. }
            | Event::Strange { .. }
            | Event::Approved { .. }
            | Event::Unlearnt { .. }
            | Event::LookedUp { .. }
            | Event::Stale { .. }
            | Event::Forged { .. }
            | Event::Blind { .. }
            | Event::Sight { .. }
            | Event::Read { .. }
            | Event::ClockJumped { .. }
            | Event::Orphaned { .. } => true,
        }
    }
}
