//! An embedded world of mail for the demo, for drills and for tests.
