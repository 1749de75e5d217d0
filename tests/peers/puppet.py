#!/usr/bin/env python3
"""A socket of pyzmq's libzmq on strings. README.md in this directory has the commands."""

import os
import select
import sys

import zmq
from zmq.utils.monitor import recv_monitor_message

LIMIT_MS = 20000
IDLE_S = 0.005


def bytes_of(word):
    return bytes.fromhex(word[1:])


class Puppet:
    def __init__(self):
        self.context = None
        self.socket = None
        self.events = None
        self.handler_socket = None
        self.last = None

    def open(self, kind):
        self.close()
        self.context = zmq.Context()
        self.socket = self.context.socket(int(kind))
        self.socket.linger = -1
        self.socket.sndtimeo = LIMIT_MS
        self.events = self.socket.get_monitor_socket(zmq.EVENT_ALL)

    def handler(self, kind):
        self.dismiss()
        self.handler_socket = self.context.socket(int(kind))
        self.handler_socket.bind("inproc://zeromq.zap.01")

    def asked(self, timeout_ms):
        return self.receive(self.handler_socket, timeout_ms)

    def reply(self, *words):
        self.handler_socket.send_multipart([bytes_of(word) for word in words])

    def dismiss(self):
        if self.handler_socket is not None:
            self.handler_socket.close(linger=0)
            self.handler_socket = None

    def close(self):
        self.dismiss()
        if self.socket is not None:
            self.socket.disable_monitor()
            self.events.close(linger=0)
            self.socket.close()
            self.socket = None

    def finish(self):
        self.close()
        self.context.term()

    def end(self):
        if self.socket is not None:
            self.socket.linger = 0
            self.finish()

    def stir(self):
        self.socket.getsockopt(zmq.EVENTS)

    def set(self, option, kind, word):
        # pyzmq knows which options take 64 bits.
        value = bytes_of(word) if kind == "bytes" else int(word)
        self.socket.set(int(option), value)

    def bind(self, endpoint):
        self.socket.bind(endpoint)
        return self.resolved()

    def connect(self, endpoint):
        self.socket.connect(endpoint)
        return self.resolved()

    def resolved(self):
        return self.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def unbind(self, endpoint):
        self.socket.unbind(endpoint)

    def disconnect(self, endpoint):
        self.socket.disconnect(endpoint)

    def send(self, *words):
        self.socket.send_multipart([bytes_of(word) for word in words])

    def try_send(self, *words):
        self.socket.send_multipart([bytes_of(word) for word in words], zmq.DONTWAIT)

    def recv(self, timeout_ms):
        return self.receive(self.socket, timeout_ms)

    def receive(self, socket, timeout_ms):
        socket.rcvtimeo = int(timeout_ms)
        frames = socket.recv_multipart(copy=False)
        self.last = frames[-1]
        return " ".join("x" + bytes(frame).hex() for frame in frames)

    def gets(self, name):
        try:
            return self.last.get(name)
        except KeyError:
            raise zmq.ZMQError(zmq.EINVAL) from None

    def event(self, timeout_ms):
        self.events.rcvtimeo = int(timeout_ms)
        event = recv_monitor_message(self.events)
        return f"{int(event['event'])} {event['value']} {event['endpoint'].decode()}"


def commands(puppet):
    """libzmq does some things only when it is called, so whoever waits for the next command calls it now and then."""
    while True:
        while puppet.socket is not None and not select.select([sys.stdin], [], [], IDLE_S)[0]:
            puppet.stir()
        line = sys.stdin.readline()
        if not line:
            return
        yield line


def main():
    puppet = Puppet()
    print("READY", flush=True)
    for line in commands(puppet):
        verb, *words = line.split()
        call = getattr(puppet, "try_send" if verb == "try" else verb)
        try:
            answer = call(*words)
            print("= ok" if answer is None else f"= ok {answer}", flush=True)
        except zmq.ZMQError as error:
            print(f"= error {error.errno}", flush=True)
    # Whoever pulled the strings has gone: what lingers has nobody to wait for it.
    os._exit(0)


if __name__ == "__main__":
    main()
