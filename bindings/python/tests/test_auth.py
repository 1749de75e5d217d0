"""Authenticators and certificates."""

import asyncio
import importlib
import logging
import os
import threading
import warnings

import pytest
import tightbeam
import tightbeam.auth.thread

ASKED = "inproc://zeromq.zap.01"
KEY = bytes(range(32))


@pytest.fixture
def part(zmq):
    """Imports a module of the package under test."""
    return lambda name: importlib.import_module(f"{zmq.__name__}.{name}")


@pytest.fixture
def authenticator(context, part):
    """One in a thread that answers for the context."""
    authenticator = part("auth.thread").ThreadAuthenticator(context)
    authenticator.start()
    yield authenticator
    authenticator.stop()


@pytest.fixture
def ask(zmq, context):
    """Asks the context's handler about a peer, and answers what it says."""
    asks = context.socket(zmq.REQ)

    def ask(mechanism, *credentials, domain=b"weather", address=b"192.0.2.1", version=b"1.0"):
        asks.connect(ASKED)
        asks.send_multipart([version, b"7", domain, address, b"id", mechanism, *credentials])
        version, request_id, code, text, user, properties = asks.recv_multipart()
        assert (version, request_id, properties) == (b"1.0", b"7", b"")
        return code, text, user

    return ask


