"""What locust's users do: count, until there is enough."""

import time

import gevent
import locust.runners
from engine import engine
from locust import User, constant, events, task

ENOUGH = 100

# Seconds.
locust.runners.WORKER_REPORT_INTERVAL = 0.2


@events.init.add_listener
def begin(environment, **_):
    def look(client_id, data):
        runner = environment.runner
        if runner.stats.total.num_requests >= ENOUGH and runner.state != "stopping":
            gevent.spawn(runner.quit)

    environment.events.worker_report.add_listener(look)


@events.quitting.add_listener
def say(environment, **_):
    print(f"engine {engine()}", flush=True)


class Counting(User):
    wait_time = constant(0.02)

    @task
    def count(self):
        fired = {"request_type": "COUNT", "name": "count", "response_time": 1, "response_length": 0}
        self.environment.events.request.fire(**fired, context={}, exception=None, start_time=time.time())
