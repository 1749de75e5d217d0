"""Prints whether libzmq is Tightbeam's, and how a request is answered."""

import ctypes

import zmq

ours = hasattr(ctypes.CDLL(None), "tightbeam_ctx_term_timeout")
context = zmq.Context()
server = context.socket(zmq.REP)
client = context.socket(zmq.REQ)
port = server.bind_to_random_port("tcp://127.0.0.1")
client.connect(f"tcp://127.0.0.1:{port}")
poller = zmq.Poller()
poller.register(server, zmq.POLLIN)
client.send(b"ping")
assert poller.poll(10000), "the request did not arrive"
assert server.recv() == b"ping"
server.send(b"pong")
print(ours, client.recv().decode())
context.destroy(linger=0)
