#!/usr/bin/env python3
"""pyzmq's own authenticator, on whichever libzmq is loaded: what it lets in, one line for each scene.

tests/interop/security/python.rs runs it on pyzmq's libzmq and on ours, which have to say the same.
"""

import tempfile

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

LIMIT_MS = 20000
names_of_keys = {}
FAILURES = {
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "cut off",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "status",
}


def setter(**options):
    def apply(socket):
        for name, value in options.items():
            setattr(socket, name, value)

    return apply


def wait_for_verdict(server, events):
    """The message that came in, or how the client was refused."""
    poller = zmq.Poller()
    poller.register(server, zmq.POLLIN)
    poller.register(events, zmq.POLLIN)
    while True:
        ready = dict(poller.poll(LIMIT_MS))
        if not ready:
            return "nothing"
        if server in ready:
            frame = server.recv(copy=False)
            return f"{frame.bytes.decode()} from {user_of(frame)} at {frame.get('Peer-Address')}"
        event = recv_monitor_message(events)
        failure = FAILURES.get(event["event"])
        if failure:
            return f"refused: {failure}" + (f" {event['value']}" if failure == "status" else "")


def user_of(frame):
    try:
        user = frame.get("User-Id")
        return names_of_keys.get(user, repr(user))
    except (KeyError, zmq.ZMQError):
        return "nobody"


def act(context, name, as_server, as_client):
    server, client = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    try:
        client.linger = 0
        as_server(server)
        as_client(client)
        port = server.bind_to_random_port("tcp://127.0.0.1")
        events = client.get_monitor_socket(zmq.EVENT_ALL)
        client.connect(f"tcp://127.0.0.1:{port}")
        try:
            client.send(b"hello", zmq.DONTWAIT)
        except zmq.Again:
            # It was refused by now, and has given up.
            pass
        print(f"{name}: {wait_for_verdict(server, events)}", flush=True)
    finally:
        client.disable_monitor()
        client.close(linger=0)
        server.close(linger=0)


def null(context, authenticator):
    nothing, domain = setter(), setter(zap_domain=b"global")
    act(context, "null, no rule", domain, nothing)
    authenticator.deny("127.0.0.1")
    act(context, "null, denied", domain, nothing)
    act(context, "null, denied, no domain", nothing, nothing)


def allowed(context, authenticator):
    authenticator.allow("127.0.0.1")
    act(context, "null, allowed", setter(zap_domain=b"global"), setter())


def others_allowed(context, authenticator):
    authenticator.allow("127.0.0.2")
    act(context, "null, others allowed", setter(zap_domain=b"global"), setter())


def plain(context, authenticator):
    server = setter(plain_server=True)
    right = setter(plain_username=b"ada", plain_password=b"secret")
    act(context, "plain, not configured", server, right)
    authenticator.configure_plain(domain="*", passwords={"ada": "secret"})
    act(context, "plain, right", server, right)
    act(context, "plain, wrong", server, setter(plain_username=b"ada", plain_password=b"guess"))
    act(context, "plain, nobody", server, setter(plain_username=b"eve", plain_password=b"secret"))
    in_domain = setter(plain_server=True, zap_domain=b"admin")
    authenticator.configure_plain(domain="admin", passwords={"root": "toor"})
    act(context, "plain, another domain's", in_domain, right)
    root = setter(plain_username=b"root", plain_password=b"toor")
    act(context, "plain, the domain's", in_domain, root)


def curve(context, authenticator):
    def client_of(key):
        public, secret = key
        return setter(curve_serverkey=server_key[0], curve_publickey=public, curve_secretkey=secret)

    server_key, stranger = zmq.curve_keypair(), zmq.curve_keypair()
    server = setter(curve_server=True, curve_publickey=server_key[0], curve_secretkey=server_key[1])
    with tempfile.TemporaryDirectory() as folder:
        _, secret_file = zmq.auth.create_certificates(folder, "ada")
        ada = zmq.auth.load_certificate(secret_file)
        names_of_keys.update({ada[0].decode(): "Ada's key", stranger[0].decode(): "a stranger's key"})
        authenticator.configure_curve(domain="*", location=folder)
        act(context, "curve, known", server, client_of(ada))
        act(context, "curve, unknown", server, client_of(stranger))
    authenticator.configure_curve(domain="*", location=zmq.auth.CURVE_ALLOW_ANY)
    act(context, "curve, any", server, client_of(stranger))


def main():
    for scenes in [null, allowed, others_allowed, plain, curve]:
        context = zmq.Context()
        authenticator = ThreadAuthenticator(context)
        authenticator.start()
        scenes(context, authenticator)
        authenticator.stop()
        context.term()
    # Nobody authenticates any longer.
    context = zmq.Context()
    right = setter(plain_username=b"ada", plain_password=b"secret")
    act(context, "plain, no authenticator", setter(plain_server=True), right)
    context.term()


main()
