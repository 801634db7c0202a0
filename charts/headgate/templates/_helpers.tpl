{{- define "headgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Of a CronJob's 52 letters "-restore-" and its own name take 26; cut off, two releases might share one. */}}
{{- define "headgate.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name }}
{{- $name = contains (include "headgate.name" .) .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name (include "headgate.name" .)) }}
{{- end }}
{{- if gt (len $name) 26 }}
{{- fail (printf "the name %q has %d letters, and the names of objects leave room for 26: write fullnameOverride" $name (len $name)) }}
{{- end }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
{{- fail (printf "the name %q is none for a Service, which takes a-z, 0-9 and -, a letter first: write fullnameOverride" $name) }}
{{- end }}
{{- $name }}
{{- end }}

{{/* `root`, `component`: what an object may be selected by; never changes. */}}
{{- define "headgate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "headgate.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "headgate.labels" -}}
{{ include "headgate.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* `name` (optional), `root`, `component` */}}
{{- define "headgate.metadata" -}}
name: {{ .name | default (include "headgate.fullname" .root) | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels: {{ include "headgate.labels" . | nindent 2 }}
{{- end }}

{{- define "headgate.image" -}}
{{ include "headgate-agent.image" (dict "image" .image "version" .root.Chart.AppVersion) }}
{{- end }}

{{/* As the profile "restricted" of Pod Security Standards asks for, and more. */}}
{{- define "headgate.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 64000
runAsGroup: 64000
fsGroup: 64000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The name under which the controller is called from within the cluster. */}}
{{- define "headgate.host" -}}
{{ include "headgate.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{/* `root`, `of`: controller, operator or prometheus. */}}
{{- define "headgate.certificateSecret" -}}
{{- if eq .root.Values.certificates.mode "certManager" }}
{{- printf "%s-%s-tls" (include "headgate.fullname" .root) .of }}
{{- else }}
{{- index .root.Values.certificates.secrets .of }}
{{- end }}
{{- end }}

{{/*
What a voluntary disruption, as of a drain, may take. `replicas`, `onDrain`. One controller is all that can close
the gate: by default a drain waits for a person to move it. Of three, which an etcd journal will allow, one may go.
*/}}
{{- define "headgate.disruptionBudget" -}}
{{- if gt (int .replicas) 1 }}maxUnavailable: 1
{{- else if eq .onDrain "wait" }}minAvailable: 1
{{- else }}maxUnavailable: 1
{{- end }}
{{- end }}

{{/* `peers`: without any nobody may come in. An empty `from` would let everybody in, so there is no rule then. */}}
{{- define "headgate.ingress" -}}
{{- if .peers -}}
- from: {{ toYaml .peers | nindent 4 }}
  ports: [{protocol: TCP, port: {{ int .port }}}]
{{- end }}
{{- end }}

{{/* What no schema can say. */}}
{{- define "headgate.validate" -}}
{{- $values := .Values }}
{{- if gt (int $values.controller.replicas) 1 }}
{{- fail (printf "controller.replicas is %d: the journal is one SQLite file, and one controller writes it: write 1" (int $values.controller.replicas)) }}
{{- end }}
{{- if eq $values.certificates.mode "certManager" }}
{{- if not $values.certificates.certManager.issuerRef.name }}
{{- fail "certificates.certManager.issuerRef.name is empty: name the issuer, as in {name: headgate-ca, kind: Issuer}" }}
{{- end }}
{{- if not $values.certificates.trustDomain }}
{{- fail "certificates.trustDomain is empty: write the domain of the SPIFFE names, as in shop.example" }}
{{- end }}
{{- end }}
{{- range list (list "serviceMonitor" $values.serviceMonitor.enabled) (list "agentMonitor" $values.agentMonitor.enabled) }}
{{- if and (last .) (eq $values.certificates.mode "secrets") (not $values.certificates.secrets.prometheus) }}
{{- fail (printf "%s.enabled needs certificates.secrets.prometheus: a Secret with ca.crt, tls.crt and tls.key of the role viewer (`headgate certs issue --role viewer --name prometheus`)" (first .)) }}
{{- end }}
{{- end }}
{{- if and $values.serviceMonitor.enabled $values.networkPolicy.enabled (not $values.networkPolicy.metricsFrom) }}
{{- fail "serviceMonitor.enabled, and networkPolicy.metricsFrom lets nobody reach the metrics: name Prometheus there, as in [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]" }}
{{- end }}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" }}
{{- if hasKey $values.controller.podLabels $label }}
{{- fail (printf "controller.podLabels has %s, by which the Deployment, the Services and the policies find its pod: leave it out" $label) }}
{{- end }}
{{- end }}
{{- range $name, $job := $values.restoreJobs }}
{{- if not $values.controller.enabled }}
{{- fail (printf "restoreJobs.%s calls the controller of this release, and controller.enabled is false: put it into the release that has the controller" $name) }}
{{- end }}
{{- if not (hasKey $values.plans $job.plan) }}
{{- fail (printf "restoreJobs.%s.plan is %q, and plans has no such file: it has %s" $name $job.plan (keys $values.plans | sortAlpha | join ", " | default "none")) }}
{{- end }}
{{- if and (eq $values.certificates.mode "secrets") (not $values.certificates.secrets.operator) }}
{{- fail (printf "restoreJobs.%s needs certificates.secrets.operator: a Secret with ca.crt, tls.crt and tls.key of the role operator (`headgate certs issue --role operator --name restore-job`)" $name) }}
{{- end }}
{{- end }}
{{- if and $values.agents.daemonSet.enabled (ne (index $values "headgate-agent").certificates.mode "hostPath") }}
{{- fail "agents.daemonSet.enabled needs headgate-agent.certificates.mode hostPath: each node's agent has a certificate of its own, which lies on the node" }}
{{- end }}
{{- end }}
