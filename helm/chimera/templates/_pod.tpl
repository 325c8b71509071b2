{{/* What every pod has, at the place of its spec. (dict "root" $ "component" name "at" values with nodeSelector, …) */}}
{{- define "chimera.pod" -}}
serviceAccountName: {{ include "chimera.accountOf" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with omit .root.Values.podSecurityContext "runAsNonRoot" "seccompProfile" }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .at.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .at.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .at.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .at.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .at.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Replicas apart from each other. (dict "root" $ "component" name "at" values with spread) */}}
{{- define "chimera.spread" -}}
topologySpreadConstraints:
{{- range $key, $domain := dict "topology.kubernetes.io/zone" "zone" "kubernetes.io/hostname" "node" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ get $.at.spread $domain }}
    labelSelector:
      matchLabels: {{- include "chimera.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end -}}

{{/* Of every container. A failure's last line is what `kubectl describe pod` shows. */}}
{{- define "chimera.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
terminationMessagePolicy: FallbackToLogsOnError
{{- end -}}

{{/* Whether a process reads the plan, the models file or the recipe; empty if not. */}}
{{- define "chimera.configured" -}}
{{- if or .uses.kafkaTopics .uses.models .uses.pages }}yes{{ end -}}
{{- end -}}

{{/* A checksum of what a service reads at its start: its pods are replaced when it changes. Planner and aggregator follow
the plan while they run; files of secrets are watched by the processes. A store's keys are variables, which need the
cluster to be asked. (dict "root" $ "service" values of the service) */}}
{{- define "chimera.checksum" -}}
{{- $values := .root.Values -}}
{{- $reads := dict -}}
{{- $declared := hasKey .service "plan" -}}
{{- if .service.kafkaTopics }}
{{- range $section := ternary .service.plan (keys $values.plan) $declared }}
{{- $part := get $values.plan $section }}
{{- if and $declared (eq $section "subjects") }}{{ $part = keys $part | sortAlpha }}{{ end }}
{{- if and $declared (eq $section "budget") }}{{ $part = not (empty $part) }}{{ end }}
{{- $_ := set $reads $section $part }}
{{- end }}
{{- end }}
{{- if .service.models }}
{{- $_ := set $reads "/models" (include "chimera.cast" .root) }}
{{- $_ := set $reads "/prompts" $values.models.prompts }}
{{- end }}
{{- if and .service.dataset $values.dataset.existingSecret }}
{{- $_ := set $reads "/store" (lookup "v1" "Secret" .root.Release.Namespace $values.dataset.existingSecret).data }}
{{- end }}
{{- toJson $reads | sha256sum -}}
{{- end -}}

{{/* Variables and files of a process of ours. (dict "root" $ "service" name of the user, "uses" service) */}}
{{- define "chimera.env" -}}
{{- $values := .root.Values -}}
- {name: CHIMERA_FACTORY, value: {{ $values.factory | quote }}}
{{- if .uses.kafka }}
- {name: CHIMERA_KAFKA, value: {{ $values.kafka.servers | quote }}}
{{- if $values.kafka.tls.enabled }}
- {name: CHIMERA_KAFKA_TLS, value: "true"}
{{- if $values.kafka.tls.caSecret }}
- {name: CHIMERA_KAFKA_CA, value: /etc/chimera/kafka/ca.crt}
{{- end }}
{{- if $values.kafka.tls.clientSecret }}
- {name: CHIMERA_KAFKA_CERT, value: /etc/chimera/kafka/tls.crt}
- {name: CHIMERA_KAFKA_KEY, value: /etc/chimera/kafka/tls.key}
{{- end }}
{{- end }}
{{- if $values.kafka.sasl.mechanism }}
- {name: CHIMERA_KAFKA_SASL, value: {{ $values.kafka.sasl.mechanism }}}
{{- if $values.kafka.sasl.tokenAudience }}
- {name: CHIMERA_KAFKA_TOKEN_FILE, value: /etc/chimera/kafka/token}
{{- else }}
- name: CHIMERA_KAFKA_USERNAME
  value: {{ include "chimera.filled" (dict "root" .root "service" .service "pattern" $values.kafka.sasl.username) | quote }}
- {name: CHIMERA_KAFKA_PASSWORD_FILE, value: /etc/chimera/kafka/password}
{{- with $values.kafka.sasl.tokenUrl }}
- {name: CHIMERA_KAFKA_TOKEN_URL, value: {{ . | quote }}}
{{- end }}
{{- with $values.kafka.sasl.tokenScope }}
- {name: CHIMERA_KAFKA_TOKEN_SCOPE, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if .uses.valkey }}
- {name: CHIMERA_VALKEY, value: {{ $values.valkey.url | quote }}}
{{- if $values.valkey.caSecret }}
- {name: CHIMERA_VALKEY_CA, value: /etc/chimera/valkey/ca.crt}
{{- end }}
{{- if $values.valkey.existingSecret }}
- {name: CHIMERA_VALKEY_PASSWORD_FILE, value: /etc/chimera/valkey/password}
{{- end }}
{{- end }}
{{- if ($values.trust).caSecret }}
- {name: SSL_CERT_FILE, value: /etc/chimera/trust/ca.crt}
{{- end }}
{{- if .uses.dataset }}
- {name: CHIMERA_DATASET, value: {{ $values.dataset.url | default "/var/lib/chimera/dataset" }}}
{{- end }}
{{- end -}}

{{- define "chimera.mounts" -}}
{{- $values := .root.Values -}}
- {name: tmp, mountPath: /tmp}
{{- if include "chimera.configured" . }}
- {name: config, mountPath: /etc/chimera/config, readOnly: true}
{{- end }}
{{- if and .uses.kafka (include "chimera.kafkaFiles" .) }}
- {name: kafka, mountPath: /etc/chimera/kafka, readOnly: true}
{{- end }}
{{- if and .uses.valkey (or $values.valkey.caSecret $values.valkey.existingSecret) }}
- {name: valkey, mountPath: /etc/chimera/valkey, readOnly: true}
{{- end }}
{{- if ($values.trust).caSecret }}
- {name: trust, mountPath: /etc/chimera/trust, readOnly: true}
{{- end }}
{{- if and .uses.models $values.models.keysSecret }}
- {name: keys, mountPath: /etc/chimera/keys, readOnly: true}
{{- end }}
{{- if and .uses.models (include "chimera.vllmKeys" .root) }}
- {name: vllm-keys, mountPath: /etc/chimera/vllm, readOnly: true}
{{- end }}
{{- if and .uses.models $values.models.prompts }}
- {name: prompts, mountPath: /etc/chimera/prompts, readOnly: true}
{{- end }}
{{- if and .uses.dataset (not $values.dataset.url) }}
- {name: dataset, mountPath: /var/lib/chimera/dataset{{ if .uses.readOnly }}, readOnly: true{{ end }}}
{{- end }}
{{- end -}}

{{- define "chimera.volumes" -}}
{{- $values := .root.Values -}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- if include "chimera.configured" . }}
- name: config
  configMap: {name: {{ include "chimera.fullname" .root }}}
{{- end }}
{{- if and .uses.kafka (include "chimera.kafkaFiles" .) }}
- name: kafka
  projected:
    defaultMode: 0440
    sources: {{- include "chimera.kafkaFiles" . | nindent 6 }}
{{- end }}
{{- if and .uses.valkey (or $values.valkey.caSecret $values.valkey.existingSecret) }}
- name: valkey
  projected:
    defaultMode: 0440
    sources:
    {{- with $values.valkey.caSecret }}
      - secret:
          name: {{ . }}
          items: [{key: {{ $values.valkey.caKey }}, path: ca.crt}]
    {{- end }}
    {{- with $values.valkey.existingSecret }}
      - secret:
          name: {{ . }}
          items: [{key: {{ $values.valkey.passwordKey }}, path: password}]
    {{- end }}
{{- end }}
{{- with ($values.trust).caSecret }}
- name: trust
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ . }}
          items: [{key: {{ $values.trust.caKey }}, path: ca.crt}]
{{- end }}
{{- if and .uses.models $values.models.keysSecret }}
- name: keys
  secret: {secretName: {{ $values.models.keysSecret }}, defaultMode: 0440}
{{- end }}
{{- if and .uses.models (include "chimera.vllmKeys" .root) }}
- name: vllm-keys
  projected:
    defaultMode: 0440
    sources: {{- include "chimera.vllmKeys" .root | nindent 6 }}
{{- end }}
{{- if and .uses.models $values.models.prompts }}
- name: prompts
  configMap: {name: {{ include "chimera.fullname" .root }}-prompts}
{{- end }}
{{- if and .uses.dataset (not $values.dataset.url) }}
- name: dataset
  persistentVolumeClaim:
    claimName: {{ $values.dataset.existingClaim | default (printf "%s-dataset" (include "chimera.fullname" .root)) }}
{{- end }}
{{- end -}}

