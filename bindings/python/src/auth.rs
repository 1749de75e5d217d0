//! Rules about who may come in, as Python objects.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tightbeam::curve::PublicKey;

use crate::error::OrRaise;
use crate::keys::text;
use crate::wait::unlocked;

/// Rules about who may connect to the sockets of a context; see `Context.set_authenticator`.
///
/// Whoever no rule lets in is refused. Rules may be added and taken away at any time, and hold for connections that follow.
/// They need no thread of their own. A domain is the ZAP_DOMAIN of a socket; `*` is every domain.
#[pyclass(frozen, module = "tightbeam._native")]
pub(crate) struct Authenticator {
    pub(crate) rules: tightbeam::auth::Authenticator,
}

fn key(value: &Bound<'_, PyAny>) -> PyResult<PublicKey> {
    text(value)?.parse().map_err(|_| PyValueError::new_err("a public key is 40 characters of Z85"))
}

// A lock of the rules is held for moments only; folders are read, and callbacks called, without it.
#[pymethods]
impl Authenticator {
    #[new]
    fn new() -> Authenticator {
        Authenticator { rules: tightbeam::auth::Authenticator::new() }
    }

    /// Allows an address, a network (`192.0.2.0/24`) or ipc peers (`localhost:UID:GID:PID`), and from then on no others.
    fn allow(&self, py: Python<'_>, addresses: &str) -> PyResult<()> {
        unlocked(py, || self.rules.allow(addresses))
    }

    /// Refuses an address or a network, also such as are allowed.
    fn deny(&self, py: Python<'_>, addresses: &str) -> PyResult<()> {
        unlocked(py, || self.rules.deny(addresses))
    }

    /// Takes back what was allowed or denied in these words. True if it was.
    fn forget_address(&self, py: Python<'_>, addresses: &str) -> PyResult<bool> {
        unlocked(py, || self.rules.forget_address(addresses))
    }

    /// Lets peers of NULL in.
    fn null(&self, py: Python<'_>, domain: &str) {
        py.detach(|| self.rules.null(domain));
    }

    /// Lets a user of PLAIN in, or changes the password.
    fn plain(&self, py: Python<'_>, domain: &str, username: &str, password: &str) -> PyResult<()> {
        py.detach(|| self.rules.plain(domain, username, password)).or_raise(py)
    }

    /// Takes a user back. True if there was one.
    fn forget_user(&self, py: Python<'_>, domain: &str, username: &str) -> bool {
        py.detach(|| self.rules.forget_user(domain, username))
    }

    /// Lets whoever uses CURVE in.
    fn curve_any(&self, py: Python<'_>, domain: &str) {
        py.detach(|| self.rules.curve_any(domain));
    }

    /// Lets the owner of a public key in, given in Z85.
    fn curve_key(
        &self,
        py: Python<'_>,
        domain: &str,
        public_key: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let key = key(public_key)?;
        py.detach(|| self.rules.curve_key(domain, key));
        Ok(())
    }

    /// Takes a key back. True if it was there.
    fn forget_key(
        &self,
        py: Python<'_>,
        domain: &str,
        public_key: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let key = key(public_key)?;
        Ok(py.detach(|| self.rules.forget_key(domain, &key)))
    }

    /// Lets the owners of the certificates in a folder in, as long as they are there.
    fn curve_folder(&self, py: Python<'_>, domain: &str, path: PathBuf) {
        py.detach(|| self.rules.curve_folder(domain, path));
    }

    /// Takes all back that was said of a domain. True if anything was.
    fn forget_domain(&self, py: Python<'_>, domain: &str) -> bool {
        py.detach(|| self.rules.forget_domain(domain))
    }
}
