//! STREAM: bytes to and from peers that speak no ZMTP, with a routing id of ours in front.

use super::Refusal;
use super::routes::Routes;
use crate::options::Options;
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) routes: Routes,
}

impl Stream {
    pub(super) fn new() -> Stream {
        Stream { routes: Routes::new() }
    }

    /// Every peer has a name from the start: nobody else can give it one.
    pub(super) fn attach(&mut self, pipes: &mut Pipes, id: PipeId) {
        self.routes.name(pipes, id, &[], false);
    }

    pub(super) fn send(&mut self, pipes: &mut Pipes, parts: Parts<'_>) -> Result<(), Refusal> {
        send_raw(&mut self.routes, pipes, parts, true)
    }
}

/// Sends a routing id and bytes; no bytes end the connection once what is queued was written. An id
/// alone says nothing and is dropped, whether or not there is such a peer.
pub(super) fn send_raw(
    routes: &mut Routes,
    pipes: &mut Pipes,
    parts: Parts<'_>,
    mandatory: bool,
) -> Result<(), Refusal> {
    if parts.len() < 2 {
        pipes.count_drop(None);
        return Ok(());
    }
    if parts.len() > 2 {
        return Err(Refusal::Malformed("for a raw connection: a routing id and one part of bytes"));
    }
    let route = routes.get(parts.first());
    if let Some(id) = route
        && parts.body_bytes() == parts.first().len()
    {
        routes.hang_up(pipes, id);
        return Ok(());
    }
    if mandatory {
        routes.admit(pipes, parts.first())?;
    }
    if !route.is_some_and(|id| pipes.offer(id, &[], parts.rest())) {
        pipes.count_drop(route);
    }
    Ok(())
}

/// Which events of its connections a socket tells as empty messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notices {
    pub(crate) connect: bool,
    pub(crate) disconnect: bool,
}

impl Notices {
    pub(super) fn of_stream(options: &Options) -> Notices {
        Notices { connect: options.stream_notify, disconnect: options.stream_notify }
    }

    /// A ROUTER tells on request, and one without protocol always: nothing else would.
    pub(super) fn of_router(options: &Options) -> Notices {
        Notices {
            connect: options.router_raw || options.router_notify & 1 != 0,
            disconnect: options.router_raw || options.router_notify & 2 != 0,
        }
    }

    pub(super) const NONE: Notices = Notices { connect: false, disconnect: false };
}
