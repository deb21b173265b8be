"""Runs `shopstream serve` on a new directory, on a port that is free."""

import os
import re
import shutil
import signal
import subprocess
import tempfile

SHOPSTREAM = os.environ["SHOPSTREAM"]


class Server:
    """A server; `with Server() as server:` stops it, and sees that it stopped in peace."""

    def __init__(self, *arguments, directory=None):
        self.directory = directory or tempfile.mkdtemp(prefix="shopstream-clients-")
        self.arguments = arguments

    def __enter__(self):
        self.process = subprocess.Popen(
            [SHOPSTREAM, "serve", "--data", os.path.join(self.directory, "data"), "--cql", "127.0.0.1:0"]
            + list(self.arguments),
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"CQL: listening on 127\.0\.0\.1:(\d+)\n", line)
        if match is None:
            self.process.kill()
            raise RuntimeError("The server said: %r" % line)
        self.port = int(match.group(1))
        return self

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def __exit__(self, *_):
        try:
            if self.process.poll() is None and self.stop() != 0:
                raise RuntimeError("The server ended with status %d" % self.process.returncode)
        finally:
            self.process.stdout.close()
            if self.process.poll() is None:
                self.process.kill()
            shutil.rmtree(self.directory, ignore_errors=True)
