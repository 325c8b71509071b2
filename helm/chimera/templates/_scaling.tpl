{{- define "chimera.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies: [{type: Pods, value: 4, periodSeconds: 60}]
scaleDown:
  stabilizationWindowSeconds: {{ .Values.keda.scaleDownSeconds }}
  policies: [{type: Pods, value: 1, periodSeconds: {{ max 15 (min 300 .Values.keda.scaleDownSeconds) }}}]
{{- end -}}

{{/* The lag of a group in a Kafka topic. Groups have offsets from the first day on, so the reset policy is for a topic
that was made anew: from its beginning, as the offsets are given then. A long call looks like a lag that persists, and
is one. (dict "root" $ "group" service "topic" event "lag" number) */}}
{{- define "chimera.trigger" -}}
{{- $values := .root.Values -}}
- type: kafka
  name: {{ .topic | replace "." "-" }}
  metadata:
    bootstrapServers: {{ $values.kafka.servers | quote }}
    consumerGroup: {{ printf "%s.%s" $values.factory .group }}
    topic: {{ printf "%s.%s" $values.factory .topic }}
    version: "2.8.0"
    offsetResetPolicy: earliest
    lagThreshold: {{ .lag | quote }}
    activationLagThreshold: "0"
    {{- if $values.kafka.tls.enabled }}
    tls: enable
    {{- end }}
    {{- with $values.kafka.sasl.mechanism }}
    sasl: {{ get (dict "SCRAM-SHA-512" "scram_sha512" "SCRAM-SHA-256" "scram_sha256" "PLAIN" "plaintext" "OAUTHBEARER" "oauthbearer") . }}
    {{- end }}
  {{- if $values.keda.authenticationRef }}
  authenticationRef: {{- toYaml $values.keda.authenticationRef | nindent 4 }}
  {{- else if include "chimera.kedaSecrets" .root }}
  authenticationRef: {name: {{ include "chimera.fullname" .root }}}
  {{- end }}
{{- end -}}

{{/* Whether anything here is for KEDA; empty if not. */}}
{{- define "chimera.usesKeda" -}}
{{- if .Values.trainer.enabled }}yes{{ end }}
{{- range fromYaml (include "chimera.services" .) }}{{ if and .scaled (eq .scaling.by "keda") }}yes{{ end }}{{ end }}
{{- end -}}

{{/* What KEDA needs to know Kafka by; empty if nothing. */}}
{{- define "chimera.kedaSecrets" -}}
{{- $kafka := .Values.kafka -}}
{{- if and $kafka.tls.enabled $kafka.tls.caSecret }}
- {parameter: ca, name: {{ $kafka.tls.caSecret }}, key: {{ $kafka.tls.caKey }}}
{{- end }}
{{- if and $kafka.tls.enabled $kafka.tls.clientSecret }}
{{- $own := include "chimera.filled" (dict "root" . "service" "cli" "pattern" $kafka.tls.clientSecret) }}
- {parameter: cert, name: {{ $own }}, key: {{ $kafka.tls.certKey }}}
- {parameter: key, name: {{ $own }}, key: {{ $kafka.tls.keyKey }}}
{{- end }}
{{- if $kafka.sasl.mechanism }}
{{- $own := include "chimera.filled" (dict "root" . "service" "cli" "pattern" $kafka.sasl.existingSecret) }}
- {parameter: password, name: {{ $own }}, key: {{ include "chimera.filled" (dict "root" . "service" "cli" "pattern" $kafka.sasl.passwordKey) }}}
{{- end }}
{{- end -}}
