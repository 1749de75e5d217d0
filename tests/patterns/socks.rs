//! Connecting by way of a SOCKS 5 proxy (RFC 1928, RFC 1929), which a script plays.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use tightbeam::options::Value;
use tightbeam::options::number::*;
use tightbeam::{Context, EventKind, Monitor, Pull, Push, Socket};
use tightbeam_tests::sockets::*;

/// One conversation of a proxy with a client.
struct Client(TcpStream);

impl Client {
    fn expect(&mut self, expected: &[u8]) {
        let mut heard = vec![0; expected.len()];
        self.0.read_exact(&mut heard).expect("the client says it");
        assert_eq!(heard, expected);
    }

    /// Byte by byte, each in a packet of its own.
    fn drip(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0.write_all(&[*byte]).expect("the client listens");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Passes everything on, both ways, until both are done.
    fn relay(self, target: TcpStream) {
        let pass = |mut from: TcpStream, mut to: TcpStream| {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            })
        };
        let (client, other) = (self.0.try_clone().unwrap(), target.try_clone().unwrap());
        let ways = [pass(client, other), pass(target, self.0)];
        for way in ways {
            way.join().unwrap();
        }
    }
}

/// A proxy that plays the script with its first client; its address.
fn proxy(script: impl FnOnce(Client) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let play = move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        script(Client(stream));
    };
    (address, std::thread::spawn(play))
}

fn by_way_of(context: &Context, proxy: &str) -> Socket<Push> {
    let push = open::<Push>(context);
    push.set_option(SOCKS_PROXY, Value::Bytes(proxy.as_bytes())).unwrap();
    push
}

const GRANTED: &[u8] = b"\x05\0\0\x01\0\0\0\0\0\0";

#[test]
fn the_proxy_looks_names_up_and_messages_pass() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let target = bind(&pull).as_str()[6..].to_owned();
    let (address, script) = proxy(move |mut client| {
        client.expect(b"\x05\x01\0");
        client.drip(b"\x05\0");
        client.expect(b"\x05\x01\0\x03\x13hidden-peer.invalid\x15\xb3");
        client.drip(GRANTED);
        client.relay(TcpStream::connect(target).unwrap());
    });
    let push = by_way_of(&context, &address);
    push.connect("tcp://hidden-peer.invalid:5555").unwrap();
    push.send("through").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "through");
    drop((push, pull));
    script.join().unwrap();
}

#[test]
fn an_address_goes_to_the_proxy_in_numbers_with_user_and_password() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let target = bind(&pull).as_str()[6..].to_owned();
    let port: u16 = target.rsplit(':').next().unwrap().parse().unwrap();
    let (address, script) = proxy(move |mut client| {
        client.expect(b"\x05\x01\x02");
        client.drip(b"\x05\x02");
        client.expect(b"\x01\x05alice\x06secret");
        client.drip(b"\x01\0");
        client.expect(b"\x05\x01\0\x01\x7f\0\0\x01");
        client.expect(&port.to_be_bytes());
        let target = TcpStream::connect(target).unwrap();
        // The answer and the peer's greeting may come in one piece.
        let mut greeting = [0; 10];
        (&target).read_exact(&mut greeting).unwrap();
        client.0.write_all(&[b"\x05\0\0\x03\x04name\x12\x34", &greeting[..]].concat()).unwrap();
        client.relay(target);
    });
    let push = by_way_of(&context, &address);
    push.set_option(SOCKS_USERNAME, Value::Bytes(b"alice")).unwrap();
    push.set_option(SOCKS_PASSWORD, Value::Bytes(b"secret")).unwrap();
    push.connect(format!("tcp://127.0.0.1:{port}")).unwrap();
    push.send("in").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "in");
    drop((push, pull));
    script.join().unwrap();
}

fn reason_of(events: &Monitor) -> String {
    await_event(events, EventKind::ConnectRetried).reason.unwrap()
}

