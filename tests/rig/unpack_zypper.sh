#!/usr/bin/env bash
# Fetches zypper with the libraries that it needs and unpacks them aside: on Debian 12 its package breaks dnf-plugins-core,
# so both cannot be installed. Debian 12 on amd64; elsewhere the tests that need it skip.
# Usage: unpack_zypper.sh [FOLDER]
set -euo pipefail
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/patchwindow-tests/zypper}
packages=(zypper zypper-common libzypp1722 libzypp-common libzypp-config libzypp-bin libsolv1 libsolvext1 libsolv-tools
  libaugeas0 libsigc++-2.0-0v5 libboost-thread1.74.0 libproxy1v5 libyaml-cpp0.7 libgpgme11)
test ! -e "$folder/zypper" || exit 0
mkdir -p "$folder"
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
(cd "$fetched" && apt-get download -q "${packages[@]}")
for package in "$fetched"/*.deb; do dpkg-deb -x "$package" "$folder/unpacked"; done
# What zypper calls it; it looks for the other name at its usual place only.
ln -sf repo2solv "$folder/unpacked/usr/bin/repo2solv.sh"
libraries=$(dirname "$(find "$folder/unpacked" -name 'libzypp.so.*' | head -1)")
cat >"$folder/new" <<END
#!/bin/sh
export LD_LIBRARY_PATH='$libraries' PATH='$folder/unpacked/usr/bin':"\$PATH"
exec '$folder/unpacked/usr/bin/zypper' "\$@"
END
chmod +x "$folder/new"
"$folder/new" --version
mv "$folder/new" "$folder/zypper"