class Provider:
    """Judges keys as it was told, and keeps what it was asked."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.asked = []

    def callback(self, domain, key):
        self.asked.append((domain, key))
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


class LaterProvider(Provider):
    async def callback(self, domain, key):
        await asyncio.sleep(0)
        return super().callback(domain, key)


def refused(text):
    return b"400", text, b""


def test_null_comes_in_where_no_rule_is(authenticator, ask):
    assert ask(b"NULL") == (b"200", b"OK", b"anonymous")
    assert ask(b"PLAIN", b"ada", b"secret") == refused(b"No passwords defined")
    assert ask(b"CURVE", KEY) == refused(b"Unknown domain")
    assert ask(b"MAGIC") == refused(b"NO ACCESS")


def test_addresses_are_allowed_or_denied(authenticator, ask, context, part):
    authenticator.allow("192.0.2.1", "192.0.2.2")
    assert ask(b"NULL")[0] == b"200"
    assert ask(b"NULL", address=b"192.0.2.3") == refused(b"Address not allowed")
    assert ask(b"PLAIN", b"ada", b"secret", address=b"192.0.2.3") == refused(b"Address not allowed")
    with pytest.raises(ValueError):
        authenticator.deny("192.0.2.1")
    denying = part("auth").Authenticator(context)
    denying.deny("192.0.2.1")
    with pytest.raises(ValueError):
        denying.allow("192.0.2.1")


def test_denied_addresses_are_refused_and_others_are_not(authenticator, ask):
    authenticator.deny("192.0.2.1")
    assert ask(b"NULL") == refused(b"Address denied")
    assert ask(b"NULL", address=b"192.0.2.2")[0] == b"200"


def test_users_of_plain_need_their_password(authenticator, ask):
    authenticator.configure_plain("weather", {"ada": "secret"})
    authenticator.configure_plain("*", {"eve": "apple"})
    assert ask(b"PLAIN", b"ada", b"secret") == (b"200", b"OK", b"ada")
    assert ask(b"PLAIN", b"ada", b"Secret") == refused(b"Invalid password")
    assert ask(b"PLAIN", b"bob", b"secret") == refused(b"Invalid username")
    assert ask(b"PLAIN", b"ada", b"secret", domain=b"elsewhere") == refused(b"Invalid domain")
    # The name of those that have none.
    assert ask(b"PLAIN", b"eve", b"apple", domain=b"") == (b"200", b"OK", b"eve")
    authenticator.passwords["weather"]["bob"] = "new"
    assert ask(b"PLAIN", b"bob", b"new")[0] == b"200"
    assert ask(b"PLAIN", b"ada") == refused(b"Invalid credentials")


def test_owners_of_certificates_come_in(authenticator, ask, part, tmp_path):
    certs, z85 = part("auth"), part("utils.z85")
    known, _ = certs.load_certificate(certs.create_certificates(tmp_path, "client")[0])
    authenticator.configure_curve("weather", tmp_path)
    assert authenticator.certs == {"weather": {known: True}}
    assert ask(b"CURVE", z85.decode(known)) == (b"200", b"OK", known)
    assert ask(b"CURVE", KEY) == refused(b"Unknown key")
    assert ask(b"CURVE", z85.decode(known), domain=b"elsewhere") == refused(b"Unknown domain")


def test_any_key_may_be_allowed_until_curve_is_configured_again(authenticator, ask, part, tmp_path):
    authenticator.configure_curve("*", part("auth").CURVE_ALLOW_ANY)
    assert authenticator.allow_any
    assert ask(b"CURVE", KEY) == (b"200", b"OK", part("utils.z85").encode(KEY))
    authenticator.configure_curve("weather", tmp_path)
    assert ask(b"CURVE", KEY) == refused(b"Unknown key")


@pytest.mark.parametrize("kind", [Provider, LaterProvider])
def test_a_callback_judges_keys(authenticator, ask, part, kind):
    key = part("utils.z85").encode(KEY)
    yes, no = kind(True), kind(False)
    authenticator.configure_curve_callback("weather", yes)
    authenticator.configure_curve_callback("*", no)
    assert ask(b"CURVE", KEY) == (b"200", b"OK", key)
    assert ask(b"CURVE", KEY, domain=b"") == refused(b"Unknown key")
    assert ask(b"CURVE", KEY, domain=b"elsewhere") == refused(b"Unknown domain")
    assert (yes.asked, no.asked) == ([("weather", key)], [("*", key)])


def test_a_callback_takes_back_that_any_key_comes_in_and_goes_before_certificates(authenticator, ask, tmp_path):
    authenticator.configure_curve("weather", "*")
    authenticator.configure_curve_callback("weather", Provider(False))
    assert ask(b"CURVE", KEY) == refused(b"Unknown key")
    authenticator.configure_curve("weather", tmp_path)
    assert authenticator.credentials_providers.keys() == {"weather"}
    assert ask(b"CURVE", KEY) == refused(b"Unknown key")


def test_a_program_names_the_users_of_curve(context, ask, part):
    class Named(part("auth.thread").ThreadAuthenticator):
        def curve_user_id(self, client_public_key):
            return f"user {client_public_key[1]}"

    named = Named(context)
    named.configure_curve(location="*")
    named.start()
    assert ask(b"CURVE", KEY) == (b"200", b"OK", b"user 1")
    named.stop()


def test_requests_of_another_form_are_refused(zmq, authenticator, context, ask):
    assert ask(b"NULL", version=b"2.0") == refused(b"Invalid version")
    asks = context.socket(zmq.REQ)
    asks.connect(ASKED)
    asks.send_multipart([b"1.0", b"7", b"domain"])
    assert asks.recv_multipart()[1:4] == [b"7", b"400", b"Not enough frames"]


def test_sockets_are_judged_by_a_thread(zmq, authenticator):
    authenticator.configure_plain("weather", {"ada": "secret"})
    serving = {"plain_server": True, "zap_domain": b"weather"}
    server, client = connected(zmq, authenticator.context, serving, plain_username=b"ada", plain_password=b"secret")
    client.send(b"hello")
    assert server.recv(copy=False)["User-Id"] == "ada"


def test_a_socket_that_is_refused_is_told_of(zmq, authenticator, part, tmp_path):
    public, secret = zmq.curve_keypair()
    mine = dict(zip(("curve_publickey", "curve_secretkey"), zmq.curve_keypair(), strict=True))
    authenticator.configure_curve("*", tmp_path)
    serving = {"curve_server": True, "curve_secretkey": secret, "zap_domain": b"weather"}
    server = authenticator.context.socket(zmq.DEALER)
    events = server.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
    connected(zmq, authenticator.context, serving, server, curve_serverkey=public, **mine)
    told = part("utils.monitor").recv_monitor_message(events)
    assert (told["event"], told["value"]) == (zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400)
    server.disable_monitor()
    events.close()


def connected(zmq, context, serving, server=None, **options):
    """A server and a client that is connected to it."""
    server, client = server or context.socket(zmq.DEALER), context.socket(zmq.DEALER)
    for socket, values in ((server, serving), (client, options)):
        for name, value in values.items():
            setattr(socket, name, value)
    client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
    return server, client


# Life


def rounds(zmq):
    """How often one is started and stopped: with pyzmq the name is free again a little later only."""
    return range(2 if zmq is tightbeam else 1)


def test_an_authenticator_is_started_and_stopped(zmq, context, ask, part):
    authenticator = part("auth.thread").ThreadAuthenticator(context)
    assert not authenticator.is_alive() and authenticator.zap_socket is None
    authenticator.stop()
    for _ in rounds(zmq):
        authenticator.start()
        assert authenticator.is_alive() and authenticator.zap_socket.type == zmq.REP
        assert ask(b"NULL")[0] == b"200"
        thread = authenticator.thread
        authenticator.stop()
        assert not authenticator.is_alive() and not thread.is_alive()
        assert authenticator.zap_socket is None and authenticator.thread is None
        authenticator.stop()


def test_a_context_has_one_authenticator(zmq, authenticator, part):
    another = part("auth").Authenticator(authenticator.context)
    with pytest.raises(zmq.ZMQError) as raised:
        another.start()
    assert raised.value.errno == zmq.EADDRINUSE


def test_the_shared_context_is_the_default(zmq, part):
    assert part("auth").Authenticator().context is zmq.Context.instance()


def test_a_program_may_answer_by_itself(zmq, context, part):
    authenticator = part("auth").Authenticator(context)
    authenticator.start()
    asks = context.socket(zmq.REQ)
    asks.connect(ASKED)
    asks.send_multipart([b"1.0", b"7", b"", b"192.0.2.1", b"id", b"NULL"])
    asyncio.run(authenticator.handle_zap_message(authenticator.zap_socket.recv_multipart()))
    assert asks.recv_multipart()[2] == b"200"
    authenticator.stop()


@pytest.mark.parametrize("name", ["Context", "asyncio.Context"])
def test_asyncio_has_authenticators(zmq, part, name):
    module, _, kind = name.rpartition(".")
    zmq_asyncio = part("asyncio")

    async def main():
        context = getattr(part(module) if module else zmq, kind)()
        authenticator = part("auth.asyncio").AsyncioAuthenticator(context)
        for _ in rounds(zmq):
            authenticator.start()
            provider = LaterProvider(True)
            authenticator.configure_curve_callback("weather", provider)
            asks = zmq_asyncio.Socket(context, zmq.REQ)
            asks.linger, asks.rcvtimeo = 0, 10_000
            asks.connect(ASKED)
            await asks.send_multipart([b"1.0", b"7", b"weather", b"192.0.2.1", b"id", b"CURVE", KEY])
            assert (await asks.recv_multipart())[2] == b"200" and len(provider.asked) == 1
            asks.close()
            authenticator.stop()
            assert authenticator.zap_socket is None
            await asyncio.sleep(0)
        context.term()

    asyncio.run(main())


def test_the_old_name_for_tornado_is_there(part):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        kind = part("auth.ioloop").IOLoopAuthenticator
        kind()
    assert issubclass(kind, part("auth.asyncio").AsyncioAuthenticator)
    # With pyzmq the import warns, which may have been before.
    assert kind.__module__.startswith("zmq") or [one.category for one in told] == [DeprecationWarning]


# Certificates


def test_certificates_are_written_and_read(zmq, part, tmp_path):
    certs = part("auth.certs")
    paths = certs.create_certificates(tmp_path, "ada", {"city": "London", "born": 1815})
    assert paths == (f"{tmp_path}/ada.key", f"{tmp_path}/ada.key_secret")
    public, secret = certs.load_certificate(paths[1])
    assert zmq.curve_public(secret) == public
    assert certs.load_certificate(tmp_path / "ada.key") == (public, None)
    assert certs.load_certificates(str(tmp_path)) == {public: True}
    assert "city" in (tmp_path / "ada.key_secret").read_text()


@pytest.mark.parametrize(("writer", "reader"), [("zmq", "tightbeam"), ("tightbeam", "zmq")])
def test_each_reads_the_certificates_of_the_other(writer, reader, tmp_path):
    writer, reader = (importlib.import_module(f"{name}.auth") for name in (writer, reader))
    public, secret = writer.create_certificates(tmp_path, "ada", {"city": "London"})
    for path in (public, secret):
        assert reader.load_certificate(path) == writer.load_certificate(path)
    assert reader.load_certificates(tmp_path) == writer.load_certificates(tmp_path)


def test_what_is_no_certificate_is_named(part, tmp_path):
    certs = part("auth")
    with pytest.raises(OSError):
        certs.load_certificate(tmp_path / "none.key")
    with pytest.raises(OSError):
        certs.load_certificates(tmp_path / "none")
    with pytest.raises(OSError):
        certs.load_certificate(tmp_path)
    with pytest.raises(FileNotFoundError):
        certs.create_certificates(tmp_path / "none", "ada")
    (tmp_path / "empty.key").write_text("metadata\n")
    with pytest.raises(ValueError, match="empty.key"):
        certs.load_certificate(tmp_path / "empty.key")
    with pytest.raises(ValueError):
        certs.load_certificates(tmp_path)


def test_certificates_that_cannot_be_read_let_nobody_in(authenticator, ask, part, tmp_path):
    authenticator.configure_curve("weather", part("auth").CURVE_ALLOW_ANY)
    authenticator.configure_curve("weather", tmp_path / "none")
    assert ask(b"CURVE", KEY) == refused(b"Unknown domain")


# What pyzmq does otherwise


@pytest.fixture
def ours():
    """An authenticator of ours."""
    context = tightbeam.Context()
    # Defaults for the program's own sockets.
    context.rcvtimeo = context.linger = 10
    authenticator = tightbeam.auth.thread.ThreadAuthenticator(context)
    authenticator.start()
    yield authenticator
    authenticator.stop()
    context.destroy(linger=0)


def asked_of(authenticator, mechanism, *credentials):
    with authenticator.context.socket(tightbeam.REQ) as asks:
        asks.connect(ASKED)
        asks.send_multipart([b"1.0", b"7", b"weather", b"192.0.2.1", b"id", mechanism, *credentials])
        return asks.recv_multipart(timeout=10)[2:4]


def test_whoever_is_refused_is_named_in_a_warning(ours, caplog):
    ours.configure_plain("weather", {"ada": "secret"})
    ours.configure_curve("weather", os.devnull)
    caplog.clear()
    caplog.set_level(logging.DEBUG, "zmq.auth")
    assert asked_of(ours, b"PLAIN", b"ada", b"apple")[0] == b"400"
    assert asked_of(ours, b"CURVE", bytes(32))[0] == b"400"
    assert asked_of(ours, b"PLAIN", b"ada", b"secret")[0] == b"200"
    plain, curve, allowed = caplog.records
    assert {plain.levelno, curve.levelno} == {logging.WARNING} and allowed.levelno == logging.DEBUG
    for word in ("ada", "192.0.2.1", "weather", "Invalid password"):
        assert word in plain.message
    assert "0" * 40 in curve.message
    assert "apple" not in caplog.text and "secret" not in caplog.text


def test_a_failing_callback_refuses_and_the_next_is_judged(ours, caplog):
    ours.configure_curve_callback("weather", Provider(ValueError("the database is away")))
    assert asked_of(ours, b"CURVE", KEY) == [b"500", b"Internal error"]
    assert "the database is away" in caplog.text
    ours.configure_curve_callback("weather", object())
    assert asked_of(ours, b"CURVE", KEY)[0] == b"500"
    ours.configure_curve("weather", "*")
    assert asked_of(ours, b"CURVE", KEY)[0] == b"200" and ours.is_alive()
    assert asked_of(ours, b"CURVE", b"short")[0] == b"400"


def test_an_override_that_fails_refuses_and_the_next_is_judged(ours, caplog):
    whole = ours.handle_zap_message

    async def failing(msg):
        ours.handle_zap_message = whole
        raise ValueError("overridden")

    ours.handle_zap_message = failing
    assert asked_of(ours, b"NULL")[0] == b"500" and "overridden" in caplog.text
    assert asked_of(ours, b"NULL")[0] == b"200"


def test_certificates_that_were_taken_away_do_not_count(ours, tmp_path):
    known, _ = tightbeam.auth.load_certificate(tightbeam.auth.create_certificates(tmp_path, "a")[0])
    ours.configure_curve("weather", tmp_path)
    assert asked_of(ours, b"CURVE", tightbeam.utils.z85.decode(known))[0] == b"200"
    (tmp_path / "b.key").write_text("no certificate")
    ours.configure_curve("weather", tmp_path)
    assert asked_of(ours, b"CURVE", tightbeam.utils.z85.decode(known))[0] == b"400"


def test_a_handler_outlasts_the_time_outs_of_its_context(ours):
    late = threading.Event()
    late.wait(0.1)
    assert ours.is_alive() and asked_of(ours, b"NULL")[0] == b"200"


@pytest.mark.parametrize("how", ["term", "destroy"])
def test_the_end_of_its_context_ends_the_thread(how):
    context = tightbeam.Context()
    authenticator = tightbeam.auth.thread.ThreadAuthenticator(context)
    authenticator.start()
    thread = authenticator.thread
    getattr(context, how)()
    thread.join(10)
    assert not thread.is_alive() and not authenticator.is_alive()
    authenticator.stop()


def test_gssapi_and_metadata_that_no_file_can_say_are_refused(ours, tmp_path):
    with pytest.raises(tightbeam.ZMQError) as raised:
        ours.configure_gssapi()
    assert raised.value.errno == tightbeam.ENOTSUP
    assert asked_of(ours, b"GSSAPI", b"somebody")[0] == b"400"
    with pytest.raises(ValueError, match="two words"):
        tightbeam.auth.create_certificates(tmp_path, "ada", {"two words": "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_secret_file_is_its_owners(tmp_path):
    _, secret = tightbeam.auth.create_certificates(tmp_path, "ada")
    assert os.stat(secret).st_mode & 0o777 == 0o600
