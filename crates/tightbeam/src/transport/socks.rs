//! SOCKS 5 (RFC 1928, with the user names and passwords of RFC 1929), the client's side, without I/O.
//!
//! ```text
//!   METHOD --none--------------------> REPLY --granted--> done
//!      \---user name--> PASSWORD --ok--/
//! ```
//!
//! What stands behind the proxy's last answer belongs to the peer: [`Negotiation::wanted`] never asks for more than
//! the step needs.

use std::net::IpAddr;

use crate::endpoint::{Host, HostPort, Port};

const VERSION: u8 = 5;
const PASSWORD_VERSION: u8 = 1;
const METHOD_NONE: u8 = 0;
const METHOD_PASSWORD: u8 = 2;
const METHOD_REFUSED: u8 = 0xff;
const COMMAND_CONNECT: u8 = 1;
const ADDRESS_IPV4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_IPV6: u8 = 4;

/// Why a proxy did not connect us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SocksError {
    #[error("the proxy does not speak SOCKS 5: it answered with version {0}")]
    Version(u8),
    #[error("the proxy does not accept the way of authentication")]
    Method,
    #[error("the proxy asks for authentication {0}, which was not offered")]
    Unoffered(u8),
    #[error("the proxy refused the user name or the password")]
    Denied,
    #[error("the proxy did not connect: {}", reply_in_words(*.0))]
    Refused(u8),
    #[error("the proxy answered with an address of the unknown type {0}")]
    AddressType(u8),
    #[error("the proxy closed the connection")]
    Closed,
}

/// What the proxy is expected to say next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Method,
    Password,
    Reply,
    Done,
}

/// One conversation with a proxy.
#[derive(Debug)]
pub(crate) struct Negotiation {
    step: Step,
    /// What the proxy has said in this step.
    input: Vec<u8>,
    /// What is to be written.
    output: Vec<u8>,
    /// Sent when the proxy asks for it; none if there is no user name.
    password: Option<Vec<u8>>,
    request: Vec<u8>,
}

impl Negotiation {
    /// Asks the proxy to connect to `target`, whose name the proxy looks up. Names and passwords have up to 255
    /// bytes, without a name there is no authentication.
    pub(crate) fn new(target: &HostPort, user: &[u8], password: &[u8]) -> Negotiation {
        let password = (!user.is_empty()).then(|| {
            let mut message = vec![PASSWORD_VERSION];
            append_short(&mut message, user);
            append_short(&mut message, password);
            message
        });
        let method = if password.is_some() { METHOD_PASSWORD } else { METHOD_NONE };
        Negotiation {
            step: Step::Method,
            input: Vec::new(),
            output: vec![VERSION, 1, method],
            password,
            request: request(target),
        }
    }

    /// What is to be written now.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }

    /// So much of it was written.
    pub(crate) fn handle_written(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }

    /// How many bytes to read at most; 0 when the peer is reached.
    pub(crate) fn wanted(&self) -> usize {
        self.needed().saturating_sub(self.input.len())
    }

    /// The proxy has said something: at most as much as was [wanted](Negotiation::wanted).
    pub(crate) fn handle_input(&mut self, bytes: &[u8]) -> Result<(), SocksError> {
        self.input.extend_from_slice(bytes);
        match (self.step, self.input.as_slice()) {
            (Step::Method, [VERSION, method]) => self.choose(*method)?,
            (Step::Password, [_, 0]) => self.go_on(Step::Reply, self.request.clone()),
            (Step::Password, [_, _]) => return Err(SocksError::Denied),
            (Step::Reply, [VERSION]) => {}
            (Step::Reply, [VERSION, 0, rest @ ..]) => {
                if let Some(kind) = rest.get(1)
                    && ![ADDRESS_IPV4, ADDRESS_NAME, ADDRESS_IPV6].contains(kind)
                {
                    return Err(SocksError::AddressType(*kind));
                }
                if self.wanted() == 0 {
                    self.go_on(Step::Done, Vec::new());
                }
            }
            (Step::Reply, [VERSION, reply, ..]) => return Err(SocksError::Refused(*reply)),
            (Step::Method | Step::Reply, [other, ..]) if *other != VERSION => {
                return Err(SocksError::Version(*other));
            }
            _ => {}
        }
        Ok(())
    }

