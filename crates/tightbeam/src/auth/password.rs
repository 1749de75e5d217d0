//! Passwords that are kept to be compared with.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// As long as a password may be on the wire (RFC 24).
const MOST_BYTES: u8 = u8::MAX;

/// A password. It is wiped when it is dropped. Comparing two takes as long whatever they are, and however long.
pub(super) struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// `None` if it is longer than a peer can say it.
    pub(super) fn new(password: &[u8]) -> Option<Password> {
        let len = u8::try_from(password.len()).ok()?;
        // All of them have one size, which is allocated at once: growing would leave a copy behind.
        let mut bytes = Zeroizing::new(vec![0; usize::from(MOST_BYTES) + 1]);
        let (first, rest) = bytes.split_first_mut()?;
        *first = len;
        rest[..password.len()].copy_from_slice(password);
        Some(Password(bytes))
    }

    pub(super) fn is(&self, other: &Password) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Password;

    fn password(bytes: &[u8]) -> Password {
        Password::new(bytes).expect("at most 255 bytes")
    }

    #[test]
    fn passwords_are_equal_in_length_and_bytes() {
        let long = [b'x'; 255];
        for right in [&b""[..], b"\0", b"secret", &long] {
            assert!(password(right).is(&password(right)));
            for wrong in [&b"secre"[..], b"secret\0", b"Secret", b"\0\0", &long[..254]] {
                assert!(!password(right).is(&password(wrong)), "{right:?} {wrong:?}");
            }
        }
        assert!(Password::new(&[0; 256]).is_none());
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(format!("{:?}", password(b"secret")), "Password(..)");
    }
}
