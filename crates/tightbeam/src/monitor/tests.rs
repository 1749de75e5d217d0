use super::*;

const ALL: u64 = u64::MAX;

#[test]
fn monitors_that_nobody_reads_any_more_make_room_for_others_though_nothing_happens() {
    let mut monitors = Monitors::default();
    let kept = monitors.subscribe(ALL);
    for _ in 0..100 {
        drop(monitors.subscribe(ALL));
    }
    assert!(monitors.list.len() <= 2, "{} are listed", monitors.list.len());
    let happened = MonitorEvent::new(EventKind::Listening, Place::NONE, 0);
    monitors.tell(&happened, &mut Vec::new());
    assert_eq!(kept.try_next().map(|event| event.kind), Some(EventKind::Listening));
}
