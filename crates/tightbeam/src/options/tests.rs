use std::path::Path;
use std::time::Duration;

use super::metadata::METADATA_MAX;
use super::*;

const ALL: &[SocketType] = &SocketType::ALL;

fn options(spec: &OptionSpec) -> Options {
    Options::new(spec.sockets[0], &ContextOptions::default())
}

fn kept() -> impl Iterator<Item = &'static OptionSpec> {
    let slots = |slot| matches!(slot, Slot::Int { .. } | Slot::UInt64 { .. } | Slot::Bytes { .. });
    TABLE.iter().filter(move |spec| slots(spec.slot))
}

/// Values that a kind accepts, the least and the greatest among them, and values that it refuses: just outside, and of
/// the other types.
fn examples(kind: Kind) -> (Vec<OwnedValue>, Vec<OwnedValue>) {
    let bytes = |n: usize| OwnedValue::Bytes(vec![7; n]);
    let (inside, outside): (Vec<_>, Vec<_>) = match kind {
        Kind::Int { min, max } => {
            let outside = min.checked_sub(1).into_iter().chain(max.checked_add(1));
            (
                vec![OwnedValue::Int(min), OwnedValue::Int(max)],
                outside.map(OwnedValue::Int).collect(),
            )
        }
        Kind::Bool => (ints([0, 1]), ints([-1, 2])),
        Kind::Flag => (ints([0, 1]), ints([-1, i32::MIN])),
        Kind::Truth => (ints([0, 1]), vec![]),
        Kind::Ids => (ints([i32::MIN, i32::MAX]), vec![bytes(4)]),
        Kind::Int64 { min, max } => {
            let outside = min.checked_sub(1).into_iter().chain(max.checked_add(1));
            let inside = vec![OwnedValue::Int64(min), OwnedValue::Int64(max)];
            (inside, outside.map(OwnedValue::Int64).collect())
        }
        Kind::UInt64 => (vec![OwnedValue::UInt64(0), OwnedValue::UInt64(u64::MAX)], vec![]),
        Kind::Bytes { min, max } => lengths(min, max),
        Kind::Text { min, max, clears } => {
            let (mut inside, mut outside) = lengths(min, max);
            if clears {
                outside.retain(|value| *value != bytes(0));
                inside.push(bytes(0));
            }
            (inside, outside)
        }
        Kind::Key => (vec![bytes(32)], vec![bytes(0), bytes(31), bytes(33), bytes(40), bytes(41)]),
    };
    let mut refused = outside;
    refused.extend(of_other_types(kind));
    (inside, refused)
}

fn ints<const N: usize>(values: [i32; N]) -> Vec<OwnedValue> {
    values.map(OwnedValue::Int).into()
}

fn lengths(min: usize, max: usize) -> (Vec<OwnedValue>, Vec<OwnedValue>) {
    let bytes = |n: usize| OwnedValue::Bytes(vec![7; n]);
    // What has no bound is tried with more than any bound that there is.
    let inside = vec![bytes(min), bytes(max.min(70_000))];
    let above = max.checked_add(1).map(bytes);
    (inside, min.checked_sub(1).map(bytes).into_iter().chain(above).collect())
}

fn of_other_types(kind: Kind) -> Vec<OwnedValue> {
    let mut all = vec![OwnedValue::Int(1), OwnedValue::Int64(1), OwnedValue::UInt64(1)];
    all.push(OwnedValue::Bytes(vec![0; 4]));
    let own = match kind {
        Kind::Int64 { .. } => 1,
        Kind::UInt64 => 2,
        Kind::Bytes { .. } | Kind::Text { .. } | Kind::Key => 3,
        _ => 0,
    };
    all.remove(own);
    all
}

