{{/*
Headgate's agent for a pod of yours. Values are those of this chart: in your values.yaml they stand under
`headgate-agent:`. In your Deployment or StatefulSet:

  template:
    metadata:
      annotations: {{ include "headgate-agent.annotations" . | nindent 8 }}
      labels: {{ include "headgate-agent.labels" . | nindent 8 }}
    spec:
      securityContext: {{ include "headgate-agent.podSecurityContext" . | nindent 8 }}
      automountServiceAccountToken: false
      initContainers: {{ include "headgate-agent.initContainers" . | nindent 8 }}
      containers:
        - name: haproxy
          volumeMounts: {{ include "headgate-agent.sharedVolumeMounts" . | nindent 12 }}
        {{ include "headgate-agent.containers" . | nindent 8 }}
      volumes: {{ include "headgate-agent.volumes" . | nindent 8 }}

and once in the chart: {{ include "headgate-agent.configMap" . }}
*/}}

{{- define "headgate-agent.name" -}}
{{- printf "%s-headgate-agent" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "headgate-agent.image" -}}
{{- $image := .image -}}
{{- $repository := $image.repository -}}
{{- with $image.registry }}{{ $repository = printf "%s/%s" (. | trimSuffix "/") $repository }}{{ end -}}
{{- if $image.digest }}{{ printf "%s@%s" $repository $image.digest }}
{{- else }}{{ printf "%s:%s" $repository (default .version $image.tag) }}{{ end }}
{{- end }}

{{/* Ours must be the version of this library, whatever chart includes it. */}}
{{- define "headgate-agent.version" -}}0.1.0{{- end }}

{{/* Whoever monitors agents finds them by this label. */}}
{{- define "headgate-agent.labels" -}}
headgate/agent: "true"
{{- end }}

