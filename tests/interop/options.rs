//! Every option, on sockets of every type, beside the libzmq of the system: defaults, ranges, refusals, lengths and what a get
//! answers after a set. `tests/peers/options.c` asks libzmq; the questions are made from the table.

use std::fmt::Write;

use tightbeam::options::{Access, Kind, OptionSpec, TABLE, number};
use tightbeam::{Context, SocketType};

use crate::theirs;

const EINVAL: i32 = libc::EINVAL;

/// Something to ask both about a socket that was just opened.
#[derive(Debug, Clone)]
struct Question {
    socket: SocketType,
    spec: &'static OptionSpec,
    /// What to set first; the inner `None` is a null pointer.
    value: Option<Option<Vec<u8>>>,
    room: Option<usize>,
}

impl Question {
    fn line(&self) -> String {
        let value = match &self.value {
            None => "=".to_owned(),
            Some(None) => "NULL".to_owned(),
            Some(Some(bytes)) => format!("x{}", hex(bytes)),
        };
        let room = self.room.map_or("-".to_owned(), |room| room.to_string());
        format!("{} {} {value} {room}", self.socket as i32, self.spec.number())
    }

    /// What this library answers, in the words of `options.c`.
    fn ask(&self, context: &Context) -> String {
        let socket = context.any_socket(self.socket).unwrap_or_else(|error| panic!("{error}"));
        let number = self.spec.number();
        let set = match &self.value {
            None => "-".to_owned(),
            Some(value) => match socket.set_option_bytes(number, value.as_deref()) {
                Ok(()) => "ok".to_owned(),
                Err(error) => error.errno().to_string(),
            },
        };
        let got = match self.room {
            None => "-".to_owned(),
            Some(room) => match socket.option_bytes(number, room) {
                Ok(bytes) => format!("={}", hex(&bytes)),
                Err(error) => error.errno().to_string(),
            },
        };
        format!("{set} {got}")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What to set: numbers around every bound that there is, and bytes of every length that means something.
fn values() -> Vec<Option<Vec<u8>>> {
    let numbers =
        [i32::MIN, -100, -2, -1, 0, 1, 2, 3, 4, 7, 99, 100, 250, 255, 256, 6_553_599, 6_553_600];
    let numbers = numbers.into_iter().chain([i32::MAX]).map(|v| Some(v.to_ne_bytes().to_vec()));
    let wide = [i64::MIN, -1, 0, 1, i64::MAX].map(|v| Some(v.to_ne_bytes().to_vec()));
    let lengths = [0, 1, 3, 5, 16, 17, 32, 33, 40, 41, 42, 254, 255, 256, 300];
    let text = lengths.map(|length| Some(vec![b'5'; length]));
    let key = zmtp::z85::encode(&[7; 32]).expect("a multiple of 4 bytes").into_bytes();
    let keys = [key.clone(), [&key[..], b"\0"].concat(), [&key[..], b"x"].concat()].map(Some);
    let address = [b"10.0.0.0/8".to_vec(), b"::1".to_vec(), b"x/y".to_vec()].map(Some);
    let property = [b"X-key:value".to_vec(), b"X-key".to_vec(), b"X-k:v".to_vec()].map(Some);
    numbers
        .chain(wide)
        .chain(text)
        .chain(keys)
        .chain(address)
        .chain(property)
        .chain([None])
        .collect()
}

fn questions() -> Vec<Question> {
    let context = Context::new();
    let exists = |socket: &&SocketType| context.any_socket(**socket).is_ok();
    let sockets: Vec<_> = SocketType::ALL.iter().filter(exists).copied().collect();
    let values = values();
    let mut all = Vec::new();
    for spec in TABLE.iter().filter(|spec| spec.number() < 10_000) {
        for &socket in &sockets {
            let of = |value, room| Question { socket, spec, value, room };
            all.extend([0, 1, 4, 8, 32, 40, 41, 256].map(|room| of(None, Some(room))));
            all.extend(values.iter().map(|value| of(Some(value.clone()), Some(room_of(spec)))));
        }
    }
    all
}

/// As much room as a get needs.
fn room_of(spec: &OptionSpec) -> usize {
    match spec.kind() {
        Kind::Bytes { .. } | Kind::Text { .. } => 512,
        Kind::Key => 41,
        Kind::Int64 { .. } | Kind::UInt64 => 8,
        _ => 4,
    }
}

/// Where this library differs on purpose; `None`: it must not.
fn deviation(question: &Question, ours: &str, theirs: &str) -> Option<&'static str> {
    let number = question.spec.number();
    let refused = |answer: &str| answer.starts_with(&format!("{EINVAL} "));
    match number {
        97 | 101..=107 | 110..=124 => theirs
            .split(' ')
            .all(|word| word == "-" || word == EINVAL.to_string())
            .then_some("a draft, which the libzmq of Debian is built without"),
        number::FD => Some("a descriptor is another each time"),
        number::VMCI_BUFFER_SIZE
        | number::VMCI_BUFFER_MIN_SIZE
        | number::VMCI_BUFFER_MAX_SIZE
        | number::VMCI_CONNECT_TIMEOUT => refused(theirs)
            .then_some("stored here as by a libzmq with vmci, which this one is without"),
        number::HEARTBEAT_TTL => (refused(ours) && theirs.starts_with("ok"))
            .then_some("libzmq takes -99 to -1 for 0, which its manual does not allow"),
        number::TCP_ACCEPT_FILTER => (refused(ours) && theirs.starts_with("ok"))
            .then_some("libzmq takes a number for an address, such as 5 for 0.0.0.5"),
        number::PLAIN_USERNAME | number::PLAIN_PASSWORD => (question.value == Some(None))
            .then_some("libzmq answers the old text after it was cleared"),
        _ => None,
    }
}

#[test]
fn options_are_those_of_libzmq() {
    let Some(program) = theirs::options() else { return };
    let questions = questions();
    let lines: Vec<String> = questions.iter().map(Question::line).collect();
    let answers = program.filter(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answers.lines().count(), lines.len(), "an answer for each question");
    let context = Context::new();
    let mut differences = Vec::new();
    for ((question, line), theirs) in questions.iter().zip(&lines).zip(answers.lines()) {
        let ours = question.ask(&context);
        if ours != theirs && deviation(question, &ours, theirs).is_none() {
            let (name, socket) = (question.spec.name(), question.socket);
            differences.push(format!("{name} of {socket} ({line}): {ours} instead of {theirs}"));
        }
    }
    let shown = differences.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences:\n{shown}", differences.len());
    let stable =
        TABLE.iter().filter(|spec| spec.access() != Access::Get && spec.number() < 93).count();
    assert!(stable > 60, "the table lost rows");
}

/// What the table leaves out libzmq does not know either.
#[test]
fn no_option_of_libzmq_is_missing() {
    let Some(program) = theirs::options() else { return };
    let missing = |number: &i32| TABLE.iter().all(|spec| spec.number() != *number);
    let lines = (0..130).filter(missing).flat_map(|number| {
        let sets = ["x", "x01", "x01000000", "x0100000000000000", "NULL"];
        let types = 0..12;
        types.flat_map(move |socket| {
            let gets = [4, 8, 256].map(|room| format!("{socket} {number} = {room}"));
            sets.map(|set| format!("{socket} {number} {set} -")).into_iter().chain(gets)
        })
    });
    let lines: Vec<String> = lines.collect();
    let answers = program.filter(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    let known = lines
        .iter()
        .zip(answers.lines())
        .filter(|(_, answer)| *answer != format!("{EINVAL} -") && *answer != format!("- {EINVAL}"));
    let known: Vec<_> = known.collect();
    assert!(known.is_empty(), "libzmq knows {known:?}");
    assert_eq!(answers.lines().count(), lines.len());
}

/// What this library answers about a context, in the words of `options.c`.
fn ask_context(number: i32, value: Option<i32>) -> String {
    let context = Context::new();
    let set = match value.map(|value| context.set_option(number, value)) {
        None => "-".to_owned(),
        Some(Ok(())) => "ok".to_owned(),
        Some(Err(error)) => error.errno().to_string(),
    };
    let got = match context.option(number) {
        Ok(value) => format!("={}", hex(&value.to_ne_bytes())),
        Err(error) => error.errno().to_string(),
    };
    format!("{set} {got}")
}

#[test]
fn options_of_contexts_are_those_of_libzmq() {
    let Some(program) = theirs::options() else { return };
    let values = [i32::MIN, -100, -2, -1, 0, 1, 2, 3, 7, 99, 1023, 65_535, 65_536, i32::MAX];
    let values: Vec<Option<i32>> = values.map(Some).into_iter().chain([None]).collect();
    let questions: Vec<(i32, Option<i32>)> =
        (-1..130).flat_map(|number| values.iter().map(move |value| (number, *value))).collect();
    let line = |(number, value): &(i32, Option<i32>)| {
        let value = value.map_or("=".to_owned(), |value| format!("x{}", hex(&value.to_ne_bytes())));
        format!("-1 {number} {value} 4")
    };
    let lines: Vec<String> = questions.iter().map(line).collect();
    let answers = program.filter(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answers.lines().count(), lines.len(), "an answer for each question");
    let differences: Vec<String> = questions
        .iter()
        .zip(answers.lines())
        .map(|(&(number, value), theirs)| (number, value, ask_context(number, value), theirs))
        .filter(|(_, _, ours, theirs)| ours != theirs)
        .map(|(number, value, ours, theirs)| format!("{number} {value:?}: {ours}, not {theirs}"))
        .collect();
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
