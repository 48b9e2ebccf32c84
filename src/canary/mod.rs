//! The canary itself: its token, how it is written, how it is recognised. Pure.
