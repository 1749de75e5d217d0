use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use zeroize::Zeroizing;

use super::super::{Authenticate, Credentials, Request, Verdict};
use super::Authenticator;
use crate::curve::{Certificate, Keypair, PublicKey};

fn request(domain: &str, address: &str, credentials: Credentials) -> Request {
    Request { domain: domain.into(), address: address.into(), routing_id: Vec::new(), credentials }
}

fn plain(username: &str, password: &str) -> Credentials {
    Credentials::Plain { username: username.into(), password: Zeroizing::new(password.into()) }
}

fn new_key() -> PublicKey {
    Keypair::generate().expect("random bytes").public
}

/// Whether a peer of this machine is let in.
fn lets_in(rules: &Authenticator, domain: &str, credentials: Credentials) -> bool {
    let verdict = rules.authenticate(&request(domain, "127.0.0.1", credentials));
    assert_ne!(verdict, Verdict::Temporary);
    matches!(verdict, Verdict::Accept { .. })
}

#[test]
fn nobody_is_let_in_without_a_rule() {
    let rules = Authenticator::new();
    rules.deny("192.0.2.1").expect("an address");
    for credentials in [Credentials::Null, plain("", ""), Credentials::Curve(new_key())] {
        let verdict = rules.authenticate(&request("", "127.0.0.1", credentials));
        assert_eq!(verdict, Verdict::Deny { status: 400 });
    }
}

#[test]
fn a_rule_for_one_mechanism_lets_nobody_in_by_another() {
    let rules = Authenticator::new();
    rules.null("null");
    rules.plain("plain", "ada", "secret").expect("a user");
    rules.curve_any("curve");
    for domain in ["null", "plain", "curve"] {
        let credentials =
            [Credentials::Null, plain("ada", "secret"), Credentials::Curve(new_key())];
        let let_in = credentials.map(|credentials| lets_in(&rules, domain, credentials));
        assert_eq!(
            let_in,
            ["null", "plain", "curve"].map(|mechanism| mechanism == domain),
            "{domain}"
        );
    }
}

#[test]
fn denied_addresses_are_refused_whatever_they_show() {
    let rules = Authenticator::new();
    let key = new_key();
    rules.null("*");
    rules.plain("*", "ada", "secret").expect("a user");
    rules.curve_key("*", key);
    rules.callback("*", |_: &Request| Verdict::accept("anybody"));
    rules.deny("192.0.2.0/24").expect("a network");
    rules.deny("localhost:1000:*:*").expect("processes");
    for credentials in [Credentials::Null, plain("ada", "secret"), Credentials::Curve(key)] {
        for (address, is_let_in) in [
            ("192.0.2.7", false),
            ("::ffff:192.0.2.7", false),
            ("192.0.3.7", true),
            ("localhost:1000:5:9", false),
            ("localhost:0:0:9", true),
            ("", false),
        ] {
            let verdict = rules.authenticate(&request("d", address, credentials.clone()));
            assert_eq!(matches!(verdict, Verdict::Accept { .. }), is_let_in, "{address}");
        }
    }
}

#[test]
fn once_an_address_is_allowed_others_are_not_and_it_may_still_be_denied() {
    let rules = Authenticator::new();
    rules.plain("*", "ada", "secret").expect("a user");
    rules.allow("192.0.2.0/24").expect("a network");
    rules.deny("192.0.2.66").expect("an address");
    let verdict = |address, credentials| rules.authenticate(&request("d", address, credentials));
    let is_let_in =
        |address, credentials| matches!(verdict(address, credentials), Verdict::Accept { .. });
    assert!(is_let_in("192.0.2.1", plain("ada", "secret")));
    assert!(!is_let_in("192.0.2.1", plain("ada", "wrong")));
    assert!(!is_let_in("192.0.2.66", plain("ada", "secret")));
    assert!(!is_let_in("192.0.3.1", plain("ada", "secret")));
    assert!(!is_let_in("", plain("ada", "secret")));
    // Without credentials the address is all there is.
    assert_eq!(
        verdict("192.0.2.1", Credentials::Null),
        Verdict::Accept { user_id: None, properties: Vec::new() }
    );
    assert!(!is_let_in("192.0.3.1", Credentials::Null));

    assert!(rules.forget_address("192.0.2.66").expect("an address"));
    assert!(is_let_in("192.0.2.66", plain("ada", "secret")));
    assert!(rules.forget_address("192.0.2.0/24").expect("a network"));
    assert!(!rules.forget_address("192.0.2.0/24").expect("a network"));
    assert!(!is_let_in("192.0.2.1", plain("ada", "secret")), "a list that is empty allows nobody");
    assert!(!is_let_in("192.0.2.1", Credentials::Null));
}

