//! Rules that can be told and changed at any time.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::address::Addresses;
use super::password::Password;
use super::rules::{Found, Rules};
use super::{Authenticate, Credentials, Request, Verdict};
use crate::curve::PublicKey;
use crate::error::{Error, Result};

/// An authenticator that goes by rules: addresses, users of PLAIN, keys of CURVE.
///
/// It refuses whoever no rule lets in. All of its clones are one; rules may be added and taken away from any thread, also while
/// it is in use, and hold for handshakes that follow. It needs no thread of its own.
///
/// A rule about credentials is one of a domain, which is the ZAP_DOMAIN of the socket; the domain `*` is every domain.
///
/// ```
/// use tightbeam::Context;
/// use tightbeam::auth::Authenticator;
/// use tightbeam::curve::Keypair;
///
/// let ada = Keypair::generate()?;
/// let rules = Authenticator::new();
/// rules.allow("127.0.0.0/8")?;
/// rules.plain("weather", "ada", "a password")?;
/// rules.curve_key("weather", ada.public);
/// rules.curve_folder("*", "/etc/weather/clients");
///
/// let context = Context::new();
/// context.set_authenticator(rules.clone());
/// rules.forget_user("weather", "ada");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | peer | is let in if its address may, and | user id | properties |
/// |---|---|---|---|
/// | NULL | [`null`](Authenticator::null) was said of the domain, or its address is [allowed](Authenticator::allow) | none | |
/// | PLAIN | user and password are [known](Authenticator::plain) | the user's name | |
/// | CURVE | the key has a certificate in a [folder](Authenticator::curve_folder) | the key in Z85 | the certificate's metadata |
/// | CURVE | the key is [known](Authenticator::curve_key), or [any](Authenticator::curve_any) is | the key in Z85 | |
/// | any | the [callback](Authenticator::callback) lets it in | what the callback says | |
#[derive(Clone, Default)]
pub struct Authenticator {
    rules: Arc<RwLock<Rules>>,
}

impl Authenticator {
    /// One that refuses everybody.
    #[must_use]
    pub fn new() -> Authenticator {
        Authenticator::default()
    }

    /// Allows addresses, and from then on no others: one (`192.0.2.1`, `2001:db8::1`), a network (`192.0.2.0/24`), or processes of this
    /// machine over ipc, by user, group and process, each a number or `*` (`localhost:1000:*:*`). Peers of NULL are let in; others show their credentials.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is none of these.
    pub fn allow(&self, addresses: &str) -> Result<()> {
        let addresses = parse(addresses)?;
        self.write().allow(addresses);
        Ok(())
    }

    /// Refuses addresses, also such as are allowed.
    ///
    /// # Errors
    /// As [`allow`](Authenticator::allow).
    pub fn deny(&self, addresses: &str) -> Result<()> {
        let addresses = parse(addresses)?;
        self.write().deny(addresses);
        Ok(())
    }

    /// Takes back what was allowed or denied in these words; answers whether it was. When the last one that was allowed is taken back, nobody is.
    ///
    /// # Errors
    /// As [`allow`](Authenticator::allow).
    pub fn forget_address(&self, addresses: &str) -> Result<bool> {
        let addresses = parse(addresses)?;
        Ok(self.write().forget_address(addresses))
    }

    /// Lets peers of NULL in, which show nothing of themselves.
    pub fn null(&self, domain: impl AsRef<[u8]>) {
        self.write().domain(domain.as_ref()).null = true;
    }

    /// Lets a user of PLAIN in, or changes the password. A domain's own user comes before one of the same name in `*`.
    ///
    /// # Errors
    /// [`Error::BadArgument`] for a name or a password of more than 255 bytes, which no peer can say.
    pub fn plain(
        &self,
        domain: impl AsRef<[u8]>,
        username: impl AsRef<[u8]>,
        password: impl AsRef<[u8]>,
    ) -> Result<()> {
        let username = username.as_ref();
        let password =
            Password::new(password.as_ref()).filter(|_| username.len() <= MOST_NAME_BYTES);
        let password = password
            .ok_or(Error::BadArgument("a user's name and password have at most 255 bytes each"))?;
        self.write().domain(domain.as_ref()).users.insert(username.to_vec(), password);
        Ok(())
    }

