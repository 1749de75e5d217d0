//! Certificates that czmq and pyzmq have written, and ours in their hands.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tightbeam::curve::{Certificate, CertificateFault, Keypair};
use tightbeam_tests::paths::Directory;

use crate::peers::Program;
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
