//! A socket that authenticates the peers of another one (RFC 27), in the same context, on either library. What it answers is up to
//! the scene.

use std::time::Duration;

use tightbeam::SocketType;
use tightbeam::auth::Authenticate;

use super::{End, bytes, command, message, tell};

const ENDPOINT: &str = "inproc://zeromq.zap.01";

impl End {
    /// Opens the handler of this socket's context.
    #[track_caller]
    pub(crate) fn open_handler(&mut self, socket_type: SocketType) {
        match self {
            End::Ours { context, handler, .. } => {
                let socket = context.any_socket(socket_type).expect("a socket");
                socket.bind(ENDPOINT).expect("nobody else is bound there");
                *handler = Some(socket);
            }
            End::Theirs { puppet } => {
                let open = format!("handler {}", socket_type as i32);
                tell(puppet, &open).expect("nobody else is bound there");
            }
        }
    }

    /// Has the peers of our own socket judged without a handler.
    pub(crate) fn set_authenticator(&self, authenticator: impl Authenticate) {
        match self {
            End::Ours { context, .. } => context.set_authenticator(authenticator),
            End::Theirs { .. } => panic!("a socket of libzmq"),
        }
    }

    /// The next request to authenticate a peer.
    pub(crate) fn asked_within(&mut self, limit: Duration) -> Option<Vec<Vec<u8>>> {
        match self {
            End::Ours { handler, .. } => {
                let request = handler.as_ref().expect("a handler").recv_timeout(limit).ok()?;
                Some(request.iter().map(|part| part.to_vec()).collect())
            }
            End::Theirs { puppet } => {
                let answer = tell(puppet, &format!("asked {}", limit.as_millis())).ok()?;
                Some(answer.split(' ').map(bytes).collect())
            }
        }
    }

    #[track_caller]
    pub(crate) fn reply(&mut self, parts: &[Vec<u8>]) {
        match self {
            End::Ours { handler, .. } => {
                handler.as_ref().expect("a handler").send(message(parts)).expect("somebody asked");
            }
            End::Theirs { puppet } => {
                drop(tell(puppet, &command("reply", parts)).expect("somebody asked"));
            }
        }
    }

    /// Closes the handler.
    pub(crate) fn dismiss(&mut self) {
        match self {
            End::Ours { handler, .. } => drop(handler.take()),
            End::Theirs { puppet } => drop(tell(puppet, "dismiss").expect("a handler")),
        }
    }
}
