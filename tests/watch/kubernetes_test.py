# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The manifests of docker/kubernetes: what can be known of them without a cluster.

Known fields and their types come from python3-kubernetes, which is generated from the API's own description. It is older
than native sidecars; the fields in NEWER are allowed besides.
"""
import copy
import ipaddress
import json
import os
import re
import subprocess

import jsonschema
import kubernetes.client as api
import pytest
import yaml

import sources

FOLDER = sources.ROOT / "docker" / "kubernetes"
MARGIN_S = 10  # service/serve/app.c, STOP_MARGIN_MS: then it ends by itself, whatever does not
SETTINGS = set(re.findall(r"`([A-Z][A-Z_]+)`", (sources.ROOT / "docs" / "settings.md").read_text()))
TABLE = (sources.ROOT / "service" / "config" / "settings.c").read_text()
SECRETS = set(re.findall(r'^ *{SECRET\("([A-Z_]+)"', TABLE, re.M))
MODELS = {"Deployment": "V1Deployment", "Job": "V1Job", "Service": "V1Service", "Secret": "V1Secret",
          "PodDisruptionBudget": "V1PodDisruptionBudget", "NetworkPolicy": "V1NetworkPolicy"}
OPERATOR = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}  # their own API, not in Kubernetes's description
NEWER = {("V1Container", "restartPolicy"): "Always"}  # Kubernetes 1.29
SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object, "datetime": str,
           "IntOrString": (int, str)}


def check(value, kind, place):
    """Fails at the first field that the API does not know or that has another type."""
    if kind.startswith("list["):
        assert isinstance(value, list), place
        for index, item in enumerate(value):
            check(item, kind[5:-1], f"{place}[{index}]")
    elif kind.startswith("dict("):
        assert isinstance(value, dict), place
        for key, item in value.items():
            check(item, kind[5:-1].split(", ")[1], f"{place}.{key}")
    elif kind in SCALARS:
        assert isinstance(value, SCALARS[kind]), f"{place}: {value!r} is no {kind}"
        assert kind != "int" or not isinstance(value, bool), place
    else:
        check_object(value, kind, place)


def check_object(value, kind, place):
    model = getattr(api, kind)
    fields = {json_name: model.openapi_types[name] for name, json_name in model.attribute_map.items()}
    assert isinstance(value, dict), place
    for name, item in value.items():
        if (kind, name) in NEWER:
            assert item == NEWER[kind, name], place
        else:
            assert name in fields, f"{place} has no {name}"
            check(item, fields[name], f"{place}.{name}")
    configuration = api.Configuration()
    configuration.client_side_validation = True
    api.ApiClient(configuration)._ApiClient__deserialize(
        {k: v for k, v in value.items() if (kind, k) not in NEWER}, kind)  # requires what is required


def render(folder):
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER / folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def example_of(folder):
    return yaml.safe_load((FOLDER / folder / "secret.example.yaml").read_text())


def one(documents, kind):
    found = [d for d in documents if d["kind"] == kind]
    assert len(found) == 1, kind
    return found[0]


def workloads():
    for folder in ("standalone", "sidecar", "cluster"):
        for document in render(folder):
            if document["kind"] in ("Deployment", "Job"):
                yield document["kind"], document["spec"]["template"]


def ours(pod):
    spec = pod["spec"]
    containers = [c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == "seek-signal"]
    assert len(containers) == 1
    return containers[0]


@pytest.mark.parametrize("folder", ["standalone", "sidecar", "cluster", "monitoring"])
def it_uses_only_fields_that_kubernetes_knows(folder):
    for document in render(folder):
        if document["kind"] not in OPERATOR:
            check(document, MODELS[document["kind"]], document["kind"])


@pytest.mark.parametrize("folder", ["standalone", "sidecar", "cluster", "monitoring"])
def it_deploys_every_file_of_its_folder(folder):
    named = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in (FOLDER / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert {name for name in named if not name.startswith("../")} == {name for name in there if not name.endswith(".example.yaml")}


@pytest.mark.parametrize("folder", ["standalone", "sidecar", "cluster", "monitoring"])
def it_leaves_the_secret_alone(folder):
    """Who applies it again must not get an example in the place of what their secret store wrote."""
    documents = render(folder)
    assert "Secret" not in {document["kind"] for document in documents}
    assert "change-me" not in json.dumps(documents)


@pytest.mark.parametrize("folder", ["standalone", "sidecar", "cluster"])
def it_has_an_example_of_the_secret(folder):
    example = example_of(folder)
    check(example, "V1Secret", folder)
    names = {volume["secret"]["secretName"] for document in render(folder) if document["kind"] in ("Deployment", "Job")
             for volume in document["spec"]["template"]["spec"]["volumes"]}
    assert names == {example["metadata"]["name"]}
    assert all("change-me" in value for value in example["stringData"].values()), "nothing that could be taken for a real one"


def it_says_how_to_make_the_secret(tmp_path):
    """The command of README.md, run without a cluster."""
    (command,) = re.findall(r"^ *(kubectl create secret .*)$", (FOLDER / "README.md").read_text(), re.M)
    for key in example_of("standalone")["stringData"]:
        (tmp_path / key).write_text("value")
    done = subprocess.run(f"{command} --dry-run=client -o yaml", shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = yaml.safe_load(done.stdout)
    assert made["metadata"]["name"] == example_of("standalone")["metadata"]["name"]
    assert set(made["data"]) == set(example_of("standalone")["stringData"])


def it_confines_every_container():
    for _, pod in workloads():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec.get("initContainers", []) + spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


def it_asks_for_what_was_measured(values):
    """docs/operating.md says what, and why."""
    text = (sources.ROOT / "docs" / "operating.md").read_text()
    processor, memory, limit = re.search(r"request (\d+) m processor and (\d+) MiB\. A memory limit of (\d+) MiB", text).groups()
    wanted = {"requests": {"cpu": f"{processor}m", "memory": f"{memory}Mi"}, "limits": {"memory": f"{limit}Mi"}}
    asked = [ours(pod)["resources"] for _, pod in workloads()]
    assert len(asked) >= 3 and asked == [wanted] * len(asked) and values["resources"] == wanted
    service = yaml.safe_load((FOLDER.parent / "compose.yaml").read_text())["services"]["seek-signal"]
    assert (service["mem_reservation"], service["mem_limit"]) == (f"{memory}m", f"{limit}m")


def it_sets_only_settings_that_exist_and_secrets_only_as_files():
    for _, pod in workloads():
        container = ours(pod)
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        for variable in container["env"]:
            name = variable["name"].removeprefix("SEEK_SIGNAL_")
            assert name.removesuffix("_FILE") in SETTINGS, name
            assert name not in SECRETS
            if name.endswith("_FILE"):
                assert variable["value"].rsplit("/", 1)[0] in mounts
        assert all("subPath" not in mount for mount in container["volumeMounts"])


def it_keeps_every_key_of_the_secret_that_is_read():
    for folder in ("standalone", "sidecar", "cluster"):
        documents = render(folder)
        keys = set(example_of(folder)["stringData"])
        read = {variable["value"].rsplit("/", 1)[1] for variable in
                ours(one(documents, "Deployment")["spec"]["template"])["env"] if variable["name"].endswith("_FILE")}
        assert keys == read


def it_leaves_time_to_finish_what_is_on_its_way():
    """And, for the stand-alone service, until no connection is led to it any more."""
    settings = (sources.ROOT / "docs" / "settings.md").read_text()
    delay_s, timeout_s = (int(re.search(rf"`SHUTDOWN_{name}_S` \| `(\d+)`", settings)[1]) for name in ("DELAY", "TIMEOUT"))
    assert delay_s > 0
    for _, pod in workloads():
        assert pod["spec"]["terminationGracePeriodSeconds"] >= delay_s + timeout_s + MARGIN_S
    for name in ("compose.yaml", "compose.cluster.yaml"):
        grace = yaml.safe_load((FOLDER.parent / name).read_text())["services"]["seek-signal"]["stop_grace_period"]
        assert int(grace.removesuffix("s")) >= delay_s + timeout_s + MARGIN_S, name
    unit = (sources.ROOT / "cmake" / "package" / "seek-signal.service").read_text()
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)[1]) >= delay_s + timeout_s + MARGIN_S
    image = (sources.ROOT / "docs" / "image.md").read_text()
    assert int(re.search(r"--stop-timeout=(\d+)", image)[1]) >= delay_s + timeout_s + MARGIN_S


@pytest.mark.parametrize("folder", ["standalone", "sidecar", "cluster"])
def it_has_a_policy_for_each_of_its_pods(folder):
    """In: what is served beyond the pod; out: DNS, Redis and SEEK, each by its port."""
    documents = render(folder)
    policy = one(documents, "NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    for document in documents:
        if document["kind"] in ("Deployment", "Job"):
            pod = document["spec"]["template"]
            assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
            listen = {v["name"]: v["value"] for v in ours(pod)["env"]}
            served = {"ops"} | ({"api"} if listen["SEEK_SIGNAL_LISTEN"].startswith("0.0.0.0") else set())
            assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == served
    assert [[port["port"] for port in rule["ports"]] for rule in policy["egress"]] == [[53, 53], [6379], [443]]


def networks(documents):
    """That the service may go to for Redis, and by which port."""
    rule = one(documents, "NetworkPolicy")["spec"]["egress"][1]
    return [peer["ipBlock"]["cidr"] for peer in rule["to"]], [port["port"] for port in rule["ports"]]


def it_lets_the_service_out_to_all_nodes_of_a_cluster(values):
    cidrs, ports = networks(render("cluster"))
    assert len({ipaddress.ip_network(cidr) for cidr in cidrs}) > 1 and ports == [6379]
    url = example_of("cluster")["stringData"]["redis-url"]
    assert re.fullmatch(r"rediss\+cluster://[a-z-]+:change-me@([a-z0-9.-]+:6379,?){3}", url), url
    rendered = render_chart(networkPolicy=values["networkPolicy"] | {"redisPorts": [7000], "redisNetworks": cidrs})
    assert networks(rendered) == (cidrs, [7000])


def it_lets_the_service_out_to_redis_and_its_sentinels(values):
    """By the ports that the README names, in whichever pods they are."""
    (ports,) = re.findall(r"networkPolicy\.redisPorts=\{([0-9,]+)\}", (FOLDER / "README.md").read_text())
    policy = values["networkPolicy"] | {"redisPorts": [int(port) for port in ports.split(",")]}
    (rule,) = (rule for rule in one(render_chart(networkPolicy=policy), "NetworkPolicy")["spec"]["egress"] if {"port": 6379} in rule["ports"])
    assert rule["ports"] == [{"port": 6379}, {"port": 26379}]
    assert rule["to"] == [{"podSelector": {"matchLabels": policy["redisLabels"]}}]


def it_probes_the_ops_listener():
    for _, pod in workloads():
        container = ours(pod)
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        listen = {v["name"]: v["value"] for v in container["env"]}
        assert listen["SEEK_SIGNAL_OPS_LISTEN"] == f"0.0.0.0:{ports['ops']}"
        assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "ops"}
        assert container["startupProbe"]["httpGet"]["port"] == "ops"


def it_starts_the_sidecar_before_the_app_and_stops_it_after():
    for document in render("sidecar"):
        if document["kind"] not in ("Deployment", "Job"):
            continue
        pod = document["spec"]["template"]
        sidecar = pod["spec"]["initContainers"][-1]
        assert sidecar["name"] == "seek-signal"
        assert sidecar["restartPolicy"] == "Always"
        assert sidecar["startupProbe"]["httpGet"]["path"] == "/readyz"
        assert {"name": "SEEK_SIGNAL_LISTEN", "value": "127.0.0.1:8787"} in sidecar["env"]
        assert all(c["name"] != "seek-signal" for c in pod["spec"]["containers"])


def it_has_the_container_that_the_commands_are_typed_in():
    """docs/operating.md: `kubectl exec deploy/… -c … -- …`; the program is the one that the image has in its PATH."""
    (command,) = re.findall(r"`(kubectl exec [^`]*)`", (sources.ROOT / "docs" / "operating.md").read_text())
    deployment, container, typed = re.fullmatch(r"kubectl exec deploy/(\S+) -c (\S+) -- (.*)", command).groups()
    document = one(render("sidecar"), "Deployment")
    assert document["metadata"]["name"] == deployment
    assert ours(document["spec"]["template"])["name"] == container and "command" not in ours(document["spec"]["template"])
    assert typed == "seek-signal status"


def it_lets_a_job_complete():
    """Only a native sidecar does not count for the Job's completion."""
    job = one(render("sidecar"), "Job")["spec"]["template"]["spec"]
    assert job["restartPolicy"] in ("Never", "OnFailure")
    assert [c["name"] for c in job["containers"]] == ["ats-import"]


