{{/* The rules, narrowed to this factory, its volumes and its autoscalers. */}}
{{- define "chimera.rules" -}}
{{- $full := include "chimera.fullname" . -}}
{{- $own := printf "namespace=%q, " .Release.Namespace -}}
{{- $claims := list (printf "%s-(dataset|runs|vllm-.+)" $full) -}}
{{- range list .Values.dataset.existingClaim .Values.trainer.runs.existingClaim }}{{ with . }}{{ $claims = append $claims . }}{{ end }}{{ end -}}
{{- $text := .Files.Get "files/rules/chimera.yaml" -}}
{{- $text = replace "factory=~\".*\"" (printf "factory=%q" .Values.factory) $text -}}
{{- $text = replace "persistentvolumeclaim=~\".*(chimera|kafka|valkey).*\"" (printf "%spersistentvolumeclaim=~%q" $own (join "|" $claims)) $text -}}
{{- $text = replace "horizontalpodautoscaler=~\".*chimera.*\"" (printf "%shorizontalpodautoscaler=~%q" $own (printf "(keda-hpa-)?%s-.+" $full)) $text -}}
{{- $text = replace "labels: {factory: chimera}" (printf "labels: {factory: %q}" .Values.factory) $text -}}
{{- $text = replace "labels: {severity:" (printf "labels: {factory: %q, namespace: %q, severity:" .Values.factory .Release.Namespace) $text -}}
{{- with .Values.monitoring.prometheusRule.runbookUrl }}{{ $text = replace "runbook_url: docs/how-to/runbook.md" (printf "runbook_url: %s" .) $text }}{{ end -}}
{{- $text -}}
{{- end -}}

{{/* Alertmanager's inhibit rules, as the operator spells them. */}}
{{- define "chimera.inhibitRules" -}}
{{- range (.Files.Get "files/alertmanager.yml" | fromYaml).inhibit_rules }}
- sourceMatch: {{- include "chimera.matchers" .source_matchers | nindent 4 }}
  targetMatch: {{- include "chimera.matchers" .target_matchers | nindent 4 }}
  equal: {{ .equal | toJson }}
{{- end }}
{{- end -}}

{{- define "chimera.matchers" -}}
{{- range . }}
- {name: {{ regexFind "^\\w+" . }}, matchType: {{ regexFind "=~|!~|!=|=" . | quote }}, value: {{ regexFind "\".*\"$" . }}}
{{- end }}
{{- end -}}

{{/* A dashboard with the addresses of runbook and traces. (dict "root" $ "text" JSON) */}}
{{- define "chimera.linked" -}}
{{- $monitoring := .root.Values.monitoring -}}
{{- $text := .text -}}
{{- with $monitoring.prometheusRule.runbookUrl }}{{ $text = replace "\"docs/how-to/runbook.md\"" (quote .) $text }}{{ end -}}
{{- with $monitoring.dashboards.tracesUrl }}{{ $text = replace "\"docs/how-to/operations.md\"" (quote .) $text }}{{ end -}}
{{- $text -}}
{{- end -}}
