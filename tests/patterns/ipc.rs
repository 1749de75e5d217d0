//! The ipc transport: paths and what becomes of them, abstract names, who the peer is.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use tightbeam::options::number::{
    BACKLOG, IPC_FILTER_GID, IPC_FILTER_PID, IPC_FILTER_UID, LAST_ENDPOINT, LINGER, RECONNECT_IVL,
};
use tightbeam::options::{OwnedValue, Value};
use tightbeam::{Context, Dealer, Error, EventKind, Pull, Push, Req, Router, Socket, SocketBase};
use tightbeam_tests::paths::{Directory, path_of};
use tightbeam_tests::sockets::*;

fn last_endpoint(socket: &SocketBase) -> String {
    match socket.option(LAST_ENDPOINT).unwrap() {
        OwnedValue::Bytes(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// Sends a message each way.
fn converse(bound: &Socket<Dealer>, connected: &Socket<Dealer>) {
    connected.send("there").unwrap();
    assert_eq!(bound.recv_timeout(LIMIT).unwrap(), "there");
    bound.send(["and", "back"]).unwrap();
    assert_eq!(connected.recv_timeout(LIMIT).unwrap(), ["and", "back"]);
}

#[test]
fn a_path_carries_messages_both_ways_and_is_removed_by_unbind_and_by_close() {
    let (context, directory) = (Context::new(), Directory::new());
    for undo in [true, false] {
        let (bound, connected) = (open::<Dealer>(&context), open::<Dealer>(&context));
        let endpoint = directory.endpoint("socket");
        assert_eq!(bound.bind(&endpoint).unwrap().as_str(), endpoint);
        assert_eq!(last_endpoint(&bound), endpoint);
        assert_eq!(connected.connect(&endpoint).unwrap().transport(), "ipc");
        converse(&bound, &connected);
        assert!(is_socket(&directory.path("socket")));
        if undo {
            bound.unbind(&endpoint).unwrap();
        } else {
            bound.close();
        }
        assert!(!directory.path("socket").exists());
    }
}

#[test]
fn much_goes_through_whatever_the_system_buffers() {
    let (context, directory) = (Context::new(), Directory::new());
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    connect(&push, &pull.bind(directory.endpoint("socket")).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..20_000_u32 {
                push.send([i.to_le_bytes().to_vec(), vec![1; (i % 3_000) as usize]]).unwrap();
            }
            for i in 0..20_u8 {
                push.send(vec![i; 3_000_000]).unwrap();
            }
        });
        for i in 0..20_000_u32 {
            let message = pull.recv_timeout(LIMIT).unwrap();
            assert_eq!(
                (&message[0][..], message[1].len()),
                (&i.to_le_bytes()[..], (i % 3_000) as usize)
            );
        }
        for i in 0..20_u8 {
            assert!(pull.recv_timeout(LIMIT).unwrap() == vec![i; 3_000_000]);
        }
    });
}

#[test]
fn a_wildcard_is_a_path_of_the_librarys_choice_that_nobody_else_may_take() {
    let context = Context::new();
    let (bound, connected) = (open::<Dealer>(&context), open::<Dealer>(&context));
    let endpoints = [0; 2].map(|_| bound.bind("ipc://*").unwrap());
    assert_ne!(endpoints[0], endpoints[1]);
    assert_eq!(last_endpoint(&bound), endpoints[1].as_str());
    connect(&connected, &endpoints[0]);
    converse(&bound, &connected);
    let path = path_of(endpoints[0].as_str());
    let directory = path.parent().unwrap();
    assert!(path.is_absolute() && directory.starts_with(std::env::temp_dir()));
    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(bound.unbind("ipc://*").unwrap_err().errno(), libc::ENOENT);
    bound.unbind(&endpoints[0]).unwrap();
    assert!(!directory.exists());
    bound.close();
    assert!(!path_of(endpoints[1].as_str()).parent().unwrap().exists());
}

#[test]
fn abstract_names_leave_no_file_and_belong_to_one() {
    let context = Context::new();
    let (bound, connected) = (open::<Dealer>(&context), open::<Dealer>(&context));
    let name = format!("ipc://@tightbeam test {}", std::process::id());
    assert_eq!(bound.bind(&name).unwrap().as_str(), name);
    connected.connect(&name).unwrap();
    converse(&bound, &connected);
    let other = open::<Dealer>(&context);
    assert_eq!(other.bind(&name).unwrap_err().errno(), libc::EADDRINUSE);
    bound.unbind(&name).unwrap();
    other.bind(&name).unwrap();
    converse(&other, &connected);
}

