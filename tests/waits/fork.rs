//! Fork with a living child: the parent does not notice, the child's inherited objects are dead.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tightbeam::{Context, Dealer, Error, Pull, Push, Readiness, Router, Socket};
use tightbeam_tests::paths::Directory;
use tightbeam_tests::sockets::{LIMIT, bind, connect, join, open};
use tokio::runtime::Runtime;

use crate::on_tokio::{driven, one_thread, soon};
use crate::support::{finish, hold_up, in_own_process};

/// Forks; the child runs `child` and exits well if it returns.
fn fork(child: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the C library keeps its allocator usable in the child, which uses nothing else of the
    // parent's threads, and leaves through `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid > 0 {
        return pid;
    }
    let result = catch_unwind(AssertUnwindSafe(child));
    // SAFETY: ends the process, without the parent's destructors.
    unsafe { libc::_exit(i32::from(result.is_err())) }
}

/// Waits for the child's good end.
fn reap(pid: libc::pid_t) {
    for _ in 0..2_000 {
        let mut status = 0;
        // SAFETY: the child is ours, and the status lives across the call.
        let ended = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
        assert!(ended >= 0);
        if ended == pid {
            assert_eq!(status, 0, "the child failed");
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    // SAFETY: as above.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    panic!("the child hangs");
}

fn ping(router: &tightbeam::Socket<Router>, dealer: &tightbeam::Socket<Dealer>) {
    dealer.send("ping").unwrap();
    let request = router.recv_timeout(LIMIT).unwrap();
    router.send(request).unwrap();
    assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "ping");
}

#[test]
fn inherited_sockets_are_dead_in_the_child_and_alive_in_the_parent() {
    in_own_process("fork::inherited_sockets_are_dead_in_the_child_and_alive_in_the_parent", || {
        let context = Context::new();
        let pair = join::<Router, Dealer>(&context);
        ping(&pair.0, &pair.1);
        // So that each process can drop its own.
        let pair = ManuallyDrop::new(pair);
        let child = fork(|| {
            let (router, dealer) = &*pair;
            assert!(matches!(router.recv(), Err(Error::Forked)));
            assert!(matches!(router.try_recv(), Err(Error::Forked)));
            let refused = dealer.send("from the child").unwrap_err();
            assert!(matches!(refused.error, Error::Forked));
            let wanted = Readiness { readable: true, writable: true };
            assert!(matches!(dealer.poll(wanted, None), Err(Error::Forked)));
            assert!(matches!(context.socket::<Pull>(), Err(Error::Forked)));
            assert!(matches!(router.bind("tcp://127.0.0.1:*"), Err(Error::Forked)));
            let (router, dealer) = ManuallyDrop::into_inner(pair);
            drop(router);
            assert_eq!(dealer.close(), 0);
            assert!(matches!(context.term(), Err(Error::Forked)));
            drop(context);
        });
        // This is the parent: the child has taken its copy of the pair.
        reap(child);
    });
}

#[test]
fn the_parents_traffic_goes_on_while_the_child_lives() {
    in_own_process("fork::the_parents_traffic_goes_on_while_the_child_lives", || {
        let context = Context::new();
        let pair = Arc::new(join::<Router, Dealer>(&context));
        for round in 0..4 {
            let busy = {
                let pair = Arc::clone(&pair);
                thread::spawn(move || (0..300).for_each(|_| ping(&pair.0, &pair.1)))
            };
            thread::sleep(Duration::from_millis(round));
            let inherited = ManuallyDrop::new(Arc::clone(&pair));
            let child = fork(|| {
                assert!(matches!(inherited.0.try_recv(), Err(Error::Forked)));
                // SAFETY: the parent's reference is another process's; nobody uses it here again.
                let pair = unsafe { std::ptr::read(Arc::as_ptr(&inherited)) };
                drop(pair);
                thread::sleep(Duration::from_millis(200));
            });
            finish(busy);
            // The claim has been taken back, or not.
            thread::sleep(Duration::from_millis(10 * round));
            ping(&pair.0, &pair.1);
            reap(child);
            ping(&pair.0, &pair.1);
            drop(ManuallyDrop::into_inner(inherited));
        }
    });
}

#[test]
fn the_child_opens_a_context_of_its_own_and_talks_to_the_parent() {
    in_own_process("fork::the_child_opens_a_context_of_its_own_and_talks_to_the_parent", || {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        let endpoint = bind(&pull);
        let waiter = {
            let push = open::<Push>(&context);
            connect(&push, &endpoint);
            push.send("from the parent").unwrap();
            pull.recv_timeout(LIMIT).unwrap();
            push
        };
        let child = fork(|| {
            let own = Context::new();
            let push = open::<Push>(&own);
            connect(&push, &endpoint);
            for n in 0..100 {
                push.send(n.to_string()).unwrap();
            }
            assert_eq!(push.close(), 0);
            own.term().unwrap();
        });
        for n in 0..100 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), n.to_string().as_str());
        }
        reap(child);
        waiter.send("and on").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "and on");
    });
}

