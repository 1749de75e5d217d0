//! Typed setters of the security mechanisms.

use zmtp::curve::{Keypair, PublicKey};

use super::flag;
use crate::error::{Error, Result};
use crate::options::{Value, number};
use crate::socket::SocketBase;

/// Setters of security, for endpoints that follow. What was set last counts: a socket has one mechanism, NULL at first.
/// [`auth`](crate::auth) tells who decides on peers.
#[allow(clippy::missing_errors_doc, reason = "said once, at the other setters")]
impl SocketBase {
    /// Whether the socket is a server of PLAIN (RFC 24), to which peers must say a name and a password that an
    /// authenticator takes. They cross the network as they are.
    pub fn set_plain_server(&self, on: bool) -> Result<()> {
        self.set_option(number::PLAIN_SERVER, flag(on))
    }

    /// Makes the socket a client of PLAIN: at most 255 bytes each, and not both empty, which would take PLAIN back.
    pub fn set_plain_client(&self, username: &str, password: &str) -> Result<()> {
        if username.is_empty() && password.is_empty() {
            return Err(Error::BadArgument("a client of PLAIN has a name or a password"));
        }
        let (username, password) = (username.as_bytes(), password.as_bytes());
        let set_name = || self.set_option(number::PLAIN_USERNAME, Value::Bytes(username));
        let set_password = || self.set_option(number::PLAIN_PASSWORD, Value::Bytes(password));
        // An empty one takes PLAIN back, the other asks for it again.
        if username.is_empty() {
            set_name()?;
            set_password()
        } else {
            set_password()?;
            set_name()
        }
    }

    /// Makes the socket a server of CURVE (RFC 26) with these permanent keys: what crosses the network is encrypted, and
    /// nobody can alter it. With nobody to judge them, and no domain, all may come in that know the server's public key.
    ///
    /// ```
    /// use tightbeam::curve::Keypair;
    /// use tightbeam::{Context, Pull, Push};
    ///
    /// let (servers, mine) = (Keypair::generate()?, Keypair::generate()?);
    /// let context = Context::new();
    /// let server = context.socket::<Pull>()?;
    /// server.set_curve_server(&servers)?;
    /// let client = context.socket::<Push>()?;
    /// client.set_curve_client(&mine, &servers.public)?;
    /// client.connect(server.bind("tcp://127.0.0.1:*")?)?;
    /// client.send("nobody else can read this")?;
    /// assert_eq!(server.recv()?.to_string_lossy(), "nobody else can read this");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_curve_server(&self, keypair: &Keypair) -> Result<()> {
        self.set_option(number::CURVE_SECRETKEY, Value::Bytes(keypair.secret.as_bytes()))?;
        self.set_option(number::CURVE_SERVER, flag(true))
    }

    /// Makes the socket a client of CURVE with these permanent keys, which talks to nobody but the owner of `server`.
    pub fn set_curve_client(&self, keypair: &Keypair, server: &PublicKey) -> Result<()> {
        self.set_option(number::CURVE_PUBLICKEY, Value::Bytes(keypair.public.as_bytes()))?;
        self.set_option(number::CURVE_SECRETKEY, Value::Bytes(keypair.secret.as_bytes()))?;
        self.set_option(number::CURVE_SERVERKEY, Value::Bytes(server.as_bytes()))
    }

    /// The domain that authenticators are told (RFC 27). With one, peers of NULL are judged, too, and where there is
    /// nobody to judge, nobody comes in.
    pub fn set_zap_domain(&self, domain: &str) -> Result<()> {
        self.set_option(number::ZAP_DOMAIN, Value::Bytes(domain.as_bytes()))
    }
}