#[test]
fn addresses_that_are_none_are_refused() {
    let rules = Authenticator::new();
    assert_eq!(rules.allow("a.host").expect_err("no address").errno(), libc::EINVAL);
    assert_eq!(rules.deny("10.0.0.0/33").expect_err("no network").errno(), libc::EINVAL);
    rules.null("*");
    assert!(lets_in(&rules, "", Credentials::Null), "they leave no trace");
}

#[test]
fn users_have_a_password_in_each_domain() {
    let rules = Authenticator::new();
    rules.plain("*", "ada", "everywhere").expect("a user");
    rules.plain("*", "ben", "everywhere").expect("a user");
    rules.plain("weather", "ada", "special").expect("a user");
    for (domain, user, password, is_let_in) in [
        ("", "ada", "everywhere", true),
        ("news", "ada", "everywhere", true),
        ("news", "ada", "special", false),
        ("weather", "ada", "special", true),
        ("weather", "ada", "everywhere", false),
        ("weather", "ben", "everywhere", true),
        ("weather", "ben", "Everywhere", false),
        ("weather", "ben", "everywher", false),
        ("weather", "ben", "everywhere ", false),
        ("weather", "ben", "", false),
        ("weather", "eve", "everywhere", false),
        ("weather", "eve", "", false),
        ("weather", "", "", false),
    ] {
        let verdict = rules.authenticate(&request(domain, "127.0.0.1", plain(user, password)));
        let expected = if is_let_in { Verdict::accept(user) } else { Verdict::deny() };
        assert_eq!(verdict, expected, "{domain} {user} {password}");
    }
    rules.plain("weather", "ada", "changed").expect("a user");
    assert!(!lets_in(&rules, "weather", plain("ada", "special")));
    assert!(lets_in(&rules, "weather", plain("ada", "changed")));
    assert!(rules.forget_user("weather", "ada") && !rules.forget_user("weather", "ada"));
    assert!(lets_in(&rules, "weather", plain("ada", "everywhere")));
    assert!(!rules.forget_user("nowhere", "ada"));
    let long = "x".repeat(256);
    assert!(rules.plain("*", &long, "secret").is_err() && rules.plain("*", "ada", &long).is_err());
}

#[test]
fn keys_are_known_in_a_domain_or_in_all() {
    let rules = Authenticator::new();
    let [ada, ben] = [new_key(), new_key()];
    rules.curve_key("weather", ada);
    rules.curve_key("*", ben);
    let verdict = rules.authenticate(&request("weather", "127.0.0.1", Credentials::Curve(ada)));
    assert_eq!(verdict, Verdict::accept(ada.to_string()));
    for (domain, key, is_let_in) in [
        ("news", ada, false),
        ("news", ben, true),
        ("weather", ben, true),
        ("weather", new_key(), false),
        ("*", ada, false),
    ] {
        assert_eq!(lets_in(&rules, domain, Credentials::Curve(key)), is_let_in, "{domain} {key}");
    }
    assert!(rules.forget_key("weather", &ada) && !rules.forget_key("weather", &ada));
    assert!(!lets_in(&rules, "weather", Credentials::Curve(ada)));
    rules.curve_any("weather");
    assert!(lets_in(&rules, "weather", Credentials::Curve(ada)));
    assert!(rules.forget_domain("weather") && !rules.forget_domain("weather"));
    assert!(!lets_in(&rules, "weather", Credentials::Curve(ada)));
}

