//! The keys of CURVE (RFC 26).
//!
//! ```
//! use zmtp::curve::{Keypair, PublicKey, SecretKey};
//!
//! let keypair = Keypair::generate()?;
//! let text = keypair.secret.to_z85();
//! let again = Keypair::from_secret(text.parse()?);
//! assert_eq!(again.public, keypair.public);
//! assert_eq!(keypair.public.to_string().parse::<PublicKey>()?, keypair.public);
//! assert_eq!(format!("{:?}", keypair.secret), "SecretKey(..)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::mechanism::cipher::{Cipher, KEY_LEN, Suite};
use crate::z85;

/// Fills a buffer with bytes that nobody can guess, or answers [`Error::NoRandomness`].
pub type Random = fn(&mut [u8]) -> Result<(), Error>;

/// The [`Random`] of the operating system.
///
/// # Errors
/// [`Error::NoRandomness`] if it has none.
pub fn system_random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::NoRandomness)
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The system has no random bytes to make one of.
    #[error("the operating system has no random bytes for a key")]
    NoRandomness,
    /// The text is not as long as a key: 40 characters.
    #[error("a key has 40 characters, not {0}")]
    Length(usize),
    /// The text is not Z85 (RFC 32).
    #[error("a key is written in Z85: {0}")]
    Text(#[from] z85::Error),
}

/// A public key. It is shown as Z85.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; KEY_LEN]);

impl PublicKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&z85::encode(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_LEN];
        decode(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// A secret key. It is wiped from memory when it is dropped, compared in constant time, and not shown.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; KEY_LEN]>);

impl SecretKey {
    /// A key of these bytes, any of which are good if nobody can guess them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Its 40 characters of Z85, which are wiped like the key.
    #[must_use]
    pub fn to_z85(&self) -> Zeroizing<String> {
        Zeroizing::new(z85::encode(&*self.0).unwrap_or_default())
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(Suite::public_key(&self.0))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for SecretKey {}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        decode(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// A secret key and the public one that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keypair {
    /// For everybody to know.
    pub public: PublicKey,
    /// For nobody else.
    pub secret: SecretKey,
}

impl Keypair {
    /// A new pair.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; KEY_LEN]);
        system_random(&mut *secret).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self::from_secret(SecretKey(secret)))
    }

    /// The pair of this secret key.
    #[must_use]
    pub fn from_secret(secret: SecretKey) -> Self {
        Self { public: secret.public_key(), secret }
    }
}

fn decode(text: &str, to: &mut [u8; KEY_LEN]) -> Result<(), KeyError> {
    if text.len() != KEY_LEN / 4 * 5 {
        return Err(KeyError::Length(text.len()));
    }
    Ok(z85::decode_into(text, to)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{KeyError, Keypair, PublicKey, SecretKey};

    /// The keys of the manual page `zmq_curve`.
    #[test]
    fn the_test_keys_of_the_manual_belong_together() {
        for (public, secret) in [
            (
                "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
                "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
            ),
            (
                "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
                "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
            ),
        ] {
            let keypair = Keypair::from_secret(secret.parse().unwrap());
            assert_eq!(keypair.public.to_string(), public);
            assert_eq!(*keypair.secret.to_z85(), secret);
        }
    }

    #[test]
    fn generated_pairs_differ() {
        let [a, b] = [(); 2].map(|()| Keypair::generate().unwrap());
        assert!(a != b && a.secret != b.secret && a.public != b.public);
        assert_eq!(a, Keypair::from_secret(SecretKey::from_bytes(*a.secret.as_bytes())));
    }

    #[test]
    fn text_that_is_no_key_is_refused() {
        assert_eq!("short".parse::<PublicKey>(), Err(KeyError::Length(5)));
        assert!(matches!("~".repeat(40).parse::<SecretKey>(), Err(KeyError::Text(_))));
        assert!(matches!("#".repeat(40).parse::<PublicKey>(), Err(KeyError::Text(_))));
    }

    #[test]
    fn secrets_are_not_shown() {
        let keypair = Keypair::generate().unwrap();
        let shown = format!("{keypair:?}");
        assert!(shown.contains("SecretKey(..)") && !shown.contains(&*keypair.secret.to_z85()));
    }
}
