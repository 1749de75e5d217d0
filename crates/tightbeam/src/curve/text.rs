//! What stands in a certificate's file: ZPL (RFC 4), as czmq and pyzmq write it.
//!
//! ```text
//! # a comment
//! metadata
//!     name = "value"
//! curve
//!     public-key = "40 characters of Z85"
//!     secret-key = "40 characters of Z85"
//! ```
//!
//! The two do not write quite the same. pyzmq puts no quotation marks around metadata, both take any name, and czmq does not mind
//! quotation marks within quotation marks. All of that is read; what is written, both read.

use std::collections::BTreeMap;
use std::fmt::Write;

use zeroize::Zeroizing;

use super::{Certificate, CertificateFault, PublicKey, SecretKey};

/// What the name of a secret file has at its end.
pub(super) const SECRET: &str = "_secret";

/// Spaces before each level.
const INDENT: usize = 4;
/// As long as the name of a property may be on the wire.
const MOST_NAME_BYTES: usize = 255;

/// What is wrong, and in which line, from 1.
pub(super) type Fault = (Option<usize>, CertificateFault);

/// Where the lines stand that are read just now.
#[derive(Debug, Clone, Copy)]
enum Section {
    Metadata,
    Curve,
    Other,
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    public: Option<PublicKey>,
    secret: Option<SecretKey>,
    metadata: BTreeMap<String, String>,
}

/// Reads a certificate.
pub(super) fn parse(bytes: &[u8]) -> Result<Certificate, Fault> {
    let mut parts = Parts::default();
    let (mut section, mut above) = (Section::Other, None);
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let at_line = |fault| (Some(line), fault);
        let Some((level, text)) = level(bytes, above).map_err(at_line)? else { continue };
        let (name, value) = property(text).map_err(at_line)?;
        match level {
            0 => section = section_of(name),
            1 => parts.add(section, name, value).map_err(at_line)?,
            // Nothing that is known here has anything below it.
            _ => {}
        }
        above = Some(level);
    }
    parts.certificate().map_err(|fault| (None, fault))
}

/// At which level a line stands and what it says; none for one that says nothing.
fn level(line: &[u8], above: Option<usize>) -> Result<Option<(usize, &str)>, CertificateFault> {
    let spaces = line.iter().take_while(|byte| **byte == b' ').count();
    let said = line[spaces..].trim_ascii();
    if said.is_empty() || said.starts_with(b"#") {
        return Ok(None);
    }
    let level = spaces / INDENT;
    let most = above.map_or(0, |above| above + 1);
    if !spaces.is_multiple_of(INDENT) || level > most || line[spaces..].starts_with(b"\t") {
        return Err(CertificateFault::Indentation);
    }
    let text = std::str::from_utf8(said).map_err(|_| CertificateFault::NotText)?;
    Ok(Some((level, text)))
}

fn section_of(name: &str) -> Section {
    match name {
        "metadata" => Section::Metadata,
        "curve" => Section::Curve,
        _ => Section::Other,
    }
}

/// The name and the value of a line. A name without a value has an empty one.
fn property(text: &str) -> Result<(&str, &str), CertificateFault> {
    let end = text.find(['=', '#']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.trim_end();
    if !is_name(name) {
        return Err(CertificateFault::Name);
    }
    let value = rest.strip_prefix('=').map_or("", unquoted);
    if is_value(value) { Ok((name, value)) } else { Err(CertificateFault::Value) }
}

/// A value without the quotation marks around it, and without a comment behind it.
fn unquoted(text: &str) -> &str {
    let text = text.trim_start();
    for quote in ['"', '\''] {
        let Some(inside) = text.strip_prefix(quote) else { continue };
        // The mark that nothing follows: czmq writes such as are part of the value as they are.
        let end = inside.match_indices(quote).find(|(at, _)| {
            let behind = inside[at + 1..].trim_start();
            behind.is_empty() || behind.starts_with('#')
        });
        if let Some((end, _)) = end {
            return &inside[..end];
        }
    }
    text.split('#').next().unwrap_or(text).trim_end()
}

/// Whether a name is one for every reader (RFC 4, "Specification").
pub(super) fn is_portable_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"$-_@.&+/".contains(&byte);
    is_name(name) && name.bytes().all(allowed)
}

/// Whether a name is one for us: pyzmq and czmq write what they are told.
fn is_name(name: &str) -> bool {
    (1..=MOST_NAME_BYTES).contains(&name.len())
        && !name.contains(|c: char| c.is_control() || c == '"' || c == '\'')
}

/// Whether a value can be written. There is no way to escape anything in one.
pub(super) fn is_value(value: &str) -> bool {
    let both_quotes = value.contains('"') && value.contains('\'');
    !both_quotes && !value.contains(char::is_control)
}

impl Parts {
    fn add(&mut self, section: Section, name: &str, value: &str) -> Result<(), CertificateFault> {
        let repeated = match (section, name) {
            (Section::Metadata, _) => {
                self.metadata.insert(name.to_owned(), value.to_owned()).is_some()
            }
            (Section::Curve, "public-key") => self.public.replace(value.parse()?).is_some(),
            (Section::Curve, "secret-key") => self.secret.replace(value.parse()?).is_some(),
            (Section::Curve | Section::Other, _) => false,
        };
        if repeated { Err(CertificateFault::Repeated) } else { Ok(()) }
    }

    fn certificate(self) -> Result<Certificate, CertificateFault> {
        let public = self.public.ok_or(CertificateFault::NoPublicKey)?;
        if self.secret.as_ref().is_some_and(|secret| secret.public_key() != public) {
            return Err(CertificateFault::Mismatch);
        }
        Ok(Certificate::from_parts(public, self.secret, self.metadata))
    }
}

/// The public file.
pub(super) fn public(certificate: &Certificate) -> String {
    let mut text =
        "# A CURVE certificate, the public part: for whoever is to know the key.\n".to_owned();
    push_metadata(certificate, &mut text);
    push_public_key(certificate, &mut text);
    text
}

/// The secret file, if there is a secret.
pub(super) fn secret(certificate: &Certificate) -> Option<Zeroizing<String>> {
    let key = certificate.secret_key()?.to_z85();
    let mut text = "# A CURVE certificate, the SECRET part: for its owner alone.\n".to_owned();
    push_metadata(certificate, &mut text);
    push_public_key(certificate, &mut text);
    let parts = [&text, "    secret-key = \"", &key, "\"\n"];
    // All of its size at once: growing would leave a copy behind.
    let mut secret =
        Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| secret.push_str(part));
    Some(secret)
}

fn push_metadata(certificate: &Certificate, text: &mut String) {
    text.push_str("\nmetadata\n");
    for (name, value) in certificate.metadata() {
        let quote = if value.contains('"') { '\'' } else { '"' };
        let _ = writeln!(text, "    {name} = {quote}{value}{quote}");
    }
}

fn push_public_key(certificate: &Certificate, text: &mut String) {
    let _ = write!(text, "curve\n    public-key = \"{}\"\n", certificate.public_key());
}

#[cfg(test)]
mod tests;
