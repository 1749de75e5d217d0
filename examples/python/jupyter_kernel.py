"""A Jupyter kernel on Tightbeam: neither Jupyter nor pyzmq is changed.

    pip install ./bindings/python jupyter_client ipykernel

For a notebook it is enough to say so in the environment: PYZMQ_BACKEND=tightbeam.pyzmq_backend jupyter lab
"""

import os

# Before anybody says `import zmq`; the kernel inherits it.
os.environ["PYZMQ_BACKEND"] = "tightbeam.pyzmq_backend"

from jupyter_client.manager import start_new_kernel  # noqa: E402

manager, client = start_new_kernel()
try:
    # What the cells print is printed here.
    client.execute_interactive("import zmq; print('the kernel runs on', zmq.Context.__mro__[1].__module__)", timeout=30)
    client.execute_interactive("sum(range(10))", timeout=30)
finally:
    client.stop_channels()
    manager.shutdown_kernel()
