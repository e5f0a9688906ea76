# Sourced by scripts: installs what is missing. Debian packages as root or through sudo.

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need_apt PROGRAM:PACKAGE ... - installs the packages whose program is missing, in one go.
need_apt() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} = 0 ] && return 0
  echo "installing: ${missing[*]}"
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_ca_certificates() {
  [ -e /etc/ssl/certs/ca-certificates.crt ] && return 0
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq ca-certificates >/dev/null
}

need_rust() {
  command -v cargo >/dev/null 2>&1 && return 0
  if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    return 0
  fi
  echo "a Rust toolchain is needed: install one with rustup, then run this again" >&2
  exit 1
}

need_rust_components() {
  need_rust
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return 0
  rustup component add rustfmt clippy
}

# The licence checker, from the package registry when it is not there.
need_deny() {
  cargo deny --version >/dev/null 2>&1 && return 0
  cargo install cargo-deny --locked
}

# The test runner, from the package registry when it is not there.
need_nextest() {
  cargo nextest --version >/dev/null 2>&1 && return 0
  cargo install cargo-nextest --locked
}
