# What ./run, ./test and scripts/check have in common: bash functions, to be sourced at the root of the repository.

node_major_min=20

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Installs what is missing of the Debian packages that scripts/packages lists for these purposes.
install_packages() {
    command -v dpkg-query >/dev/null || die "this is not Debian: install what scripts/packages lists by hand, then follow this script"
    local purposes=" $* " wanted missing
    command -v node >/dev/null && command -v npm >/dev/null || purposes+="node "
    wanted=$(awk -v purposes="$purposes" 'index(purposes, " " $1 " ") { print $2 }' scripts/packages | sort)
    # shellcheck disable=SC2086  # one word to a package
    missing=$(comm -23 <(echo "$wanted") <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
        awk '$2 == "installed" { print $1 }' | sort) | xargs)
    [[ -n $missing ]] || return 0

    local as_root=()
    if [[ $EUID -ne 0 ]]; then
        as_root=(sudo)
        { command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; } ||
            die "these Debian packages are missing; as root: apt-get install -y --no-install-recommends $missing"
    fi
    say "installing Debian packages: $missing"
    apt_get() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null; }
    apt_get update
    # Postgres's package would make and start a cluster of its own, which nobody asked for: ours is private.
    local no_cluster=/etc/postgresql-common/createcluster.d/palimpsest.conf
    if [[ " $missing " == *" postgresql-15 "* ]]; then
        "${as_root[@]}" mkdir -p "${no_cluster%/*}"
        echo "create_main_cluster = false" | "${as_root[@]}" tee "$no_cluster" >/dev/null
    fi
    local failed=0
    # shellcheck disable=SC2086
    apt_get install -y --no-install-recommends $missing || failed=1
    "${as_root[@]}" rm -f "$no_cluster"
    [[ $failed -eq 0 ]] || die "apt-get could not install them"
}

# Puts a Node that is new enough first in PATH: the machine's, or one from the npm registry, kept in .tools/.
use_node() {
    local arch node_bin
    [[ $(node_major) -lt $node_major_min ]] || return 0
    case $(uname -m) in
        x86_64) arch=x64 ;;
        aarch64) arch=arm64 ;;
        *) die "Node $node_major_min or later is needed, and npm has none for $(uname -m)" ;;
    esac
    node_bin=$PWD/.tools/node_modules/node-linux-$arch/bin
    if [[ ! -x $node_bin/node ]]; then
        say "this machine's Node is $(node --version 2>/dev/null || echo missing): getting Node $node_major_min into .tools/"
        npm install --prefix .tools --no-fund --no-audit --loglevel=error "node-linux-$arch@$node_major_min" >&2
    fi
    PATH=$node_bin:$PATH
    [[ $(node_major) -ge $node_major_min ]] || die "$node_bin/node does not run"
}

node_major() {
    local version
    version=$(node --version 2>/dev/null) || version=v0.0.0
    version=${version#v}
    echo "${version%%.*}"
}

# npm packages of a folder, exactly those of its lock file; nothing to do when it has not changed since.
install_npm_packages() {
    local folder=$1
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-lock" && return
    say "installing npm packages of $folder/"
    (cd "$folder" && npm ci --loglevel=error >&2)
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock"
}

# web/.output/public, when a source of the page or a setting of its build is not what it was made of.
generate_page() {
    local stamp=web/.output/made-of made_of
    made_of=$(
        { find web/app web/public -type f | LC_ALL=C sort; echo web/nuxt.config.js; echo web/package-lock.json; } | xargs -d '\n' sha256sum
        env | grep '^NUXT_' | LC_ALL=C sort || true
    )
    [[ -f $stamp && $(cat "$stamp") == "$made_of" ]] && return
    say "generating the page"
    (cd web && npx --no-install nuxt generate --logLevel=silent >&2)
    echo "$made_of" >"$stamp"
}

# build PRESET [TARGET…]
build() {
    local preset=$1
    shift
    say "building ($preset)"
    cmake --preset "$preset" --log-level=WARNING >&2
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2
}