#[test]
fn numbers_are_in_order_and_names_are_unique() {
    assert!(TABLE.is_sorted_by(|a, b| a.number < b.number));
    for (i, a) in TABLE.iter().enumerate() {
        assert!(TABLE[..i].iter().all(|b| a.name != b.name), "{}", a.name);
        assert!(!a.sockets.is_empty() && !a.expected.is_empty());
        assert!(std::ptr::eq(find(a.number).unwrap(), a));
    }
}

#[test]
fn defaults_are_those_of_the_table() {
    for spec in kept() {
        let value = options(spec).read(spec).unwrap();
        assert_eq!(Some(value.as_value()), spec.default, "{}", spec.name);
    }
}

#[test]
fn accepted_values_read_back() {
    for spec in kept() {
        for value in examples(spec.kind).0 {
            let mut options = options(spec);
            options.set(spec.number, value.as_value()).unwrap();
            let read = options.read(spec).unwrap();
            if spec.number == number::HEARTBEAT_TTL {
                assert!(matches!(read, OwnedValue::Int(0 | 6_553_500)), "{read:?}");
            } else {
                assert_eq!(read, value, "{}", spec.name);
            }
            assert_eq!(options.get(spec.number).is_ok(), spec.access != Access::Set);
        }
    }
}

#[test]
fn refused_values_change_nothing_and_say_why() {
    for spec in kept() {
        let mut options = options(spec);
        let before = format!("{options:?}");
        for value in examples(spec.kind).1 {
            match options.set(spec.number, value.as_value()) {
                Err(Error::BadOption { option, given, expected }) => {
                    assert_eq!((option, expected), (spec.name, spec.expected));
                    assert_eq!(*given, value.as_value().to_string());
                }
                other => panic!("{} {value:?}: {other:?}", spec.name),
            }
            assert_eq!(format!("{options:?}"), before, "{}", spec.name);
        }
    }
}

#[test]
fn access_is_held() {
    for spec in TABLE {
        let mut options = options(spec);
        if spec.access == Access::Set {
            assert!(matches!(options.get(spec.number), Err(Error::BadOption { .. })));
        }
        if spec.access == Access::Get {
            let set = options.set(spec.number, Value::Int(1));
            assert!(matches!(set, Err(Error::BadOption { .. })), "{}", spec.name);
        }
    }
}

#[test]
fn options_of_other_sockets_and_unknown_ones_do_not_exist() {
    for spec in TABLE {
        for &socket in ALL {
            let options = Options::new(socket, &ContextOptions::default());
            assert_eq!(options.spec(spec.number).is_ok(), spec.sockets.contains(&socket));
        }
    }
    let mut options = Options::new(SocketType::Dealer, &ContextOptions::default());
    for number in [number::ROUTER_MANDATORY, 0, -1, 9_999, 10_009, i32::MIN, i32::MAX] {
        let set = options.set(number, Value::Int(1));
        assert!(matches!(set, Err(Error::UnknownOption(_))), "{number}");
        assert!(matches!(options.get(number), Err(Error::UnknownOption(_))), "{number}");
    }
}

/// Drafts of libzmq that exist in no stable build of it: batches, messages at the beginning and end of connections, WebSockets,
/// NORM and others.
const DRAFTS: [i32; 18] =
    [101, 102, 103, 104, 105, 106, 107, 110, 111, 114, 115, 117, 118, 119, 120, 121, 122, 124];

#[test]
fn drafts_do_not_exist() {
    for &socket in ALL {
        let mut options = Options::new(socket, &ContextOptions::default());
        for number in DRAFTS {
            for value in [Value::Int(1), Value::Bytes(b"hello")] {
                let refused = options.set(number, value).unwrap_err();
                assert!(matches!(refused, Error::UnknownOption(_)), "{number}");
                assert_eq!(refused.errno(), libc::EINVAL, "{number}");
            }
            assert!(matches!(options.get(number), Err(Error::UnknownOption(_))), "{number}");
        }
    }
}

