use proptest::prelude::*;

use super::super::{Certificate, CertificateFault, Keypair};
use super::{parse, public, secret};

const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

/// A file with this metadata and the public key.
fn with_metadata(metadata: &str) -> String {
    format!("metadata\n{metadata}curve\n    public-key = \"{PUBLIC}\"\n")
}

/// What stands for the property `n`, written like this behind its name.
fn value(written: &str) -> Option<String> {
    let text = with_metadata(&format!("    n{written}\n"));
    parse(text.as_bytes()).ok()?.get("n").map(str::to_owned)
}

/// The line and the name of what is wrong.
fn fault(text: &str) -> (Option<usize>, String) {
    let (line, fault) = parse(text.as_bytes()).expect_err(text);
    let name = format!("{fault:?}");
    (line, name.split('(').next().unwrap_or_default().to_owned())
}

fn fault_of(line: Option<usize>, name: &str) -> (Option<usize>, String) {
    (line, name.to_owned())
}

#[test]
fn values_are_quoted_or_not() {
    for (written, expected) in [
        (" = \"a b\"", "a b"),
        (" = 'a b'", "a b"),
        ("='a'", "a"),
        (" = a b  ", "a b"),
        (" = a # comment", "a"),
        (" = \"a # b\" # comment", "a # b"),
        (" = \"a\" # it said \"b\"", "a"),
        (" = 'a\"b'", "a\"b"),
        (" = \"a\"b\"", "a\"b"),
        (" = \"open", "\"open"),
        (" = \"\"", ""),
        (" = ", ""),
        ("", ""),
        (" # comment", ""),
        (" = a = b", "a = b"),
        (" = \"ä\"", "ä"),
        (" = \"  a  \"\r", "  a  "),
    ] {
        assert_eq!(value(written).as_deref(), Some(expected), "{written}");
    }
}

#[test]
fn keys_may_be_quoted_or_not_and_stand_before_or_behind_metadata() {
    for text in [
        format!("curve\n    public-key = \"{PUBLIC}\"\nmetadata\n    n = v"),
        format!(
            "# one\n\n  # two\ncurve # three\r\n    public-key = '{PUBLIC}' # four\r\nmetadata\n    n = v\n"
        ),
        format!(
            "other\n    x\n        y = 1\n            z\ncurve\n    more = 1\n    public-key={PUBLIC}\nmetadata = 1\n    n = v\n        m = w\n"
        ),
    ] {
        let certificate = parse(text.as_bytes()).expect(&text);
        assert_eq!(certificate.public_key().to_string(), PUBLIC);
        assert_eq!(certificate.secret_key(), None);
        assert_eq!(certificate.metadata().collect::<Vec<_>>(), [("n", "v")]);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let key = format!("    public-key = \"{PUBLIC}\"\n");
    for (text, expected) in [
        (String::new(), fault_of(None, "NoPublicKey")),
        (key.clone(), fault_of(Some(1), "Indentation")),
        (key.trim_start().to_owned(), fault_of(None, "NoPublicKey")),
        (with_metadata("  n = v\n"), fault_of(Some(2), "Indentation")),
        (with_metadata("\tn = v\n"), fault_of(Some(2), "Indentation")),
        (with_metadata("        n = v\n"), fault_of(Some(2), "Indentation")),
        (with_metadata("    n = v\n\n    n = w\n"), fault_of(Some(4), "Repeated")),
        (with_metadata("    = v\n"), fault_of(Some(2), "Name")),
        (with_metadata("    n = a\nb\"\n"), fault_of(Some(3), "Name")),
        (with_metadata(&format!("    {} = v\n", "n".repeat(256))), fault_of(Some(2), "Name")),
        (with_metadata("    n = a\u{7}b\n"), fault_of(Some(2), "Value")),
        (with_metadata("    n = a\"b'c\n"), fault_of(Some(2), "Value")),
        (format!("curve\n    secret-key = \"{SECRET}\"\n"), fault_of(None, "NoPublicKey")),
        (format!("curve\n{key}{key}"), fault_of(Some(3), "Repeated")),
        ("curve\n    public-key = \"short\"\n".to_owned(), fault_of(Some(2), "Key")),
        (format!("curve\n    public-key = \"{}\"\n", "~".repeat(40)), fault_of(Some(2), "Key")),
        (
            format!("curve\n{key}    secret-key = \"{}\"\n", "0".repeat(40)),
            fault_of(None, "Mismatch"),
        ),
    ] {
        assert_eq!(fault(&text), expected, "{text}");
    }
    let (line, fault) = parse(b"# \xff\nmetadata\n    n = \xff\n").expect_err("no UTF-8");
    assert!(line == Some(3) && matches!(fault, CertificateFault::NotText), "{fault:?}");
}

#[test]
fn the_secret_file_has_both_keys_and_the_public_one_no_secret() {
    let keypair = Keypair::from_secret(SECRET.parse().expect("a key"));
    let mut certificate = Certificate::new(keypair);
    certificate.set("name", "Ann").expect("a property");
    let (public, secret) = (public(&certificate), secret(&certificate).expect("it has one"));
    assert!(public.contains(PUBLIC) && !public.contains(SECRET));
    assert_eq!(parse(secret.as_bytes()).expect("a certificate"), certificate);
    let read = parse(public.as_bytes()).expect("a certificate");
    assert_eq!(read.secret_key(), None);
    assert_eq!(read.get("name"), Some("Ann"));
    assert!(super::secret(&read).is_none());
}

#[test]
fn properties_that_no_file_could_say_are_refused() {
    let mut certificate = Certificate::of(PUBLIC.parse().expect("a key"));
    for name in ["", "a b", "a=b", "a#b", "ä", "\"a\"", &"n".repeat(256)] {
        assert!(matches!(certificate.set(name, "v"), Err(CertificateFault::Name)), "{name}");
    }
    for value in ["a\nb", "\0", "both ' and \""] {
        assert!(matches!(certificate.set("n", value), Err(CertificateFault::Value)), "{value:?}");
    }
    assert_eq!(certificate.metadata().count(), 0);
    certificate.set("n", "v").expect("a property");
    assert_eq!(certificate.unset("n").as_deref(), Some("v"));
    assert_eq!(certificate.get("n"), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(properties in proptest::collection::btree_map("[-a-zA-Z0-9$_@.&+/]{1,20}", "[ -~ä#'\"=]{0,40}", 0..8)) {
        let mut certificate = Certificate::new(Keypair::generate().expect("random bytes"));
        for (name, value) in &properties {
            let both = value.contains('"') && value.contains('\'');
            prop_assert_eq!(certificate.set(name, value).is_err(), both);
        }
        let written = secret(&certificate).expect("it has one");
        prop_assert_eq!(parse(written.as_bytes()).expect("a certificate"), certificate);
    }

    #[test]
    fn any_bytes_are_a_certificate_or_are_refused(bytes in any::<Vec<u8>>(), lines in proptest::collection::vec("( {0,9}|\t)(metadata|curve|n|public-key)?[ =\"'#]{0,5}[ -~]{0,40}", 0..12)) {
        for given in [&bytes[..], lines.join("\n").as_bytes()] {
            if let Ok(certificate) = parse(given) {
                // What can be read can be written.
                let written = public(&certificate);
                let again = parse(written.as_bytes()).expect("a certificate");
                prop_assert!(again.metadata().eq(certificate.metadata()));
            }
        }
    }
}
