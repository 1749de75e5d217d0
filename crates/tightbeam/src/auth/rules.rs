//! What an authenticator has been told.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::address::{Addresses, PeerAddress};
use super::password::Password;
use super::{Authenticate, Credentials, Request};
use crate::curve::{CertificateFolder, PublicKey};

/// The name of what holds in every domain.
const EVERY: &[u8] = b"*";

/// All of it.
#[derive(Default)]
pub(super) struct Rules {
    denied: Vec<Addresses>,
    /// Who is allowed, and nobody else from when somebody was.
    allowed: Option<Vec<Addresses>>,
    domains: BTreeMap<Vec<u8>, Domain>,
}

/// What holds in a domain.
#[derive(Default)]
pub(super) struct Domain {
    pub(super) null: bool,
    pub(super) any_key: bool,
    pub(super) users: BTreeMap<Vec<u8>, Password>,
    pub(super) keys: HashSet<PublicKey>,
    pub(super) folders: Vec<Arc<CertificateFolder>>,
    pub(super) callback: Option<Arc<dyn Authenticate>>,
}

/// What the rules say of a request, and whom to ask when no lock is held any more.
pub(super) struct Found {
    pub(super) is_accepted: bool,
    pub(super) folders: Vec<Arc<CertificateFolder>>,
    pub(super) callback: Option<Arc<dyn Authenticate>>,
}

impl Rules {
    pub(super) fn allow(&mut self, addresses: Addresses) {
        let allowed = self.allowed.get_or_insert_default();
        allowed.retain(|other| *other != addresses);
        allowed.push(addresses);
    }

    pub(super) fn deny(&mut self, addresses: Addresses) {
        self.denied.retain(|other| *other != addresses);
        self.denied.push(addresses);
    }

    pub(super) fn forget_address(&mut self, addresses: Addresses) -> bool {
        let lists = [Some(&mut self.denied), self.allowed.as_mut()];
        let mut found = false;
        for list in lists.into_iter().flatten() {
            let before = list.len();
            list.retain(|other| *other != addresses);
            found |= list.len() < before;
        }
        found
    }

    pub(super) fn domain(&mut self, name: &[u8]) -> &mut Domain {
        self.domains.entry(name.to_vec()).or_default()
    }

    pub(super) fn known_domain(&mut self, name: &[u8]) -> Option<&mut Domain> {
        self.domains.get_mut(name)
    }

    pub(super) fn forget_domain(&mut self, name: &[u8]) -> Option<Domain> {
        self.domains.remove(name)
    }

    /// What there is about a request; `None` if it is refused for where it comes from.
    pub(super) fn find(&self, request: &Request) -> Option<Found> {
        let peer = PeerAddress::parse(&request.address);
        let is_in = |list: &Vec<Addresses>| list.iter().any(|addresses| addresses.have(peer));
        // Nobody knows whether it is one of the denied.
        let is_hidden = peer == PeerAddress::Other && !self.denied.is_empty();
        let is_denied = is_hidden || is_in(&self.denied);
        if is_denied || self.allowed.as_ref().is_some_and(|allowed| !is_in(allowed)) {
            return None;
        }
        let (is_accepted, folders) = match &request.credentials {
            // Whoever allows an address allows it without credentials.
            Credentials::Null => (
                self.allowed.is_some() || self.domains_of(request).any(|domain| domain.null),
                Vec::new(),
            ),
            Credentials::Plain { username, password } => {
                (self.is_password(request, username, password), Vec::new())
            }
            Credentials::Curve(key) => {
                let is_known = |domain: &Domain| domain.any_key || domain.keys.contains(key);
                let folders =
                    self.domains_of(request).flat_map(|domain| domain.folders.iter().cloned());
                (self.domains_of(request).any(is_known), folders.collect())
            }
        };
        let callback = self.domains_of(request).find_map(|domain| domain.callback.clone());
        Some(Found { is_accepted, folders, callback })
    }

    /// What holds in the domain of a request: its own, and then what holds in every domain.
    fn domains_of(&self, request: &Request) -> impl Iterator<Item = &Domain> {
        let own = Some(&request.domain[..]).filter(|own| *own != EVERY);
        own.into_iter().chain([EVERY]).filter_map(|name| self.domains.get(name))
    }

    /// Takes as long whether there is such a user or not.
    fn is_password(&self, request: &Request, username: &[u8], password: &[u8]) -> bool {
        let known = self.domains_of(request).find_map(|domain| domain.users.get(username));
        let Some(said) = Password::new(password) else { return false };
        let Some(nobodys) = Password::new(b"") else { return false };
        let is_right = known.unwrap_or(&nobodys).is(&said);
        known.is_some() & is_right
    }
}

impl Domain {
    /// Adds a folder, unless it is there.
    pub(super) fn add_folder(&mut self, path: &Path) {
        if !self.folders.iter().any(|folder| folder.path() == path) {
            self.folders.push(Arc::new(CertificateFolder::new(path)));
        }
    }
}