/// How many bytes a value of this kind has in C, if all have as many.
fn size_in_c(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Int { .. } | Kind::Bool | Kind::Flag | Kind::Truth | Kind::Ids => Some(4),
        Kind::Int64 { .. } | Kind::UInt64 => Some(8),
        Kind::Bytes { .. } | Kind::Text { .. } | Kind::Key => None,
    }
}

#[test]
fn a_number_of_the_wrong_size_is_refused() {
    let zeros = [0; 64];
    for spec in TABLE {
        let Some(size) = size_in_c(spec.kind) else { continue };
        for length in (0..=zeros.len()).filter(|length| *length != size) {
            let refused = spec.decode(Some(&zeros[..length]));
            assert!(matches!(refused, Err(Error::BadOption { .. })), "{}: {length}", spec.name);
        }
        assert!(spec.decode(Some(&zeros[..size])).is_ok(), "{}", spec.name);
        // NULL names nothing, but where there is something to clear.
        assert_eq!(spec.decode(None).is_ok(), spec.kind == Kind::Ids, "{}", spec.name);
    }
}

#[test]
fn null_clears_text_that_may_be_cleared_and_is_refused_otherwise() {
    for spec in TABLE {
        let Kind::Text { min, clears, .. } = spec.kind else { continue };
        let taken = spec.decode(None).is_ok_and(|value| spec.kind.accepts(value));
        assert_eq!(taken, clears || min == 0, "{}", spec.name);
        let empty = spec.decode(Some(b"")).is_ok_and(|value| spec.kind.accepts(value));
        assert_eq!(empty, min == 0, "{}: no text is not NULL", spec.name);
    }
}

#[test]
fn a_get_needs_as_much_room_as_the_value_and_numbers_no_more() {
    let roomy = ["RCVMORE", "FD", "EVENTS", "THREAD_SAFE"];
    for spec in TABLE.iter().filter(|spec| spec.access != Access::Set) {
        let value = match (spec.kind, spec.default) {
            (Kind::Int64 { .. }, _) => OwnedValue::Int64(7),
            (Kind::UInt64, _) => OwnedValue::UInt64(7),
            (Kind::Key, _) => OwnedValue::Bytes(vec![7; 32]),
            (Kind::Bytes { .. } | Kind::Text { .. }, _) => OwnedValue::Bytes(vec![7; 5]),
            _ => OwnedValue::Int(7),
        };
        let fits = |room: usize| match spec.kind {
            Kind::Key => room == 32 || room == 41,
            Kind::Bytes { .. } => room >= 5,
            // With the NUL.
            Kind::Text { .. } => room >= 6,
            kind if roomy.contains(&spec.name) => Some(room) >= size_in_c(kind),
            kind => Some(room) == size_in_c(kind),
        };
        for room in 0..=64 {
            let got = spec.encode(value.clone(), room);
            assert_eq!(got.is_ok(), fits(room), "{}: {room}", spec.name);
            assert!(got.is_ok_and(|bytes| bytes.len() <= room) || !fits(room), "{}", spec.name);
        }
    }
}

#[test]
fn what_the_socket_does_itself_is_only_checked() {
    let mut options = Options::new(SocketType::Sub, &ContextOptions::default());
    options.set(number::SUBSCRIBE, Value::Bytes(b"")).unwrap();
    assert!(options.set(number::SUBSCRIBE, Value::Int(1)).is_err());
    assert!(options.get(number::TYPE).is_err());
    for (number, ours) in [(number::TYPE, true), (number::SUBSCRIBE, true), (number::SNDHWM, false)]
    {
        assert_eq!(find(number).unwrap().is_socket(), ours);
    }
}

