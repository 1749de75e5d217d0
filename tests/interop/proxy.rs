//! A network between two peers that can freeze: bytes vanish, and neither side hears of it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Passes connections on to an endpoint.
#[derive(Debug)]
pub(crate) struct Proxy {
    endpoint: String,
    frozen: Arc<AtomicBool>,
    hung_up: Receiver<()>,
}

impl Proxy {
    /// A proxy before this endpoint.
    pub(crate) fn new(target: &str) -> Proxy {
        let target = target.strip_prefix("tcp://").expect("a tcp endpoint").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let frozen = Arc::new(AtomicBool::new(false));
        let (hang_up, hung_up) = channel();
        let shared = Arc::clone(&frozen);
        thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let Ok(far) = TcpStream::connect(&target) else { continue };
                let ends = [near.try_clone(), far.try_clone()].map(|end| end.expect("a handle"));
                let [near_too, far_too] = ends;
                pass_on(near, far, &shared, hang_up.clone());
                pass_on(far_too, near_too, &shared, hang_up.clone());
            }
        });
        Proxy { endpoint: format!("tcp://{address}"), frozen, hung_up }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// From now on bytes vanish, on every connection.
    pub(crate) fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    /// From now on bytes pass, on connections of which none have vanished.
    pub(crate) fn thaw(&self) {
        self.frozen.store(false, Ordering::Relaxed);
    }

    /// Waits until either side has closed a connection.
    pub(crate) fn wait_for_hang_up(&self, limit: Duration) {
        self.hung_up.recv_timeout(limit).expect("a connection closed by a peer");
    }
}

/// Moves bytes one way, in a thread of its own, until the end; then closes both ways.
fn pass_on(mut from: TcpStream, mut to: TcpStream, frozen: &Arc<AtomicBool>, hang_up: Sender<()>) {
    let frozen = Arc::clone(frozen);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if !frozen.load(Ordering::Relaxed) && to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = hang_up.send(());
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    });
}
