//! Sinks: where notices go.
