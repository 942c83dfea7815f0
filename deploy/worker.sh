#!/bin/sh
# worker.sh QUEUE: one worker, and its figures on port 9100 (a worker has no web server that could show them).
set -eu
python deploy/figures.py &
exec python manage.py rqworker "$1" --serializer rq.serializers.JSONSerializer
