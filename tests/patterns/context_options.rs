//! Options of a context: its I/O threads, and what it limits.

use std::fs;

use tightbeam::options::Value;
use tightbeam::options::number::context::*;
use tightbeam::options::number::{self, AFFINITY};
use tightbeam::{Context, Error, Frame, Pair, Pull, Push};
use tightbeam_tests::sockets::*;

/// The system's number of the thread with this name; names of threads are those of the whole process.
fn thread(name: &str) -> Option<libc::pid_t> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let mut named = tasks.filter(|task| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    named.next()?.file_name().to_str()?.parse().ok()
}

/// Binds a socket in a context with threads of this name.
fn bind_in(prefix: &str, set: impl FnOnce(&Context)) -> (Context, Result<libc::pid_t, Error>) {
    let context = Context::new();
    context.set_text_option(THREAD_NAME_PREFIX, prefix).unwrap();
    set(&context);
    let bound = open::<Pull>(&context).bind(ANY_PORT);
    let id = bound.map(|_| thread(&format!("{prefix}/tb-io-0")).expect("a thread with that name"));
    (context, id)
}

fn policy_of(id: libc::pid_t) -> i32 {
    // SAFETY: touches no memory.
    unsafe { libc::sched_getscheduler(id) }
}

fn processors_of(id: libc::pid_t) -> Vec<usize> {
    // SAFETY: all zeros is the empty set, which the call fills.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(id, size_of_val(&set), &raw mut set), 0);
        set
    };
    // SAFETY: the numbers are below the size of the set.
    (0..size_of_val(&set) * 8).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).collect()
}

#[test]
fn io_threads_have_names_with_a_prefix() {
    let (context, id) = bind_in("prefix", |_| {});
    id.unwrap();
    let late = "later";
    context.set_text_option(THREAD_NAME_PREFIX, late).unwrap();
    open::<Pull>(&context).bind(ANY_PORT).unwrap();
    assert_eq!(thread("later/tb-io-0"), None, "what the first socket found holds");
    let numbered = Context::new();
    numbered.set_option(THREAD_NAME_PREFIX, 4711).unwrap();
    open::<Pull>(&numbered).bind(ANY_PORT).unwrap();
    assert!(thread("4711/tb-io-0").is_some());
    assert!(numbered.term_timeout(LIMIT).unwrap());
    until("the thread is gone", || thread("4711/tb-io-0").is_none());
}

#[test]
fn io_threads_have_the_policy_that_was_asked_for() {
    let (_context, id) = bind_in("batch", |context| {
        context.set_option(THREAD_SCHED_POLICY, libc::SCHED_BATCH).unwrap();
    });
    assert_eq!(policy_of(id.unwrap()), libc::SCHED_BATCH);
}

#[test]
fn io_threads_have_the_priority_that_was_asked_for_or_bind_says_why_not() {
    let (_context, id) = bind_in("fifo", |context| {
        context.set_option(THREAD_SCHED_POLICY, libc::SCHED_FIFO).unwrap();
        context.set_option(THREAD_PRIORITY, 3).unwrap();
    });
    match id {
        Ok(id) => {
            let mut param = libc::sched_param { sched_priority: 0 };
            // SAFETY: the call fills the parameter.
            assert_eq!(unsafe { libc::sched_getparam(id, &raw mut param) }, 0);
            assert_eq!((policy_of(id), param.sched_priority), (libc::SCHED_FIFO, 3));
        }
        Err(error) => assert_eq!(error.errno(), libc::EPERM, "{error}"),
    }
    let (_context, id) = bind_in("nice", |context| context.set_option(THREAD_PRIORITY, 0).unwrap());
    match id {
        Ok(id) => {
            // SAFETY: touches no memory.
            let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, id.cast_unsigned()) };
            assert_eq!(nice, -20);
        }
        Err(error) => assert!([libc::EPERM, libc::EACCES].contains(&error.errno()), "{error}"),
    }
}

#[test]
fn a_policy_that_the_system_does_not_know_is_an_error_of_bind() {
    let (context, id) =
        bind_in("odd", |context| context.set_option(THREAD_SCHED_POLICY, 77).unwrap());
    assert_eq!(id.unwrap_err().errno(), libc::EINVAL);
    let again = open::<Push>(&context).connect("tcp://127.0.0.1:1").unwrap_err();
    assert!(matches!(again, Error::Io { operation: "start an I/O thread", .. }), "{again}");
    assert!(context.term_timeout(LIMIT).unwrap());
}

