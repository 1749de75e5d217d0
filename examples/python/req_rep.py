"""A request and its reply: REQ asks, REP answers, in strict turn."""

import threading

import tightbeam as zmq


def serve(server: zmq.Socket) -> None:
    """Answers until the context ends."""
    try:
        while True:
            name = server.recv_string()
            server.send_string(f"Hello, {name}")
    except zmq.ContextTerminated:
        server.close()


context = zmq.Context()
server = context.socket(zmq.REP)
port = server.bind_to_random_port("tcp://127.0.0.1")
# A socket may be used by any thread.
thread = threading.Thread(target=serve, args=[server])
thread.start()

with context.socket(zmq.REQ) as client:
    client.connect(f"tcp://127.0.0.1:{port}")
    for name in ["Ada", "Grace", "Barbara"]:
        client.send_string(name)
        # In seconds; zmq.Again is raised if there is no answer by then.
        print(client.recv(timeout=5).decode())

# Ends the wait of the other thread, and waits until its socket is closed.
context.term()
thread.join()