#[test]
fn a_proxy_that_refuses_is_asked_again_and_the_reason_is_told() {
    let context = Context::new();
    for (answers, expected) in [
        (vec![&b"\x05\xff"[..]], "authentication"),
        (vec![b"\x05\x02"], "was not offered"),
        (vec![b"HTTP/1.1 400 Bad Request\r\n"], "version 72"),
        (vec![b"\x05\0", b"\x05\x05\0\x01\0\0\0\0\0\0"], "connection refused"),
        (vec![b"\x05\0", b"\x05\0\0\x09"], "unknown type 9"),
        (vec![b"\x05\0", b"\x05\0\0"], "closed the connection"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let push = by_way_of(&context, &listener.local_addr().unwrap().to_string());
        let events = push.monitor().unwrap();
        push.connect("tcp://example.invalid:80").unwrap();
        for _ in 0..2 {
            let mut client = Client(listener.accept().unwrap().0);
            client.0.set_read_timeout(Some(LIMIT)).unwrap();
            client.expect(b"\x05\x01\0");
            for (step, answer) in answers.iter().enumerate() {
                if step > 0 {
                    client.expect(b"\x05\x01\0\x03\x0fexample.invalid\0\x50");
                }
                client.drip_unless_gone(answer);
            }
            client.0.shutdown(Shutdown::Write).ok();
            let reason = reason_of(&events);
            assert!(reason.contains(expected), "{answers:?}: {reason}");
        }
    }
}

impl Client {
    fn drip_unless_gone(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.0.write_all(&[*byte]).is_err() {
                return;
            }
        }
    }
}

#[test]
fn a_silent_proxy_is_given_up_in_time() {
    let context = Context::new();
    for limit in [CONNECT_TIMEOUT, HANDSHAKE_IVL] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let push = by_way_of(&context, &listener.local_addr().unwrap().to_string());
        set(&push, limit, 100);
        let events = push.monitor().unwrap();
        push.connect("tcp://example.invalid:80").unwrap();
        let held = listener.accept().unwrap();
        assert!(reason_of(&events).contains("in time"));
        drop(held);
    }
}

/// One attempt each: it never ends, it drips so that no single byte is late, it stops in every place.
#[test]
fn after_a_proxy_has_lied_in_every_way_a_good_one_is_used() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let target = bind(&pull);
    let address = target.as_str().strip_prefix("tcp://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let push = by_way_of(&context, &listener.local_addr().unwrap().to_string());
    set(&push, CONNECT_TIMEOUT, 300);
    set(&push, RECONNECT_IVL, 1);
    let long_name = [&b"\x05\0\0\x03\xff"[..], &[b'n'; 255], b"\0\x07"].concat();
    let script = std::thread::spawn(move || {
        let accept = || {
            let client = Client(listener.accept().unwrap().0);
            client.0.set_read_timeout(Some(LIMIT)).unwrap();
            client
        };
        for endless in [&[5; 4096][..], &[0; 4096], &[0xff; 4096]] {
            let mut client = accept();
            while client.0.write_all(endless).is_ok() {}
        }
        let mut slow = accept();
        for byte in [&b"\x05\0"[..], &long_name].concat() {
            std::thread::sleep(Duration::from_millis(50));
            if slow.0.write_all(&[byte]).is_err() {
                break;
            }
        }
        let granted = [&b"\x05\0"[..], &long_name].concat();
        for cut in [0, 1, 2, 3, 6, 7, 100, granted.len() - 1, granted.len()] {
            let mut client = accept();
            client.expect(b"\x05\x01\0");
            client.drip_unless_gone(&granted[..cut]);
        }
        let mut client = accept();
        client.expect(b"\x05\x01\0");
        client.drip(b"\x05\0");
        client.expect(b"\x05\x01\0\x03\x0fexample.invalid\0\x50");
        // A bound address of the greatest length, and the peer's greeting right behind it.
        client.0.write_all(&long_name).unwrap();
        client.relay(TcpStream::connect(address).unwrap());
    });
    push.connect("tcp://example.invalid:80").unwrap();
    push.send("through all of it").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "through all of it");
    drop((push, pull));
    script.join().unwrap();
}

#[test]
fn a_malformed_proxy_is_refused_when_connecting() {
    let context = Context::new();
    for text in ["proxy", "proxy:", "proxy:0", "*:1080", "a b:1"] {
        let push = by_way_of(&context, text);
        let refused = push.connect("tcp://127.0.0.1:5555").unwrap_err();
        assert_eq!(refused.errno(), libc::EINVAL, "{text}: {refused}");
        push.bind("tcp://127.0.0.1:*").unwrap();
    }
}
