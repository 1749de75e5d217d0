//! A SOCKS 5 proxy (RFC 1928, RFC 1929) for one client, which wants to go to an IPv4 address.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

/// Starts one that asks for this name and password, if for any; its address.
pub(crate) fn proxy(login: Option<(&'static str, &'static str)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let (near, _) = listener.accept().expect("a client");
        serve(near, login);
    });
    address.to_string()
}

fn serve(mut near: TcpStream, login: Option<(&str, &str)>) {
    let mut head = [0; 2];
    near.read_exact(&mut head).expect("a greeting");
    let mut methods = vec![0; usize::from(head[1])];
    near.read_exact(&mut methods).expect("the methods");
    let method = if login.is_some() { 2 } else { 0 };
    assert!(head[0] == 5 && methods.contains(&method), "{head:?} {methods:?}");
    near.write_all(&[5, method]).expect("a method");
    if let Some((user, password)) = login {
        let length = |text: &str| u8::try_from(text.len()).expect("a short text");
        let wanted =
            [&[1, length(user)], user.as_bytes(), &[length(password)], password.as_bytes()];
        let wanted = wanted.concat();
        let mut said = vec![0; wanted.len()];
        near.read_exact(&mut said).expect("a login");
        assert_eq!(said, wanted);
        near.write_all(&[1, 0]).expect("a welcome");
    }
    let mut request = [0; 10];
    near.read_exact(&mut request).expect("a request");
    let [5, 1, 0, 1, a, b, c, d, high, low] = request else { panic!("{request:?}") };
    let target = (Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]));
    let far = TcpStream::connect(target).expect("the target");
    near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("an answer");
    pass(near.try_clone().expect("a handle"), far.try_clone().expect("a handle"));
    pass(far, near);
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
