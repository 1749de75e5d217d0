//! monocoque-rs on io_uring, its default. A socket there has one connection, but for PUB and a PULL that merges several. Streams
//! gather writes (`with_write_coalescing`), as its documentation advises for them, and are flushed at the end.

use std::future::{Future, poll_fn};
use std::mem::replace;
use std::net::TcpStream;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use monocoque::rt;
use monocoque::zmq::{
    DealerSocket, PubSocket, PullFanIn, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    SocketOptions, SubSocket,
};
use tightbeam_compare::library::{keys, read_byte};
use tightbeam_compare::{
    Library, Outcome, Received, Role, Setup, Socket, Unsupported, main as work,
};

fn main() -> Outcome {
    work::<Monocoque>()
}

#[derive(Clone)]
struct Monocoque;

enum Kind {
    Req(ReqSocket),
    Rep(RepSocket),
    Push(PushSocket),
    Pull(PullSocket),
    Merge(PullFanIn),
    Pub(PubSocket),
    Sub(SubSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
    ReqIpc(ReqSocket<rt::UnixStream>),
    RepIpc(RepSocket<rt::UnixStream>),
    PushIpc(PushSocket<rt::UnixStream>),
    PullIpc(PullSocket<rt::UnixStream>),
}

/// A socket, and the frames of what it received last.
struct Monosocket {
    kind: Kind,
    frames: Vec<Bytes>,
}

fn socket(kind: Kind) -> Monosocket {
    Monosocket { kind, frames: Vec::new() }
}

fn options(setup: &Setup, server: bool) -> SocketOptions {
    let options = SocketOptions::new();
    let options = match setup.role {
        Role::Push => options.with_write_coalescing(true),
        Role::Pub => options.with_send_hwm(200_000),
        _ => options,
    };
    match (setup.curve, server) {
        (false, _) => options,
        (true, true) => options
            .with_curve_server(true)
            .with_curve_keypair(keys::bytes(keys::SERVER_PUBLIC), keys::bytes(keys::SERVER_SECRET)),
        (true, false) => options
            .with_curve_keypair(keys::bytes(keys::CLIENT_PUBLIC), keys::bytes(keys::CLIENT_SECRET))
            .with_curve_serverkey(keys::bytes(keys::SERVER_PUBLIC)),
    }
}

async fn bind_tcp(setup: &Setup, address: &str, ready: impl FnOnce()) -> Outcome<Kind> {
    let options = options(setup, true);
    if setup.role == Role::Pub {
        let mut publisher = PubSocket::bind_with_workers_opts(address, 1, options).await?;
        ready();
        for _ in 0..setup.peers {
            publisher.accept_subscriber().await?;
        }
        return Ok(Kind::Pub(publisher));
    }
    if setup.peers > 1 && setup.role != Role::Pull {
        return Err(Unsupported("a socket of this type has one peer").into());
    }
    let listener = rt::TcpListener::bind(address).await?;
    ready();
    if setup.role == Role::Pull && setup.peers > 1 {
        return Ok(Kind::Merge(PullFanIn::accept_workers(&listener, setup.peers, options).await?));
    }
    let stream = listener.accept().await?.0;
    Ok(match setup.role {
        Role::Rep => Kind::Rep(RepSocket::from_tcp_with_options(stream, options).await?),
        Role::Pull => Kind::Pull(PullSocket::from_tcp_with_options(stream, options).await?),
        Role::Router => Kind::Router(RouterSocket::from_tcp_with_options(stream, options).await?),
        _ => return Err(Unsupported("not in this comparison").into()),
    })
}

async fn bind_ipc(setup: &Setup, path: &str, ready: impl FnOnce()) -> Outcome<Kind> {
    let listener = rt::UnixListener::bind(path).await?;
    ready();
    let stream = listener.accept().await?.0;
    Ok(match setup.role {
        Role::Rep => Kind::RepIpc(RepSocket::from_unix_stream(stream).await?),
        Role::Pull => Kind::PullIpc(PullSocket::from_unix_stream(stream).await?),
        _ => return Err(Unsupported("not in this comparison").into()),
    })
}

impl Library for Monocoque {
    type Socket = Monosocket;

    fn new() -> Outcome<Self> {
        Ok(Self)
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        rt::LocalRuntime::new().expect("io_uring").block_on(work)
    }

    async fn side_by_side<T: Send, F: Future<Output = T>>(
        &self,
        count: usize,
        work: impl Fn(usize) -> F + Sync,
    ) -> Vec<T> {
        join_all((0..count).map(work)).await
    }

    async fn bind(
        &self,
        setup: &Setup,
        endpoint: &str,
        ready: impl FnOnce(),
    ) -> Outcome<Monosocket> {
        Ok(socket(match endpoint.split_once("://") {
            Some(("tcp", address)) => bind_tcp(setup, address, ready).await?,
            Some(("ipc", path)) => bind_ipc(setup, path, ready).await?,
            _ => return Err(Unsupported("there is no inproc").into()),
        }))
    }

