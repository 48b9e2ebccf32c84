//! `IDLE` (RFC 2177): the server speaks when there is something new.
#![expect(clippy::wildcard_enum_match_arm, reason = "imap-proto's lists are open-ended, and what we did not ask for does not matter")]

use async_imap::imap_proto::Response;

use super::session::Session;
use super::trouble::Trouble;
use super::wait::within;

impl Session {
    /// Begins to `IDLE`. False if the server refuses, whatever it promised.
    pub(super) async fn idle(&mut self) -> Result<bool, Trouble> {
        let tag = self.tag();
        let after = self.pace.done;
        within(after, "IDLE", async {
            self.write("IDLE", &format!("{tag} IDLE")).await?;
            loop {
                let answer = self
                    .next("IDLE", |response| match response {
                        Response::Continue(_) => Some(true),
                        Response::Done { tag: answered, .. } if answered.0 == tag => Some(false),
                        _ => None,
                    })
                    .await?;
                if let Some(granted) = answer {
                    self.idle = granted.then_some(tag);
                    return Ok(granted);
                }
            }
        })
        .await
    }

    /// Waits for the next word during `IDLE`, then looks whether it was news. Has no deadline; may be cancelled. False: the server ended
    /// the `IDLE` by itself.
    pub(super) async fn listen(&mut self) -> Result<bool, Trouble> {
        self.client.get_mut().refill();
        let ended = self.next("IDLE", |response| matches!(response, Response::Done { .. })).await?;
        if ended {
            self.idle = None;
        }
        Ok(!ended)
    }

    /// Ends the `IDLE`, if one runs.
    pub(super) async fn done(&mut self) -> Result<(), Trouble> {
        let Some(tag) = self.idle.take() else { return Ok(()) };
        let after = self.pace.done;
        within(after, "DONE", async {
            self.write("DONE", "DONE").await?;
            self.finish("DONE", &tag, |_| Ok(())).await
        })
        .await
    }
}
