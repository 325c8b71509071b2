{{/* Ports of what is outside, and which components of ours serve models. */}}
{{- define "chimera.ports" -}}
{{- $models := list }}
{{- range $_, $place := .Values.models.file.endpoints }}
{{- $models = append $models (include "chimera.urlPort" $place.base_url | int) }}
{{- end }}
{{- $served := list }}
{{- range $name, $_ := .Values.vllm.servers }}{{ $served = append $served (printf "vllm-%s" (include "chimera.kube" $name)) }}{{ end }}
{{- range $name, $service := fromYaml (include "chimera.services" .) }}{{ if $service.serves }}{{ $served = append $served $name }}{{ end }}{{ end }}
{{- $kafka := list }}
{{- range splitList "," .Values.kafka.servers }}{{ $kafka = append $kafka (int (regexFind "[0-9]+$" (trim .))) }}{{ end }}
{{- $valkey := regexReplaceAll "^[^:]+://([^/]*).*$" .Values.valkey.url "${1}" }}
tokens: {{ with .Values.kafka.sasl.tokenUrl }}{{ list (include "chimera.urlPort" . | int) | toJson }}{{ else }}[]{{ end }}
kafka: {{ uniq $kafka | toJson }}
{{- $named := list }}
{{- range splitList "," $valkey }}{{ if contains ":" . }}{{ $named = append $named (int (regexFind "[0-9]+$" .)) }}{{ end }}{{ end }}
{{- if or (not $named) (contains "+sentinel" .Values.valkey.url) }}{{ $named = append $named 6379 }}{{ end }}
valkey: {{ uniq $named | toJson }}
models: {{ uniq $models | toJson }}
served: {{ $served | toJson }}
{{- end -}}

{{/* The port of a URL. */}}
{{- define "chimera.urlPort" -}}
{{- $url := urlParse . -}}
{{- if contains ":" $url.host -}}{{ regexFind "[0-9]+$" $url.host }}{{- else -}}{{ ternary "443" "80" (eq $url.scheme "https") }}{{- end -}}
{{- end -}}

{{/* (dict "peers" list "ports" list): out to them; without peers, to wherever the ports are. */}}
{{- define "chimera.to" -}}
- ports:
  {{- range .ports }}
    - port: {{ . }}
  {{- end }}
  {{- with .peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* (dict "peers" list "port" name): in from them. */}}
{{- define "chimera.from" -}}
- ports: [{port: {{ .port }}}]
  {{- with .peers }}
  from: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
