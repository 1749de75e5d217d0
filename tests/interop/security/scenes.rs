//! The scenes of each mechanism.

use tightbeam::SocketType;
use tightbeam::options::number;

use super::scene::{
    CLIENT, DOMAIN, ENFORCE, Given, IMPATIENT, Judge, Mechanism, Reply, SERVER, STRANGER, Scene,
    Setting, curve, plain, property,
};

/// A scene of one mechanism, with these options besides on the server.
fn scene(mechanism: Mechanism, what: &str, more: &[Setting]) -> Scene {
    let server = [mechanism.server(), more.to_vec()].concat();
    Scene::new(format!("{mechanism:?}: {what}"), server, mechanism.client())
}

/// A client with these options besides.
fn with_client(mut scene: Scene, more: &[Setting]) -> Scene {
    scene.settings[1].extend(more);
    scene
}

/// Who is asked, and who need not be.
fn asking(mechanism: Mechanism) -> Vec<Scene> {
    let scene = |what: &str, more: &[Setting]| scene(mechanism, what, more);
    let welcome = || Judge::All(Reply::welcome());
    let deadly = |scene: Scene| match mechanism {
        Mechanism::Plain => scene.deadly(),
        Mechanism::Null | Mechanism::Curve => scene,
    };
    let mut by_router = scene("a router welcomes", &[DOMAIN]).judged(welcome());
    let mut late = scene("a late handler welcomes", &[DOMAIN]).judged(welcome());
    for handler in by_router.handlers.iter_mut().flatten() {
        handler.socket_type = SocketType::Router;
    }
    for handler in late.handlers.iter_mut().flatten() {
        handler.is_late = true;
    }
    // libzmq's servers of PLAIN may do nothing more when they have nobody to ask.
    let only_plain = |mut scene: Scene| {
        if mechanism == Mechanism::Plain {
            scene.settings[0].push(IMPATIENT);
        }
        scene
    };
    // Clients ask only where there is no mechanism.
    let mut alone = vec![DOMAIN, ENFORCE];
    if mechanism == Mechanism::Null {
        alone.push(IMPATIENT);
    }
    let named = (number::ROUTING_ID, Given::Text("server"));
    vec![
        only_plain(scene("no domain, no handler", &[])),
        only_plain(scene("domain, no handler", &[DOMAIN])),
        scene("enforced domain, no handler", &[DOMAIN, ENFORCE, IMPATIENT]),
        deadly(scene("enforced, no domain, no handler", &[ENFORCE])),
        deadly(scene("enforced, no domain, welcome", &[ENFORCE]).judged(welcome())),
        scene("no domain, welcome", &[]).judged(welcome()),
        scene("domain, welcome", &[DOMAIN]).judged(welcome()),
        scene("enforced domain, welcome", &[DOMAIN, ENFORCE]).judged(welcome()),
        scene("domain, welcome over ipc", &[DOMAIN]).judged(welcome()).over_ipc(),
        scene("a server with a routing id", &[DOMAIN, named]).judged(welcome()),
        by_router,
        late,
        scene("the handler is silent", &[DOMAIN, IMPATIENT]).judged(Judge::Silent),
        scene("the handler leaves", &[DOMAIN, IMPATIENT]).judged(Judge::Leaves),
        with_client(scene("a client's domain, no handler", &[]), &[DOMAIN]).judged(welcome()),
        with_client(scene("a client's enforced domain, no handler", &[]), &alone).judged(welcome()),
        with_client(scene("a client's domain, welcome", &[]), &[DOMAIN])
            .judged(welcome())
            .judged_by_client(welcome()),
        with_client(scene("a client's domain, refused", &[]), &[DOMAIN])
            .judged(welcome())
            .judged_by_client(Judge::All(Reply::of("400"))),
    ]
}

/// What the handler may say.
fn verdicts(mechanism: Mechanism) -> Vec<Scene> {
    let judged =
        |what: &str, reply: Reply| scene(mechanism, what, &[DOMAIN]).judged(Judge::All(reply));
    let long = Reply { text: LONG, ..Reply::of("500") };
    vec![
        judged("status 400", Reply::of("400")),
        judged("status 400 over ipc", Reply::of("400")).over_ipc(),
        judged("status 500", Reply::of("500")),
        judged("status 500 with a long text", long),
        scene(mechanism, "status 300", &[DOMAIN, IMPATIENT]).judged(Judge::All(Reply::of("300"))),
        scene(mechanism, "five frames first, then welcome", &[DOMAIN])
            .judged(Judge::First(Reply { count: 5, ..Reply::of("200") })),
    ]
}

