//! The loop that joins the parts; the only reader of the clock, the only spawner of tasks.
