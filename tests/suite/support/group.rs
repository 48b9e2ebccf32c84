//! The end of a server that runs in a process group of its own.

use std::process::{Child, Command};

/// Ends the group that `leader` began, at once: as if the power failed. Whoever gives its rights away outlives its parent, and busy sessions
/// go on where they are asked to go; so all of them are meant.
pub fn end(leader: &mut Child) {
    let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", leader.id())]).status();
    let _ = leader.wait();
}
