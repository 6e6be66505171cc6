//! Faults of the disk under publishing, one by one.

use super::bench::{Bench, bytes_in, identity, send};
use crate::Change;

#[test]
fn a_fault_fails_the_instance_and_the_sender_may_try_again() {
    let mut step = 0;
    loop {
        let bench = Bench::new();
        let (spool, _) = bench.open();
        let a = identity("1.1", "1.2", "1.3");
        bench.faults.plan(step, step + 1);
        let first = send(&spool, &a, b"one");
        let steps = bench.faults.steps();
        bench.faults.plan(0, 0);
        let again = send(&spool, &a, b"one").unwrap();
        let change = if first.is_ok() { Change::Identical } else { Change::New };
        assert_eq!(again.change, change, "step {step}");
        // A part that could not be removed stays until the next start.
        drop(spool);
        let (spool, recovery) = bench.open();
        assert_eq!((recovery.arrivals, recovery.lost.len()), (0, 0), "step {step}");
        assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()), "step {step}");
        if step > steps {
            assert!(step > 8, "there are as many operations");
            return;
        }
        step += 1;
    }
}
