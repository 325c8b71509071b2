{{/* Names and labels. */}}

{{- define "chimera.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 38 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 38 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 38 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* As Kubernetes spells the name of a service or a model. */}}
{{- define "chimera.kube" -}}
{{- . | replace "_" "-" | lower -}}
{{- end -}}

{{- define "chimera.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "chimera.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name: name the one to use, or let one be created" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Of a component: its own, or that of all. (dict "root" $ "component" name "at" values with serviceAccount) */}}
{{- define "chimera.accountOf" -}}
{{- $own := .at.serviceAccount | default dict -}}
{{- if $own.name -}}
{{- $own.name -}}
{{- else if $own.create -}}
{{- printf "%s-%s" (include "chimera.fullname" .root) .component -}}
{{- else -}}
{{- include "chimera.serviceAccount" .root -}}
{{- end -}}
{{- end -}}

{{/* What a selector looks for. (dict "root" $ "component" name) */}}
{{- define "chimera.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "chimera.labels" -}}
{{ include "chimera.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of pods: nothing that another version of the chart changes, so that it restarts none. */}}
{{- define "chimera.podLabels" -}}
{{ include "chimera.selector" . }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "image" .Values.image) */}}
{{- define "chimera.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else if .root.Values.image.requireDigest -}}
{{- fail (printf "\n\nimage.requireDigest: the image %s has no digest" .image.repository) -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* A pattern with {factory}, {service} and {name} filled in. (dict "root" $ "service" name "pattern" text) */}}
{{- define "chimera.filled" -}}
{{- .pattern | replace "{factory}" .root.Values.factory | replace "{service}" .service | replace "{name}" (include "chimera.kube" .service) -}}
{{- end -}}

{{/* Every service with what the flow (files/flow.yaml) and the values say of it, as YAML. */}}
{{- define "chimera.declared" -}}
{{- mustMergeOverwrite (.Files.Get "files/flow.yaml" | fromYaml) (deepCopy .Values.services) | toYaml }}
{{- end -}}

{{/* Problems in progress at most, of the plan or by default. */}}
{{- define "chimera.inProgress" -}}
{{- .Values.plan.in_progress | default 48 | int -}}
{{- end -}}

{{/* Every service with what it has from the defaults, as YAML; disabled ones are left out. */}}
{{- define "chimera.services" -}}
{{- range $name, $own := include "chimera.declared" . | fromYaml }}
{{- $service := mustMergeOverwrite (deepCopy $.Values.defaults) (deepCopy $own) }}
{{- $_ := set $service "module" ($service.module | default $name) }}
{{- $_ := set $service "user" ($service.user | default $name) }}
{{- $_ := set $service "scaled" (and (not $service.sole) (not (empty $service.kafkaTopics)) (ne $service.scaling.by "fixed")) }}
{{- $share := max 1 (div (include "chimera.inProgress" $ | int) (int $service.scaling.max)) }}
{{- $_ := set $service "lag" ($service.scaling.lag | default (min $share (int $service.inFlight)) | int) }}
{{- if $service.enabled }}
{{ dict $name $service | toYaml }}
{{- end }}
{{- end }}
{{- end -}}