    fn choose(&mut self, method: u8) -> Result<(), SocksError> {
        match (method, self.password.take()) {
            (METHOD_REFUSED, _) => Err(SocksError::Method),
            // A proxy that does not care who we are is none the worse for it: it gets no password.
            (METHOD_NONE, _) => {
                self.go_on(Step::Reply, self.request.clone());
                Ok(())
            }
            (METHOD_PASSWORD, Some(message)) => {
                self.go_on(Step::Password, message);
                Ok(())
            }
            (other, _) => Err(SocksError::Unoffered(other)),
        }
    }

    fn go_on(&mut self, step: Step, output: Vec<u8>) {
        self.step = step;
        self.input.clear();
        self.output.extend_from_slice(&output);
    }

    /// How long the answer is, as far as can be told from what came of it.
    fn needed(&self) -> usize {
        match (self.step, self.input.as_slice()) {
            (Step::Method | Step::Password, _) => 2,
            (Step::Done, _) => 0,
            (Step::Reply, [] | [_]) => 2,
            (Step::Reply, [_, _, _, ADDRESS_IPV4, _, ..]) => 4 + 4 + 2,
            (Step::Reply, [_, _, _, ADDRESS_IPV6, _, ..]) => 4 + 16 + 2,
            (Step::Reply, [_, _, _, _, length, ..]) => 4 + 1 + usize::from(*length) + 2,
            (Step::Reply, _) => 5,
        }
    }
}

