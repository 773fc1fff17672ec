#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container image that deploy/image/make makes: what is in it, and that it starts as a container runtime would start it. Prints TAP. Needs root.

  image.py BUILD [AGAIN]     BUILD is a release build; AGAIN another one, of a copy of the tree elsewhere, which must give the same digest
"""
import gzip
import hashlib
import http.server
import io
import json
import os
import shutil
import ssl
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
MAKE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "deploy", "image", "make")
# A namespace of mounts of its own, in which the image is a root that cannot be written. What a runtime mounts into it: proc, dev, and the volumes of a pod.
STARTER = """set -e
mount --make-rprivate /
mount --bind "$IMAGE" "$IMAGE"
mount --bind /proc "$IMAGE/proc"
mount --rbind /dev "$IMAGE/dev"
while read -r from to; do
    [ -z "$from" ] || mount --bind "$from" "$IMAGE/$to"
done <<VOLUMES
$IMAGE_VOLUMES
VOLUMES
mount -o remount,bind,ro "$IMAGE"
image=$IMAGE user=$IMAGE_USER
unset IMAGE IMAGE_USER IMAGE_VOLUMES
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$image" "$@"
"""


def make(build, folder):
    """The digest, and what else it says."""
    lines = subprocess.run([MAKE, build, folder], check=True, capture_output=True, text=True).stdout.splitlines()
    return lines[-1], lines[0]


def blob(layout, described):
    with open(os.path.join(layout, "blobs", described["digest"].replace(":", os.sep)), "rb") as data:
        content = data.read()
    assert len(content) == described["size"] and "sha256:" + hashlib.sha256(content).hexdigest() == described["digest"], described
    return content


class Image:
    """An image layout, unpacked into a folder."""

    def __init__(self, layout, root):
        self.root = root
        with open(os.path.join(layout, "index.json"), encoding="utf-8") as text:
            described, = json.load(text)["manifests"]
        manifest = json.loads(blob(layout, described))
        config = json.loads(blob(layout, manifest["config"]))
        self.digest, self.config = described["digest"], config["config"]
        self.entries = []
        for layer, diff in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
            content = gzip.decompress(blob(layout, layer))
            assert "sha256:" + hashlib.sha256(content).hexdigest() == diff, layer
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                self.entries += archive.getmembers()
                archive.extractall(root)
        for name in ("proc", "dev"):
            os.makedirs(os.path.join(root, name))
        for name, text in (("hosts", "127.0.0.1 localhost\n"), ("resolv.conf", "")):
            with open(os.path.join(root, "etc", name), "w", encoding="ascii") as out:
                out.write(text)                    # as a kubelet does

    def command(self, *words):
        return ["unshare", "--mount", "sh", "-c", STARTER, "sh", *words]

    def environment(self, volumes=None, **more):
        """volumes: {where in the image: folder}"""
        for path in volumes or {}:
            os.makedirs(os.path.join(self.root, path.lstrip("/")), exist_ok=True)
        lines = "\n".join("%s %s" % (folder, path) for path, folder in (volumes or {}).items())
        own = dict(pair.split("=", 1) for pair in self.config["Env"])
        # The starter's own programs are found by the path of the machine; nothing is looked for in the image.
        return {**own, "PATH": os.environ["PATH"], "IMAGE": self.root, "IMAGE_USER": self.config["User"], "IMAGE_VOLUMES": lines, **more}

    def run(self, *words, status=0, entry=None, **env):
        done = subprocess.run(self.command(*(entry or self.config["Entrypoint"]), *words), env=self.environment(**env), capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == status, "%s: exit status %d: %s%s" % (words, done.returncode, done.stdout[-500:], done.stderr[-1500:])
        return done


# ---- checks

def contents(image):
    """No shell, nothing that changes the user, nothing that others may write but /tmp; a licence for each package."""
    names = {e.name for e in image.entries if e.isfile()}
    assert {n for n in names if n.startswith(("usr/bin/", "usr/sbin/"))} == {"usr/bin/provisioner", "usr/bin/binpack"}, names
    assert all(e.uid == e.gid == e.mtime == 0 for e in image.entries)
    wrong = [e.name for e in image.entries if not e.issym() and e.name != "tmp" and e.mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWGRP | stat.S_IWOTH)]
    assert not wrong, wrong
    with open(os.path.join(image.root, "usr/share/doc/packages"), encoding="ascii") as lines:
        packages = [line.split()[0] for line in lines]
    assert {"libc6", "libcurl4", "libglpk40", "ca-certificates"} <= set(packages) and all("usr/share/doc/%s/copyright" % p in names for p in packages), packages
    with open(os.path.join(image.root, "etc/ssl/certs/ca-certificates.crt"), encoding="ascii") as text:
        assert text.read().count("BEGIN CERTIFICATE") > 100
    return "%d files, %d packages of Debian" % (len(names), len(packages))


def says(image):
    """Both programs say what they are."""
    version = image.config["Labels"]["org.opencontainers.image.version"]
    assert image.run("--version").stdout == "provisioner %s\n" % version
    assert "--mode" in image.run("--help").stdout
    assert image.run("--version", entry=["/usr/bin/binpack"]).stdout.startswith("binpack %s" % version)


def world(image):
    """A world of the sandbox comes to its end, by somebody who is not root and has no rights beyond that."""
    with subprocess.Popen(image.command(*image.config["Entrypoint"], "--sandbox", "zone-outage", "--headless"), env=image.environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as process:
        while os.path.basename(os.readlink("/proc/%d/exe" % process.pid)) != "provisioner" and process.poll() is None:
            pass                                   # until the starter has become it
        with open("/proc/%d/status" % process.pid, encoding="ascii") as lines:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said[-2000:]
    user = image.config["User"].partition(":")[0]
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {user} and status["Groups"].split() in ([], [user]), status
    assert status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapInh"], 16) == 0, status


def read_only(image):
    """What it cannot write, it says."""
    assert "Read-only file system" in image.run("--mode=observe", "--journal=/journal", status=2).stderr


def authorities(image):
    """Certificates are checked against those of the image: the server is reached, and is not believed."""
    with tempfile.TemporaryDirectory() as folder:
        key, crt = os.path.join(folder, "key"), os.path.join(folder, "crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", crt, "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-days", "2"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None      # handshakes that the other side breaks off
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        said = image.run("catalog", "refresh", "-o", "json=/dev/null", entry=["/usr/bin/binpack"], status=1, AWS_ENDPOINT_URL="https://localhost:%d" % server.server_port,
                         AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_EC2_METADATA_DISABLED="true", HOME="/").stderr
        server.shutdown()
        thread.join()
        server.server_close()
    assert "certificate" in said and "self-signed" in said.replace("self signed", "self-signed"), said


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = tempfile.mkdtemp(prefix="binpack-image-")
    passed = failed = 0
    digest, words = make(sys.argv[1], folder)
    print("# %s\n# %s" % (words, digest), flush=True)
    if os.geteuid() != 0:
        print("# NOTE: only root can start an image without a container engine: not tried\n0 passed, 0 failed, 1 skipped")
        return 0

    def same(_):
        """Made again, it has the same digest."""
        for build in sys.argv[1:]:
            again = make(build, tempfile.mkdtemp(dir=folder))[0]
            assert again == digest, "%s: %s" % (build, again)
        return "of %d builds" % len(sys.argv[1:])
    try:
        image = Image(os.path.join(folder, "layout"), os.path.join(folder, "root"))
        checks = [same, contents, says, world, read_only, authorities]
        print("1..%d" % len(checks))
        for number, check in enumerate(checks, 1):
            try:
                more = check(image)
                passed += 1
                print("ok %d - %s%s" % (number, check.__doc__, " # " + more if more else ""), flush=True)
            except Exception:                      # the other checks still count
                failed += 1
                print("not ok %d - %s\n# %s" % (number, check.__doc__, traceback.format_exc().replace("\n", "\n# ")), flush=True)
    finally:
        shutil.rmtree(folder)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
