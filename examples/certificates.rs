//! Keys in files, and a server that lets in whoever has a certificate in its folder, for as long as it is there.
//!
//! ```text
//! cargo run --example certificates
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tightbeam::auth::Authenticator;
use tightbeam::curve::{Certificate, Keypair};
use tightbeam::{Context, Endpoint, EventKind, Pull, Push, Socket};

const SOON: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::temp_dir().join(format!("tightbeam-certificates-{}", std::process::id()));
    fs::create_dir_all(folder.join("clients"))?;
    let ran = run(&folder);
    fs::remove_dir_all(&folder)?;
    ran
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    // Each makes its own keys. What it gives away is the public file.
    for name in ["server", "ada"] {
        let mut certificate = Certificate::new(Keypair::generate()?);
        certificate.set("name", name)?;
        certificate.save(folder.join(format!("{name}.key")))?;
    }
    println!("made {}", folder.join("ada.key").display());
    println!("made {}, which only its owner may read", folder.join("ada.key_secret").display());

    let rules = Authenticator::new();
    rules.curve_folder("*", folder.join("clients"));
    let context = Context::new();
    context.set_authenticator(rules);
    let server = context.socket::<Pull>()?;
    let keys = Certificate::load(folder.join("server.key_secret"))?.keypair();
    server.set_curve_server(&keys.ok_or("a secret file has both keys")?)?;
    let endpoint = server.bind("tcp://127.0.0.1:*")?;

    println!(
        "without a certificate in the folder: {}",
        visit(&context, folder, &server, &endpoint)?
    );
    fs::copy(folder.join("ada.key"), folder.join("clients/ada.key"))?;
    println!("with one: {}", visit(&context, folder, &server, &endpoint)?);
    fs::remove_file(folder.join("clients/ada.key"))?;
    println!("when it is removed: {}", visit(&context, folder, &server, &endpoint)?);
    Ok(())
}

/// What comes of Ada's attempt to say something.
fn visit(
    context: &Context,
    folder: &Path,
    server: &Socket<Pull>,
    endpoint: &Endpoint,
) -> Result<String, Box<dyn Error>> {
    let own = Certificate::load(folder.join("ada.key_secret"))?;
    let theirs = Certificate::load(folder.join("server.key"))?;
    let ada = context.socket::<Push>()?;
    ada.set_curve_client(
        &own.keypair().ok_or("a secret file has both keys")?,
        &theirs.public_key(),
    )?;
    let events = ada.monitor()?;
    ada.connect(endpoint)?;
    loop {
        let event = events.next_timeout(SOON).ok_or("nothing happens")?;
        match event.kind {
            EventKind::HandshakeFailedAuth => {
                return Ok(format!("refused, status {}", event.value()));
            }
            EventKind::HandshakeSucceeded => break,
            _ => {}
        }
    }
    // Only when she is let in: to a peer that was refused, nothing can be sent.
    ada.send("good morning")?;
    let message = server.recv_timeout(SOON)?;
    let peer = message.frames()[0].peer();
    let name = peer.and_then(|peer| peer.get("name")).unwrap_or("somebody");
    Ok(format!("{name} says {}", message.to_string_lossy()))
}
