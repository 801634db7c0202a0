"""What every object that the chart makes must keep, whatever the values."""

import chart

# Of the given ones, which no template makes.
GIVEN_SECRETS = {"headgate-controller-tls", "operator-tls", "prometheus-tls", "pgpass", "registry", "edge-tls", "edge-0-tls",
                 "edge-1-tls"}


def broken(rendered, names_given=frozenset()):
    """One line for each rule that an object breaks."""
    yield from repeated(rendered)
    for owner, metadata, spec in rendered.pods():
        who = f"{owner['kind']} {owner['metadata']['name']}"
        for found in [*not_restricted(owner, spec), *without_token(spec), *loose_ends(spec),
                      *unknown_objects(rendered, spec, names_given), *unselected(owner, metadata)]:
            yield f"{who}: {found}"
    yield from services(rendered)
    yield from policies(rendered)


def repeated(rendered):
    seen = set()
    for it in rendered.objects:
        key = it["kind"], it["metadata"]["name"]
        if key in seen:
            yield f"{key} is there twice"
        seen.add(key)
        if not it["metadata"].get("namespace"):
            yield f"{key} names no namespace"


def not_restricted(owner, spec):
    """The profile "restricted", read-only root besides. A DaemonSet needs its node's folders and network, no more."""
    pod = spec.get("securityContext", {})
    if not pod.get("runAsNonRoot") or not pod.get("runAsUser") or pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "the pod's securityContext is not restricted"
    is_node_s = owner["kind"] == "DaemonSet"
    for field in ("hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{field} is set"
    if spec.get("hostNetwork") and not is_node_s:
        yield "hostNetwork is set"
    kinds = {"configMap", "emptyDir", "secret", "projected", "csi", "persistentVolumeClaim"}
    for volume in spec.get("volumes", []):
        if "hostPath" in volume and not is_node_s or not set(volume) - {"name"} <= kinds | {"hostPath"}:
            yield f"volume {volume['name']} is of no kind that restricted allows"
    for it in chart.containers(spec):
        if it["name"] == "restore":
            continue  # the user's own
        own = it.get("securityContext", {})
        if (own.get("allowPrivilegeEscalation") is not False or not own.get("readOnlyRootFilesystem")
                or not own.get("runAsNonRoot") or own.get("capabilities") != {"drop": ["ALL"]}
                or own.get("privileged")):
            yield f"container {it['name']} is not restricted, or writes to its root"
        if not it.get("resources", {}).get("requests") or "memory" not in it["resources"].get("limits", {}):
            yield f"container {it['name']} asks for no resources, or has no limit of memory"


def without_token(spec):
    if spec.get("automountServiceAccountToken") is not False:
        yield "a service-account token is mounted"
    if spec.get("enableServiceLinks") is not False:
        yield "Services' variables are set"


def loose_ends(spec):
    """Mounts without a volume, volumes without a mount, probes without a port."""
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    mounted = {mount["name"] for it in chart.containers(spec) for mount in it.get("volumeMounts", [])}
    for name in sorted(mounted - volumes):
        yield f"volume {name} is mounted and not there"
    for name in sorted(volumes - mounted):
        yield f"volume {name} is there and not mounted"
    for it in chart.containers(spec):
        ports = {port["containerPort"] for port in it.get("ports", [])}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if "grpc" in it.get(kind, {}) and it[kind]["grpc"]["port"] not in ports:
                yield f"container {it['name']} has no port of its {kind}"
        if it["image"].endswith(":") or ":" not in it["image"].rsplit("/", 1)[-1] or it["image"].endswith(":latest"):
            yield f"container {it['name']} has an image without a version: {it['image']}"


def unknown_objects(rendered, spec, names_given):
    secrets = {it["spec"]["secretName"] for it in rendered.of("Certificate")} | GIVEN_SECRETS | names_given
    names = {kind: {it["metadata"]["name"] for it in rendered.of(kind)}
             for kind in ("ConfigMap", "ServiceAccount", "PersistentVolumeClaim")}
    for volume in spec.get("volumes", []):
        secret = volume.get("secret", {}).get("secretName")
        if secret and secret not in secrets:
            yield f"Secret {secret} is nobody's"
        if "configMap" in volume and volume["configMap"]["name"] not in names["ConfigMap"]:
            yield f"ConfigMap {volume['configMap']['name']} is not there"
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and claim not in names["PersistentVolumeClaim"] | names_given:
            yield f"claim {claim} is not there"
    account = spec.get("serviceAccountName")
    if account and account not in names["ServiceAccount"]:
        yield f"ServiceAccount {account} is not there"


def unselected(owner, metadata):
    selector = owner["spec"].get("selector", {}).get("matchLabels", {})
    if not selector.items() <= metadata["labels"].items():
        yield "its selector does not fit its pods"


def services(rendered):
    pods = list(rendered.pods())
    for service in rendered.of("Service"):
        chosen = [spec for _, metadata, spec in pods if service["spec"]["selector"].items() <= metadata["labels"].items()]
        if len(chosen) != 1:
            yield f"Service {service['metadata']['name']} selects the pods of {len(chosen)} workloads"
            continue
        ports = {port.get("name") for it in chart.containers(chosen[0]) for port in it.get("ports", [])}
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in ports:
                yield f"Service {service['metadata']['name']}: no container has a port {port['targetPort']}"


def policies(rendered):
    """An empty `from` lets everybody in."""
    for policy in rendered.of("NetworkPolicy"):
        for rule in policy["spec"].get("ingress") or []:
            if not rule.get("from"):
                yield f"NetworkPolicy {policy['metadata']['name']} has a rule without `from`: it lets everybody in"
            if not rule.get("ports"):
                yield f"NetworkPolicy {policy['metadata']['name']} has a rule for all ports"
