{{/* Name of the chart, as the label app.kubernetes.io/name. */}}
{{- define "pointsman.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the release's objects. Names of further objects are this one and a suffix of at most 11 characters. */}}
{{- define "pointsman.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "pointsman.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "pointsman.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Labels by which objects find the pods; they never change. */}}
{{- define "pointsman.selectorLabels" -}}
app.kubernetes.io/name: {{ include "pointsman.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{/* Labels of all objects but pods. */}}
{{- define "pointsman.labels" -}}
app.kubernetes.io/name: {{ include "pointsman.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Image, by digest if there is one. */}}
{{- define "pointsman.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pointsman.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "pointsman.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{/* Names of all Secrets that are mounted, each once, as JSON. */}}
{{- define "pointsman.secrets" -}}
{{- $names := concat .Values.secrets (list .Values.admin.existingSecret .Values.server.tls.secretName .Values.admin.tls.secretName) }}
{{- $names | compact | uniq | toJson }}
{{- end }}

{{/* Combinations of values that the schema cannot reject. */}}
{{- define "pointsman.checks" -}}
{{- $section := regexFind "(?m)^[ \t]*\\[+[ \t]*[\"']?(server|admin|state|log)[\"']?[ \t]*[.\\]]" .Values.config }}
{{- if $section }}
{{- fail (printf "config has the section `%s`, which the chart writes: use the values server, admin, persistence and log; server.extraConfig takes further keys of [server]" (trim $section)) }}
{{- end }}
{{- if and .Values.config (not .Values.server.allowAnonymous) (not (regexMatch "(?m)^[ \t]*\\[?[ \t]*[\"']?keys[\"']?[ \t]*[.\\]=]" .Values.config)) }}
{{- fail "config has no [keys.NAME], so no client could be served: make a key with `pointsman key NAME`, or set server.allowAnonymous" }}
{{- end }}
{{- if and .Values.admin.existingSecret (not .Values.admin.tokenKey) (not .Values.admin.readTokenKey) }}
{{- fail "admin.existingSecret needs admin.tokenKey, admin.readTokenKey or both" }}
{{- end }}
{{- if not .Values.admin.existingSecret }}
{{- if .Values.admin.service.enabled }}
{{- fail "admin.service.enabled needs admin.existingSecret: without a token, the admin API is for its own pod alone" }}
{{- end }}
{{- if .Values.metrics.serviceMonitor.enabled }}
{{- fail "metrics.serviceMonitor.enabled needs admin.existingSecret: Prometheus reads the metrics with a token" }}
{{- end }}
{{- end }}
{{- if and .Values.server.tls.clientAuth (not .Values.server.tls.secretName) }}
{{- fail "server.tls.clientAuth needs server.tls.secretName" }}
{{- end }}
{{- if eq (int .Values.server.port) (int .Values.admin.port) }}
{{- fail "server.port and admin.port are the same" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas" }}
{{- end }}
{{- end }}

{{/* The sections of the configuration that the chart writes. They take effect at a start. */}}
{{- define "pointsman.ownSections" -}}
{{- $secrets := "/run/secrets" }}
[server]
listen = {{ printf "%s:%d" .Values.server.address (int .Values.server.port) | quote }}
shutdown_delay = "{{ int .Values.server.shutdownDelaySeconds }}s"
drain_timeout = "{{ int .Values.server.drainTimeoutSeconds }}s"
{{- if or .Values.server.allowAnonymous (not .Values.config) }}
allow_anonymous = true
{{- end }}
{{- with .Values.server.tls.secretName }}
tls.cert = "{{ $secrets }}/{{ . }}/tls.crt"
tls.key = "{{ $secrets }}/{{ . }}/tls.key"
{{- with $.Values.server.tls.clientAuth }}
tls.client_ca = "{{ $secrets }}/{{ $.Values.server.tls.secretName }}/ca.crt"
tls.client_auth = {{ . | quote }}
{{- end }}
{{- end }}
{{- with .Values.server.extraConfig }}
{{ trim . }}
{{- end }}

[admin]
{{- if .Values.admin.existingSecret }}
listen = {{ printf "%s:%d" .Values.server.address (int .Values.admin.port) | quote }}
{{- with .Values.admin.tokenKey }}
token_file = "{{ $secrets }}/{{ $.Values.admin.existingSecret }}/{{ . }}"
{{- end }}
{{- with .Values.admin.readTokenKey }}
read_token_file = "{{ $secrets }}/{{ $.Values.admin.existingSecret }}/{{ . }}"
{{- end }}
{{- else }}
listen = "127.0.0.1:{{ int .Values.admin.port }}"
{{- end }}
{{- with .Values.admin.tls.secretName }}
tls.cert = "{{ $secrets }}/{{ . }}/tls.crt"
tls.key = "{{ $secrets }}/{{ . }}/tls.key"
{{- end }}

[state]
dir = "/var/lib/pointsman/state"

[log]
level = {{ .Values.log.level | quote }}
format = {{ .Values.log.format | quote }}
{{- end }}

{{/* The file pointsman.toml. */}}
{{- define "pointsman.config" -}}
{{- include "pointsman.checks" . }}
{{- .Values.config | default (.Files.Get "simulated.toml") | trim }}

# Written by the chart.

{{ include "pointsman.ownSections" . | trim }}
{{- end }}

{{/* A probe of the client listener. The kubelet has no client certificate. */}}
{{- define "pointsman.probe" -}}
{{- if eq .root.Values.server.tls.clientAuth "required" }}
tcpSocket:
  port: http
{{- else }}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ ternary "HTTPS" "HTTP" (ne .root.Values.server.tls.secretName "") }}
{{- end }}
{{- end }}

{{/* Mounts of the configuration, of Secrets, and of the paths that are written. */}}
{{- define "pointsman.volumeMounts" -}}
- name: config
  # The directory, not a file in it: a file (subPath) would not be updated.
  mountPath: /etc/pointsman
  readOnly: true
- name: state
  mountPath: /var/lib/pointsman
- name: tmp
  mountPath: /tmp
{{- range $index, $name := include "pointsman.secrets" . | fromJsonArray }}
- name: secret-{{ $index }}
  mountPath: /run/secrets/{{ $name }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Volumes of the configuration and of Secrets. */}}
{{- define "pointsman.volumes" -}}
- name: config
  configMap:
    name: {{ .configMap }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.uploads.sizeLimit }}
{{- range $index, $name := include "pointsman.secrets" .root | fromJsonArray }}
- name: secret-{{ $index }}
  secret:
    secretName: {{ $name }}
    defaultMode: 0440
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
