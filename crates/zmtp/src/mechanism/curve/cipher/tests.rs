//! The primitives against libsodium's answers, and the two libraries against each other.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::collection::vec;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::dryoc::Dryoc;
use super::rustcrypto::RustCrypto;
use super::{BoxKey, Cipher, KEY_LEN, Nonce};
use crate::curve::{PublicKey, SecretKey};

const NONCE: &Nonce = b"CurveZMQMESSAGEC\0\0\0\0\0\0\0\x01";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Between the client and the server of the manual page `zmq_curve`.
fn key<C: Cipher>() -> BoxKey {
    let public: PublicKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7".parse().unwrap();
    let secret: SecretKey = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".parse().unwrap();
    C::agree(public.as_bytes(), secret.as_bytes()).unwrap()
}

fn agrees_with_libsodium<C: Cipher>() {
    let key = key::<C>();
    assert_eq!(hex(&*key.0), "0e8790cb0dc8703af2533cc8594eecfbf62ca560a66ebee1259cc0a30435c6f3");
    let body = "96fe4182e6ef48f7f5f396f3ff2d0bdf6ba3cbaa2569533eeec0093cabe39ef09b";
    for (length, tag, last) in [
        (0, "e81475e0027a84036cd8de9b548150c6", ""),
        (1, "d61b8418dca98cdb970432dfda6c6455", &body[..2]),
        (31, "1203ef23cc7e5084c0d42a95baf5f55a", &body[30..62]),
        (32, "c0c6fb6b5a5b5d9a1081e7795f86b85e", &body[32..64]),
        (33, "da543538fe819615dc3111f73db807ab", &body[34..]),
        (64, "d7031872f64acf1643c5958b9fb69dd8", "7386d771ae8a1e8e48c02f887edac55c"),
        (1000, "8d739a8cdf0959dbaa2f41d56236d575", "1a86c8e6aa975ee94156cbe22d134e99"),
        (65536, "761a309f4890fd15a5c2ad7ff0a64227", "e52cf250e41143ebb35dc3209a55a55d"),
    ] {
        let plain: Vec<u8> = (0..length).map(|i| ((i * 7 + (i >> 8)) & 255) as u8).collect();
        let mut data = plain.clone();
        let sealed = C::seal(&key, NONCE, &mut data);
        assert_eq!(hex(&sealed), tag, "{length}");
        assert_eq!(hex(&data[data.len().saturating_sub(16)..]), last, "{length}");
        assert!(C::open(&key, NONCE, &sealed, &mut data));
        assert_eq!(data, plain);
    }
}

#[test]
fn both_libraries_agree_with_libsodium() {
    agrees_with_libsodium::<Dryoc>();
    agrees_with_libsodium::<RustCrypto>();
}

/// Points of order 1, 2, 4 and 8, and what is the same as one of them.
#[test]
fn public_keys_of_low_order_are_refused() {
    let mut one = [0; KEY_LEN];
    one[0] = 1;
    let mut minus_one = [0xff; KEY_LEN];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let eight = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ];
    for public in [[0; KEY_LEN], one, minus_one, eight] {
        assert!(Dryoc::agree(&public, &[7; KEY_LEN]).is_none());
        assert!(RustCrypto::agree(&public, &[7; KEY_LEN]).is_none());
    }
}

proptest! {
    #[test]
    fn each_library_opens_what_the_other_sealed(
        secrets in any::<[[u8; KEY_LEN]; 2]>(),
        nonce in any::<Nonce>(),
        plain in vec(any::<u8>(), 0..3000),
        altered in any::<prop::sample::Index>(),
    ) {
        let [a, b] = &secrets;
        let public = Dryoc::public_key(a);
        prop_assert_eq!(public, RustCrypto::public_key(a));
        let sealing = Dryoc::agree(&public, b).unwrap();
        let opening = RustCrypto::agree(&RustCrypto::public_key(b), a).unwrap();
        prop_assert_eq!(&sealing.0, &opening.0);

        let (mut one, mut other) = (plain.clone(), plain.clone());
        let tag = Dryoc::seal(&sealing, &nonce, &mut one);
        prop_assert_eq!(tag, RustCrypto::seal(&opening, &nonce, &mut other));
        prop_assert_eq!(&one, &other);
        let start = nonce.first_chunk().unwrap();
        prop_assert_eq!(Dryoc::subkey(&sealing, start), RustCrypto::subkey(&opening, start));
        prop_assert_eq!(Dryoc::authenticate(a, &plain), RustCrypto::authenticate(a, &plain));

        let mut bytes = [&tag[..], &one].concat();
        let at = altered.index(bytes.len());
        bytes[at] ^= 1 << (at % 8);
        let (wrong_tag, data) = bytes.split_first_chunk_mut().unwrap();
        let before = data.to_vec();
        prop_assert!(!Dryoc::open(&sealing, &nonce, wrong_tag, data));
        prop_assert!(!RustCrypto::open(&opening, &nonce, wrong_tag, data));
        prop_assert_eq!(&before[..], &*data, "nothing is decrypted");
        let wrong_key = BoxKey::new(Zeroizing::new([9; KEY_LEN]));
        prop_assert!(!Dryoc::open(&wrong_key, &nonce, &tag, &mut one));

        prop_assert!(Dryoc::open(&sealing, &nonce, &tag, &mut one));
        prop_assert!(RustCrypto::open(&opening, &nonce, &tag, &mut other));
        prop_assert_eq!((&one, &other), (&plain, &plain));
    }
}
