//! Certificates that czmq and pyzmq have written, and ours in their hands.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tightbeam::auth::Authenticator;
use tightbeam::curve::{Certificate, CertificateFault, Keypair};
use tightbeam::options::{Value, number};
use tightbeam::{Context, EventKind, Pull, SocketType};
use tightbeam_tests::paths::Directory;

use crate::peers::Program;
use crate::stage::Cast;
use crate::theirs;

/// What a program answers to one command.
fn ask(program: &Program, words: &[&str]) -> Vec<String> {
    let answer =
        program.filter(&(words.join("\t") + "\n")).unwrap_or_else(|error| panic!("{error}"));
    answer.trim_end_matches('\n').split('\t').map(str::to_owned).collect()
}

/// Values that are written and read in different ways.
const VALUES: [&str; 4] = ["Ann", "two words", "ä=b", "it's"];

#[test]
fn what_czmq_and_pyzmq_write_is_read() {
    let directory = Directory::new();
    let file = directory.path("x.key");
    let [public, secret] = ["x.key", "x.key_secret"].map(|name| directory.path(name));
    for program in theirs::certificates() {
        for value in VALUES {
            let words = ["write", &file.to_string_lossy(), "name", value];
            let keys = ask(program, &words);
            let [public, secret] =
                [&public, &secret].map(|path| Certificate::load(path).expect("one of theirs"));
            assert_eq!(public.public_key().to_string(), keys[0], "{}", program.language);
            assert_eq!(public.secret_key(), None);
            let pair = secret.keypair().expect("both keys");
            assert_eq!((pair.public, &**pair.secret.to_z85()), (public.public_key(), &*keys[1]));
            assert_eq!(secret.get("name"), Some(value));
            // pyzmq writes metadata into secret files only.
            assert_eq!(public.get("name"), (program.language == "c").then_some(value));
        }
    }
}

/// czmq and pyzmq take any name, and pyzmq writes values as they are.
#[test]
fn what_they_write_and_czmq_does_not_read_is_read() {
    let directory = Directory::new();
    let file = directory.path("x.key");
    for program in theirs::certificates() {
        for (name, value) in [("two words", "v"), ("name", "a \"b\" c"), ("name", "\"a\" b")] {
            ask(program, &["write", &file.to_string_lossy(), name, value]);
            let read = Certificate::load(directory.path("x.key_secret")).expect("one of theirs");
            assert_eq!(read.get(name), Some(value), "{}", program.language);
        }
    }
}

#[test]
fn what_is_written_czmq_and_pyzmq_read() {
    let directory = Directory::new();
    let file = directory.path("x.key");
    for program in theirs::certificates() {
        for value in VALUES.into_iter().chain(["\"quoted\"", "a # b", "  "]) {
            let mut certificate = Certificate::new(Keypair::generate().expect("random bytes"));
            certificate.set("name", value).expect("a property");
            certificate.save(&file).expect("saved");
            let pair = certificate.keypair().expect("both keys");
            let (public, secret) = (pair.public.to_string(), pair.secret.to_z85());
            let metadata = if program.language == "c" { value } else { "" };
            let read = ask(program, &["read", &format!("{}_secret", file.display()), "name"]);
            assert_eq!(read, [&public, &**secret, metadata], "{}", program.language);
            fs::remove_file(directory.path("x.key_secret")).expect("removed");
            let read = ask(program, &["read", &file.to_string_lossy(), "name"]);
            assert_eq!(read, [&public, "-", metadata], "{}", program.language);
        }
    }
}

/// pyzmq leaves secrets to everybody; czmq empties the file that is there, with whatever mode it has.
#[test]
fn only_the_owner_may_read_a_secret_file_whoever_wrote_it_before() {
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
    let directory = Directory::new();
    let file = directory.path("x.key");
    let secret = directory.path("x.key_secret");
    let certificate = Certificate::new(Keypair::generate().expect("random bytes"));
    for program in theirs::certificates() {
        ask(program, &["write", &file.to_string_lossy(), "name", "v"]);
        certificate.save(&file).expect("saved");
        assert_eq!((mode(&secret), mode(&file) & 0o400), (0o600, 0o400));
        assert_eq!(Certificate::load(&secret).expect("ours"), certificate);
    }
    let public = Certificate::of(certificate.public_key());
    let error = public.save(&file).expect_err("there is no secret");
    assert!(matches!(error.fault(), CertificateFault::NoSecretKey), "{error}");
    assert_eq!(Certificate::load(&secret).expect("as it was"), certificate);
}

/// Keys that czmq and pyzmq have made, in the hands of libzmq; the server is ours, with the folder that they wrote to.
#[test]
fn owners_of_their_certificates_are_let_in() {
    Cast::against_them(|cast| {
        for program in theirs::certificates() {
            let directory = Directory::new();
            let (ann, ben) = (directory.path("ann.key"), directory.path("ben.key"));
            for (file, name) in [(&ann, "Ann"), (&ben, "Ben")] {
                ask(program, &["write", &file.to_string_lossy(), "name", name]);
            }
            // What czmq and pyzmq have in a folder for `zauth` and `configure_curve`.
            let rules = Authenticator::new();
            rules.curve_folder("*", directory.path("clients"));
            fs::create_dir(directory.path("clients")).expect("made");
            fs::rename(&ann, directory.path("clients/ann.key")).expect("moved");

            let context = Context::new();
            context.set_authenticator(rules);
            let keys = Keypair::generate().expect("random bytes");
            let server = context.socket::<Pull>().expect("a socket");
            server.set_curve_server(&keys).expect("an option");
            let endpoint = server.bind("tcp://127.0.0.1:*").expect("an endpoint").to_string();
            for (secret, kind) in [
                ("ann.key_secret", EventKind::HandshakeSucceeded),
                ("ben.key_secret", EventKind::HandshakeFailedAuth),
            ] {
                let own = Certificate::load(directory.path(secret)).expect("one of theirs");
                let own = own.keypair().expect("both keys");
                let mut client = cast.other(SocketType::Push);
                client.set(number::CURVE_PUBLICKEY, Value::Bytes(own.public.as_bytes()));
                client.set(number::CURVE_SECRETKEY, Value::Bytes(own.secret.as_bytes()));
                client.set(number::CURVE_SERVERKEY, Value::Bytes(keys.public.as_bytes()));
                client.connect(&endpoint);
                client.until(kind);
                if kind == EventKind::HandshakeSucceeded {
                    client.send(&["hello"]);
                    let message = server.recv_timeout(theirs::LIMIT).expect("a message");
                    let peer = message.frames()[0].peer().expect("the user");
                    assert_eq!(peer.get("User-Id"), Some(&*own.public.to_string()));
                    // pyzmq writes metadata into secret files only.
                    assert_eq!(peer.get("name"), (program.language == "c").then_some("Ann"));
                }
            }
            assert!(server.try_recv().is_err(), "Ben has said nothing");
        }
    });
}
