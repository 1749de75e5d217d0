//! ROUTER: prefixes what it receives with the sender's routing id, and sends by it (RFC 28).

use super::Refusal;
use super::routes::Routes;
use super::stream::send_raw;
use crate::options::Options;
use crate::pipe::{Parts, PipeId, Pipes};

#[derive(Debug)]
pub(crate) struct Router {
    pub(super) routes: Routes,
}

impl Router {
    pub(super) fn new() -> Router {
        Router { routes: Routes::new() }
    }

    /// A peer without protocol will never say its name.
    pub(super) fn attach(&mut self, pipes: &mut Pipes, id: PipeId, options: &Options) {
        if options.router_raw {
            self.routes.name(pipes, id, &[], false);
        }
    }

    pub(super) fn identify(
        &mut self,
        pipes: &mut Pipes,
        id: PipeId,
        routing_id: &[u8],
        options: &Options,
    ) {
        self.routes.name(pipes, id, routing_id, options.router_handover);
    }

    pub(super) fn send(
        &mut self,
        pipes: &mut Pipes,
        parts: Parts<'_>,
        options: &Options,
    ) -> Result<(), Refusal> {
        if parts.len() < 2 {
            pipes.count_drop(None);
            return Ok(());
        }
        if options.router_raw {
            return send_raw(&mut self.routes, pipes, parts, options.router_mandatory);
        }
        self.admit(pipes, parts.first(), options)?;
        let route = self.routes.get(parts.first());
        match route {
            Some(id) if pipes.has_room(id) => pipes.push(id, &[], parts.rest()),
            _ => pipes.count_drop(route),
        }
        Ok(())
    }

    /// Refuses what may not be dropped, by the routing id in front.
    pub(super) fn admit(
        &self,
        pipes: &Pipes,
        first: &[u8],
        options: &Options,
    ) -> Result<(), Refusal> {
        if options.router_mandatory { self.routes.admit(pipes, first) } else { Ok(()) }
    }

    /// What may be dropped can always be sent.
    pub(super) fn can_send(&self, pipes: &Pipes, options: &Options) -> bool {
        !options.router_mandatory || self.routes.any_has_room(pipes)
    }
}
