"""Shows what the processes of this container have counted: http://…:9100/metrics."""

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

registry = CollectorRegistry()
MultiProcessCollector(registry)
_, thread = start_http_server(9100, registry=registry)
thread.join()