    /// Takes a user back; answers whether there was one.
    pub fn forget_user(&self, domain: impl AsRef<[u8]>, username: impl AsRef<[u8]>) -> bool {
        let mut rules = self.write();
        let domain = rules.known_domain(domain.as_ref());
        domain.is_some_and(|domain| domain.users.remove(username.as_ref()).is_some())
    }

    /// Lets whoever uses CURVE in: what is said stays between the two, but nobody knows with whom.
    pub fn curve_any(&self, domain: impl AsRef<[u8]>) {
        self.write().domain(domain.as_ref()).any_key = true;
    }

    /// Lets the owner of a key in.
    pub fn curve_key(&self, domain: impl AsRef<[u8]>, key: PublicKey) {
        self.write().domain(domain.as_ref()).keys.insert(key);
    }

    /// Takes a key back; answers whether it was there.
    pub fn forget_key(&self, domain: impl AsRef<[u8]>, key: &PublicKey) -> bool {
        let mut rules = self.write();
        let domain = rules.known_domain(domain.as_ref());
        domain.is_some_and(|domain| domain.keys.remove(key))
    }

    /// Lets the owners of the certificates in a folder in: see [`CertificateFolder`](crate::curve::CertificateFolder). They count as long as they are
    /// there; the folder may be made later. While the system does not show it, who is not known otherwise is to try again later.
    pub fn curve_folder(&self, domain: impl AsRef<[u8]>, path: impl AsRef<Path>) {
        self.write().domain(domain.as_ref()).add_folder(path.as_ref());
    }

    /// Has somebody else decide about peers whose address may come in and who are not known otherwise; a domain's own callback comes in the place of that of `*`. It is called as
    /// [`Authenticate::authenticate`] is.
    pub fn callback(&self, domain: impl AsRef<[u8]>, callback: impl Authenticate) {
        let before = self.write().domain(domain.as_ref()).callback.replace(Arc::new(callback));
        // Foreign code, which must not run under the lock.
        drop(before);
    }

    /// Takes all back that was said of a domain; answers whether anything was.
    pub fn forget_domain(&self, domain: impl AsRef<[u8]>) -> bool {
        let before = self.write().forget_domain(domain.as_ref());
        before.is_some()
    }

    fn read(&self) -> RwLockReadGuard<'_, Rules> {
        // Whoever panicked under it was not in the middle of anything.
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rules> {
        self.rules.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticate for Authenticator {
    fn authenticate(&self, request: &Request) -> Verdict {
        let found = self.read().find(request);
        found.map_or_else(Verdict::deny, |found| judge(found, request))
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

/// As long as a name may be on the wire (RFC 24).
const MOST_NAME_BYTES: usize = 255;

fn parse(addresses: &str) -> Result<Addresses> {
    let expected =
        "expected an address, a network such as 192.0.2.0/24, or localhost:USER:GROUP:PROCESS";
    Addresses::parse(addresses).ok_or(Error::BadArgument(expected))
}

/// Without a lock: folders are read, and callbacks called.
fn judge(found: Found, request: &Request) -> Verdict {
    let mut is_told = true;
    if let Credentials::Curve(key) = &request.credentials {
        for folder in &found.folders {
            match folder.find(key) {
                Ok(Some(certificate)) => {
                    let metadata = certificate.metadata();
                    let properties = metadata.map(|(name, value)| (name.to_owned(), value.into()));
                    return accept(request, properties.collect());
                }
                Ok(None) => {}
                Err(_) => is_told = false,
            }
        }
    }
    if found.is_accepted {
        return accept(request, Vec::new());
    }
    let verdict =
        found.callback.map_or_else(Verdict::deny, |callback| callback.authenticate(request));
    match verdict {
        // A verdict that is final must not rest on what could not be read.
        Verdict::Deny { .. } if !is_told => Verdict::Temporary,
        verdict => verdict,
    }
}

fn accept(request: &Request, properties: Vec<(String, Vec<u8>)>) -> Verdict {
    let user_id = match &request.credentials {
        Credentials::Null => None,
        Credentials::Plain { username, .. } => Some(username.clone()),
        Credentials::Curve(key) => Some(key.to_string().into_bytes()),
    };
    Verdict::Accept { user_id, properties }
}

#[cfg(test)]
mod tests;
