"""What happens to connections, as events, and what they carried, as numbers."""

import tightbeam as zmq
from tightbeam.utils.monitor import recv_monitor_message

EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED

with zmq.Context() as context, context.socket(zmq.PULL) as server, server.get_monitor_socket(EVENTS) as monitor:
    port = server.bind_to_random_port("tcp://127.0.0.1")
    with context.socket(zmq.PUSH) as client:
        client.connect(f"tcp://127.0.0.1:{port}")
        for _ in range(3):
            client.send(b"x" * 100)
        print(recv_monitor_message(monitor)["event"].name)
        for _ in range(3):
            server.recv(timeout=5)
        stats = server.stats()
        print(f"{stats['messages_received']} messages, {stats['bytes_received']} bytes, {stats['accepted']} connection")
        for peer in stats["peers"]:
            print(f"of {peer['address']}: {peer['messages_received']} messages")
    print(recv_monitor_message(monitor)["event"].name)
    server.disable_monitor()
