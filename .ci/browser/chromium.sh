#!/usr/bin/env bash
# A real browser for checks, with nothing installed on the machine: the Chromium on the PATH, else Debian's own packages,
# unpacked into a cache folder.
#
#   chromium.sh fetch   download what is missing (no root needed, but for a machine that has never asked its mirror)
#   chromium.sh path    the same, then print the program to start
#
# CHROMIUM       a browser of your own, instead
# BROWSER_HOME   cache folder (default: ~/.cache/latchkey-browser)
set -euo pipefail

home=${BROWSER_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/latchkey-browser}
root=$home/chromium

say() { printf '%s\n' "$*" >&2; }
die() { say "chromium.sh: $*"; exit 1; }

# a start tells a browser from a package that only points to another shop
runs() { timeout 20 "$1" --version > /dev/null 2>&1; }
on_path() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" > /dev/null && runs "$name"; then command -v "$name" && return 0; fi
  done
  return 1
}
browser() {
  if [ -n "${CHROMIUM:-}" ]; then
    runs "$CHROMIUM" || die "CHROMIUM=$CHROMIUM does not start"
    echo "$CHROMIUM"
  elif [ -z "${BROWSER_NO_SYSTEM:-}" ] && on_path; then :
  elif [ -x "$root/chromium" ]; then echo "$root/chromium"
  else return 1; fi
}

# what an install would add here, without installing it
download() {
  local names
  names=$(apt-get -s --no-install-recommends install chromium 2> /dev/null | awk '$1 == "Inst" { print $2 }')
  [ -n "$names" ] || return 1
  say "fetching $(wc -w <<< "$names") packages of Debian for Chromium"
  # shellcheck disable=SC2086
  (cd "$1" && rm -f ./*.deb && apt-get -q -o APT::Sandbox::User=root -o Acquire::Retries=3 download $names >&2)
}
fetch() {
  browser > /dev/null && return 0
  command -v apt-get > /dev/null || die 'no chromium on the PATH and no apt-get to fetch one: install Chromium, or name one with CHROMIUM=/path/to/it'
  mkdir -p "$home"
  local tmp
  tmp=$(mktemp -d "$home/fetch.XXXXXX")
  # a machine whose package lists are missing or old asks its mirror first; only root may
  download "$tmp" || { apt-get -q update >&2 && download "$tmp"; } || { rm -rf "$tmp"; die 'apt could not fetch chromium (try apt-get update as root, or name a browser with CHROMIUM=/path/to/it)'; }
  for deb in "$tmp"/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done
  # written for the place where it will stand
  cat > "$tmp/root/chromium" << 'START'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for folder in "$here"/usr/lib/*-linux-gnu* "$here"/usr/lib/*-linux-gnu*/pulseaudio "$here"/lib/*-linux-gnu*; do
  [ -d "$folder" ] && LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "$here/usr/lib/chromium/chromium" "$@"
START
  chmod +x "$tmp/root/chromium"
  runs "$tmp/root/chromium" || { "$tmp/root/chromium" --version >&2 || true; rm -rf "$tmp"; die 'what apt fetched is no Chromium that starts here: install one, or name it with CHROMIUM=/path/to/it'; }
  rm -rf "$root"
  mv "$tmp/root" "$root"
  rm -rf "$tmp"
}

case "${1:-}" in
  fetch) fetch ;;
  path) fetch && browser ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 64 ;;
esac