#[test]
fn malformed_and_impossible_paths_are_refused() {
    let (context, directory) = (Context::new(), Directory::new());
    let pull = open::<Pull>(&context);
    for endpoint in ["ipc://", "ipc://@", "ipc://a\0b"] {
        for refused in [pull.bind(endpoint).unwrap_err(), pull.connect(endpoint).unwrap_err()] {
            assert_eq!(refused.errno(), libc::EINVAL, "{endpoint}");
        }
    }
    assert_eq!(pull.connect("ipc://*").unwrap_err().errno(), libc::EINVAL);
    for start in ["", "@", "/"] {
        let longest = format!("ipc://{start}{}", "x".repeat(107 - start.len()));
        pull.connect(&longest).unwrap();
        let longer = format!("{longest}x");
        for refused in [pull.bind(&longer).unwrap_err(), pull.connect(&longer).unwrap_err()] {
            assert_eq!(refused.errno(), libc::ENAMETOOLONG, "{longer}");
            assert!(matches!(refused, Error::EndpointTooLong { limit: 107, .. }));
        }
    }
    let errno = |name| pull.bind(directory.endpoint(name)).unwrap_err().errno();
    assert_eq!(errno("missing/socket"), libc::ENOENT);
    fs::create_dir(directory.path("directory")).unwrap();
    assert_eq!(errno("directory"), libc::EADDRINUSE);
    fs::write(directory.path("file"), "precious").unwrap();
    assert_eq!(errno("file"), libc::EADDRINUSE);
    assert_eq!(fs::read_to_string(directory.path("file")).unwrap(), "precious");
    assert_eq!(errno("file/socket"), libc::ENOTDIR);
}

#[test]
fn a_stale_path_and_a_reserved_one_are_bound_again() {
    let (context, directory) = (Context::new(), Directory::new());
    let endpoint = directory.endpoint("socket");
    drop(UnixListener::bind(directory.path("socket")).unwrap());
    assert!(is_socket(&directory.path("socket")));
    let (bound, connected) = (open::<Dealer>(&context), open::<Dealer>(&context));
    bound.bind(&endpoint).unwrap();
    connected.connect(&endpoint).unwrap();
    converse(&bound, &connected);
    fs::write(directory.path("reserved"), "").unwrap();
    bound.bind(directory.endpoint("reserved")).unwrap();
    assert!(is_socket(&directory.path("reserved")));
}

/// As libzmq does it: a program that is started again need not wait for the one before to end.
#[test]
fn a_second_listener_takes_a_path_over_and_keeps_it() {
    let (context, directory) = (Context::new(), Directory::new());
    let endpoint = directory.endpoint("socket");
    let (old, new) = (open::<Dealer>(&context), open::<Dealer>(&context));
    old.bind(&endpoint).unwrap();
    let first = open::<Dealer>(&context);
    first.connect(&endpoint).unwrap();
    converse(&old, &first);
    new.bind(&endpoint).unwrap();
    let second = open::<Dealer>(&context);
    second.connect(&endpoint).unwrap();
    converse(&new, &second);
    converse(&old, &first);
    old.close();
    assert!(is_socket(&directory.path("socket")), "the path is the other's");
    converse(&new, &second);
    new.close();
    assert!(!directory.path("socket").exists());
}

#[test]
fn what_others_put_at_the_path_is_left_alone() {
    let (context, directory) = (Context::new(), Directory::new());
    let pull = open::<Pull>(&context);
    let endpoint = directory.endpoint("socket");
    pull.bind(&endpoint).unwrap();
    fs::remove_file(directory.path("socket")).unwrap();
    fs::write(directory.path("socket"), "").unwrap();
    pull.unbind(&endpoint).unwrap();
    assert!(directory.path("socket").exists());
}

#[test]
fn a_path_that_is_not_there_yet_is_tried_again() {
    let (context, directory) = (Context::new(), Directory::new());
    let connected = open_with::<Dealer>(&context, &[(RECONNECT_IVL, 10)]);
    let events = connected.monitor().unwrap();
    connected.connect(directory.endpoint("later/socket")).unwrap();
    connected.send("waited").unwrap();
    await_event(&events, EventKind::ConnectRetried);
    fs::create_dir(directory.path("later")).unwrap();
    let bound = open::<Dealer>(&context);
    bound.bind(directory.endpoint("later/socket")).unwrap();
    assert_eq!(bound.recv_timeout(LIMIT).unwrap(), "waited");
    assert_eq!(await_event(&events, EventKind::Connected).reason, None);
    converse(&bound, &connected);
}