/// A path in the file system is shared: whoever closes must know whose it is.
#[test]
fn a_child_that_closes_an_inherited_socket_leaves_its_path_to_the_parent() {
    in_own_process(
        "fork::a_child_that_closes_an_inherited_socket_leaves_its_path_to_the_parent",
        || {
            let (context, directory) = (Context::new(), Directory::new());
            let endpoint = directory.endpoint("socket");
            let pull = ManuallyDrop::new(open::<Pull>(&context));
            pull.bind(&endpoint).unwrap();
            for close in [true, false] {
                let child = fork(|| {
                    // SAFETY: the parent's value is another process's; nobody uses this one again.
                    let inherited = unsafe { std::ptr::read(&raw const *pull) };
                    if close {
                        inherited.close();
                    } else {
                        drop(inherited);
                    }
                });
                reap(child);
                assert!(directory.path("socket").exists());
                let push = open::<Push>(&context);
                push.connect(&endpoint).unwrap();
                push.send("still there").unwrap();
                assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "still there");
            }
            ManuallyDrop::into_inner(pull).close();
            assert!(!directory.path("socket").exists());
        },
    );
}

#[test]
fn a_child_may_drop_a_monitor_while_the_parent_tells_it_of_much() {
    in_own_process("fork::a_child_may_drop_a_monitor_while_the_parent_tells_it_of_much", || {
        let context = Context::new();
        let pull = open::<Pull>(&context);
        let mut monitor = ManuallyDrop::new(pull.monitor().unwrap());
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // Each tells of an endpoint that is there, and of its end.
                    pull.unbind(bind(&pull)).unwrap();
                }
            });
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let _ = monitor.dropped();
                }
            });
            let children: Vec<_> = (0..200)
                .map(|_| {
                    fork(|| {
                        assert_eq!((monitor.try_next(), monitor.wait_next()), (None, None));
                        // SAFETY: the child's copy of it, which is used no more.
                        drop(unsafe { std::ptr::read(&raw const *monitor) });
                    })
                })
                .collect();
            children.into_iter().for_each(reap);
            over.store(true, Ordering::Relaxed);
        });
        // SAFETY: dropped once.
        unsafe { ManuallyDrop::drop(&mut monitor) };
    });
}

type Pair = (Arc<Socket<Router>>, Arc<Socket<Dealer>>);

#[test]
fn a_child_that_drops_a_runtime_leaves_the_sockets_that_it_drives_to_the_parent() {
    let name = "fork::a_child_that_drops_a_runtime_leaves_the_sockets_that_it_drives_to_the_parent";
    in_own_process(name, || {
        let context = Context::new();
        let runtime = one_thread();
        let pair = driven::<Router, Dealer>(&runtime, &context);
        // Each process drops its own.
        let mut kept = Some((runtime, pair));
        let play = |kept: &Option<(Runtime, Pair)>| {
            let (runtime, (router, dealer)) = kept.as_ref().unwrap();
            runtime.block_on(async {
                for _ in 0..20 {
                    dealer.send_async("ping").await.unwrap();
                    let request = soon(router.recv_async()).await.unwrap();
                    router.send_async(request).await.unwrap();
                    assert_eq!(soon(dealer.recv_async()).await.unwrap(), "ping");
                }
            });
        };
        play(&kept);
        let child = fork(|| {
            let (runtime, (router, dealer)) = kept.take().unwrap();
            let inside = runtime.enter();
            assert!(matches!(router.drive_on_tokio(), Err(Error::Forked)));
            drop(inside);
            drop(runtime);
            drop((router, dealer));
        });
        reap(child);
        // The I/O thread would drive if the runtime did not hear any more.
        let held_up = hold_up(&context);
        play(&kept);
        drop(held_up);
    });
}
