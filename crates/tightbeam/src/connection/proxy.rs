//! Reaching the peer by way of a SOCKS proxy.

use std::io;

use super::{Connection, Loss};
use crate::transport::SocksError;

/// More than a proxy ever says in one step.
const ANSWER: usize = 512;

impl Connection {
    /// Goes on talking to the proxy, if there is one, as far as that goes without waiting. True when the peer is
    /// reached. These are a few short messages when a connection begins, so the socket's lock may be held.
    pub(crate) fn pass_proxy(&mut self) -> Result<bool, Loss> {
        let Some(mut negotiation) = self.proxy.take() else { return Ok(true) };
        loop {
            let output = negotiation.output();
            let moved = if output.is_empty() {
                let mut answer = [0; ANSWER];
                let wanted = negotiation.wanted().min(ANSWER);
                if wanted == 0 {
                    return Ok(true);
                }
                match self.stream.read(&mut answer[..wanted]) {
                    Ok(0) => return Err(SocksError::Closed.into()),
                    Ok(n) => negotiation.handle_input(&answer[..n]).map_err(Loss::from),
                    Err(error) => Err(error.into()),
                }
            } else {
                let written = self.stream.write(output);
                written.map(|n| negotiation.handle_written(n)).map_err(Loss::from)
            };
            match moved {
                Ok(()) => {}
                Err(Loss::Network(error)) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => {
                        self.proxy = Some(negotiation);
                        return Ok(false);
                    }
                    _ => return Err(error.into()),
                },
                Err(loss) => return Err(loss),
            }
        }
    }
}
