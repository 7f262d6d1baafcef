#!/bin/sh
# What the program of Mailpit's image does, as far as it matters here.
set -eu
case "${1:-}" in
readyz)
  exec "$PYTHON" -c 'from urllib.request import urlopen; urlopen("http://127.0.0.1:8025/mail/readyz")'
  ;;
esac
exec "$PYTHON" -m local.mailbox_server 1025 8025 0.0.0.0
