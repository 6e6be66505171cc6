//! How fast instances come in over loopback; not a test of correctness, and it has no bound that a slow machine fails.
