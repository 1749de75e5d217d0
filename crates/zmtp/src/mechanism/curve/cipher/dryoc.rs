//! The primitives from `dryoc`.

use dryoc::classic::crypto_box::{
    crypto_box_beforenm, crypto_box_detached_afternm_inplace,
    crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::{crypto_core_hsalsa20, crypto_scalarmult_base};
use dryoc::classic::crypto_onetimeauth::crypto_onetimeauth;
use zeroize::Zeroizing;

use super::{BoxKey, Cipher, KEY_LEN, Nonce, TAG_LEN, Tag};

pub(crate) struct Dryoc;

impl Cipher for Dryoc {
    fn public_key(secret: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
        let mut public = [0; KEY_LEN];
        crypto_scalarmult_base(&mut public, secret);
        public
    }

    fn agree(public: &[u8; KEY_LEN], secret: &[u8; KEY_LEN]) -> Option<BoxKey> {
        crypto_box_beforenm(public, secret).ok().map(|key| BoxKey(Zeroizing::new(key)))
    }

    fn seal(key: &BoxKey, nonce: &Nonce, data: &mut [u8]) -> Tag {
        let mut tag = [0; TAG_LEN];
        crypto_box_detached_afternm_inplace(data, &mut tag, nonce, &key.0);
        tag
    }

    fn open(key: &BoxKey, nonce: &Nonce, tag: &Tag, data: &mut [u8]) -> bool {
        crypto_box_open_detached_afternm_inplace(data, tag, nonce, &key.0).is_ok()
    }

    fn subkey(key: &BoxKey, start: &[u8; 16]) -> Zeroizing<[u8; KEY_LEN]> {
        let mut subkey = Zeroizing::new([0; KEY_LEN]);
        crypto_core_hsalsa20(&mut subkey, start, &key.0, None);
        subkey
    }

    fn authenticate(key: &[u8; KEY_LEN], data: &[u8]) -> Tag {
        let mut tag = [0; TAG_LEN];
        crypto_onetimeauth(&mut tag, data, key);
        tag
    }
}
