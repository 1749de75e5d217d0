//! EAGAIN racing with the event that ends it: `Connection::note_event`, `begin_*`, `block` and
//! `finish_read`, retold. An edge is reported once, so it must not be taken for an older one.

use loom::sync::{Arc, Mutex};
use loom::thread;

use super::{check, must_fail};

/// What a connection remembers, under the socket's lock.
#[derive(Debug, Default)]
struct Connection {
    writing: bool,
    blocked: bool,
    write_event: bool,
    resumed: bool,
    reading: bool,
    readable: bool,
    read_event: bool,
}

/// The kernel's side: room to write, or bytes to read.
#[derive(Debug, Default)]
struct Kernel {
    possible: bool,
}

type Shared = Arc<(Mutex<Connection>, Mutex<Kernel>)>;

fn writing(notes_events: bool) {
    let shared: Shared = Arc::default();
    let driver = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            shared.1.lock().unwrap().possible = true;
            // The event, noted by whoever has the seat.
            let mut connection = shared.0.lock().unwrap();
            connection.write_event |= connection.writing && notes_events;
            connection.resumed |= std::mem::take(&mut connection.blocked);
        })
    };
    let mut blocked = true;
    for _ in 0..2 {
        let mut connection = shared.0.lock().unwrap();
        connection.writing = true;
        connection.write_event = false;
        drop(connection);
        let written = shared.1.lock().unwrap().possible;
        let mut connection = shared.0.lock().unwrap();
        connection.writing = false;
        connection.blocked = !written && !connection.write_event;
        blocked = connection.blocked;
        if written || blocked {
            break;
        }
    }
    driver.join().unwrap();
    let connection = shared.0.lock().unwrap();
    assert!(!blocked || connection.resumed, "there is room, and nobody writes");
}

#[test]
fn a_writer_learns_of_room_made_meanwhile() {
    check(|| writing(true));
}

#[test]
fn without_noting_the_event_it_does_not() {
    must_fail(|| writing(false));
}

fn reading(notes_events: bool) {
    let shared: Shared = Arc::default();
    shared.0.lock().unwrap().readable = true;
    let driver = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || {
            shared.1.lock().unwrap().possible = true;
            let mut connection = shared.0.lock().unwrap();
            connection.readable = true;
            connection.read_event = connection.reading && notes_events;
        })
    };
    let mut connection = shared.0.lock().unwrap();
    connection.reading = true;
    connection.read_event = false;
    drop(connection);
    let read = std::mem::take(&mut shared.1.lock().unwrap().possible);
    let mut connection = shared.0.lock().unwrap();
    connection.reading = false;
    if !read && !connection.read_event {
        connection.readable = false;
    }
    drop(connection);
    driver.join().unwrap();
    let possible = shared.1.lock().unwrap().possible;
    assert!(!possible || shared.0.lock().unwrap().readable, "bytes came, and nobody reads");
}

#[test]
fn a_reader_learns_of_bytes_that_came_meanwhile() {
    check(|| reading(true));
}

#[test]
fn without_noting_the_event_the_reader_does_not() {
    must_fail(|| reading(false));
}
