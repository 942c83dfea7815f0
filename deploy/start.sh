#!/bin/sh
# start.sh COMMAND…: `manage.py COMMAND…`, and what this container's processes have counted on port 9100.
# Inside the network of the containers only: a worker has no web server, and /metrics of the web asks who wants to know.
set -eu
rm -f "$PROMETHEUS_MULTIPROC_DIR"/* # of processes that are gone, whose numbers begin again
python -m deploy.figures &
exec python manage.py "$@"