/// The system refuses a connection to a Unix domain socket where in TCP it would wait.
#[test]
fn more_connect_than_the_backlog_holds() {
    let (context, directory) = (Context::new(), Directory::new());
    let endpoint = directory.endpoint("socket");
    let crowded = UnixListener::bind(directory.path("socket")).unwrap();
    // The least backlog that there is.
    // SAFETY: listen(2) on a descriptor of ours.
    unsafe { libc::listen(std::os::fd::AsRawFd::as_raw_fd(&crowded), 0) };
    let waiting = UnixStream::connect(directory.path("socket")).unwrap();
    // Not even "never again" makes it a failure.
    let push = open_with::<Push>(&context, &[(RECONNECT_IVL, -1), (LINGER, 0)]);
    let events = push.monitor().unwrap();
    push.connect(&endpoint).unwrap();
    for _ in 0..3 {
        await_event(&events, EventKind::ConnectRetried);
    }
    let first = crowded.accept().unwrap();
    await_event(&events, EventKind::Connected);
    drop((first, waiting));
}

#[test]
fn many_connect_at_once() {
    let (context, directory) = (Context::new(), Directory::new());
    let router = open_with::<Router>(&context, &[(BACKLOG, 1)]);
    let endpoint = router.bind(directory.endpoint("socket")).unwrap();
    let clients: Vec<_> = (0..200).map(|_| open::<Req>(&context)).collect();
    for (i, client) in clients.iter().enumerate() {
        connect(client, &endpoint);
        client.send(format!("{i}")).unwrap();
    }
    for _ in &clients {
        let request = router.recv_timeout(LIMIT).unwrap();
        router.send(request).unwrap();
    }
    for (i, client) in clients.iter().enumerate() {
        assert_eq!(client.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
}

#[test]
fn a_message_tells_the_user_group_and_process_that_it_came_from() {
    let (context, directory) = (Context::new(), Directory::new());
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    connect(&push, &pull.bind(directory.endpoint("socket")).unwrap());
    push.send("x").unwrap();
    let message = pull.recv_timeout(LIMIT).unwrap();
    // SAFETY: these only answer numbers.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    let expected = format!("localhost:{uid}:{gid}:{}", std::process::id());
    assert_eq!(message[0].peer().unwrap().address(), expected);
    assert_eq!(message[0].peer().unwrap().get("Peer-Address"), Some(&*expected));
}

/// Without filters everybody may connect, else whom one of them names. They hold for endpoints bound later.
#[test]
fn filters_let_in_whom_one_of_them_names() {
    let (context, directory) = (Context::new(), Directory::new());
    let me = i32::try_from(std::process::id()).unwrap();
    // SAFETY: these only answer numbers.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    let (uid, gid) = (uid.cast_signed(), gid.cast_signed());
    let cases: [(&[(i32, i32)], bool); 6] = [
        (&[(IPC_FILTER_PID, me)], true),
        (&[(IPC_FILTER_PID, 1)], false),
        (&[(IPC_FILTER_UID, uid + 1), (IPC_FILTER_GID, gid + 1)], false),
        (&[(IPC_FILTER_PID, 1), (IPC_FILTER_UID, uid)], true),
        (&[(IPC_FILTER_UID, uid + 1), (IPC_FILTER_GID, gid)], true),
        (&[(IPC_FILTER_PID, 1), (IPC_FILTER_PID, me)], true),
    ];
    for (i, (filters, welcome)) in cases.into_iter().enumerate() {
        let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
        for (option, id) in filters {
            // What an empty value clears counts no more.
            set(&pull, *option, *id + 7);
            pull.set_option(*option, Value::Bytes(b"")).unwrap();
        }
        for (option, id) in filters {
            set(&pull, *option, *id);
        }
        let events = pull.monitor().unwrap();
        set(&push, LINGER, 0);
        connect(&push, &pull.bind(directory.endpoint(&format!("{i}"))).unwrap());
        push.send("x").unwrap();
        if welcome {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x", "{filters:?}");
        } else {
            // It comes again, and is refused again.
            await_event(&events, EventKind::AcceptFailed);
            await_event(&events, EventKind::AcceptFailed);
            assert!(pull.try_recv().is_err(), "{filters:?}");
        }
    }
}

#[test]
fn a_relative_path_is_removed_from_where_it_was_bound() {
    const DIRECTORY: &str = "TIGHTBEAM_TEST_RELATIVE";
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        std::env::set_current_dir(&directory).unwrap();
        let context = Context::new();
        let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
        assert_eq!(pull.bind("ipc://relative").unwrap().as_str(), "ipc://relative");
        push.connect("ipc://relative").unwrap();
        push.send("x").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
        assert!(is_socket(&Path::new(&directory).join("relative")));
        std::env::set_current_dir("/").unwrap();
        pull.close();
        return;
    }
    // The directory is the whole process's.
    let directory = Directory::new();
    let name = "ipc::a_relative_path_is_removed_from_where_it_was_bound";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(DIRECTORY, directory.path(""))
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(!directory.path("relative").exists());
}