    async fn connect(&self, setup: &Setup, endpoint: &str) -> Outcome<Monosocket> {
        let options = options(setup, false);
        let address = endpoint.trim_start_matches("tcp://");
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            let stream = rt::UnixStream::connect(path).await?;
            return Ok(socket(match setup.role {
                Role::Req => Kind::ReqIpc(ReqSocket::with_options(stream, options).await?),
                Role::Push => {
                    Kind::PushIpc(PushSocket::from_unix_stream_with_options(stream, options).await?)
                }
                _ => return Err(Unsupported("not in this comparison").into()),
            }));
        }
        Ok(socket(match setup.role {
            Role::Req => Kind::Req(ReqSocket::connect_with_options(endpoint, options).await?),
            Role::Push => Kind::Push(PushSocket::connect_with_options(address, options).await?),
            Role::Sub => Kind::Sub(SubSocket::connect_with_options(address, options).await?),
            Role::Dealer => {
                Kind::Dealer(DealerSocket::connect_with_options(endpoint, options).await?)
            }
            _ => return Err(Unsupported("not in this comparison").into()),
        }))
    }

    async fn sleep(&self, time: Duration) {
        if time > Duration::from_millis(1) { rt::sleep(time).await } else { self.yield_now().await }
    }

    async fn yield_now(&self) {
        std::thread::yield_now();
        let mut yielded = false;
        poll_fn(|waiting| {
            if replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            waiting.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    async fn acknowledged(&self, control: &TcpStream) -> Outcome {
        let control = control.try_clone()?;
        Ok(rt::spawn_blocking(move || read_byte(&control)).await?)
    }
}

const CLOSED: &str = "the peer is gone";

impl Monosocket {
    /// Receives into `frames`.
    async fn fill(&mut self) -> Outcome {
        let frames = &mut self.frames;
        let is_open = match &mut self.kind {
            Kind::Req(socket) => socket.recv_into(frames).await?,
            Kind::ReqIpc(socket) => socket.recv_into(frames).await?,
            Kind::Rep(socket) => socket.recv_into(frames).await?,
            Kind::RepIpc(socket) => socket.recv_into(frames).await?,
            Kind::Pull(socket) => socket.recv_into(frames).await?,
            Kind::PullIpc(socket) => socket.recv_into(frames).await?,
            Kind::Sub(socket) => socket.recv_into(frames).await?,
            Kind::Dealer(socket) => socket.recv_into(frames).await?,
            Kind::Router(socket) => socket.recv_into(frames).await?,
            Kind::Merge(socket) => {
                *frames = socket.recv().await?.ok_or(CLOSED)?;
                true
            }
            Kind::Push(_) | Kind::PushIpc(_) | Kind::Pub(_) => {
                return Err("this type does not receive".into());
            }
        };
        if is_open { Ok(()) } else { Err(CLOSED.into()) }
    }
}

impl Socket for Monosocket {
    async fn send(&mut self, body: &[u8], parts: usize) -> Outcome {
        let part = || Bytes::copy_from_slice(body);
        if parts > 1 {
            let message = (0..parts).map(|_| part()).collect();
            return match &mut self.kind {
                Kind::Push(socket) => Ok(socket.send(message).await?),
                _ => Err(Unsupported("not in this comparison").into()),
            };
        }
        match &mut self.kind {
            Kind::Req(socket) => socket.send_one(part()).await?,
            Kind::ReqIpc(socket) => socket.send_one(part()).await?,
            Kind::Push(socket) => socket.send_one(part()).await?,
            Kind::PushIpc(socket) => socket.send_one(part()).await?,
            Kind::Pub(socket) => socket.send_frames(&[part()]).await?,
            Kind::Dealer(socket) => socket.send(vec![part()]).await?,
            _ => return Err("this type does not send".into()),
        }
        Ok(())
    }

    async fn recv(&mut self) -> Outcome<Received> {
        self.fill().await?;
        Ok(Received::of(self.frames.iter().map(|frame| &frame[..])))
    }

    async fn echo(&mut self) -> Outcome {
        self.fill().await?;
        let message = std::mem::take(&mut self.frames);
        match &mut self.kind {
            Kind::Rep(socket) => socket.send(message).await?,
            Kind::RepIpc(socket) => socket.send(message).await?,
            Kind::Router(socket) => socket.send(message).await?,
            _ => return Err("this type does not answer".into()),
        }
        Ok(())
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Outcome {
        let Kind::Sub(socket) = &mut self.kind else {
            return Err("this type does not subscribe".into());
        };
        Ok(socket.subscribe(topic).await?)
    }

    async fn flush(&mut self) -> Outcome {
        match &mut self.kind {
            Kind::Push(socket) => Ok(socket.flush().await?),
            Kind::PushIpc(socket) => Ok(socket.flush().await?),
            _ => Ok(()),
        }
    }

    async fn close(self) -> Outcome {
        Ok(())
    }
}