#[test]
fn what_is_live_is_what_the_c_api_says() {
    let live = ["SUBSCRIBE", "UNSUBSCRIBE", "LINGER", "ROUTER_", "XPUB_", "REQ_", "PROBE", "ONLY_"];
    let exact = ["SNDHWM", "RCVHWM", "SNDTIMEO", "RCVTIMEO", "INVERT_MATCHING", "MAX_SOCKET_BYTES"];
    for spec in TABLE.iter().filter(|spec| spec.access != Access::Get) {
        // What connections tell is settled with them: so libzmq does it.
        let expected = exact.contains(&spec.name)
            || live.iter().any(|prefix| spec.name.starts_with(prefix))
                && spec.name != "ROUTER_NOTIFY";
        assert_eq!(spec.effect == Effect::Live, expected, "{}", spec.name);
    }
}

#[test]
fn the_context_gives_defaults() {
    let mut context = ContextOptions::default();
    context.set(number::context::BLOCKY, 0).unwrap();
    context.set(number::context::IPV6, 1).unwrap();
    let options = Options::new(SocketType::Pair, &context);
    assert_eq!(options.get(number::LINGER).unwrap(), OwnedValue::Int(0));
    assert_eq!(options.get(number::IPV6).unwrap(), OwnedValue::Int(1));
}

#[test]
fn numbers_mean_durations_and_limits() {
    let mut options = Options::new(SocketType::Dealer, &ContextOptions::default());
    let mut set = |number, value| options.set(number, Value::Int(value)).unwrap();
    set(number::LINGER, 0);
    set(number::SNDHWM, 0);
    set(number::RECONNECT_IVL, -1);
    set(number::RCVTIMEO, 250);
    set(number::TCP_KEEPALIVE_IDLE, 7);
    set(number::HEARTBEAT_TTL, 1999);
    set(number::TCP_KEEPALIVE, 0);
    assert_eq!(options.linger, Some(Duration::ZERO));
    assert_eq!((options.sndhwm, options.rcvhwm), (None, Some(1000)));
    assert_eq!((options.reconnect_ivl, options.rcvtimeo), (None, Some(Duration::from_millis(250))));
    assert_eq!(options.tcp_keepalive_idle, Some(Duration::from_secs(7)));
    assert_eq!((options.heartbeat_ttl_ds, options.tcp_keepalive), (19, Some(false)));
}

#[test]
fn heartbeats_wait_as_long_as_their_interval_unless_told() {
    let mut options = Options::new(SocketType::Dealer, &ContextOptions::default());
    assert_eq!(options.heartbeat_timeout(), None);
    options.set(number::HEARTBEAT_IVL, Value::Int(50)).unwrap();
    assert_eq!(options.heartbeat_timeout(), Some(Duration::from_millis(50)));
    options.set(number::HEARTBEAT_TIMEOUT, Value::Int(0)).unwrap();
    assert_eq!(options.heartbeat_timeout(), Some(Duration::ZERO));
}

#[test]
fn every_negative_message_size_is_no_limit() {
    let mut options = Options::new(SocketType::Pull, &ContextOptions::default());
    for (size, limit) in [(-1, None), (i64::MIN, None), (0, Some(0)), (5, Some(5))] {
        options.set(number::MAXMSGSIZE, Value::Int64(size)).unwrap();
        assert_eq!(options.max_message_size(), limit);
        assert_eq!(options.get(number::MAXMSGSIZE).unwrap(), OwnedValue::Int64(size));
    }
}

#[test]
fn metadata_adds_up_and_replaces() {
    let mut options = Options::new(SocketType::Pub, &ContextOptions::default());
    let mut set = |text: &str| options.set(number::METADATA, Value::Bytes(text.as_bytes()));
    for good in ["X-key:value", "x-b:c:d", "X-c::", "X-KEY:other"] {
        set(good).unwrap();
    }
    let long = format!("X-{}:v", "k".repeat(254));
    for bad in
        ["X-key", "X-none:", "X-:value", "key:value", "Socket-Type:SUB", "X-a b:c", "X-k:", &long]
    {
        assert!(matches!(set(bad), Err(Error::BadOption { .. })), "{bad}");
    }
    assert!(options.set(number::METADATA, Value::Int(5)).is_err());
    let mut set = |text: &str| options.set(number::METADATA, Value::Bytes(text.as_bytes()));
    assert!(set(&format!("X-big:{}", "v".repeat(METADATA_MAX - 6))).is_err(), "with the others");
    let expected: Vec<(String, Vec<u8>)> = [("x-b", "c:d"), ("X-c", ":"), ("X-KEY", "other")]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into();
    assert_eq!(options.metadata, expected);
}

