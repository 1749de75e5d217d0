//! NULL, PLAIN and CURVE, with and without a handler that authenticates (ZAP): the same scenes acted by two libzmq peers, by two of
//! ours, and by one of each in either part, with the same outcome and the same events.

mod act;
mod deviations;
mod native;
mod outcome;
mod python;
mod scene;
mod scenes;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::stage::Who;
use crate::theirs;
use scene::{Mechanism, Scene};

/// Scenes that are acted at a time: most of the time each waits for a peer.
const AT_A_TIME: usize = 12;

/// A server and a client.
type Cast = [Who; 2];

/// Two libzmq peers first, if there are any; then those where a part at least is ours.
fn casts() -> Vec<Cast> {
    let mut puppets = theirs::puppets().map(Who::Them);
    let Some(c) = puppets.next() else { return Vec::new() };
    let mut casts = vec![[c, c], [Who::Us, c], [c, Who::Us], [Who::Us, Who::Us]];
    for on_ours in theirs::puppets_on_ours().iter().map(Who::Them) {
        casts.extend([[on_ours, c], [c, on_ours]]);
    }
    casts.extend([[Who::UsNatively, c], [c, Who::UsNatively], [Who::UsNatively, Who::UsNatively]]);
    for python in puppets {
        casts.extend([[Who::Us, python], [python, Who::Us]]);
    }
    casts
}

/// Whether a cast acts a scene: libzmq where it survives, we natively where that is another thing, and few a detail.
fn is_for(scene: &Scene, [server, client]: Cast) -> bool {
    let natively = [server, client].iter().any(|who| matches!(who, Who::UsNatively));
    let is_plain = [server.name(), client.name()].iter().all(|name| !name.contains("python"));
    (server.is_ours() || !scene.is_deadly)
        && (!natively || native::can_act(scene))
        && (!scene.is_detail || is_plain && !client.is_ours())
}

/// Acts every scene with every cast that can; what came of each.
fn act_all(scenes: &[Scene], casts: &[Cast]) -> Vec<Vec<Option<Vec<String>>>> {
    let jobs: Vec<(usize, usize)> = (0..scenes.len())
        .flat_map(|scene| (0..casts.len()).map(move |cast| (scene, cast)))
        .filter(|(scene, cast)| is_for(&scenes[*scene], casts[*cast]))
        .collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![vec![None; casts.len()]; scenes.len()]);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(&(at, cast)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scene = &scenes[at];
                    let essence = act::act(scene, casts[cast]).essence(scene);
                    outcomes.lock().expect("no panic while it is held")[at][cast] = Some(essence);
                }
            });
        }
    });
    outcomes.into_inner().expect("no panic while it is held")
}

/// Acts the scenes with every cast: each has to do what two libzmq peers do, but for the deviations, which have to be some.
fn compare(scenes: &[Scene]) {
    let casts = casts();
    let outcomes = act_all(scenes, &casts);
    let reference_of = |name: &str| {
        let at = scenes.iter().position(|scene| scene.name == name)?;
        outcomes[at].first()?.as_deref()
    };
    let mut differences = Vec::new();
    for (scene, outcomes) in scenes.iter().zip(&outcomes) {
        let reference = reference_of(&scene.name);
        for (cast, outcome) in casts.iter().zip(outcomes).skip(1) {
            let Some(outcome) = outcome else { continue };
            let deviation = deviations::of(scene, *cast, reference_of);
            let is_one = deviation.is_none() || deviation.as_deref() != reference;
            let wanted = deviation.or_else(|| reference.map(<[String]>::to_vec));
            let wanted = wanted.expect("where libzmq does nothing there is a line in the table");
            // A busy machine may need longer than libzmq gives a handshake that hangs.
            let again = (*outcome != wanted).then(|| scene.patient()).flatten();
            let again = again.map(|scene| act::act(&scene, *cast).essence(&scene));
            let outcome = again.as_ref().unwrap_or(outcome);
            if *outcome != wanted || !is_one {
                let [server, client] = cast.map(Who::name);
                let (outcome, wanted) = (outcome.join("\n    "), wanted.join("\n    "));
                differences.push(format!(
                    "{}: {server} serves {client}, is {}as it should be\n    {outcome}\n  wanted\n    {wanted}",
                    scene.name,
                    if is_one { "not " } else { "no deviation, but " },
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn null_does_what_it_does_between_libzmq_peers() {
    compare(&scenes::of(Mechanism::Null));
}

#[test]
fn plain_does_what_it_does_between_libzmq_peers() {
    compare(&scenes::of(Mechanism::Plain));
}

#[test]
fn curve_does_what_it_does_between_libzmq_peers() {
    compare(&scenes::of(Mechanism::Curve));
}

#[test]
fn ends_that_do_not_fit_say_what_libzmq_peers_say() {
    compare(&scenes::mismatches());
}
