"""Certificates of pyzmq; `certificate.c` says which commands there are. pyzmq reads no metadata."""

import os
import sys

import zmq.auth


def write(file, name, value):
    directory, base = os.path.split(file)
    public, secret = zmq.auth.create_certificates(directory, base.removesuffix(".key"), {name: value})
    if public != file:
        raise ValueError(f"pyzmq writes {public}")
    return zmq.auth.load_certificate(secret)


def read(file, _name):
    public, secret = zmq.auth.load_certificate(file)
    return public, secret or b"-", b""


for line in sys.stdin:
    command, *words = line.rstrip("\n").split("\t")
    try:
        answer = {"write": write, "read": read}[command](*words)
        print(b"\t".join(answer).decode(), flush=True)
    except (OSError, ValueError):
        print("failed", flush=True)
