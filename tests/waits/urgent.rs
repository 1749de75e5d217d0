//! What descriptors report beside reading and writing: urgent data, failures, and that they are not open.

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tightbeam::{Error, PollItem, Poller, Readiness, Wanted, poll};
use tightbeam_tests::sockets::LIMIT;

use crate::support::guarded;

const NOTHING: Readiness = Readiness { readable: false, writable: false };
const READABLE: Readiness = Readiness { readable: true, writable: false };
const URGENT: Wanted = Wanted { ready: NOTHING, urgent: true, failure: false };
const FAILURE: Wanted = Wanted { ready: NOTHING, urgent: false, failure: true };
const SHORT: Option<Duration> = Some(Duration::from_millis(5));

/// Both ends of a stream that can carry urgent data.
fn stream() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

fn send_urgent(stream: &TcpStream) {
    // SAFETY: the byte is there.
    let sent = unsafe { libc::send(stream.as_raw_fd(), b"!".as_ptr().cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1);
}

fn found(item: PollItem<'_>, timeout: Option<Duration>) -> (usize, Readiness, bool, bool) {
    let mut items = [item];
    let count = poll(&mut items, timeout).unwrap();
    (count, items[0].ready(), items[0].urgent(), items[0].failed())
}

#[test]
fn urgent_data_is_found_by_who_wants_it() {
    guarded(|| {
        let (near, far) = stream();
        assert_eq!(found(PollItem::descriptor(&far, URGENT), SHORT).0, 0);
        send_urgent(&near);
        let urgent = found(PollItem::descriptor(&far, URGENT), Some(LIMIT));
        assert_eq!(urgent, (1, NOTHING, true, false));
        assert_eq!(found(PollItem::descriptor(&far, READABLE), SHORT).0, 0);
    });
}

#[test]
fn a_poller_reports_urgent_data_to_who_wants_it() {
    guarded(|| {
        let (near, far) = stream();
        let mut poller = Poller::new().unwrap();
        poller.add_descriptor(&far, 1, URGENT).unwrap();
        assert!(poller.wait(SHORT).unwrap_err().is_would_block());
        send_urgent(&near);
        for _ in 0..2 {
            let event = poller.wait(Some(LIMIT)).unwrap();
            let seen = (event.key, event.ready, event.urgent, event.failed);
            assert_eq!(seen, (1, NOTHING, true, false));
        }
        poller.modify_descriptor(&far, READABLE).unwrap();
        assert!(poller.wait(SHORT).unwrap_err().is_would_block());
        poller.modify_descriptor(&far, FAILURE).unwrap();
        assert!(poller.wait(SHORT).unwrap_err().is_would_block());
    });
}

#[test]
fn a_poller_reports_failures_to_who_wants_nothing_else() {
    guarded(|| {
        let (near, far) = UnixStream::pair().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add_descriptor(&far, 1, FAILURE).unwrap();
        assert!(poller.wait(SHORT).unwrap_err().is_would_block());
        drop(near);
        let event = poller.wait(None).unwrap();
        assert_eq!((event.key, event.ready, event.failed), (1, NOTHING, true));
        poller.modify_descriptor(&far, NOTHING).unwrap();
        assert!(poller.wait(SHORT).unwrap_err().is_would_block());
        assert!(matches!(poller.wait(None), Err(Error::NothingToWaitFor)));
    });
}

#[test]
fn a_number_of_no_open_descriptor_has_failed_and_a_negative_one_is_skipped() {
    guarded(|| {
        let (near, far) = UnixStream::pair().unwrap();
        drop(near);
        let hung_up = found(PollItem::descriptor(&far, NOTHING), SHORT);
        assert_eq!(hung_up, (1, NOTHING, false, true));
        let beyond_all_limits = PollItem::raw_descriptor(i32::MAX, READABLE);
        assert_eq!(found(beyond_all_limits, SHORT), (1, NOTHING, false, true));
        assert_eq!(found(PollItem::raw_descriptor(-1, READABLE), SHORT).0, 0);
    });
}
