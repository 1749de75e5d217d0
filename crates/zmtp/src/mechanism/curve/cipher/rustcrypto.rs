//! The primitives from RustCrypto and dalek.

use crypto_secretbox::aead::AeadInPlace;
use crypto_secretbox::cipher::consts::U10;
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
use poly1305::Poly1305;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{BoxKey, Cipher, KEY_LEN, Nonce, TAG_LEN, Tag};

pub(crate) struct RustCrypto;

impl Cipher for RustCrypto {
    fn public_key(secret: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
        x25519_dalek::x25519(*secret, x25519_dalek::X25519_BASEPOINT_BYTES)
    }

    fn agree(public: &[u8; KEY_LEN], secret: &[u8; KEY_LEN]) -> Option<BoxKey> {
        let shared = Zeroizing::new(x25519_dalek::x25519(*secret, *public));
        if shared.ct_eq(&[0; KEY_LEN]).into() {
            return None;
        }
        let key = salsa20::hsalsa::<U10>((&*shared).into(), &[0; 16].into());
        Some(BoxKey(Zeroizing::new(key.into())))
    }

    fn seal(key: &BoxKey, nonce: &Nonce, data: &mut [u8]) -> Tag {
        let cipher = XSalsa20Poly1305::new((&*key.0).into());
        // It fails for data of 2^38 bytes and more, of which no memory has so much.
        let tag = cipher.encrypt_in_place_detached(nonce.into(), b"", data);
        tag.map_or([0; TAG_LEN], Into::into)
    }

    fn open(key: &BoxKey, nonce: &Nonce, tag: &Tag, data: &mut [u8]) -> bool {
        let cipher = XSalsa20Poly1305::new((&*key.0).into());
        cipher.decrypt_in_place_detached(nonce.into(), b"", data, tag.into()).is_ok()
    }

    fn subkey(key: &BoxKey, start: &[u8; 16]) -> Zeroizing<[u8; KEY_LEN]> {
        Zeroizing::new(salsa20::hsalsa::<U10>((&*key.0).into(), start.into()).into())
    }

    fn authenticate(key: &[u8; KEY_LEN], data: &[u8]) -> Tag {
        Poly1305::new(key.into()).compute_unpadded(data).into()
    }
}