#[test]
fn certificates_count_while_they_are_in_the_folder() {
    let directory = tempfile::tempdir().expect("a directory");
    let rules = Authenticator::new();
    rules.curve_folder("weather", directory.path());
    let mut ada = Certificate::new(Keypair::generate().expect("random bytes"));
    ada.set("name", "Ada").expect("a property");
    let asks = |domain: &str, key| {
        rules.authenticate(&request(domain, "127.0.0.1", Credentials::Curve(key)))
    };
    let key = ada.public_key();
    assert_eq!(asks("weather", key), Verdict::deny());
    ada.save(directory.path().join("ada.key")).expect("saved");
    let expected = Verdict::Accept {
        user_id: Some(key.to_string().into()),
        properties: vec![("name".to_owned(), b"Ada".to_vec())],
    };
    assert_eq!(asks("weather", key), expected);
    assert_eq!(asks("news", key), Verdict::deny());
    // It tells more than the bare key.
    rules.curve_key("*", key);
    assert_eq!(asks("weather", key), expected);
    rules.forget_key("*", &key);
    fs::remove_file(directory.path().join("ada.key")).expect("removed");
    assert_eq!(asks("weather", key), Verdict::deny());
}

#[test]
fn who_cannot_be_told_from_a_folder_is_to_try_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "no folder").expect("written");
    let rules = Authenticator::new();
    rules.curve_folder("*", &file);
    let key = new_key();
    let verdict = || rules.authenticate(&request("", "127.0.0.1", Credentials::Curve(key)));
    assert_eq!(verdict(), Verdict::Temporary);
    rules.curve_key("*", key);
    assert_eq!(verdict(), Verdict::accept(key.to_string()));
}

#[test]
fn a_callback_is_asked_about_whom_no_rule_knows() {
    let rules = Authenticator::new();
    let key = new_key();
    rules.curve_key("*", key);
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    rules.callback("*", |_: &Request| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        Verdict::Temporary
    });
    rules.callback("weather", |request: &Request| match &request.credentials {
        Credentials::Plain { username, .. } => Verdict::accept(&username[..]),
        _ => Verdict::deny(),
    });
    let asks =
        |domain: &str, credentials| rules.authenticate(&request(domain, "127.0.0.1", credentials));
    assert_eq!(asks("news", Credentials::Curve(key)), Verdict::accept(key.to_string()));
    assert_eq!(ASKED.load(Ordering::Relaxed), 0);
    assert_eq!(asks("news", Credentials::Null), Verdict::Temporary);
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
    assert_eq!(asks("weather", plain("eve", "")), Verdict::accept("eve"));
    assert_eq!(asks("weather", Credentials::Null), Verdict::deny());
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
}

/// A callback may change the rules, and what a callback holds may be dropped by a call.
#[test]
fn callbacks_are_called_and_dropped_without_a_lock() {
    struct Telling(Authenticator);
    impl Drop for Telling {
        fn drop(&mut self) {
            self.0.null("gone");
        }
    }
    let rules = Authenticator::new();
    let telling = Telling(rules.clone());
    rules.callback("*", move |_: &Request| {
        telling.0.null("asked");
        Verdict::deny()
    });
    assert!(!lets_in(&rules, "", Credentials::Null));
    assert!(lets_in(&rules, "asked", Credentials::Null));
    rules.forget_domain("*");
    assert!(lets_in(&rules, "gone", Credentials::Null));
}

#[test]
fn secrets_are_not_shown() {
    let rules = Authenticator::new();
    rules.plain("*", "ada", "a password").expect("a user");
    assert!(!format!("{rules:?}").contains("a password"));
}
