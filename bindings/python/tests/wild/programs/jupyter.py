"""A client of Jupyter starts a kernel and has it run cells."""

import inspect
import sys
import time

from engine import engine
from jupyter_client.manager import KernelManager

LIMIT = 40


def execute(client, code):
    """The reply, and what was published meanwhile, by kind."""
    published = []

    def publish(message):
        published.append((message["msg_type"], message["content"]))

    reply = client.execute_interactive(code, output_hook=publish, timeout=LIMIT)
    return reply["content"], dict(published)


def printed(client, code):
    return execute(client, code)[1]["stream"]["text"]


def interrupt(manager, client):
    """A cell that waits is ended by KeyboardInterrupt."""
    cell = client.execute("import time\nprint('waiting', flush=True)\ntime.sleep(30)")
    while client.get_iopub_msg(timeout=LIMIT)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=LIMIT))["parent_header"]["msg_id"] != cell:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt", reply


def ask_for_input(client):
    """The kernel asks back on another socket."""
    asked = []

    def answer(message):
        asked.append(message["content"]["prompt"])
        client.input("Ada")

    reply = client.execute_interactive("name = input('Who? ')", stdin_hook=answer, allow_stdin=True, timeout=LIMIT)
    assert reply["content"]["status"] == "ok" and asked == ["Who? "], reply
    assert printed(client, "print(name)") == "Ada\n"


def main():
    kernel, encryption = sys.argv[1:]
    manager = KernelManager(kernel_name=kernel, transport_encryption=encryption)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=LIMIT)
    try:
        assert bool(manager.curve_publickey) == (encryption == "required")
        kernels = printed(client, inspect.getsource(engine) + "print(engine())").strip()
        assert kernels == engine(), f"the kernel is on {kernels}"
        reply, published = execute(client, "6 * 7")
        assert published["execute_result"]["data"]["text/plain"] == "42", published
        reply, published = execute(client, "1 / 0")
        assert reply["ename"] == published["error"]["ename"] == "ZeroDivisionError", reply
        large = printed(client, "print('x' * 1_000_000)")
        assert len(large) == 1_000_001
        ask_for_input(client)
        interrupt(manager, client)
        assert execute(client, "kept = 1")[0]["status"] == "ok"
        manager.restart_kernel()
        client.wait_for_ready(timeout=LIMIT)
        assert execute(client, "kept")[0]["ename"] == "NameError"
        end = time.monotonic() + LIMIT
        while not client.hb_channel.is_beating():
            assert time.monotonic() < end, "the kernel's heart does not beat"
            time.sleep(0.01)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    assert not manager.is_alive()
    print(engine())


main()
