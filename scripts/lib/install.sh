# shellcheck shell=bash
# Puts on the machine what a door needs and the machine lacks: Debian packages, Rust components, the UI's packages,
# Python environments. Each function looks first and returns at once when nothing is missing.
# Deliberately absent: Rust and Node themselves, which a person installs in the way they prefer.

# What it takes to compile and link the app, and what it takes to drive its window without a screen.
app_packages=(gcc libc6-dev pkg-config libwebkit2gtk-4.1-dev libdbus-1-dev)
window_packages=(xvfb xauth webkit2gtk-driver dbus-daemon gnome-keyring fonts-dejavu-core)
python_packages=(python3 python3-venv)
# A copier of its own making, for the conformance tests.
copy_packages=(rclone)

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        say "This needs root, and there is no sudo here. As root, run: $*"
        return 1
    fi
}

need_packages() {
    [[ $(uname -s) == Linux ]] || return 0
    if ! has dpkg-query || ! has apt-get; then
        say "Not a Debian machine: if the build stops for something missing, install the equivalent of: $*"
        return 0
    fi
    local installed missing=() name
    # dpkg-query fails when any name is unknown, and still reports on the others.
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        grep -qx "installed $name" <<<"$installed" || missing+=("$name")
    done
    ((${#missing[@]} == 0)) && return 0
    say "installing Debian packages: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

need_rust() {
    has cargo || die 'Rust is missing: install it from https://rustup.rs and run this again.'
}

need_rust_linters() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return 0
    has rustup || die 'rustfmt or clippy is missing, and there is no rustup to add them with.'
    say 'adding rustfmt and clippy'
    rustup component add rustfmt clippy
}

# The UI's packages, exactly as the lock file says; kept until the lock file changes.
need_ui_packages() {
    has npm || die 'Node is missing: install Node 20 or newer with npm, and run this again.'
    local stamp=$root/ui/node_modules/.cache/whetstone/packages wanted
    wanted="$(node --version) $(fingerprint <<<"$root/ui/package-lock.json")" || return 1
    [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return 0
    say 'installing the UI packages'
    (cd "$root/ui" && npm ci --no-audit --no-fund >&2) || return 1
    mkdir -p "$(dirname "$stamp")"
    printf '%s\n' "$wanted" >"$stamp"
}

# python_environment NAME REQUIREMENTS: a virtual environment with exactly these packages; prints the path of its bin/.
python_environment() {
    local name=$1 requirements=$2 venv=$target/venvs/$1 wanted stamp
    stamp=$venv/requirements.stamp
    if ! python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
        need_packages "${python_packages[@]}" || return 1
    fi
    wanted="$venv $(python3 --version) $(fingerprint <<<"$requirements")" || return 1
    if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
        say "installing the Python packages of $name"
        rm -rf "$venv"
        python3 -m venv "$venv" || return 1
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements" >&2 || return 1
        printf '%s\n' "$wanted" >"$stamp"
    fi
    printf '%s\n' "$venv/bin"
}

# What the programs of the playground's code tabs lean on, under target/snippets: packages from npm, and compiled crates.
need_snippet_kits() {
    has npm || die 'Node is missing: install Node 20 or newer with npm, and run this again.'
    local kits=$root/tests/conformance/snippets folder=$target/snippets wanted
    wanted="$folder $(node --version) $(rustc --version) $(find "$kits" -type f | fingerprint)" || return 1
    [[ -f $folder/stamp && $(<"$folder/stamp") == "$wanted" ]] && return 0
    say 'installing what the code tabs lean on'
    mkdir -p "$folder" && cp -R "$kits/." "$folder/" || return 1
    (cd "$folder/node" && npm ci --no-audit --no-fund >&2) || return 1
    (cd "$folder/rust" && CARGO_TARGET_DIR=$folder/rust/target cargo build --locked >&2) || return 1
    printf '%s\n' "$wanted" >"$folder/stamp"
}