#[test]
fn context_options_hold_their_ranges() {
    for spec in CONTEXT_TABLE {
        let (name, number) = (spec.name(), spec.number());
        let mut options = ContextOptions::default();
        let get = |options: &ContextOptions| {
            options.get(number).ok().filter(|_| spec.default().is_some())
        };
        assert_eq!(get(&options), spec.default(), "{name}");
        let (inside, outside) = examples(spec.kind());
        let only_set = spec.access() == Access::Set;
        for value in outside.into_iter().chain(inside.clone()) {
            let OwnedValue::Int(value) = value else { continue };
            let accepts = spec.kind().accepts(Value::Int(value)) && spec.access() != Access::Get;
            // A processor that was never added cannot be removed; THREAD_PRIORITY has this number too.
            if accepts && name != "THREAD_AFFINITY_CPU_REMOVE" {
                options.set(number, value).unwrap();
                let expected = if only_set { spec.default() } else { Some(value) };
                assert_eq!(get(&options), expected, "{name}");
            } else if number != number::context::SOCKET_LIMIT
                || !NOT_NEGATIVE.accepts(Value::Int(value))
            {
                let before = format!("{options:?}");
                assert!(
                    matches!(options.set(number, value), Err(Error::BadOption { .. })),
                    "{name}"
                );
                assert_eq!(format!("{options:?}"), before, "{name}");
            }
        }
    }
    let unknown = ContextOptions::default().get(11);
    assert!(matches!(unknown, Err(Error::UnknownOption(_))));
    assert!(matches!(ContextOptions::default().set(0, 1), Err(Error::UnknownOption(_))));
    assert!(matches!(ContextOptions::default().get(7), Err(Error::BadOption { .. })));
}

const NOT_NEGATIVE: Kind = Kind::Int { min: 0, max: i32::MAX };

#[test]
fn processors_are_added_and_removed() {
    let mut options = ContextOptions::default();
    let (add, remove) =
        (number::context::THREAD_AFFINITY_CPU_ADD, number::context::THREAD_AFFINITY_CPU_REMOVE);
    assert!(matches!(options.set(remove, 3), Err(Error::BadOption { .. })));
    for cpu in [3, 1, 3] {
        options.set(add, cpu).unwrap();
    }
    assert_eq!(options.threads.tuning.cpus, [3, 1]);
    options.set(remove, 3).unwrap();
    assert!(matches!(options.set(remove, 3), Err(Error::BadOption { .. })));
    assert_eq!(options.threads.tuning.cpus, [1]);
}

#[test]
fn names_of_threads_have_a_number_or_a_text_before_them() {
    let prefix = number::context::THREAD_NAME_PREFIX;
    let mut options = ContextOptions::default();
    assert_eq!(options.threads.name(2), "tightbeam-io-2");
    options.set(prefix, -42).unwrap();
    assert_eq!((options.get(prefix).unwrap(), &*options.threads.name(0)), (-42, "-42/tb-io-0"));
    options.set_text(prefix, "sixteen bytes...").unwrap();
    assert_eq!(options.get_text(prefix).unwrap(), "sixteen bytes...");
    assert_eq!(options.get(prefix).unwrap(), 0);
    for refused in ["seventeen bytes..", "a\0b"] {
        assert!(matches!(options.set_text(prefix, refused), Err(Error::BadOption { .. })));
    }
    assert!(matches!(options.set_text(1, "2"), Err(Error::BadOption { .. })));
    assert!(matches!(options.get_text(1), Err(Error::BadOption { .. })));
    assert!(matches!(options.get_text(11), Err(Error::UnknownOption(_))));
}

