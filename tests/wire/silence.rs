//! Peers that stop talking, or hardly talk, at any step of any handshake.

use std::time::{Duration, Instant};

use tightbeam::options::number;

use crate::misbehaviour::{come_to, recorded};
use crate::secured::{End, Guard, ROLES, Subject};

const HANDSHAKE_MS: u64 = 1000;

fn fall_silent(guard: Guard, server: bool, end: End) {
    let steps = recorded(&Subject::new(guard, server), end).len();
    let what = format!("{guard:?}, server {server}, {end:?}");
    let subject = Subject::with(guard, server, &[(number::HANDSHAKE_IVL, HANDSHAKE_MS as i32)]);
    let began = Instant::now();
    let mut silent = Vec::new();
    let mut dripping = Vec::new();
    for step in 0..steps {
        silent.push(come_to(&subject, end, step, 1).0);
        dripping.push(come_to(&subject, end, step, 1));
    }
    for byte in 0.. {
        for (visit, act) in &mut dripping {
            // All of it would complete the step.
            let next = act.get(byte).filter(|_| byte + 1 < act.len());
            next.map(|byte| visit.speaker.peer.offer(&[*byte]));
        }
        if subject.connections() == 0 {
            break;
        }
        assert!(began.elapsed() < tightbeam_tests::peer::HANG, "{what}: they stay");
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("measured: {what}: silent and dripping peers gone after {:?}", began.elapsed());
    for visit in silent.iter_mut().chain(dripping.iter_mut().map(|(visit, _)| visit)) {
        visit.speaker.peer.expect_closed_eventually();
        let (failure, _) = subject.next_end();
        let reason = failure.and_then(|event| event.reason).unwrap_or_default();
        assert!(reason.contains("the handshake took too long"), "{what}: {reason}");
    }
    subject.expect_nothing(&what);
    subject.expect_good_service(&what);
}

#[test]
fn whoever_falls_silent_or_drips_at_any_step_leaves_at_handshake_ivl() {
    std::thread::scope(|scope| {
        for (guard, server) in ROLES {
            for end in [End::Listens, End::Connects] {
                scope.spawn(move || fall_silent(guard, server, end));
            }
        }
    });
}
