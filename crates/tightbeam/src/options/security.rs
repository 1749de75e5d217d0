//! What the options of the security mechanisms add up to: which mechanism there is follows from what was set last.

use zeroize::{Zeroize, Zeroizing};
use zmtp::curve::{Keypair, PublicKey, SecretKey};
use zmtp::{CurveClientConfig, MechanismConfig, PlainClientConfig};

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
    pub(crate) plain_password: Zeroizing<Vec<u8>>,
    pub(crate) curve_publickey: Key,
    pub(crate) curve_secretkey: Zeroizing<Key>,
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
    /// What the protocol must know of them.
    pub(crate) fn config(&self) -> MechanismConfig {
        let secret = || SecretKey::from_bytes(*self.curve_secretkey);
        match (self.mechanism, self.server) {
            (Mechanism::Null | Mechanism::Gssapi, _) => MechanismConfig::Null,
            (Mechanism::Plain, true) => MechanismConfig::PlainServer,
            (Mechanism::Plain, false) => {
                let (username, password) = (&self.plain_username, &self.plain_password);
                let plain = PlainClientConfig::new(username.as_slice(), password.as_slice());
                MechanismConfig::PlainClient(plain)
            }
            (Mechanism::Curve, true) => {
                MechanismConfig::CurveServer(Keypair::from_secret(secret()))
            }
            (Mechanism::Curve, false) => MechanismConfig::CurveClient(CurveClientConfig {
                keypair: Keypair {
                    public: PublicKey::from_bytes(self.curve_publickey),
                    secret: secret(),
                },
                server: PublicKey::from_bytes(self.curve_serverkey),
            }),
        }
    }

    /// Whether somebody must judge the peers: servers ask, and both ends of NULL if they belong to a domain.
    pub(crate) fn authenticates(&self) -> bool {
        match self.mechanism {
            Mechanism::Null => !self.zap_domain.is_empty(),
            Mechanism::Plain | Mechanism::Curve => self.server,
            Mechanism::Gssapi => true,
        }
    }

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
        let field = field(self);
        field.zeroize();
        field.extend_from_slice(value);
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
    // As if it were secret, which it may be.
    let key: SecretKey = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(*key.as_bytes())
}

impl Options {
    /// Whether connections over a network can be made with these options.
    ///
    /// # Errors
    /// [`Error::NoMechanism`] when they ask for security that is not there: nobody gets an open connection for it.
    pub(crate) fn check_security(&self, raw: bool) -> Result<()> {
        let mechanism = self.security.mechanism;
        if mechanism == Mechanism::Gssapi || (raw && self.security.authenticates()) {
            return Err(Error::NoMechanism(mechanism.name()));
        }
        Ok(())
    }
}
