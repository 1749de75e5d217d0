//! What is written as text: Z85, keys, endpoints.

use std::str;

use tightbeam::Endpoint;
use zmtp::curve::{KeyError, PublicKey, SecretKey};
use zmtp::z85;

use crate::Target;

pub(crate) const TARGET: Target = Target { name: "text", run, seeds };

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    [
        ("z85", "HelloWorld"),
        ("z85-last", "%nSc0"),
        ("z85-above", "%nSc1#####"),
        ("key", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"),
        ("tcp", "tcp://127.0.0.1:5555"),
        ("tcp-any", "tcp://*:*"),
        ("tcp-v6", "tcp://[fe80::1%eth0]:65535"),
        ("tcp-source", "tcp://eth0:0;example.org:80"),
        ("tcp-bare", "tcp://::1:5"),
        ("ipc", "ipc:///tmp/a"),
        ("ipc-abstract", "ipc://@a"),
        ("ipc-any", "ipc://*"),
        ("inproc", "inproc://zeromq.zap.01"),
        ("unknown", "pgm://eth0;224.0.0.1:5"),
    ]
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
    .to_vec()
}

fn run(data: &[u8]) {
    match z85::encode(data) {
        Ok(text) => assert_eq!(z85::decode(&text).expect("as it was encoded"), data),
        Err(error) => assert_eq!(error, z85::Error::Length { length: data.len(), unit: 4 }),
    }
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(bytes) = z85::decode(text) {
        assert_eq!(z85::encode(&bytes).expect("a multiple of 4"), text);
    }
    key(text);
    endpoint(text);
}

fn key(text: &str) {
    let (public, secret) = (text.parse::<PublicKey>(), text.parse::<SecretKey>());
    match (public, secret) {
        (Ok(public), Ok(secret)) => {
            assert_eq!((public.to_string().as_str(), secret.to_z85().as_str()), (text, text));
            assert_eq!(public.as_bytes(), secret.as_bytes());
            assert!(secret == SecretKey::from_bytes(*public.as_bytes()));
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            assert_eq!(matches!(one, KeyError::Length(_)), text.len() != 40);
        }
        (one, _) => panic!("one of {text:?} is a key: {one:?}"),
    }
}

fn endpoint(text: &str) {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let again: Endpoint = endpoint.as_str().parse().expect("it prints as it is read");
            assert_eq!((&again, again.as_str()), (&endpoint, endpoint.as_str()));
            let start = format!("{}://", endpoint.transport());
            assert!(text.starts_with(&start) && endpoint.as_str().starts_with(&start));
        }
        Err(error) => {
            assert!(error.errno() > 0 && !error.to_string().is_empty());
        }
    }
}
