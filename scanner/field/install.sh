#!/bin/sh
# 在树莓派（Raspberry Pi OS 或 Debian）上安装扫码终端；可以重复执行，已有的设置、密钥和待上传记录不动。
# Installs the till on Raspberry Pi OS or Debian. May be run again: settings, keys and the outbox are left as they are.
set -eu

NAME=greenpoints-till
DATA=/var/lib/$NAME
SETTINGS=/etc/$NAME
SLOTS=$DATA/slots
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
BUNDLE='' APT=yes

usage() {
    cat >&2 <<TEXT
用法 usage: install.sh [--bundle FOLDER|FILE.tar] [--no-apt]
  --bundle  离线安装包：requirements.txt（含散列）和 wheels/ / an offline bundle: hashed requirements.txt and wheels/
            不给出时从本源码目录和 pip 所设的镜像安装 / without it: from this checkout, by the index that pip uses
  --no-apt  不安装系统软件包 / leave the system's packages alone
TEXT
    exit 2
}

say() { printf '%s\n' "$*"; }

die() {
    say "$1" >&2
    say "$2" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --bundle) [ $# -ge 2 ] || usage; BUNDLE=$2; shift 2 ;;
        --no-apt) APT=no; shift ;;
        *) usage ;;
    esac
done

[ "$(id -u)" -eq 0 ] || die "请以 root 运行：sudo $0" "Run it as root: sudo $0"
[ -z "$BUNDLE" ] || [ -e "$BUNDLE" ] || die "找不到安装包 $BUNDLE" "There is no bundle $BUNDLE"

known_to_apt() { apt-cache show "$1" >/dev/null 2>&1; }

install_packages() {
    [ "$APT" = yes ] || return 0
    apt-get update -qq
    wanted='python3 python3-venv libzbar0'
    # Only Raspberry Pi OS has the camera's; lgpio is in both.
    for extra in python3-picamera2 python3-lgpio; do
        if known_to_apt "$extra"; then wanted="$wanted $extra"; fi
    done
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null
    say "✓ 系统软件包 / packages: $wanted"
}

check_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        die '需要 Python 3.11 或更新版本（Raspberry Pi OS 12 以上）。' 'Python 3.11 or newer is needed (Raspberry Pi OS 12).'
}

make_user() {
    if ! id "$NAME" >/dev/null 2>&1; then
        useradd --system --user-group --home-dir "$DATA" --no-create-home --shell /usr/sbin/nologin "$NAME"
    fi
    joined=''
    for group in video input dialout gpio lp; do
        if getent group "$group" >/dev/null; then
            usermod --append --groups "$group" "$NAME"
            joined="$joined $group"
        fi
    done
    say "✓ 用户 / user: $NAME（设备组 / groups:$joined）"
}

make_folders() {
    install -d -m 0700 -o "$NAME" -g "$NAME" "$DATA" "$DATA/keys" "$SLOTS"
    install -d -m 0750 -o root -g "$NAME" "$SETTINGS"
    if [ ! -e "$SETTINGS/till.env" ]; then
        install -m 0640 -o root -g "$NAME" "$HERE/till.env" "$SETTINGS/till.env"
    fi
    say "✓ 目录 / folders: $DATA $SETTINGS"
}

# As the till's user: an update of the program is made by it, and it owns its slots.
as_till() { runuser -u "$NAME" -- "$@"; }

fill_slot() {
    slot=$SLOTS/a
    if [ "$(readlink "$SLOTS/current" 2>/dev/null || :)" = a ]; then slot=$SLOTS/b; fi
    rm -rf "$slot"
    as_till mkdir -p "$slot"
    # The camera's and the pins' libraries come with the system, and no index has them.
    as_till python3 -m venv --system-site-packages "$slot/venv"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 0755 "$work"
    if [ -z "$BUNDLE" ]; then
        mkdir "$work/source"
        for part in pyproject.toml README.md scanner firmware_bridge; do cp -R "$HERE/../../$part" "$work/source"; done
        chown -R "$NAME" "$work/source"
        as_till "$slot/venv/bin/python" -m pip install --quiet --no-cache-dir "$work/source[scanner]"
    else
        if [ -d "$BUNDLE" ]; then cp -R "$BUNDLE/." "$work"; else tar -xf "$BUNDLE" -C "$work"; fi
        chmod -R a+rX "$work"
        as_till "$slot/venv/bin/python" -m pip install --quiet --no-cache-dir --no-index --find-links "$work/wheels" \
            --require-hashes -r "$work/requirements.txt"
    fi
    # The slot is the till's: root runs nothing of it and writes nothing through it.
    version=$(as_till "$slot/venv/bin/python" -c \
        'from importlib.metadata import version; print(version("greenpoints"))')
    printf '{"v": 1, "version": "%s", "rollout": "install"}' "$version" | as_till tee "$slot/ready.json" >/dev/null
    sync
    as_till ln -sfn "$(basename "$slot")" "$SLOTS/current.new"
    as_till mv -T "$SLOTS/current.new" "$SLOTS/current"
    sync
    say "✓ 程序 / program: $version ($slot)"
}

# Outside the slots: no update replaces it.
install_launcher() {
    install -D -m 0644 "$HERE/../launch.py" /usr/local/lib/$NAME/launch.py
}

install_command() {
    cat >/usr/local/bin/$NAME <<TEXT
#!/bin/sh
# As the till's own user, so that what it may not do shows.
[ "\$(id -u)" -ne 0 ] || exec runuser -u $NAME -- $SLOTS/current/venv/bin/$NAME "\$@"
exec $SLOTS/current/venv/bin/$NAME "\$@"
TEXT
    chmod 0755 /usr/local/bin/$NAME
}

install_units() {
    install -D -m 0644 "$HERE/$NAME.service" /etc/systemd/system/$NAME.service
    install -D -m 0644 "$HERE/watchdog.conf" /etc/systemd/system.conf.d/greenpoints-till.conf
    install -D -m 0644 "$HERE/journald.conf" /etc/systemd/journald.conf.d/greenpoints-till.conf
    if command -v systemctl >/dev/null; then
        systemctl --quiet enable $NAME.service
        [ ! -d /run/systemd/system ] || systemctl daemon-reload
    fi
    say '✓ 服务 / service: '"$NAME.service"
}

advise() {
    say ''
    if ! findmnt --noheadings --mountpoint "$DATA" >/dev/null 2>&1; then
        say "! $DATA 与系统在同一分区。建议单独的 ext4 数据分区，系统根目录只读，见 scanner/field/README.md。"
        say "  It shares the system's partition: better a data partition of its own and a read-only root, see scanner/field/README.md."
    fi
    if [ -n "$(swapon --noheadings --show 2>/dev/null)" ]; then
        say '! 正在使用交换空间，会磨损存储卡 / swap wears the card: systemctl disable --now dphys-swapfile'
    fi
    say "下一步 / next:"
    say "  1. 登记 / enrol: $NAME enrol --claim GPE1.… --url https://…"
    say "  2. 读码来源 / where reads come from: $SETTINGS/till.env"
    say "  3. $NAME doctor"
    say "  4. systemctl restart $NAME"
}

install_packages
check_python
make_user
make_folders
fill_slot
install_launcher
install_command
install_units
advise