fn request(target: &HostPort) -> Vec<u8> {
    let mut request = vec![VERSION, COMMAND_CONNECT, 0];
    let ip = match &target.host {
        Host::Ip(ip) => Some(*ip),
        Host::Zoned(ip, _) => Some(IpAddr::V6(*ip)),
        Host::Any | Host::Name(_) => None,
    };
    match ip {
        Some(IpAddr::V4(ip)) => {
            request.push(ADDRESS_IPV4);
            request.extend_from_slice(&ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            request.push(ADDRESS_IPV6);
            request.extend_from_slice(&ip.octets());
        }
        None => {
            request.push(ADDRESS_NAME);
            append_short(&mut request, target.host.to_string().as_bytes());
        }
    }
    let port = match target.port {
        Port::Any => 0,
        Port::Number(port) => port,
    };
    request.extend_from_slice(&port.to_be_bytes());
    request
}

/// Appends a length of one byte and as many bytes. What is too long was refused before: names have up to 253.
fn append_short(message: &mut Vec<u8>, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    message.push(length);
    message.extend_from_slice(&bytes[..usize::from(length)]);
}

fn reply_in_words(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "it does not make connections",
        8 => "it does not know this type of address",
        _ => "for a reason that SOCKS 5 does not know",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to(target: &str, user: &str, password: &str) -> Negotiation {
        Negotiation::new(&target.parse().expect(target), user.as_bytes(), password.as_bytes())
    }

    /// Takes what is to be written.
    fn said(negotiation: &mut Negotiation) -> Vec<u8> {
        let output = negotiation.output().to_vec();
        negotiation.handle_written(output.len());
        output
    }

    /// Hears the answer in pieces of up to `piece` bytes; says how many bytes were left.
    fn hear(
        negotiation: &mut Negotiation,
        mut answer: &[u8],
        piece: usize,
    ) -> Result<usize, SocksError> {
        while negotiation.wanted() > 0 && !answer.is_empty() && negotiation.output().is_empty() {
            let n = negotiation.wanted().min(piece).min(answer.len());
            negotiation.handle_input(&answer[..n])?;
            answer = &answer[n..];
        }
        Ok(answer.len())
    }

    #[test]
    fn without_a_user_the_proxy_is_asked_at_once() {
        for (target, request) in [
            ("192.0.2.9:5555", &b"\x05\x01\0\x01\xc0\0\x02\x09\x15\xb3"[..]),
            ("example.org:80", b"\x05\x01\0\x03\x0bexample.org\0\x50"),
            ("[::1]:1", b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x01"),
        ] {
            for piece in 1..4 {
                let mut negotiation = to(target, "", "unused");
                assert_eq!(said(&mut negotiation), [5, 1, 0]);
                assert_eq!(hear(&mut negotiation, &[5, 0], piece), Ok(0));
                assert_eq!(said(&mut negotiation), request);
                for bound in [
                    &b"\x05\0\0\x01\x7f\0\0\x01\0\x07"[..],
                    b"\x05\0\0\x03\x01a\0\x07",
                    b"\x05\0\0\x03\0\0\x07",
                    b"\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07",
                ] {
                    let mut negotiation = Negotiation { input: Vec::new(), ..to(target, "", "") };
                    said(&mut negotiation);
                    hear(&mut negotiation, &[5, 0], piece).unwrap();
                    said(&mut negotiation);
                    // What follows is the peer's greeting, and is left alone.
                    let answer = [bound, b"\xff\0\0"].concat();
                    assert_eq!(hear(&mut negotiation, &answer, piece), Ok(3));
                    assert_eq!(negotiation.wanted(), 0);
                }
            }
        }
    }

    #[test]
    fn a_user_is_told_with_the_password_when_the_proxy_asks() {
        let mut negotiation = to("example.org:80", "user", "pw");
        assert_eq!(said(&mut negotiation), [5, 1, 2]);
        hear(&mut negotiation, &[5, 2], 1).unwrap();
        assert_eq!(said(&mut negotiation), b"\x01\x04user\x02pw");
        hear(&mut negotiation, &[1, 0], 1).unwrap();
        assert!(said(&mut negotiation).starts_with(&[5, 1, 0, 3]));
        // A proxy that asks for none gets none.
        let mut negotiation = to("example.org:80", "user", "pw");
        said(&mut negotiation);
        hear(&mut negotiation, &[5, 0], 2).unwrap();
        assert!(said(&mut negotiation).starts_with(&[5, 1, 0, 3]));
    }

    #[test]
    fn what_the_proxy_refuses_has_a_reason() {
        let after_request = |answer: &[u8]| {
            let mut negotiation = to("example.org:80", "", "");
            said(&mut negotiation);
            hear(&mut negotiation, &[5, 0], 2).unwrap();
            said(&mut negotiation);
            hear(&mut negotiation, answer, 3).unwrap_err()
        };
        assert_eq!(after_request(&[5, 5]), SocksError::Refused(5));
        assert_eq!(after_request(&[5, 99, 0, 1]), SocksError::Refused(99));
        assert_eq!(after_request(&[4, 0]), SocksError::Version(4));
        assert_eq!(after_request(&[5, 0, 0, 2, 0]), SocksError::AddressType(2));
        assert!(SocksError::Refused(5).to_string().contains("refused"));
        let at_once = |user, answer: &[u8]| {
            let mut negotiation = to("example.org:80", user, "");
            said(&mut negotiation);
            hear(&mut negotiation, answer, 2).unwrap_err()
        };
        assert_eq!(at_once("", &[5, 255]), SocksError::Method);
        assert_eq!(at_once("", &[5, 2]), SocksError::Unoffered(2));
        assert_eq!(at_once("", &[5, 1]), SocksError::Unoffered(1));
        assert_eq!(at_once("", b"HTTP/1.1"), SocksError::Version(b'H'));
        let mut denied = to("example.org:80", "user", "");
        said(&mut denied);
        hear(&mut denied, &[5, 2], 2).unwrap();
        assert_eq!(said(&mut denied), b"\x01\x04user\0");
        assert_eq!(hear(&mut denied, &[1, 1], 2), Err(SocksError::Denied));
    }

    proptest! {
        #[test]
        fn any_answer_ends_in_bounded_input(answer in any::<Vec<u8>>(), lead in 0..3_usize, piece in 1..9_usize) {
            let mut negotiation = to("example.org:80", "user", "pw");
            let lead = [&b"\x05\x02\x01\0\x05\0\0"[..], b"\x05\0", b""][lead];
            let mut answer = &[lead, &answer][..].concat()[..];
            for _ in 0..4 {
                said(&mut negotiation);
                let Ok(left) = hear(&mut negotiation, answer, piece) else { return Ok(()) };
                answer = &answer[answer.len() - left..];
            }
            prop_assert!(negotiation.input.len() <= 4 + 1 + 255 + 2);
            prop_assert!(negotiation.wanted() == 0 || answer.is_empty());
        }
    }
}