/// What a handler may say that is no reply, or of which it depends on the server alone what comes.
fn details(mechanism: Mechanism) -> Vec<Scene> {
    let judged = |what: &str, reply: Reply| {
        scene(mechanism, what, &[DOMAIN]).judged(Judge::All(reply)).detail()
    };
    let with_metadata = |status, metadata: Vec<u8>| Reply { metadata, ..Reply::of(status) };
    let mut truncated = property("Hello", "World");
    truncated.truncate(truncated.len() - 2);
    let shadows = [property("User-Id", "mallory"), property("Peer-Address", "6.6.6.6")].concat();
    let mut scenes = vec![
        judged("another version", Reply { version: "2.0", ..Reply::of("200") }),
        judged("no version", Reply { version: "", ..Reply::of("200") }),
        judged("another request's id", Reply { id: Some("77"), ..Reply::of("200") }),
        judged("one frame", Reply { count: 1, ..Reply::of("200") }),
        judged("five frames", Reply { count: 5, ..Reply::of("200") }),
        judged("seven frames", Reply { count: 7, ..Reply::of("200") }),
        judged("no user", Reply { user: "", ..Reply::of("200") }),
        judged("a long user", Reply { user: LONG, ..Reply::of("200") }),
        judged("metadata that end early", with_metadata("200", truncated)),
        judged("metadata that are none", with_metadata("200", b"\xff\x01\x02".to_vec())),
        judged("refused, with metadata that are none", with_metadata("400", b"\xff\x01".to_vec())),
        judged("metadata without a name", with_metadata("200", b"\0\0\0\0\x01x".to_vec())),
        judged("a value without end", with_metadata("200", b"\x01x\xff\xff\xff\xff".to_vec())),
        judged("metadata that claim to be ours", with_metadata("200", shadows)),
    ];
    for status in ["", "20", "2000", "abc", "100", "201", "299", "401", "600", "999"] {
        scenes.push(judged(&format!("status {status:?}"), Reply::of(status)));
    }
    scenes
}

const LONG: &str = "a text that is longer than the 255 bytes that the reason of an ERROR command may have: \
    ........................................................................................................\
    ........................................................................................................";

pub(super) fn of(mechanism: Mechanism) -> Vec<Scene> {
    let mut scenes = [asking(mechanism), verdicts(mechanism), details(mechanism)].concat();
    let credentials = |what: &str, client: Vec<Setting>| {
        let mut scene = scene(mechanism, what, &[DOMAIN]).judged(Judge::Careful);
        scene.settings[1] = client;
        scene
    };
    let unjudged = |what: &str, client: Vec<Setting>| {
        let mut scene = scene(mechanism, what, &[]);
        scene.settings[1] = client;
        scene
    };
    match mechanism {
        Mechanism::Null => {}
        Mechanism::Plain => scenes.extend([
            credentials("the right password", plain("admin", "secret")),
            credentials("a wrong password", plain("admin", "guess")),
            credentials("a wrong user", plain("root", "secret")),
            credentials("a user alone", plain("admin", "secret")[..1].to_vec()),
            credentials("a password alone", plain("admin", "secret")[1..].to_vec()),
            credentials("a wrong password over ipc", plain("admin", "guess")).over_ipc(),
        ]),
        Mechanism::Curve => scenes.extend([
            credentials("a known key", curve(SERVER[0], CLIENT)),
            credentials("an unknown key", curve(SERVER[0], STRANGER)),
            credentials("another server's key", curve(STRANGER[0], CLIENT)),
            credentials("a key that is not its own", curve(SERVER[0], [CLIENT[0], STRANGER[1]])),
            unjudged("any key, no handler", curve(SERVER[0], STRANGER)),
            unjudged("another server's key, no handler", curve(STRANGER[0], CLIENT)),
            unjudged("a stolen key, no handler", curve(SERVER[0], [CLIENT[0], STRANGER[1]])),
        ]),
    }
    scenes
}

/// Ends that do not fit: each role of each mechanism with each other.
pub(super) fn mismatches() -> Vec<Scene> {
    let mut roles = Vec::new();
    for mechanism in Mechanism::ALL {
        roles.push((mechanism, "server", mechanism.server()));
        if mechanism != Mechanism::Null {
            roles.push((mechanism, "client", mechanism.client()));
        }
    }
    let mut scenes = Vec::new();
    for (one, role, settings) in &roles {
        for (other, other_role, other_settings) in &roles {
            if one != other || (role == other_role && *one != Mechanism::Null) {
                let name = format!("{one:?} {role} before {other:?} {other_role}");
                let mut server = settings.clone();
                if one == other && *role == "server" {
                    // Each waits for the other one to begin.
                    server.push(IMPATIENT);
                }
                scenes.push(Scene::new(name, server, other_settings.clone()).race());
            }
        }
    }
    // The roles of a mechanism do not depend on who connects to whom.
    let mut turned =
        Scene::new("a CURVE server connects", Mechanism::Curve.client(), Mechanism::Curve.server());
    scenes.push(turned.clone());
    turned.name.push_str(" and asks");
    turned.settings[1].push(DOMAIN);
    scenes.push(turned.judged_by_client(Judge::All(Reply::welcome())));
    let turned = Scene::new(
        "a PLAIN server connects and asks",
        Mechanism::Plain.client(),
        Mechanism::Plain.server(),
    );
    scenes.push(turned.judged_by_client(Judge::Careful));
    scenes
}