{{/* Whom we trust and who we are to Kafka: each process gets its own password and no other. */}}
{{- define "chimera.kafkaFiles" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if $kafka.tls.caSecret }}
- secret:
    name: {{ $kafka.tls.caSecret }}
    items: [{key: {{ $kafka.tls.caKey }}, path: ca.crt}]
{{- end }}
{{- if $kafka.tls.clientSecret }}
- secret:
    name: {{ include "chimera.filled" (dict "root" .root "service" .service "pattern" $kafka.tls.clientSecret) }}
    items:
      - {key: {{ $kafka.tls.certKey }}, path: tls.crt}
      - {key: {{ $kafka.tls.keyKey }}, path: tls.key}
{{- end }}
{{- if $kafka.sasl.tokenAudience }}
- serviceAccountToken: {audience: {{ $kafka.sasl.tokenAudience | quote }}, expirationSeconds: 3600, path: token}
{{- else if $kafka.sasl.mechanism }}
- secret:
    name: {{ include "chimera.filled" (dict "root" .root "service" .service "pattern" $kafka.sasl.existingSecret) }}
    items:
      - {key: {{ include "chimera.filled" (dict "root" .root "service" .service "pattern" $kafka.sasl.passwordKey) | quote }}, path: password}
{{- end }}
{{- end -}}