{{- define "headgate-agent.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The load balancer and the agent read each other's files: one user and one group for both. */}}
{{- define "headgate-agent.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ int (index .Values "headgate-agent").runAsUser }}
runAsGroup: {{ int (index .Values "headgate-agent").runAsUser }}
fsGroup: {{ int (index .Values "headgate-agent").runAsUser }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What no schema can say. */}}
{{- define "headgate-agent.validate" -}}
{{- $agent := index .Values "headgate-agent" -}}
{{- if not $agent.gates }}
{{- fail "headgate-agent.gates names no gate: write [{name: shop, haproxy: {...}}], as in agent.yaml" }}
{{- end }}
{{- range $i, $gate := $agent.gates }}
{{- $kinds := list }}
{{- range list "haproxy" "nginx" "envoy" "endpoint" }}
{{- if hasKey $gate . }}{{ $kinds = append $kinds . }}{{ end }}
{{- end }}
{{- if ne (len $kinds) 1 }}
{{- fail (printf "headgate-agent.gates[%d] (%s) needs one load balancer, and has %d: write one of haproxy, nginx, envoy, endpoint" $i $gate.name (len $kinds)) }}
{{- end }}
{{- if and (ne (first $kinds) "endpoint") (not $agent.bootstrapShare) }}
{{- fail (printf "headgate-agent.bootstrapShare is empty: say what a new pod of gate %s admits until its agent has the controller's word. 100%% before the gate exists, 0%% afterwards: a pod that comes up while the gate is closed would let everybody in" $gate.name) }}
{{- end }}
{{- end }}
{{- $certificates := $agent.certificates }}
{{- if eq $certificates.mode "csi" }}
{{- if not $certificates.csi.issuerRef.name }}
{{- fail "headgate-agent.certificates.csi.issuerRef.name is empty: name the cert-manager issuer whose CA the controller has" }}
{{- end }}
{{- if not $certificates.csi.trustDomain }}
{{- fail "headgate-agent.certificates.csi.trustDomain is empty: write the controller's, as in shop.example" }}
{{- end }}
{{- else if and (eq $certificates.mode "secret") (not $certificates.secretName) }}
{{- fail "headgate-agent.certificates.secretName is empty: name the Secret with ca.crt, tls.crt and tls.key of this agent (`headgate certs issue --role agent --name NAME`)" }}
{{- else if and (eq $certificates.mode "secretPerPod") (not $certificates.secretPerPod) }}
{{- fail "headgate-agent.certificates.secretPerPod names no pod: write {edge-0: SECRET, edge-1: SECRET}, one certificate for each pod of the StatefulSet" }}
{{- end }}
{{- end }}

{{/* agent.yaml. `agent`: the values; `tls`: the folder of its certificate. */}}
{{- define "headgate-agent.agentYaml" -}}
{{- $agent := .agent -}}
{{- $gates := list }}
{{- range $agent.gates }}{{ $gates = append $gates (omit . "snippet") }}{{ end -}}
controllers: {{ toJson $agent.controllers }}
tls: {ca: {{ .tls }}/ca.crt, cert: {{ .tls }}/tls.crt, key: {{ .tls }}/tls.key}
state_dir: /var/lib/headgate-agent
push_every: {{ toJson $agent.pushEvery }}
time_zone: {{ toJson $agent.timeZone }}
# For `headgate-agent status` on the box; Prometheus and probes come to the two below.
metrics: 127.0.0.1:{{ int $agent.ports.metricsLoopback }}
metrics_tls: {{ printf "%s:%d" $agent.listenAddress (int $agent.ports.metrics) | quote }}
health: {{ printf "%s:%d" $agent.listenAddress (int $agent.ports.health) | quote }}
{{- with $agent.labels }}
labels: {{ toJson . }}
{{- end }}
{{- with $agent.rails }}
rails: {{ toJson . }}
{{- end }}
gates:
  {{- toYaml $gates | nindent 2 }}
{{- end }}

{{/* With a certificate for each pod, each has a file of its own, which names where that lies. */}}
{{- define "headgate-agent.files" -}}
{{- $agent := index .Values "headgate-agent" -}}
{{- if eq $agent.certificates.mode "secretPerPod" }}
{{- range $pod, $_ := $agent.certificates.secretPerPod }}
{{ $pod }}.yaml: |
  {{- include "headgate-agent.agentYaml" (dict "agent" $agent "tls" (printf "/etc/headgate/tls/%s" $pod)) | nindent 2 }}
{{- end }}
{{- else }}
agent.yaml: |
  {{- include "headgate-agent.agentYaml" (dict "agent" $agent "tls" "/etc/headgate/tls") | nindent 2 }}
{{- end }}
{{- end }}

{{- define "headgate-agent.configMap" -}}
{{- include "headgate-agent.validate" . -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "headgate-agent.name" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
  labels:
    app.kubernetes.io/name: headgate-agent
    app.kubernetes.io/instance: {{ .Release.Name | quote }}
    app.kubernetes.io/managed-by: {{ .Release.Service }}
data:
  {{- include "headgate-agent.files" . | trim | nindent 2 }}
{{- end }}

{{/* The agent reads its configuration once: another one is another pod. */}}
{{- define "headgate-agent.annotations" -}}
checksum/headgate-agent: {{ include "headgate-agent.files" . | sha256sum }}
{{- end }}

{{- define "headgate-agent.volumes" -}}
{{- $agent := index .Values "headgate-agent" -}}
{{- $certificates := $agent.certificates -}}
- name: headgate-config
  configMap: {name: {{ include "headgate-agent.name" . | quote }}}
# Sockets, which the load balancer and the agent share.
- name: headgate-run
  emptyDir: {sizeLimit: 16Mi}
{{- if eq $agent.storage "emptyDir" }}
- name: headgate-share
  emptyDir: {sizeLimit: 64Mi}
- name: headgate-state
  emptyDir: {sizeLimit: 64Mi}
{{- end }}
- name: headgate-tls
{{- if eq $certificates.mode "csi" }}
  csi:
    driver: csi.cert-manager.io
    readOnly: true
    volumeAttributes:
      csi.cert-manager.io/issuer-name: {{ toJson $certificates.csi.issuerRef.name }}
      csi.cert-manager.io/issuer-kind: {{ $certificates.csi.issuerRef.kind }}
      csi.cert-manager.io/issuer-group: {{ toJson $certificates.csi.issuerRef.group }}
      csi.cert-manager.io/uri-sans: spiffe://{{ $certificates.csi.trustDomain }}/headgate/agent/${POD_NAME}
      csi.cert-manager.io/dns-names: {{ toJson $certificates.serverName }}
      csi.cert-manager.io/key-usages: digital signature,server auth,client auth
      csi.cert-manager.io/duration: {{ $certificates.csi.duration }}
      csi.cert-manager.io/renew-before: {{ $certificates.csi.renewBefore }}
      csi.cert-manager.io/fs-group: {{ int $agent.runAsUser | quote }}
{{- else if eq $certificates.mode "secret" }}
  secret: {secretName: {{ toJson $certificates.secretName }}, defaultMode: 0440}
{{- else if eq $certificates.mode "secretPerPod" }}
  projected:
    defaultMode: 0440
    sources:
    {{- range $pod, $secret := $certificates.secretPerPod }}
      - secret:
          name: {{ toJson $secret }}
          items:
          {{- range list "ca.crt" "tls.crt" "tls.key" }}
            - {key: {{ . }}, path: {{ $pod }}/{{ . }}}
          {{- end }}
    {{- end }}
{{- else }}
  hostPath: {path: {{ toJson $certificates.hostPath }}, type: Directory}
{{- end }}
{{- end }}

{{/* What the load balancer sees of the agent's: the share that it admits, and the sockets. */}}
{{- define "headgate-agent.sharedVolumeMounts" -}}
- {name: headgate-share, mountPath: /var/lib/headgate}
- {name: headgate-run, mountPath: /run/headgate}
{{- end }}

{{- define "headgate-agent.container" -}}
{{- $agent := index .Values "headgate-agent" -}}
- name: headgate-agent
  image: {{ include "headgate-agent.image" (dict "image" $agent.image "version" (include "headgate-agent.version" .)) | toJson }}
  imagePullPolicy: {{ $agent.image.pullPolicy }}
{{- if .native }}
  # A sidecar that starts before the load balancer and ends after it: a lowering reaches one that drains.
  restartPolicy: Always
{{- end }}
  args: [run, --config, /etc/headgate/agent/{{ ternary "$(POD_NAME)" "agent" (eq $agent.certificates.mode "secretPerPod") }}.yaml]
  env:
    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  ports:
    - {name: hg-metrics, containerPort: {{ int $agent.ports.metrics }}}
    - {name: hg-health, containerPort: {{ int $agent.ports.health }}}
  startupProbe:
    grpc: {port: {{ int $agent.ports.health }}, service: live}
    periodSeconds: 1
    failureThreshold: 60
  livenessProbe:
    grpc: {port: {{ int $agent.ports.health }}, service: live}
    periodSeconds: 10
    timeoutSeconds: 3
    failureThreshold: 3
{{- if .readiness }}
  readinessProbe:
    grpc: {port: {{ int $agent.ports.health }}, service: ready}
    periodSeconds: 10
    timeoutSeconds: 3
{{- else }}
  # No readiness probe: an agent whose controller is gone is not ready, and its load balancer must go on serving.
{{- end }}
  resources: {{ toYaml $agent.resources | nindent 4 }}
  securityContext: {{ include "headgate-agent.securityContext" . | nindent 4 }}
  volumeMounts:
    - {name: headgate-config, mountPath: /etc/headgate/agent, readOnly: true}
    - {name: headgate-tls, mountPath: /etc/headgate/tls, readOnly: true}
    - {name: headgate-state, mountPath: /var/lib/headgate-agent}
    {{- include "headgate-agent.sharedVolumeMounts" . | nindent 4 }}
    {{- range $agent.extraVolumeMounts }}
    - {{ toJson . }}
    {{- end }}
{{- end }}

{{/* Makes what the load balancer reads at its start, where it is not there yet. */}}
{{- define "headgate-agent.filesContainers" -}}
{{- $agent := index .Values "headgate-agent" -}}
{{- $root := . -}}
{{- range $i, $gate := $agent.gates }}
{{- if not (hasKey $gate "endpoint") }}
{{- $kind := ternary "haproxy" (ternary "nginx" "envoy" (hasKey $gate "nginx")) (hasKey $gate "haproxy") }}
{{- $own := index $gate $kind }}
{{- $args := list "snippet" $kind "--gate" $gate.name "--bootstrap-share" $agent.bootstrapShare }}
{{- if eq $kind "haproxy" }}
{{- $args = concat $args (list "--app-backend" $own.app_backend "--map" $own.map "--write-map") }}
{{- else if eq $kind "nginx" }}
{{- $args = concat $args (list "--share" $own.share "--folder" (dir $own.token) "--write") }}
{{- else }}
{{- $args = concat $args (list "--share" $own.share "--admin" $own.admin "--write") }}
{{- range $own.app_clusters }}{{ $args = concat $args (list "--app-cluster" .) }}{{ end }}
{{- end }}
{{- with $own.key }}{{ $args = concat $args (list "--key" .) }}{{ end }}
{{- with $own.slow }}{{ $args = concat $args (list "--slow" (join "," .)) }}{{ end }}
{{- $args = concat $args (default list $gate.snippet) }}
- name: headgate-files-{{ $i }}
  image: {{ include "headgate-agent.image" (dict "image" $agent.image "version" (include "headgate-agent.version" $root)) | toJson }}
  imagePullPolicy: {{ $agent.image.pullPolicy }}
  args: {{ toJson $args }}
  resources: {{ toYaml $agent.resources | nindent 4 }}
  securityContext: {{ include "headgate-agent.securityContext" $root | nindent 4 }}
  volumeMounts: {{ include "headgate-agent.sharedVolumeMounts" $root | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "headgate-agent.initContainers" -}}
{{- include "headgate-agent.validate" . -}}
{{- $native := (index .Values "headgate-agent").nativeSidecar -}}
{{- include "headgate-agent.filesContainers" . | trim }}
{{- if $native }}
{{ include "headgate-agent.container" (merge (dict "native" true) .) }}
{{- end }}
{{- end }}

{{/* Nothing where the agent is a native sidecar: then it stands among the init containers. */}}
{{- define "headgate-agent.containers" -}}
{{- if not (index .Values "headgate-agent").nativeSidecar }}
{{- include "headgate-agent.container" . }}
{{- end }}
{{- end }}
