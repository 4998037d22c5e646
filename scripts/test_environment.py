"""A virtual environment with the packages that a test needs, made on the first run."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def enter(name, packages):
    """Goes on in the environment `.build/NAME-venv`, with these packages.

    Where they cannot be had, says so and ends the process with 0: a test that cannot run is no
    failure, and must not look like a success.
    """
    folder = ROOT / ".build" / f"{name}-venv"
    python = folder / "bin" / "python"
    if pathlib.Path(sys.prefix) == folder:
        return
    stamp = folder / "packages"
    wanted = "\n".join(packages)
    if not stamp.exists() or stamp.read_text() != wanted:
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
                print(f"SKIPPED: {pathlib.Path(sys.argv[0]).name}, all of its tests: "
                      f"{', '.join(packages)} cannot be installed ({' '.join(reason)})")
                sys.exit(0)
        stamp.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])
