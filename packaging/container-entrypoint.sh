#!/bin/sh
# Rota in a container: ends its runs in order before the container goes.
#
# When process 1 of a container ends, the kernel kills every other process in it, runs and keeper included,
# and nobody is left to say how they ended. So the signal of `docker stop` must not reach `rota serve` alone:
# this script takes it, and has `rota shutdown` end the runs first. Give it as the entry point, with an
# init (`docker run --init`), and a stop timeout above the longest `grace` of your tasks. Choose the data
# folder and the configuration with ROTA_DATA and ROTA_CONFIG, which `rota shutdown` sees too.
set -eu

# Where the container may make control groups, runs with limits get some. The kernel gives limits to none
# beside processes, so those of the container move out of the way first.
groups=/sys/fs/cgroup
if [ -w "$groups/cgroup.procs" ] && [ -e "$groups/cgroup.type" ] && mkdir -p "$groups/init" 2>/dev/null; then
	while read -r pid; do
		echo "$pid" >"$groups/init/cgroup.procs" 2>/dev/null || true
	done <"$groups/cgroup.procs"
fi

rota serve "$@" &
server=$!
trap 'rota shutdown || kill "$server"' TERM INT

# A trap interrupts `wait`, so wait again for the server itself.
code=0
wait "$server" || code=$?
while kill -0 "$server" 2>/dev/null; do
	code=0
	wait "$server" || code=$?
done
exit "$code"
