"""Greenlets that wait for sockets beside each other in one thread, with zmq.green, as locust's do."""

import gevent
import zmq.green as zmq
from engine import engine

CLIENTS = 10
REQUESTS = 50


def serve(context, endpoints):
    router = context.socket(zmq.ROUTER)
    endpoints.append(f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}")
    while True:
        name, body = router.recv_multipart()
        router.send_multipart([name, body[::-1]])


def ask(context, number, endpoint):
    with context.socket(zmq.DEALER) as dealer:
        dealer.identity = b"%d" % number
        dealer.connect(endpoint)
        for k in range(REQUESTS):
            body = b"%d of %d" % (k, number)
            dealer.send(body)
            poller = zmq.Poller()
            poller.register(dealer, zmq.POLLIN)
            assert dict(poller.poll(10_000)) == {dealer: zmq.POLLIN}
            assert dealer.recv() == body[::-1]


def time_out(context, endpoint):
    """A wait ends by gevent's own time-out, and by a poll's."""
    with context.socket(zmq.DEALER) as dealer:
        dealer.connect(endpoint)
        with gevent.Timeout(0.02, False):
            dealer.recv()
            raise AssertionError("somebody sent something")
        assert dealer.poll(20) == 0
        dealer.send(b"abc")
        assert dealer.recv() == b"cba"


def tick(ticks):
    while True:
        ticks.append(1)
        gevent.sleep(0.001)


def main():
    context, endpoints, ticks = zmq.Context(), [], []
    server, ticker = gevent.spawn(serve, context, endpoints), gevent.spawn(tick, ticks)
    while not endpoints:
        gevent.sleep(0)
    clients = [gevent.spawn(ask, context, number, endpoints[0]) for number in range(CLIENTS)]
    clients.append(gevent.spawn(time_out, context, endpoints[0]))
    gevent.joinall(clients, timeout=60, raise_error=True)
    assert all(client.ready() for client in clients), clients
    assert len(ticks) > 10, "somebody kept all others waiting"
    gevent.killall([server, ticker])
    context.destroy(linger=0)
    print(engine())


main()
