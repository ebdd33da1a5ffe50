{{/*
Names are fixed, not made of the release's name: leases, nodes and roles are the whole cluster's, so there is one
Sublet in a cluster. Helm refuses a second release, because these objects belong to the first.
*/}}

{{/* Labels that select the operator's pod; they never change from one version to the next. */}}
{{- define "sublet.selector" -}}
app.kubernetes.io/name: sublet
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "sublet.labels" -}}
{{ include "sublet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The image: by digest if one is given, else by tag. */}}
{{- define "sublet.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}
