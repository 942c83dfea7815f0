"""Shows what the processes of this container have counted: http://…:9100/metrics."""

from prometheus_client import CollectorRegistry, start_http_server

from memory.base.tallies import Tallies

registry = CollectorRegistry()
Tallies(registry)
_, thread = start_http_server(9100, registry=registry)
thread.join()
