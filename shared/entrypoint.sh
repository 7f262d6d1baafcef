#!/bin/sh
# What every container of ours begins with: waits until Postgres answers, then becomes its command.
set -eu
python -m service_kit.waiting
exec "$@"
