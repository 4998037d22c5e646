#!/usr/bin/env python3
"""Builds the container image with buildah and runs the program in it, as the user of no rights that it has.

usage: scripts/container-test.py

Without a registry the base image is made with debootstrap. What cannot be had here is said and counted.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAG = "localhost/martlet-test"
BASE = "docker.io/library/debian:12-slim"
ENVIRONMENT = os.environ | {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}


def call(*arguments, check=True, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, env=ENVIRONMENT, **options)
    if check and done.returncode != 0:
        sys.exit(f"container: {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def skip(reason):
    print(f"SKIPPED: container-test.py, all 5 of its checks: {reason}")
    sys.exit(0)


def mirror():
    apt = pathlib.Path("/etc/apt")
    for file in [apt / "sources.list", *apt.glob("sources.list.d/*.list"), *apt.glob("sources.list.d/*.sources")]:
        for line in file.read_text().splitlines() if file.is_file() else []:
            for word in line.split():
                if word.startswith("http") and "debian" in word and not line.startswith("#"):
                    return word
    return "http://deb.debian.org/debian"


def base(folder):
    """The base image: pulled, or made of Debian's packages."""
    if call("buildah", "pull", "--quiet", BASE, check=False).returncode == 0:
        return BASE
    if not shutil.which("debootstrap"):
        skip(f"{BASE} cannot be pulled, and there is no debootstrap to make it")
    root = folder / "root"
    if call("debootstrap", "--variant=minbase", "bookworm", str(root), mirror(), check=False).returncode:
        skip(f"{BASE} can neither be pulled nor made with debootstrap")
    # Packages come from where those of this machine come from.
    for name in ["sources.list", "sources.list.d", "apt.conf.d", "preferences.d", "trusted.gpg.d"]:
        source, target = pathlib.Path("/etc/apt") / name, root / "etc/apt" / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy(source, target)
    container = call("buildah", "from", "scratch").stdout.strip()
    call("buildah", "add", container, str(root), "/")
    call("buildah", "commit", container, "localhost/debian-test")
    call("buildah", "rm", container)
    return "localhost/debian-test"


def main():
    if not shutil.which("buildah"):
        skip("there is no buildah")
    if os.geteuid() != 0:
        skip("without root no image is built here")
    with tempfile.TemporaryDirectory() as folder:
        image = base(pathlib.Path(folder))
        ENVIRONMENT["BASE"] = image
        call(str(ROOT / "deploy/image"), TAG)
    container = call("buildah", "from", TAG).stdout.strip()
    try:
        config = json.loads(call("buildah", "inspect", "--type", "image", TAG).stdout)["Docker"]["config"]
        assert config["User"] == "10001" and config["Entrypoint"] == ["martlet"], config
        assert config["Healthcheck"]["Test"][:3] == ["CMD", "martlet", "status"], config

        def run(*arguments, check=True):
            return call("buildah", "run", container, "--", *arguments, check=check)

        assert run("id", "-u").stdout.strip() == "10001"
        assert run("touch", "/usr/bin/x", check=False).returncode != 0, "the program's folder can be written"
        assert run("martlet", "check", "/usr/share/martlet/rules").returncode == 0
        play = ["run", "--demo", "--rules", "/usr/share/martlet/rules/shop", "--data", "state"]
        played = run("martlet", *play, "--speed", "600", "--for", "10m", "--format", "json")
        assert played.stdout.count('"rule":"shop_') > 5, played.stdout[-500:] + played.stderr[-500:]
        assert run("martlet", "state", "verify", "--data", "state").returncode == 0
        print(f"container: built on {image}, 5 checks: user, read-only program, rules, shop with state, state whole")
    finally:
        call("buildah", "rm", container, check=False)
        call("buildah", "rmi", TAG, "localhost/debian-test", check=False)


main()
