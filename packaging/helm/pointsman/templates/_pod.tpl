{{/* The pod template of the Deployment and the StatefulSet. */}}
{{- define "pointsman.podTemplate" -}}
metadata:
  labels:
    {{- include "pointsman.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Only sections that take effect at a start: all other changes reach running pods.
    checksum/own-sections: {{ include "pointsman.ownSections" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "pointsman.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  # The delay and the drain, and time to write the last lines of logs and state.
  terminationGracePeriodSeconds: {{ add .Values.server.shutdownDelaySeconds .Values.server.drainTimeoutSeconds 15 }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: pointsman
      image: {{ include "pointsman.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve, --config, /etc/pointsman/pointsman.toml]
      {{- with .Values.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ .Values.server.port }}
        - name: admin
          containerPort: {{ .Values.admin.port }}
      startupProbe:
        {{- include "pointsman.probe" (dict "root" . "path" "/health") | trim | nindent 8 }}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: {{ max 1 (div .Values.startTimeoutSeconds 2) }}
      readinessProbe:
        {{- include "pointsman.probe" (dict "root" . "path" "/ready") | trim | nindent 8 }}
        periodSeconds: 3
        timeoutSeconds: 2
        failureThreshold: 2
      livenessProbe:
        {{- include "pointsman.probe" (dict "root" . "path" "/health") | trim | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        {{- include "pointsman.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "pointsman.volumes" (dict "root" . "configMap" (include "pointsman.fullname" .)) | nindent 4 }}
    {{- if not .Values.persistence.enabled }}
    - name: state
      emptyDir:
        sizeLimit: {{ .Values.persistence.size }}
    {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    {{- $selector := dict "labelSelector" (dict "matchLabels" (include "pointsman.selectorLabels" $ | fromYaml)) }}
    - {{ toYaml (merge (deepCopy .) $selector) | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end }}
