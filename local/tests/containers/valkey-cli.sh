#!/bin/bash
# `valkey-cli ping`, which our wheel lacks.
exec 3<>/dev/tcp/127.0.0.1/6379
echo PING >&3
read -r answer <&3
[[ $answer == +PONG* ]]