/// The facts about libzmq are kept outside the repository; where they are, each row is held against them.
#[test]
fn rows_agree_with_the_facts_about_libzmq() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts/options.md");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    // The only cell with bars of its own.
    let text = text.replace("1|2|4", "1, 2, 4");
    let (sockets, contexts) = text.split_once("## Context options").expect("two tables");
    for spec in TABLE.iter().filter(|spec| spec.number < 10_000) {
        agrees(spec, &fact(sockets, spec.number, spec.name));
    }
    for spec in CONTEXT_TABLE {
        let name = spec.name();
        // Two rows of the table are one of the facts.
        if name.starts_with("THREAD_AFFINITY") {
            continue;
        }
        let cells = fact(contexts, spec.number(), name);
        let default =
            if cells[4] == "INT_MAX" { i32::MAX } else { word(cells[4]).parse().unwrap_or(0) };
        let access = match spec.access() {
            Access::Set => "S",
            Access::Get => "G",
            Access::Both => "SG",
        };
        assert_eq!(
            (spec.default().unwrap_or(default), access),
            (default, cells[5]),
            "{}",
            spec.name()
        );
    }
}

fn fact<'a>(table: &'a str, number: i32, name: &str) -> Vec<&'a str> {
    table
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .find(|cells| cells.len() > 3 && cells[1] == number.to_string() && cells[2] == name)
        .unwrap_or_else(|| panic!("no fact about {name}, {number}"))
}

/// The cells: 1 number, 2 name, 3 status, 4 type, 5 accepted, 6 default, 7 access, 8 sockets.
fn agrees(spec: &OptionSpec, cells: &[&str]) {
    let name = spec.name;
    let access = match spec.access {
        Access::Set => "S",
        Access::Get => "G",
        Access::Both => "SG",
    };
    assert_eq!(access, cells[7], "{name}");
    let kinds: &[&str] = match spec.kind {
        Kind::Int64 { .. } => &["i64"],
        Kind::UInt64 => &["u64"],
        Kind::Bytes { .. } | Kind::Text { .. } => &["bytes", "str"],
        Kind::Key => &["key"],
        Kind::Ids => &["pid_t", "uid_t", "gid_t"],
        _ => &["int", "fd_t"],
    };
    assert!(kinds.contains(&cells[4]), "{name} is {}", cells[4]);
    match spec.default {
        Some(Value::Int(v)) if spec.access == Access::Get => assert_eq!(v, 0, "{name}"),
        Some(Value::Int(v)) => assert_eq!(word(cells[6]), v.to_string(), "{name}"),
        Some(Value::Int64(v)) => assert_eq!(word(cells[6]), v.to_string(), "{name}"),
        Some(Value::UInt64(v)) => assert_eq!(word(cells[6]), v.to_string(), "{name}"),
        Some(Value::Bytes(b"")) => {
            assert!(["empty", "\"\"", "none", "-"].contains(&cells[6]), "{name}");
        }
        Some(Value::Bytes(_)) => assert_eq!(cells[6], "zeros", "{name}"),
        None => assert!(["-", "", "none"].contains(&cells[6]), "{name}"),
    }
    // Ranges, and sockets that have no use for an option and take it all the same: the comparison with libzmq itself.
    let named: Vec<_> = cells[8].split(';').next().unwrap().split(' ').collect();
    let mut named = ALL.iter().filter(|socket| named.contains(&socket.name()));
    assert!(named.all(|socket| spec.sockets.contains(socket)), "{name}: {:?}", spec.sockets);
}

/// The first word of a cell; remarks follow it.
fn word(cell: &str) -> &str {
    cell.split(' ').next().unwrap_or_default().trim_end_matches(',')
}
