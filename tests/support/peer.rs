//! A scripted peer on a real socket, TCP or Unix domain: it knows bytes, and nothing of the library under test.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

pub use crate::bytes::*;
pub use crate::lounge::Lounge;
use crate::paths::{as_tcp, path_of};

/// Longer than anything here takes: a test that waits so long has failed.
pub const HANG: Duration = Duration::from_secs(60);

/// The versions of the protocol that a peer may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaks {
    /// RFC 13, as libzmq 2 sends it.
    V1_0,
    /// RFC 15, as libzmq 3 sends it.
    V2_0,
    /// RFC 23.
    V3_0,
    /// RFC 37.
    V3_1,
}

/// One end of a connection.
#[derive(Debug)]
pub struct Peer {
    /// Of either kind: what is done to it here concerns sockets of any.
    stream: TcpStream,
    speaks: Speaks,
}

pub(crate) fn set_buffer(fd: &impl AsRawFd, option: i32, size: i32) {
    let value = (&raw const size).cast();
    // SAFETY: the option is an int, and that is what is passed.
    let set = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_SOCKET, option, value, 4) };
    assert_eq!(set, 0, "setsockopt");
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Peer {
        // A Unix domain socket has no such thing.
        let _ = stream.set_nodelay(true);
        stream.set_read_timeout(Some(HANG)).expect("SO_RCVTIMEO");
        stream.set_write_timeout(Some(HANG)).expect("SO_SNDTIMEO");
        Peer { stream, speaks: Speaks::V3_1 }
    }

    /// Connects to an endpoint and says nothing.
    ///
    /// # Panics
    /// Nobody listens there.
    #[must_use]
    pub fn connect(endpoint: impl AsRef<str>) -> Peer {
        Peer::try_connect(endpoint).expect("connect")
    }

    /// The same, where failing is an answer.
    ///
    /// # Errors
    /// Nobody listens there, or the system has no more descriptors.
    ///
    /// # Panics
    /// The endpoint is no numeric one.
    pub fn try_connect(endpoint: impl AsRef<str>) -> std::io::Result<Peer> {
        if endpoint.as_ref().starts_with("ipc://") {
            return UnixStream::connect(path_of(endpoint.as_ref())).map(as_tcp).map(Peer::new);
        }
        let address = endpoint.as_ref().strip_prefix("tcp://").expect("tcp or ipc");
        let address: SocketAddr = address.parse().expect("a numeric address");
        TcpStream::connect_timeout(&address, HANG).map(Peer::new)
    }

    /// Connects with a small receive buffer.
    ///
    /// # Panics
    /// The system refuses.
    #[must_use]
    pub fn connect_narrow(endpoint: impl AsRef<str>, receive_buffer: i32) -> Peer {
        if endpoint.as_ref().starts_with("ipc://") {
            // Here what is on its way counts for the sender's buffer, and there is no receive buffer.
            return Peer::connect(endpoint);
        }
        let address = endpoint.as_ref().strip_prefix("tcp://").expect("tcp");
        let SocketAddr::V4(address) = address.parse().expect("a numeric address") else {
            panic!("an IPv4 address")
        };
        // SAFETY: creates a descriptor, which is owned from here on.
        let fd = unsafe {
            let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            assert!(fd >= 0, "socket");
            OwnedFd::from_raw_fd(fd)
        };
        set_buffer(&fd, libc::SO_RCVBUF, receive_buffer);
        let to = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: address.port().to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
            sin_zero: [0; 8],
        };
        let length = libc::socklen_t::try_from(size_of_val(&to)).expect("small");
        // SAFETY: a valid address of the length said.
        let done = unsafe { libc::connect(fd.as_raw_fd(), (&raw const to).cast(), length) };
        assert_eq!(done, 0, "connect");
        Peer::new(TcpStream::from(fd))
    }

    /// Connects, and completes the handshake as a socket of this type and version.
    ///
    /// # Panics
    /// The handshake fails.
    #[must_use]
    pub fn join(endpoint: impl AsRef<str>, socket_type: &str, speaks: Speaks) -> Peer {
        Peer::connect(endpoint).shake_hands(socket_type, b"", speaks)
    }

    /// Completes the handshake, whoever connected.
    ///
    /// # Panics
    /// The handshake fails.
    #[must_use]
    pub fn shake_hands(mut self, socket_type: &str, identity: &[u8], speaks: Speaks) -> Peer {
        self.speaks = speaks;
        match speaks {
            Speaks::V3_0 | Speaks::V3_1 => {
                self.send_bytes(&greeting(u8::from(speaks == Speaks::V3_1)));
                self.send_bytes(&ready(socket_type, identity));
                let theirs = self.take(64);
                assert_eq!(theirs[..1], [0xff]);
                assert_eq!(theirs[9..16], *b"\x7f\x03\x01NULL");
                let ready = self.expect_command("READY");
                assert!(ready.starts_with(b"\x0bSocket-Type"), "{ready:02x?}");
            }
            Speaks::V2_0 => {
                self.send("ff 00*7 01 7f 01");
                self.send_bytes(&[number(socket_type)]);
                self.send_bytes(&frame(0, identity));
                // Whoever sees revision 1 stops there: the type and the identity follow.
                let theirs = self.take(12);
                assert_eq!((theirs[0], theirs[9], theirs[10]), (0xff, 0x7f, 3));
                let (flags, _) = self.take_frame();
                assert_eq!(flags, 0);
            }
            Speaks::V1_0 => {
                self.send_bytes(&frame_v1(0, identity));
                // What it sends before it knows: a signature, which reads as a long identity frame.
                let theirs = self.take(10);
                assert_eq!((theirs[0], theirs[9]), (0xff, 0x7f));
                let length = u64::from_be_bytes(theirs[1..9].try_into().expect("8 bytes"));
                self.take(usize::try_from(length - 1).expect("a short identity"));
            }
        }
        self
    }

    /// Sends bytes in their printed form.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn send(&mut self, text: &str) {
        self.send_bytes(&bytes(text));
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("send");
    }

    /// Sends bytes to one who may close meanwhile. True if all of them were taken.
    pub fn offer(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends bytes one at a time, each in a segment of its own.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn drip(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.send_bytes(&[*byte]));
    }

    /// Sends a message in the peer's version.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn send_message(&mut self, parts: &[&[u8]]) {
        let bytes = match self.speaks {
            Speaks::V1_0 => message_v1(parts),
            _ => message(parts),
        };
        self.send_bytes(&bytes);
    }

    /// Expects bytes in their printed form, and not one more than has come so far.
    ///
    /// # Panics
    /// Others came, or none.
    pub fn expect(&mut self, text: &str) {
        self.expect_bytes(&bytes(text));
    }

    /// Expects these bytes.
    ///
    /// # Panics
    /// Others came, or none.
    pub fn expect_bytes(&mut self, expected: &[u8]) {
        let came = self.take(expected.len());
        assert!(
            came == expected,
            "expected {:02x?}\n     got {:02x?}",
            head(expected),
            head(&came)
        );
    }

    /// Takes so many bytes.
    ///
    /// # Panics
    /// They do not come.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        let mut buffer = vec![0; length];
        let mut at = 0;
        while at < length {
            match self.stream.read(&mut buffer[at..]) {
                Ok(0) => {
                    panic!("closed after {:02x?}, expected {length} bytes", head(&buffer[..at]))
                }
                Ok(read) => at += read,
                Err(e) => panic!("{e} after {:02x?}, expected {length} bytes", head(&buffer[..at])),
            }
        }
        buffer
    }

    /// Reads what has come; waits if nothing has.
    ///
    /// # Errors
    /// The connection is broken, or nothing comes.
    pub fn read_some(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(buffer)
    }

    /// The next byte, without taking it; `None` if none comes in time.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn peek(&mut self, within: Duration) -> Option<u8> {
        self.stream.set_read_timeout(Some(within)).expect("SO_RCVTIMEO");
        let mut byte = [0];
        let peeked = self.stream.peek(&mut byte);
        self.stream.set_read_timeout(Some(HANG)).expect("SO_RCVTIMEO");
        match peeked {
            Ok(0) => panic!("closed"),
            Ok(_) => Some(byte[0]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => None,
            Err(e) => panic!("{e}"),
        }
    }

    /// Takes a frame of ZMTP 2.0 and later: its flags without the bit for long, and its body.
    ///
    /// # Panics
    /// None comes.
    pub fn take_frame(&mut self) -> (u8, Vec<u8>) {
        let flags = self.take(1)[0];
        let length = if flags & 2 == 0 {
            u64::from(self.take(1)[0])
        } else {
            u64::from_be_bytes(self.take(8).try_into().expect("8 bytes"))
        };
        (flags & !2, self.take(usize::try_from(length).expect("a sane length")))
    }

    /// Takes a message in the peer's version; commands other than PING are a failure, PINGs are
    /// passed over.
    ///
    /// # Panics
    /// None comes.
    pub fn take_message(&mut self) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        loop {
            let (flags, body) = match self.speaks {
                Speaks::V1_0 => self.take_frame_v1(),
                _ => self.take_frame(),
            };
            if flags == 4 && parts.is_empty() && body.starts_with(b"\x04PING") {
                continue;
            }
            assert!(flags & !1 == 0, "flags {flags} in a message");
            parts.push(body);
            if flags == 0 {
                return parts;
            }
        }
    }

    fn take_frame_v1(&mut self) -> (u8, Vec<u8>) {
        let length = match self.take(1)[0] {
            0xff => u64::from_be_bytes(self.take(8).try_into().expect("8 bytes")),
            length => u64::from(length),
        };
        let flags = self.take(1)[0];
        (flags, self.take(usize::try_from(length - 1).expect("a sane length")))
    }

    /// Expects a command of this name and answers its data.
    ///
    /// # Panics
    /// Something else came.
    pub fn expect_command(&mut self, name: &str) -> Vec<u8> {
        let (flags, body) = self.take_frame();
        assert_eq!(flags, 4, "not a command: {:02x?}", head(&body));
        let length = usize::from(body[0]);
        assert_eq!(String::from_utf8_lossy(&body[1..=length]), name);
        body[length + 1..].to_vec()
    }

    /// Expects that the other side closes without another byte.
    ///
    /// # Panics
    /// It sends something, or goes on.
    pub fn expect_closed(&mut self) {
        let mut buffer = [0; 64];
        match self.stream.read(&mut buffer) {
            Ok(0) => {}
            Ok(read) => panic!("expected the end, got {:02x?}", &buffer[..read]),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
            Err(e) => panic!("expected the end: {e}"),
        }
    }

    /// Reads on until the other side closes; what it still says does not matter.
    ///
    /// # Panics
    /// It does not close.
    pub fn expect_closed_eventually(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::ConnectionReset => return,
                Err(e) => panic!("expected the end: {e}"),
            }
        }
    }

    /// Whether the other side has closed by now; what it has sent is lost.
    #[must_use]
    pub fn is_closed(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("fcntl");
        let mut buffer = vec![0; 64 * 1024];
        let closed = loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(e) => break e.kind() != ErrorKind::WouldBlock,
            }
        };
        self.stream.set_nonblocking(false).expect("fcntl");
        closed
    }

    /// Closes in order (FIN).
    pub fn cut(self) {
        drop(self);
    }

    /// Says that it will send no more, and goes on reading.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn finish(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Write).expect("shutdown");
    }

    /// The same to one who may have closed meanwhile.
    pub fn finish_if_open(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// Takes nothing more, and goes on sending.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn take_nothing_more(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Read).expect("shutdown");
    }

    /// Breaks the connection (RST).
    ///
    /// # Panics
    /// The system refuses.
    pub fn reset(self) {
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        let fd = self.stream.into_raw_fd();
        let (value, length) =
            ((&raw const linger).cast(), libc::socklen_t::try_from(8).expect("8"));
        // SAFETY: the option takes a linger; the descriptor is ours and closed once.
        unsafe {
            let set = libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, value, length);
            assert_eq!(set, 0, "SO_LINGER");
            libc::close(fd);
        }
    }

    /// From now on the kernel drops whatever arrives for this peer: it looks dead to the other side
    /// without a sign on the network.
    ///
    /// # Panics
    /// The system refuses.
    pub fn vanish(&self) {
        let mut nothing = libc::sock_filter { code: 6, jt: 0, jf: 0, k: 0 };
        let program = libc::sock_fprog { len: 1, filter: &raw mut nothing };
        let length = libc::socklen_t::try_from(size_of_val(&program)).expect("small");
        let (fd, value) = (self.stream.as_raw_fd(), (&raw const program).cast());
        // SAFETY: the program lives across the call and has the length it says: "return 0".
        let set = unsafe {
            libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, value, length)
        };
        assert_eq!(set, 0, "SO_ATTACH_FILTER");
    }
}

fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(100)]
}
