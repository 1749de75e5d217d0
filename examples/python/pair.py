"""Two threads that send to each other and to nobody else: PAIR, inside one process."""

import threading

import tightbeam as zmq


def step_two(context: zmq.Context) -> None:
    """Takes what comes, and hands on more."""
    with context.socket(zmq.PAIR) as pair:
        # Names of `inproc` belong to a context. Connecting may come before binding.
        pair.connect("inproc://steps")
        number = pair.recv_pyobj()
        pair.send_pyobj({"half": number / 2, "double": number * 2})


with zmq.Context() as context:
    thread = threading.Thread(target=step_two, args=[context])
    thread.start()
    with context.socket(zmq.PAIR) as pair:
        pair.bind("inproc://steps")
        # As Python objects, by pickle: only between programs that trust each other.
        pair.send_pyobj(21)
        print(pair.recv_pyobj())
    thread.join()
