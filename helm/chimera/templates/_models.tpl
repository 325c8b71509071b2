{{/* The models file: the one that is given, or who is served here. */}}
{{- define "chimera.cast" -}}
{{- $full := include "chimera.fullname" . -}}
{{- if .Values.models.file -}}
{{- toYaml .Values.models.file -}}
{{- else if .Values.vllm.servers -}}
endpoints:
{{- range $name, $own := .Values.vllm.servers }}
{{- $server := mustMergeOverwrite (deepCopy $.Values.vllm.defaults) (deepCopy $own) }}
  {{ $name }}:
    base_url: "http://{{ $full }}-vllm-{{ include "chimera.kube" $name }}:8000/v1"
    {{- if $server.apiKey.secret }}
    key_file: /etc/chimera/vllm/{{ $name }}
    {{- end }}
{{- end }}
roles:
{{- range $name, $server := .Values.vllm.servers }}
{{- range $role := $server.plays }}
  {{ $role }}: {endpoint: {{ $name }}, model: {{ $name }}}
{{- end }}
{{- end }}
{{- else -}}
endpoints:
  simulator: {base_url: "http://{{ $full }}-simulator:{{ .Values.services.simulator.port }}/v1", simulated: true}
roles:
{{- range $role := .Files.Get "files/roles.yaml" | fromYamlArray | sortAlpha }}
  {{ $role }}: {endpoint: simulator, model: sim-{{ $role | replace "_" "-" }}}
{{- end }}
{{- end }}
{{- if .Values.models.prompts }}
prompts: /etc/chimera/prompts
{{- end }}
{{- end -}}

{{/* The API keys of the servers, a file each; empty if none has one. */}}
{{- define "chimera.vllmKeys" -}}
{{- range $name, $own := .Values.vllm.servers }}
{{- $key := (mustMergeOverwrite (deepCopy $.Values.vllm.defaults) (deepCopy $own)).apiKey }}
{{- if $key.secret }}
- secret:
    name: {{ $key.secret }}
    items: [{key: {{ $key.key }}, path: {{ $name }}}]
{{- end }}
{{- end }}
{{- end -}}
