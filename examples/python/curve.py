"""Encrypted messages between peers that know each other by their keys: CURVE."""

import tightbeam as zmq

server_public, server_secret = zmq.curve_keypair()
client_public, client_secret = zmq.curve_keypair()
_, stranger = zmq.curve_keypair()

# Who may come in is asked of these rules, without a thread.
rules = zmq.Authenticator()
rules.curve_key("*", client_public)

context = zmq.Context()
context.set_authenticator(rules)

server = context.socket(zmq.REP)
server.curve_server = True
server.curve_secretkey = server_secret
port = server.bind_to_random_port("tcp://127.0.0.1")


def ask(secret: bytes, limit_s: float) -> bytes:
    """Asks as the owner of this key. The server's public key is how a client knows that it talks to the right one."""
    with context.socket(zmq.REQ) as client:
        client.linger = 0
        client.curve_serverkey = server_public
        client.curve_secretkey = secret
        client.curve_publickey = zmq.curve_public(secret)
        client.connect(f"tcp://127.0.0.1:{port}")
        # Where the refusal is quicker than this, there is nobody to send to.
        client.send(b"What is the secret?", timeout=limit_s)
        frame = server.recv(copy=False, timeout=limit_s)
        print("asked by", frame["User-Id"])
        server.send(b"42")
        return client.recv(timeout=5)


print("a friend is told:", ask(client_secret, limit_s=10))
try:
    ask(stranger, limit_s=0.5)
except zmq.Again:
    print("a stranger is not heard")
context.destroy()
