"""What locust's users do: count."""

import time

from engine import engine
from locust import User, constant, events, task


@events.quitting.add_listener
def say(environment, **_):
    print(f"engine {engine()}", flush=True)


class Counting(User):
    wait_time = constant(0.02)

    @task
    def count(self):
        fired = {"request_type": "COUNT", "name": "count", "response_time": 1, "response_length": 0}
        self.environment.events.request.fire(**fired, context={}, exception=None, start_time=time.time())