#[test]
fn io_threads_run_on_the_processors_that_were_named() {
    let last = *processors_of(0).last().unwrap();
    let (_context, id) = bind_in("pinned", |context| {
        context.set_option(THREAD_AFFINITY_CPU_ADD, 1000).unwrap();
        context.set_option(THREAD_AFFINITY_CPU_ADD, i32::try_from(last).unwrap()).unwrap();
        context.set_option(THREAD_AFFINITY_CPU_REMOVE, 1000).unwrap();
    });
    assert_eq!(processors_of(id.unwrap()), [last]);
    let (_context, none) = bind_in("nowhere", |context| {
        context.set_option(THREAD_AFFINITY_CPU_ADD, 1000).unwrap();
    });
    assert_eq!(none.unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn affinity_chooses_among_the_io_threads() {
    let context = Context::new();
    context.set_text_option(THREAD_NAME_PREFIX, "aff").unwrap();
    context.set_option(IO_THREADS, 3).unwrap();
    let served_by = |affinity: u64| {
        let socket = open::<Pull>(&context);
        socket.set_option(AFFINITY, Value::UInt64(affinity)).unwrap();
        socket.bind(ANY_PORT).map(|_| socket)
    };
    let _second = served_by(0b010).unwrap();
    assert!(thread("aff/tb-io-1").is_some() && thread("aff/tb-io-0").is_none());
    let _either = served_by(0b110).unwrap();
    assert!(thread("aff/tb-io-2").is_some(), "the one that serves fewer");
    let _any = served_by(0).unwrap();
    assert!(thread("aff/tb-io-0").is_some());
    assert_eq!(served_by(0b1000).unwrap_err().errno(), tightbeam::EMTHREAD);
    assert_eq!(served_by(1 << 63).unwrap_err().errno(), tightbeam::EMTHREAD);
    let local = open::<Pair>(&context);
    local.set_option(AFFINITY, Value::UInt64(0b1000)).unwrap();
    local.bind("inproc://affinity").unwrap();
}

#[test]
fn how_many_io_threads_there_are_is_fixed_by_the_first_socket() {
    let context = Context::new();
    let first = open::<Pull>(&context);
    context.set_option(IO_THREADS, 0).unwrap();
    assert_eq!(context.option(IO_THREADS).unwrap(), 0);
    first.bind(ANY_PORT).unwrap();
    open::<Pull>(&context).bind(ANY_PORT).unwrap();
}

#[test]
fn max_msgsz_limits_what_is_sent() {
    let context = Context::new();
    let (_unlimited_pull, unlimited) = join::<Pull, Push>(&context);
    context.set_option(MAX_MSGSZ, 10).unwrap();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send(b"0123456789").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), b"0123456789");
    let refused = push.send(b"0123456789a").unwrap_err();
    assert_eq!(refused.message, b"0123456789a");
    assert!(matches!(refused.error, Error::TooLong { size: 11, most: 10 }));
    assert_eq!(refused.error.errno(), libc::EMSGSIZE);
    let part = Frame::from(b"0123456789a");
    assert_eq!(push.send_part(&part, true).unwrap_err().errno(), libc::EMSGSIZE);
    assert_eq!(push.send_part(&part, false).unwrap_err().errno(), libc::EMSGSIZE);
    push.send(["0123456789", "abcdefghij"]).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap().len(), 2, "the limit is on parts");
    unlimited.send(vec![1; 10_000]).unwrap();
}

#[test]
fn max_msgsz_of_nothing_lets_empty_parts_through() {
    let context = Context::new();
    context.set_option(MAX_MSGSZ, 0).unwrap();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send("").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "");
    assert_eq!(push.send("x").unwrap_err().error.errno(), libc::EMSGSIZE);
}

#[test]
fn large_bodies_arrive_with_and_without_zero_copy_recv() {
    for zero_copy in [1, 0] {
        let context = Context::new();
        context.set_option(ZERO_COPY_RECV, zero_copy).unwrap();
        let (pull, push) = join::<Pull, Push>(&context);
        for length in [1_000, 40_000, 150_000, 3_000_000] {
            let body: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            push.send(["before".as_bytes(), &body, b"behind"]).unwrap();
            let message = pull.recv_timeout(LIMIT).unwrap();
            assert_eq!(message.len(), 3);
            assert!(message[1] == body[..], "{length} bytes");
        }
    }
}

#[test]
fn what_can_only_be_read_or_set_says_so() {
    let context = Context::new();
    assert_eq!(context.option(SOCKET_LIMIT).unwrap(), 65_535);
    context.set_option(THREAD_PRIORITY, 5).unwrap();
    assert_eq!(context.option(THREAD_PRIORITY).unwrap(), 65_535, "the number of SOCKET_LIMIT");
    assert_eq!(context.option(MSG_T_SIZE).unwrap(), 64);
    for (number, value) in [(MSG_T_SIZE, 64), (THREAD_AFFINITY_CPU_REMOVE, 1), (SOCKET_LIMIT, -1)] {
        let refused = context.set_option(number, value).unwrap_err();
        assert!(matches!(refused, Error::BadOption { .. }), "{refused}");
        assert_eq!(refused.errno(), libc::EINVAL);
    }
    assert_eq!(context.option(THREAD_AFFINITY_CPU_ADD).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn ipv6_of_the_context_is_that_of_its_new_sockets() {
    let context = Context::new();
    let before = open::<Pull>(&context);
    context.set_option(IPV6, 1).unwrap();
    let after = open::<Pull>(&context);
    assert_eq!(before.option(number::IPV6).unwrap().as_value(), Value::Int(0));
    assert_eq!(after.option(number::IPV6).unwrap().as_value(), Value::Int(1));
    assert_eq!(after.option(number::IPV4ONLY).unwrap().as_value(), Value::Int(0));
}
