#!/bin/sh
# Installs the patchwindow agent. The line that `patchwindow activations create` prints runs this, as root:
#   install.sh FOLDER URL ACTIVATION_ID REGION [OPTION…], with the activation's code on standard input.
# FOLDER holds agent.pyz and, where the server has a CA of its own, ca.pem, which the line has checked.
set -eu
folder=$1 url=$2 activation=$3 region=$4
shift 4
digest='@DIGEST@'

fail() {
  printf 'patchwindow: %s\n' "$1" >&2
  exit 1
}

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
  # The interpreter itself: what PATH finds may be a wrapper that is slow to start.
  if found=$("$candidate" -c 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))' 2>/dev/null); then
    python=$found
    break
  fi
done
[ -n "$python" ] || fail 'found no Python 3.9 or newer as python3 or python3.9 to python3.14; install one, then run the line again'

"$python" -I - "$folder/agent.pyz" "$digest" <<'END' || fail 'the agent was not installed; if the server has just been upgraded, run the line again'
import hashlib, sys

path, digest = sys.argv[1:]
with open(path, "rb") as file:
    found = hashlib.sha256(file.read()).hexdigest()
if found != digest:
    sys.exit(f"patchwindow: the agent that was fetched has the SHA-256 {found}, not {digest}")
END

if [ -e "$folder/ca.pem" ]; then
  set -- --ca "$folder/ca.pem" "$@"
fi
exec "$python" -I "$folder/agent.pyz" install --endpoint "$url" --region "$region" \
  --activation-id "$activation" --activation-code - "$@"
