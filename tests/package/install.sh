#!/usr/bin/env bash
# Installs a Debian package into a root that has nothing but Debian's base, works with the app there as a person would,
# and takes it away again: `tests/package/install.sh PACKAGE`; as root. `scripts/package try` calls it.
#
# Held to: it brings what it needs by its own dependencies; the window opens and shows something; the first tune runs;
# once purged, nothing is left of it but the person's data.

set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=scripts/lib/common.sh
source "$here/../../scripts/lib/common.sh"
# shellcheck source=scripts/lib/install.sh
source "$here/../../scripts/lib/install.sh"

package=$1
((EUID == 0)) || die 'A fresh root is made by root.'
need_packages debootstrap xvfb imagemagick

person=ada
place=$target/package-root
home=$place/home/$person
base=$target/package-base.tar
display=:87
picture=$target/package-window.png

cleanup() {
    [[ -n ${app:-} ]] && kill "$app" 2>/dev/null || true
    [[ -n ${server:-} ]] && kill "$server" 2>/dev/null || true
    for mounted in tmp/.X11-unix proc dev/shm; do
        umount "$place/$mounted" 2>/dev/null || true
    done
}
trap cleanup EXIT

# In the root, as its administrator.
inside() {
    chroot "$place" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# In the root, as the person who uses it.
as_person() {
    chroot --userspec="$person:$person" "$place" env -i HOME="/home/$person" PATH=/usr/bin:/bin LANG=C.UTF-8 "$@"
}

# What lies in the root, but for what the package manager and the system keep for themselves.
listed() {
    (cd "$place" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/cache \
        -o -path ./var/log -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./home \) -prune -o -print | LC_ALL=C sort)
}

release=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
if [[ ! -f $base ]]; then
    say "making a root with nothing but the base of Debian $release"
    rm -rf "$place"
    debootstrap --variant=minbase "$release" "$place" "$mirror" >&2
    tar -C "$place" -cf "$base.part" . && mv "$base.part" "$base"
fi
rm -rf "$place" && mkdir -p "$place" && tar -C "$place" -xf "$base"
cp /etc/resolv.conf "$place/etc/resolv.conf"
mount -t proc proc "$place/proc"
mkdir -p "$place/dev/shm" "$place/tmp/.X11-unix"
mount -t tmpfs -o mode=1777 tmpfs "$place/dev/shm"
inside useradd --create-home "$person"

say 'installing the package with what it declares'
cp "$package" "$place/tmp/whetstone.deb"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends /tmp/whetstone.deb >&2
inside sh -c 'dpkg -L whetstone' >"$target/package-files.txt"
installed=$(inside dpkg-query -W -f '${Installed-Size}' whetstone)
missing=$(inside sh -c 'ldd /usr/bin/whetstone /usr/bin/whetstone-sandbox' | grep 'not found' || true)
[[ -z $missing ]] || die "libraries are missing: $missing"
listed >"$target/package-before.txt"

say 'the first tune, by command'
cp "$root/src-tauri/workbench/samples/customer-support.jsonl" "$home/"
cat >"$home/first.toml" <<'TOML'
recipe = 1
name = "first"

[model]
base = "whetstone.tiny-v1"
type = "FINE_TUNING"

[data]
file = "customer-support.jsonl"
validation_percent = 10
hold_out_percent = 10
seed = 1

[hyperparameters]
epochCount = "2"

[job]
name = "first"
model_name = "first"
TOML
started=$SECONDS
as_person whetstone tune "/home/$person/first.toml" --json >"$target/package-tune.json"
tune_seconds=$((SECONDS - started))
tail -n 1 "$target/package-tune.json" | cut -c 1-300 >&2

say 'the window'
Xvfb "$display" -screen 0 1280x800x24 -nolisten tcp -ac >/dev/null 2>&1 &
server=$!
for _ in $(seq 50); do
    [[ -S /tmp/.X11-unix/X${display#:} ]] && break
    sleep 0.1
done
mount --bind /tmp/.X11-unix "$place/tmp/.X11-unix"
as_person DISPLAY="$display" whetstone >"$target/package-window.log" 2>&1 &
app=$!
shown=no
for _ in $(seq 60); do
    sleep 1
    kill -0 "$app" 2>/dev/null || die "the window ended by itself; see $target/package-window.log"
    import -display "$display" -window root "$picture"
    # A screen with a page on it has many colours; an empty one has a few.
    if (($(identify -format '%k' "$picture") > 200)); then
        shown=yes
        break
    fi
done
sleep 3
import -display "$display" -window root "$picture"
kill "$app" && wait "$app" 2>/dev/null || true
app=
[[ $shown == yes ]] || die "nothing was to be seen in the window: $picture"

say 'taking it away'
inside apt-get purge -y -qq whetstone >&2
left=$(while read -r path; do
    [[ -e $place$path && ! -d $place$path ]] && printf '%s\n' "$path"
done <"$target/package-files.txt" || true)
[[ -z $left ]] || die "still there after purging: $left"
listed >"$target/package-after.txt"
new=$(LC_ALL=C comm -13 "$target/package-before.txt" "$target/package-after.txt" || true)
[[ -z $new ]] || die "left behind outside of the person's folder: $new"
[[ -n $(find "$home/.local/share" -type f -name '*.jsonl' -print -quit) ]] || die 'the data of the person is gone'
printf 'package: %s MB packed, %s MB installed; first tune %s s; window shown (%s); purged, the data kept\n' \
    "$(($(stat -c %s "$package") / 1000000))" "$((installed / 1000))" "$tune_seconds" "$picture"
