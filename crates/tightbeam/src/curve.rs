//! The keys of CURVE (RFC 26), and the certificates that they are kept in.
//!
//! ```
//! use tightbeam::curve::{Certificate, Keypair, PublicKey};
//!
//! # let folder = std::env::temp_dir().join(format!("tightbeam-keys-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! // Once, where the server is set up.
//! let mut server = Certificate::new(Keypair::generate()?);
//! server.set("name", "the weather of Bern")?;
//! server.save(folder.join("server.key"))?;
//!
//! // The server reads its secret file, whoever connects to it the public one.
//! let server = Certificate::load(folder.join("server.key_secret"))?;
//! let known = Certificate::load(folder.join("server.key"))?;
//! assert_eq!(server.keypair().map(|pair| pair.public), Some(known.public_key()));
//! assert_eq!(known.get("name"), Some("the weather of Bern"));
//!
//! // Or the key comes as text.
//! let told: PublicKey = known.public_key().to_string().parse()?;
//! assert_eq!(told, known.public_key());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod file;
mod folder;
mod text;

pub use certificate::{Certificate, CertificateError, CertificateFault};
pub use folder::CertificateFolder;
pub use zmtp::curve::{KeyError, Keypair, PublicKey, SecretKey};
