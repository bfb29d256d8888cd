# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The pods of docker/kubernetes/sidecar under podman, and a kubelet that is played by the test.

Podman 4 makes the pod and runs its containers with what the manifest says of user, capabilities, file system, memory and
volumes. It knows nothing of sidecars (an init container must end before the next begins), nor of ports by name, and its probes
run curl inside the container. So what the kubelet does with a pod is done here, by the manifest's own numbers: the startup
probe before the ATS is started, the order of the stop, the grace period, the mounted Secret.
"""
import copy
import json
import os
import subprocess
import time

import yaml

from containers import EMBEDDED, SANDBOX, SERVICE, USER
from secret_volume import SecretVolume
from stand import ROOT, call, eventually

ATS = "seek-signal-test/ats"
FOLDER = ROOT / "docker" / "kubernetes" / "sidecar"
CONFINED = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"]

# An ATS that posts as the documentation says: docs/samples/curl.sh, which repeats what is refused.
LIVES = 'post() { sh /samples/curl.sh "$1" "token-$1"; echo " $1"; }; trap "post last; exit 0" TERM; post first; ' \
        "while :; do sleep 1 & wait $!; done"
KEEPS_POSTING = 'n=0; trap "exit 0" TERM; while :; do n=$((n + 1)); sh /samples/curl.sh "$n" "token-$n" && echo " $n"; done'
IMPORTS = 'for n in 1 2 3 4 5 6 7 8 9 10; do sh /samples/curl.sh "$n" "token-$n" || exit 1; done'


class Node:
    """Podman with files of its own, a network, and Redis and the sandbox on it."""

    def __init__(self, directory):
        self.directory = directory
        settings = directory / "containers.conf"
        # Podman's own limits are more than a machine may allow.
        settings.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
                            '[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "none"\n')
        self.environment = os.environ | {"CONTAINERS_CONF": str(settings)}
        self.network = f"seek-signal-test-{os.getpid()}"
        self.started = []

    def podman(self, *arguments, check=True, **options):
        done = subprocess.run(
            ["podman", "--root", self.directory / "root", "--runroot", self.directory / "run", "--network-config-dir",
             self.directory / "networks", *map(str, arguments)],
            env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, **options)
        assert not check or done.returncode == 0, f"podman {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}"
        return done.stdout.strip() if check else done

    def load(self, *images):
        saved = subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE)
        self.podman("load", stdin=saved.stdout)
        assert saved.wait() == 0

    def inspect(self, container):
        return json.loads(self.podman("container", "inspect", container))[0]

    def address(self, container):
        return self.inspect(container)["NetworkSettings"]["Networks"][self.network]["IPAddress"]

    def log(self, container):
        done = self.podman("logs", container, check=False)
        return done.stdout + done.stderr

    def run(self, name, image, *command, options=()):
        self.podman("run", "--detach", "--name", name, "--network", self.network, *CONFINED, *options, image, *command)
        self.started.append(name)

    def start(self):
        self.podman("network", "create", self.network)
        self.run("redis", EMBEDDED, "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", "/var/lib/seek-signal",
                 "--protected-mode", "no", options=["--entrypoint=/usr/bin/redis-server", "--no-healthcheck"])
        tls = self.directory / "tls"
        tls.mkdir(exist_ok=True)
        os.chown(tls, USER, USER)
        self.run("sandbox", SANDBOX, "--listen", "0.0.0.0:8790", "--tls-listen", "0.0.0.0:8443", "--tls-dir", "/var/lib/seek-sandbox",
                 "--tls-name", "sandbox", "--client-secret", "secret-1", options=[f"--volume={tls}:/var/lib/seek-sandbox"])
        eventually(lambda: "ready " in self.log("sandbox"), "the sandbox is ready")
        self.ca = (tls / "ca.pem").read_text()

    def sandbox(self, method, path, body=None):
        answer = call(f"{self.address('sandbox')}:8790", method, "/sandbox" + path, body)
        assert answer.status < 300, answer
        return answer.json if answer.body else None

    def delivered(self):
        """The seek-tokens that SEEK has taken."""
        return [c["seekToken"] for c in self.sandbox("GET", "/ledger?limit=10000")["calls"]
                if c["kind"] == "graphql" and c["outcome"] == "delivered"]

    def must_deliver(self, *tokens):
        eventually(lambda: set(tokens) <= set(self.delivered()), f"{tokens} at SEEK", 60)

    def close(self):
        for name in self.started:
            self.podman("rm", "--force", "--time", "0", "--volumes", name, check=False)
        self.podman("network", "rm", "--force", self.network, check=False)


class Pod:
    def __init__(self, node, manifest, ats):
        """The pod that docker/kubernetes/sidecar/`manifest` describes, with `ats`, a shell's command, in the place of the ATS."""
        self.node = node
        self.name = f"{node.network}-{manifest.removesuffix('.yaml')}"
        template = yaml.safe_load((FOLDER / manifest).read_text())["spec"]["template"]
        self.spec = copy.deepcopy(template["spec"])
        self.secrets = SecretVolume(node.directory)
        self.put_secrets()
        self.sidecar, self.ats = (f"{self.name}-{kind[0]['name']}" for kind in (self.spec["initContainers"], self.spec["containers"]))
        file = node.directory / manifest
        file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"] | {"name": self.name},
                                        "spec": self.for_podman(template["spec"], ats)}))
        node.podman("kube", "play", "--start=false", "--network", node.network, file)

    def put_secrets(self, client_secret="secret-1"):
        self.secrets.put(**{"client-id": "client", "client-secret": client_secret, "ca.pem": self.node.ca,
                            "redis-url": f"redis://{self.node.address('redis')}:6379"})

    def for_podman(self, spec, ats):
        """What podman is not told is done by `start` and `stop`."""
        [sidecar], [app] = spec.pop("initContainers"), spec["containers"]
        assert sidecar.pop("restartPolicy") == "Always", "a native sidecar"
        for name in ("startupProbe", "readinessProbe", "livenessProbe", "ports"):
            sidecar.pop(name, None)
        sidecar["image"], app["image"] = f"localhost/{SERVICE}", f"localhost/{ATS}"
        sidecar["env"] += [{"name": f"SEEK_SIGNAL_{name}", "value": value} for name, value in (
            ("GRAPHQL_URL", "https://sandbox:8443/graphql"), ("TOKEN_URL", "https://sandbox:8443/oauth/token"), ("LOG_LEVEL", "debug"),
            ("CA_FILE", "/run/secrets/seek-signal/ca.pem"), ("RETRY_MAX_MS", "1000"))]
        app |= {"command": ["/usr/bin/bash", "-c", ats], "volumeMounts": [{"name": "samples", "mountPath": "/samples", "readOnly": True}]}
        return spec | {"containers": [sidecar, app], "restartPolicy": "Never",
                       "hostAliases": [{"ip": self.node.address("sandbox"), "hostnames": ["sandbox"]}],
                       "volumes": [{"name": "seek-signal", "hostPath": {"path": str(self.secrets.directory)}},
                                   {"name": "samples", "hostPath": {"path": str(ROOT / "docs" / "samples")}}]}

    # --- the kubelet

    def state(self, container):
        return self.node.inspect(container)["State"]

    def logs(self, event):
        lines = [json.loads(line) for line in self.node.log(self.sidecar).splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def probe(self, kind):
        """As the kubelet asks: from outside of the pod."""
        probe = self.spec["initContainers"][0][kind]
        ports = {port["name"]: port["containerPort"] for port in self.spec["initContainers"][0]["ports"]}
        infra = self.node.podman("pod", "inspect", self.name, "--format", "{{.InfraContainerID}}")
        try:
            answer = call(f"{self.node.address(infra)}:{ports[probe['httpGet']['port']]}", "GET", probe["httpGet"]["path"],
                          timeout=probe.get("timeoutSeconds", 1))
            return 200 <= answer.status < 400
        except OSError:
            return False

    def start_sidecar(self):
        self.node.podman("start", self.sidecar)

    def start_ats(self):
        """When the startup probe has passed, as often and as long as it says."""
        probe = self.spec["initContainers"][0]["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if self.probe("startupProbe"):
                return self.node.podman("start", self.ats)
            time.sleep(probe["periodSeconds"])
        raise AssertionError(f"never started:\n{self.node.log(self.sidecar)}")

    def start(self):
        self.start_sidecar()
        self.start_ats()
        return self

    def stop(self):
        """The containers first, then the sidecars, all within the grace period."""
        deadline = time.monotonic() + self.spec["terminationGracePeriodSeconds"]
        for container in (self.ats, self.sidecar):
            self.node.podman("stop", "--time", max(int(deadline - time.monotonic()), 1), container)
            assert self.state(container)["ExitCode"] == 0, f"{container}\n{self.node.log(container)}"

    def report(self):
        return "".join(f"\n--- {name} ---\n{self.node.log(name)[-6000:]}" for name in (self.sidecar, self.ats))

    def close(self):
        self.node.podman("pod", "rm", "--force", "--time", "0", self.name, check=False)