def it_selects_the_pods_it_means():
    documents = render("standalone")
    labels = one(documents, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    for kind, path in (("Service", ["selector"]), ("PodDisruptionBudget", ["selector", "matchLabels"]),
                       ("NetworkPolicy", ["podSelector", "matchLabels"]), ("Deployment", ["selector", "matchLabels"])):
        selector = one(documents, kind)["spec"]
        for step in path:
            selector = selector[step]
        assert selector and selector.items() <= labels, kind
    monitoring = render("monitoring")
    service = one(documents, "Service")
    monitor = one(monitoring, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]
    sidecar = one(render("sidecar"), "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert one(monitoring, "PodMonitor")["spec"]["selector"]["matchLabels"].items() <= sidecar.items()


def it_names_the_scrape_job_as_the_alerts_do():
    for kind, endpoints in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")):
        endpoint = one(render("monitoring"), kind)["spec"][endpoints][0]
        assert {"targetLabel": "job", "replacement": "seek-signal"} in endpoint["relabelings"]


def it_has_the_same_alerts_as_prometheus():
    rule = one(render("monitoring"), "PrometheusRule")
    assert rule["spec"] == yaml.safe_load(sources.ALERTS.read_text()), "run docker/kubernetes/monitoring/make-prometheusrule"
    assert (FOLDER / "chart" / "files" / "alerts.yml").resolve() == sources.ALERTS


# --- the chart

@pytest.fixture
def schema():
    schema = json.loads((FOLDER / "chart" / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.fixture
def values():
    return yaml.safe_load((FOLDER / "chart" / "values.yaml").read_text())


def it_accepts_its_own_values(schema, values):
    schema.validate(values)


@pytest.mark.parametrize("path, value", [
    (["replicas"], "two"), (["replica"], 2), (["image", "tga"], "1"), (["shutdownTimeoutSeconds"], -1), (["shutdownDelaySeconds"], "5s"),
    (["settings", "CLIENT_SECRET"], "secret"), (["settings", "LISTEN"], "0.0.0.0:1"), (["settings", "log_level"], "info"),
    (["settings", "LOG_LEVEL"], ["info"]), (["settings", "WORKERS"], 1.5), (["existingSecret"], "Not A Name"), (["networkPolicy", "redisPorts"], [0]),
    (["networkPolicy", "redisPorts"], []), (["networkPolicy", "redisPort"], 6379),
    (["networkPolicy", "clientLabels"], {}), (["networkPolicy", "redisNetworks"], ["redis-1"]),
])
def it_refuses_values_that_mean_nothing(schema, values, path, value):
    wrong = copy.deepcopy(values)
    target = wrong
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert list(schema.iter_errors(wrong))


def it_takes_every_setting_and_no_secret_but_as_a_file(schema, values):
    """What stands in the values is in the history of the release and in the Deployment. The keys of the mounted Secret are files."""
    own = set(re.findall(r"{name: SEEK_SIGNAL_([A-Z_]+),", (FOLDER / "chart" / "templates" / "deployment.yaml").read_text()))

    def is_taken(name):
        return not list(schema.iter_errors(values | {"settings": {name: "x"}}))
    assert len(SECRETS) >= 7 and SECRETS < SETTINGS, "of the table, read as it is written"
    assert [name for name in SECRETS if is_taken(name)] == []
    assert [name for name in own if is_taken(name) or is_taken(name.removesuffix("_FILE"))] == [], "the chart sets it"
    assert {f"{name}_FILE" for name in SECRETS if is_taken(f"{name}_FILE")} == {f"{name}_FILE" for name in SECRETS} - own
    for name in ("SEEK_SIGNAL_API_KEY", "SEEK_SIGNAL_NOTIFY_SECRET", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"):
        assert not is_taken(name), "a name that means a secret, and is no setting"
    plain = set(re.findall(r'^ *{[A-Z]+\("([A-Z_]+)"', TABLE, re.M)) - SECRETS - own
    assert len(plain) > 40 and [name for name in plain if not is_taken(name)] == []


def it_documents_no_value_that_no_template_uses(values):
    templates = "".join(path.read_text() for path in (FOLDER / "chart" / "templates").iterdir())
    for name in values:
        assert f".Values.{name}" in templates, name
    for path in re.findall(r"\.Values\.([a-zA-Z.]+)", templates):
        found = values
        for step in path.split("."):
            assert step in found, path
            found = found[step]


def render_chart(**values):
    done = subprocess.run(
        ["go", "run", "render.go", str(FOLDER / "chart"), json.dumps(values)], capture_output=True, text=True,
        cwd=sources.ROOT / "tests" / "watch" / "chart",
        env=os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""})
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def it_renders_to_what_kubernetes_knows():
    documents = render_chart(serviceMonitor=True, prometheusRule=True, imagePullSecrets=[{"name": "registry"}])
    assert {d["kind"] for d in documents} == {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy",
                                              "ServiceMonitor", "PrometheusRule"}
    for document in documents:
        if document["kind"] not in OPERATOR:
            check(document, MODELS[document["kind"]], document["kind"])
    assert one(documents, "PrometheusRule")["spec"] == yaml.safe_load(sources.ALERTS.read_text())
    labels = one(documents, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    for kind, member in (("Service", None), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector"),
                         ("ServiceMonitor", "selector")):
        spec = one(documents, kind)["spec"]
        selector = spec["selector"] if member is None else spec[member]["matchLabels"]
        assert selector and selector.items() <= labels, kind


def it_leaves_out_what_is_switched_off():
    documents = render_chart(podDisruptionBudget=False, networkPolicy={"enabled": False, "clientLabels": {"a": "b"}})
    assert {d["kind"] for d in documents} == {"Deployment", "Service"}


def it_passes_settings_on_as_they_were_written():
    pod = one(render_chart(settings={"MAX_BODY_BYTES": 4194304, "LOG_LEVEL": "warn", "OTEL_SERVICE_NAME": "mine"},
                           shutdownDelaySeconds=30, shutdownTimeoutSeconds=60), "Deployment")["spec"]["template"]
    variables = {v["name"]: v["value"] for v in ours(pod)["env"]}
    assert variables["SEEK_SIGNAL_MAX_BODY_BYTES"] == "4194304"
    assert variables["SEEK_SIGNAL_LOG_LEVEL"] == "warn"
    assert (variables["SEEK_SIGNAL_SHUTDOWN_DELAY_S"], variables["SEEK_SIGNAL_SHUTDOWN_TIMEOUT_S"]) == ("30", "60")
    assert variables["OTEL_SERVICE_NAME"] == "mine"
    assert pod["spec"]["terminationGracePeriodSeconds"] >= 30 + 60 + MARGIN_S


def it_makes_the_same_choices_as_the_manifests():
    plain, rendered = ((one(d, "Deployment")["spec"]["template"]["spec"]) for d in (render("standalone"), render_chart()))
    for pod in (plain, rendered):
        container = ours(pod | {"spec": pod})
        container["env"] = sorted((v["name"], v["value"]) for v in container["env"]
                                  if not v["name"].startswith("SEEK_SIGNAL_SHUTDOWN_"))
        container.pop("imagePullPolicy", None)
        pod["topologySpreadConstraints"][0].pop("labelSelector")
    assert rendered == plain
