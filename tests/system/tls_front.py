# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""TLS in front of the sandbox, with a certificate of any validity that can be renewed while it runs."""
import contextlib
import datetime
import pathlib
import socket
import ssl
import subprocess
import threading

DAY = datetime.timedelta(days=1)
OPENSSL_CA = """
[ca]
default_ca = it
[it]
database = {directory}/index
serial = {directory}/serial
new_certs_dir = {directory}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[leaf]
subjectAltName = {name}
"""


class TlsFront:
    """Each connection gets the certificate that was issued last, and is passed on in plain text."""

    def __init__(self, directory, target):
        self.directory = pathlib.Path(directory) / "tls-front"
        self.directory.mkdir()
        self.target = target
        self.ca = self.directory / "ca.pem"
        (self.directory / "index").touch()
        (self.directory / "serial").write_text("01\n")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", "/CN=authority", "-keyout", "ca-key.pem", "-out", "ca.pem")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=front",
                     "-keyout", "key.pem", "-out", "request.pem")
        self.issue()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def issue(self, begins=-DAY, ends=DAY, name="IP:127.0.0.1"):
        """From now on this certificate is shown."""
        now = datetime.datetime.now(datetime.timezone.utc)
        (self.directory / "ca.conf").write_text(OPENSSL_CA.format(directory=self.directory, name=name))
        self.openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-extensions", "leaf", "-cert", "ca.pem", "-keyfile", "ca-key.pem",
                     "-in", "request.pem", "-out", "next.pem", "-startdate", f"{now + begins:%Y%m%d%H%M%SZ}",
                     "-enddate", f"{now + ends:%Y%m%d%H%M%SZ}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "next.pem", self.directory / "key.pem")
        self.context = context

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            with self.context.wrap_socket(connection, server_side=True) as secure:
                host, port = self.target.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as plain:
                    self.pass_on(secure, plain)

    @staticmethod
    def pass_on(secure, plain):
        """One request at a time, as HTTP/1.1 has it: whatever comes from one side goes to the other."""
        def back():
            with contextlib.suppress(OSError):
                while data := plain.recv(65536):
                    secure.sendall(data)
        threading.Thread(target=back, daemon=True).start()
        while data := secure.recv(65536):
            plain.sendall(data)

    def close(self):
        self.listener.close()
