//! The primitives that CURVE is made of, behind one trait: X25519, and XSalsa20 with Poly1305 as NaCl
//! combines them.

#[cfg(any(test, not(feature = "rustcrypto")))]
mod dryoc;
#[cfg(any(test, feature = "rustcrypto"))]
mod rustcrypto;

use zeroize::Zeroizing;

#[cfg(not(any(feature = "dryoc", feature = "rustcrypto")))]
compile_error!("CURVE needs a cipher library: the feature `dryoc` or `rustcrypto`");

/// The library in use.
#[cfg(not(feature = "rustcrypto"))]
pub(crate) type Suite = dryoc::Dryoc;
#[cfg(feature = "rustcrypto")]
pub(crate) type Suite = rustcrypto::RustCrypto;

/// The bytes of a key, public or secret.
pub(crate) const KEY_LEN: usize = 32;
/// How much longer a box is than what is in it: the tag, which comes first.
pub(crate) const TAG_LEN: usize = 16;

pub(crate) type Nonce = [u8; 24];
pub(crate) type Tag = [u8; TAG_LEN];

/// The key of boxes, agreed between two key pairs or random. It is wiped when it is dropped.
#[derive(Clone)]
pub(crate) struct BoxKey(Zeroizing<[u8; KEY_LEN]>);

impl BoxKey {
    pub(crate) const fn new(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoxKey(..)")
    }
}

/// What a cipher library must offer.
pub(crate) trait Cipher {
    /// The public key that belongs to a secret key.
    fn public_key(secret: &[u8; KEY_LEN]) -> [u8; KEY_LEN];

    /// The key of boxes between the owners of two key pairs; `None` for public keys of low order, with
    /// which the key would be known to everybody.
    fn agree(public: &[u8; KEY_LEN], secret: &[u8; KEY_LEN]) -> Option<BoxKey>;

    /// Encrypts in place and answers the tag.
    fn seal(key: &BoxKey, nonce: &Nonce, data: &mut [u8]) -> Tag;

    /// Checks the tag in constant time and, only if it is right, decrypts in place.
    #[must_use]
    fn open(key: &BoxKey, nonce: &Nonce, tag: &Tag, data: &mut [u8]) -> bool;

    /// HSalsa20: with what Salsa20 is keyed for nonces that begin so.
    fn subkey(key: &BoxKey, start: &[u8; 16]) -> Zeroizing<[u8; KEY_LEN]>;

    /// Poly1305. The key must be used once only.
    fn authenticate(key: &[u8; KEY_LEN], data: &[u8]) -> Tag;
}

#[cfg(test)]
mod tests;
