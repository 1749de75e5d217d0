//! What the options of the security mechanisms add up to: which mechanism there is follows from what was set last.

use super::Options;
use crate::error::{Error, Result};

/// A security mechanism, with the number that MECHANISM answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mechanism {
    #[default]
    Null = 0,
    Plain = 1,
    Curve = 2,
    Gssapi = 3,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::Null => "NULL",
            Mechanism::Plain => "PLAIN",
            Mechanism::Curve => "CURVE",
            Mechanism::Gssapi => "GSSAPI",
        }
    }
}

/// A key of CURVE: 32 bytes.
pub(crate) type Key = [u8; 32];

/// The options of the security mechanisms. They hold secrets, which are not shown.
#[derive(Clone, Default)]
pub(crate) struct Security {
    pub(crate) mechanism: Mechanism,
    /// Whether this end is the server of its mechanism; all of them share it.
    pub(crate) server: bool,
    pub(crate) plain_username: Vec<u8>,
    pub(crate) plain_password: Vec<u8>,
    pub(crate) curve_publickey: Key,
    pub(crate) curve_secretkey: Key,
    pub(crate) curve_serverkey: Key,
    pub(crate) gssapi_principal: Vec<u8>,
    pub(crate) gssapi_service_principal: Vec<u8>,
    pub(crate) gssapi_plaintext: bool,
    pub(crate) gssapi_principal_nametype: u8,
    pub(crate) gssapi_service_principal_nametype: u8,
    pub(crate) zap_domain: Vec<u8>,
    pub(crate) zap_enforce_domain: bool,
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Security")
            .field("mechanism", &self.mechanism)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Security {
    /// What `X_SERVER` of a mechanism answers.
    pub(super) fn is_server(&self, of: Mechanism) -> bool {
        self.server && self.mechanism == of
    }

    /// Sets `X_SERVER`. PLAIN and CURVE are no longer asked for when it is taken back; GSSAPI is asked for either way.
    pub(super) fn set_server(&mut self, of: Mechanism, server: bool) {
        self.server = server;
        self.mechanism = if server || of == Mechanism::Gssapi { of } else { Mechanism::Null };
    }

    /// Sets the name or the password of PLAIN, which makes this end a client; an empty one takes PLAIN back.
    pub(super) fn set_plain(&mut self, field: fn(&mut Security) -> &mut Vec<u8>, value: &[u8]) {
        *field(self) = value.to_vec();
        if value.is_empty() {
            self.mechanism = Mechanism::Null;
        } else {
            self.mechanism = Mechanism::Plain;
            self.server = false;
        }
    }

    /// Sets a key of CURVE from any of its forms.
    pub(super) fn set_key(&mut self, field: fn(&mut Security) -> &mut Key, value: &[u8]) {
        if let Some(key) = parse_key(value) {
            *field(self) = key;
            self.mechanism = Mechanism::Curve;
        }
    }
}

/// A key of CURVE: 32 bytes, or 40 characters of Z85, with or without a NUL behind them.
pub(super) fn parse_key(value: &[u8]) -> Option<Key> {
    let text = match value {
        [text @ .., 0] if text.len() == 40 => text,
        value if value.len() == 40 => value,
        value => return value.try_into().ok(),
    };
    zmtp::z85::decode(std::str::from_utf8(text).ok()?).ok()?.try_into().ok()
}

impl Options {
    /// Whether connections over a network can be made with these options.
    ///
    /// # Errors
    /// [`Error::NoMechanism`] when they ask for security that is not there: nobody gets an open connection for it.
    pub(crate) fn check_security(&self) -> Result<()> {
        if self.security.mechanism != Mechanism::Null {
            return Err(Error::NoMechanism(self.security.mechanism.name()));
        }
        if !self.security.zap_domain.is_empty() || self.security.zap_enforce_domain {
            return Err(Error::NoMechanism("ZAP"));
        }
        Ok(())
    }
}
