{{- define "catalog.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) }}
{{- $name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "catalog.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "catalog.labels" -}}
{{ include "catalog.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "catalog.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "catalog.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "catalog.containerSecurity" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{- define "catalog.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Secrets are files: they do not show in the environment of a process. */}}
{{- define "catalog.secretFiles" -}}
- {name: API_TOKEN_FILE, value: /run/secrets/catalog/api_token}
{{- if and (or (eq .Values.storage.kind "s3") .Values.backup.enabled) .Values.secret.s3Keys }}
- {name: S3_ACCESS_KEY_FILE, value: /run/secrets/catalog/s3_access_key}
- {name: S3_SECRET_KEY_FILE, value: /run/secrets/catalog/s3_secret_key}
{{- end }}
{{- end }}

{{- define "catalog.s3" -}}
{{- with .Values.storage.s3.endpoint }}
- {name: S3_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with .Values.storage.s3.region }}
- {name: S3_REGION, value: {{ . | quote }}}
{{- end }}
{{- end }}
