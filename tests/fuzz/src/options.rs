//! Options by number, with any bytes for a value, on sockets of every type that are not connected.

use std::sync::LazyLock;

use tightbeam::options::{Access, OptionSpec, OwnedValue, TABLE, number};
use tightbeam::{AnySocket, Context, Error};

use crate::Target;
use crate::choices::a_socket_type;
use crate::tape::{Tape, short};

pub(crate) const TARGET: Target = Target { name: "options", run, seeds };

static CONTEXT: LazyLock<Context> = LazyLock::new(Context::new);

/// The number is not one of the table's.
const UNKNOWN: u8 = 255;

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let row = |wanted: i32| {
        let at = TABLE.iter().position(|spec| spec.number() == wanted);
        u8::try_from(at.expect("in the table")).expect("fewer than 256 rows")
    };
    let set = |wanted: i32, value: &[u8]| [&[row(wanted), 1][..], &short(value)].concat();
    let all = [
        set(number::SNDHWM, &7i32.to_ne_bytes()),
        set(number::MAXMSGSIZE, &(-1i64).to_ne_bytes()),
        set(number::AFFINITY, &1u64.to_ne_bytes()),
        set(number::TCP_ACCEPT_FILTER, b"192.168.0.0/16"),
        set(number::METADATA, b"X-Colour:red"),
        set(number::CURVE_SERVERKEY, b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"),
        set(number::PLAIN_USERNAME, b"somebody"),
        set(number::ROUTING_ID, b"me"),
        set(number::SOCKS_PROXY, b"proxy:1080"),
        vec![row(number::SOCKS_PROXY), 0],
        [&[UNKNOWN, 1, 0, 0, 0, 77][..], &short(b"value")].concat(),
    ]
    .concat();
    [("router", 6), ("req", 3), ("sub", 2), ("xpub", 9)]
        .map(|(name, socket_type)| (name, [&[socket_type], &all[..]].concat()))
        .to_vec()
}

fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let socket = CONTEXT.any_socket(a_socket_type(tape.byte()));
    let socket = socket.expect("every type of socket can be made");
    while let Some(choice) = tape.next() {
        let spec = TABLE.get(usize::from(choice));
        // NULL with a length of 0 is not the same as no bytes.
        let kind = tape.byte() % 3;
        let number = match spec {
            Some(spec) => spec.number(),
            None => i32::from_be_bytes(tape.array()),
        };
        let value = (kind > 0).then(|| tape.short());
        set(&socket, number, spec, value);
    }
}

/// Sets an option and looks whether it is what it should be.
fn set(socket: &AnySocket, number: i32, spec: Option<&OptionSpec>, value: Option<&[u8]>) {
    let before = socket.option(number);
    let done = socket.set_option_bytes(number, value);
    let after = socket.option(number);
    if let Err(error) = &done {
        assert!(error.errno() > 0 && !error.to_string().is_empty());
        assert_eq!(format!("{before:?}"), format!("{after:?}"), "refused, and yet changed");
    }
    if !TABLE.iter().any(|spec| spec.number() == number) {
        let is_unknown = |error: &Error| matches!(error, Error::UnknownOption { .. });
        assert!(done.as_ref().is_err_and(is_unknown) && after.as_ref().is_err_and(is_unknown));
    }
    if spec.is_some_and(|spec| spec.access() == Access::Set) {
        assert!(after.is_err(), "what can only be set is not to be read");
    }
    let Ok(after) = after else { return };
    if spec.is_some_and(|spec| spec.access() == Access::Both) && done.is_ok() {
        // What was read can be set, and is the same again.
        let _ = socket.set_option(number, after.as_value());
        assert_eq!(socket.option(number).ok(), Some(after.clone()));
    }
    read_into_rooms(socket, number, &after);
}

/// Into a buffer of any size comes what fits, or an error.
fn read_into_rooms(socket: &AnySocket, number: i32, value: &OwnedValue) {
    let length = match value {
        OwnedValue::Int(_) => 4,
        OwnedValue::Int64(_) | OwnedValue::UInt64(_) => 8,
        OwnedValue::Bytes(bytes) => bytes.len(),
    };
    for room in [0, length.saturating_sub(1), length, length + 1, 41, 512] {
        if let Ok(bytes) = socket.option_bytes(number, room) {
            assert!(bytes.len() <= room, "more than there is room for");
        }
    }
}
