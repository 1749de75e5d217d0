//! What holds for the connections of an endpoint: options, frozen when it was bound or connected.

use std::sync::Arc;
use std::time::Duration;

use zmtp::{Config, Heartbeat, Role, SocketType};

use crate::error::Result;
use crate::options::{Mechanism, Options};

/// The options as they were when an endpoint was bound or connected: what is set later holds for later
/// endpoints.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) options: Options,
    /// There is no protocol: what is read and written are bytes, and nothing else.
    pub(crate) raw: bool,
    /// The same for the protocol, shared by all connections of the endpoint.
    pub(crate) protocol: Arc<Config>,
}

impl Terms {
    /// # Errors
    /// [`Error::NoMechanism`](crate::Error::NoMechanism).
    pub(crate) fn new(
        options: &Options,
        socket_type: SocketType,
        role: Role,
    ) -> Result<Arc<Terms>> {
        let raw = socket_type == SocketType::Stream || options.router_raw;
        options.check_security(raw)?;
        let protocol = Arc::new(config(options, socket_type, role));
        Ok(Arc::new(Terms { options: options.clone(), raw, protocol }))
    }

    /// Whether what passes cannot be altered or made up on the way.
    pub(crate) fn is_sealed(&self) -> bool {
        self.options.security.mechanism == Mechanism::Curve
    }
}

/// What a connection's protocol must know.
fn config(options: &Options, socket_type: SocketType, role: Role) -> Config {
    let mut config = Config::new(socket_type, role);
    config.routing_id.clone_from(&options.routing_id);
    config.properties.clone_from(&options.metadata);
    config.mechanism = options.security.config();
    config.authenticate = options.security.authenticates();
    // What could never be held is refused at its header.
    let most = options.max_held_bytes as u64;
    config.max_message_size = Some(options.max_message_size().map_or(most, |size| size.min(most)));
    config.limits.frames_per_message = u32::try_from(options.max_frames).unwrap_or(u32::MAX);
    config.limits.topic = options.max_topic_bytes as u64;
    config.limits.handshake_command = options.bounds.max_command_bytes as u64;
    config.limits.properties = options.bounds.max_properties;
    config.limits.ping_context = options.bounds.max_ping_context;
    config.handshake_timeout = options.handshake_ivl;
    config.heartbeat = options.heartbeat_ivl.map(|interval| Heartbeat {
        interval,
        timeout: options.heartbeat_timeout().unwrap_or(interval),
        ttl: Duration::from_millis(u64::from(options.heartbeat_ttl_ds) * 100),
    });
    config
}
