//! What may cross threads.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::panic::UnwindSafe;

use tightbeam::{
    AnySocket, Context, Dealer, Endpoint, Error, Frame, Handle, Message, MessageSink, Messages,
    Monitor, MonitorEvent, Peer, PollWaker, Poller, Proxy, ProxyHandle, Pub, Pull, Push,
    RecvFuture, Rep, Req, Router, SendError, SendFuture, Socket, SocketStats, Sub, Timers,
};

fn shared<T: Send + Sync + Debug + 'static>() {}
fn sent<T: Send + Debug + 'static>() {}
fn carried<T: StdError + Send + Sync + 'static>() {}
fn unwinds<T: UnwindSafe>() {}

#[test]
fn sockets_contexts_and_messages_are_shared_between_threads() {
    shared::<Context>();
    shared::<AnySocket>();
    shared::<Socket<Req>>();
    shared::<Socket<Rep>>();
    shared::<Socket<Dealer>>();
    shared::<Socket<Router>>();
    shared::<Socket<Push>>();
    shared::<Socket<Pull>>();
    shared::<Socket<Pub>>();
    shared::<Socket<Sub>>();
    shared::<Message>();
    shared::<Frame>();
    shared::<Peer>();
    shared::<Endpoint>();
    shared::<Handle>();
    shared::<PollWaker>();
    shared::<ProxyHandle>();
    shared::<Timers>();
    shared::<SocketStats>();
    shared::<MonitorEvent>();
    shared::<zmtp::Connection>();
}

#[test]
fn futures_and_monitors_are_sent_to_other_threads() {
    sent::<RecvFuture<'_>>();
    sent::<SendFuture<'_>>();
    sent::<Messages>();
    sent::<MessageSink>();
    sent::<Poller>();
    sent::<Proxy<'static>>();
    sent::<Monitor>();
}

#[test]
fn a_future_that_uses_a_socket_is_sent_too() {
    fn is_send<T: Send>(_: T) {}
    async fn echo(socket: Socket<Rep>) -> tightbeam::Result<()> {
        let message = socket.recv_async().await?;
        Ok(socket.send_async(message).await?)
    }
    let context = Context::new();
    let socket = context.socket().unwrap_or_else(|error| panic!("{error}"));
    is_send(echo(socket));
}

#[test]
fn errors_are_carried_by_any_error_type() {
    carried::<Error>();
    carried::<SendError>();
    carried::<zmtp::Error>();
}

#[test]
fn messages_survive_a_caught_panic() {
    unwinds::<Message>();
    unwinds::<Frame>();
}

#[test]
fn a_frame_is_64_bytes_and_a_message_of_one_part_is_no_larger() {
    assert_eq!(size_of::<Frame>(), 64);
    assert_eq!(size_of::<Message>(), 64);
}
