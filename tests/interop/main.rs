//! Our sockets, in this process, with real libzmq peers in processes of their own: the C peer on the system's libzmq and the
//! Python peer on pyzmq's. `tests/peers/README.md` says what a peer does.

mod broker;
mod certificates;
mod fan;
mod heartbeat;
#[path = "../install/installed.rs"]
mod installed;
mod middle;
mod monitors;
mod options;
mod ours;
mod over_ipc;
mod pairs;
#[path = "../peers/mod.rs"]
mod peers;
mod proxy;
mod reconnect;
mod routing;
mod security;
mod socks;
mod stage;
mod tcp;
mod theirs;
mod visible;
