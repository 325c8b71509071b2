{{/* Values that the schema cannot refuse: nothing is rendered with them. */}}
{{- define "chimera.check" -}}
{{- $values := .Values }}
{{- if not $values.kafka.servers }}{{ fail "\n\nkafka.servers: say where Kafka is, as host:port" }}{{ end }}
{{- if not $values.valkey.url }}{{ fail "\n\nvalkey.url: say where Valkey is, as redis://host:6379/0" }}{{ end }}
{{- if not $values.plan }}{{ fail "\n\nplan: say what to grow (docs/how-to/plans.md)" }}{{ end }}
{{- if not (or $values.models.file $values.vllm.servers $values.services.simulator.enabled) }}
{{- fail "\n\nmodels.file: say which model plays which role (docs/how-to/models.md), or serve some: vllm.servers, or services.simulator.enabled" }}
{{- end }}
{{- if and $values.models.file $values.services.simulator.enabled }}
{{- fail "\n\nservices.simulator.enabled: models.file says who plays; the simulator would stand idle" }}
{{- end }}
{{- if and $values.vllm.servers $values.services.simulator.enabled }}
{{- fail "\n\nservices.simulator.enabled: vllm.servers play; the simulator would stand idle" }}
{{- end }}
{{- $oauth := eq $values.kafka.sasl.mechanism "OAUTHBEARER" }}
{{- $tokens := or $values.kafka.sasl.tokenUrl $values.kafka.sasl.tokenAudience }}
{{- if ne $oauth (not (empty $tokens)) }}
{{- fail "\n\nkafka.sasl.tokenUrl: OAUTHBEARER, and it alone, needs an issuer of tokens: tokenUrl or tokenAudience" }}
{{- end }}
{{- if and $values.kafka.sasl.tokenUrl $values.kafka.sasl.tokenAudience }}
{{- fail "\n\nkafka.sasl.tokenAudience: there is a tokenUrl too; set one of the two" }}
{{- end }}
{{- if and $values.kafka.sasl.tokenAudience (include "chimera.usesKeda" .) (not $values.keda.authenticationRef) }}
{{- fail "\n\nkeda.authenticationRef: KEDA has no ServiceAccount of this chart; name a TriggerAuthentication of yours" }}
{{- end }}
{{- if and $values.kafka.sasl.mechanism (not $values.kafka.sasl.existingSecret) (not $values.kafka.sasl.tokenAudience) }}
{{- fail "\n\nkafka.sasl.existingSecret: name the secret that holds the passwords" }}
{{- end }}
{{- if and (or $oauth (eq $values.kafka.sasl.mechanism "PLAIN")) (not $values.kafka.tls.enabled) }}
{{- fail (printf "\n\nkafka.sasl.mechanism: %s without kafka.tls.enabled would send passwords or tokens in the clear" $values.kafka.sasl.mechanism) }}
{{- end }}
{{- if and (or $values.kafka.tls.caSecret $values.kafka.tls.clientSecret) (not $values.kafka.tls.enabled) }}
{{- fail "\n\nkafka.tls.enabled: there are certificates for Kafka, but no TLS" }}
{{- end }}
{{- if and $values.valkey.caSecret (not (hasPrefix "rediss" $values.valkey.url)) }}
{{- fail "\n\nvalkey.url: there is a certificate for Valkey; begin with rediss://" }}
{{- end }}
{{- $files := list }}
{{- range $name, $place := $values.models.file.endpoints }}{{ with $place.key_file }}{{ if not (hasPrefix "/etc/chimera/vllm/" .) }}{{ $files = append $files $name }}{{ end }}{{ end }}{{ end }}
{{- if and $files (not $values.models.keysSecret) }}
{{- fail (printf "\n\nmodels.keysSecret: name the secret with the keys of the endpoints %s" (join ", " $files)) }}
{{- end }}
{{- if and ($values.plan.solving).probe_attempts (not ((fromYaml (include "chimera.cast" .)).roles).base) }}
{{- fail "\n\nplan.solving.probe_attempts: no model has the role base; give it one, or remove probe_attempts" }}
{{- end }}
{{- if and $values.models.prompts $values.models.file.prompts }}
{{- fail "\n\nmodels.prompts: models.file names another folder of prompts; set one of the two" }}
{{- end }}
{{- $shipped := merge (.Files.Get "files/flow.yaml" | fromYaml) (dict "exporter" dict "console" dict "simulator" dict) }}
{{- range $name, $own := $values.services }}
{{- if not (hasKey $shipped $name) }}
{{- range $other, $_ := $shipped }}{{ if eq (include "chimera.kube" $name) (include "chimera.kube" $other) }}{{ fail (printf "\n\nservices.%s: write services.%s" $name $other) }}{{ end }}{{ end }}
{{- if not (or $own.kafkaTopics $own.module) }}{{ fail (printf "\n\nservices.%s: no such service; those of the chart: %s. A service of yours needs kafkaTopics" $name (keys $shipped | sortAlpha | join ", ")) }}{{ end }}
{{- end }}
{{- end }}
{{- range $name, $own := include "chimera.declared" . | fromYaml }}
{{- $service := mustMergeOverwrite (deepCopy $values.defaults) (deepCopy $own) }}
{{- $scaling := $service.scaling }}
{{- $key := printf "\n\nservices.%s" $name }}
{{- if and $service.sole (gt (int $service.replicas) 1) }}{{ fail (printf "%s.replicas: only one process of it may work" $key) }}{{ end }}
{{- if and $service.sole (ne ((($own.scaling).by) | default "fixed") "fixed") }}{{ fail (printf "%s.scaling.by: only one process of it may work" $key) }}{{ end }}
{{- if gt (int $service.replicas) (int $service.partitions) }}{{ fail (printf "%s.replicas: more than its Kafka topics have partitions (%v) would stand idle" $key $service.partitions) }}{{ end }}
{{- if not $service.sole }}
{{- if gt (int $scaling.max) (int $service.partitions) }}{{ fail (printf "%s.scaling.max: more than its Kafka topics have partitions (%v) would stand idle" $key $service.partitions) }}{{ end }}
{{- $progress := include "chimera.inProgress" $ | int }}
{{- if and (ne $scaling.by "fixed") (gt (int $scaling.max) $progress) }}
{{- fail (printf "%s.scaling.max: never more than plan.in_progress (%v) records wait, so %v processes are never wanted; raise plan.in_progress" $key $progress $scaling.max) }}
{{- end }}
{{- if and (ne $scaling.by "fixed") $scaling.lag (gt (mul (int $scaling.lag) (sub (int $scaling.max) 1)) (sub $progress 1)) }}
{{- fail (printf "%s.scaling.lag: with plan.in_progress %v at most %v processes are ever wanted, not scaling.max %v; lower scaling.lag, or leave it at 0" $key $progress (div (sub (add $progress (int $scaling.lag)) 1) (int $scaling.lag)) $scaling.max) }}
{{- end }}
{{- if gt (int $scaling.min) (int $scaling.max) }}{{ fail (printf "%s.scaling.min: above scaling.max (%v)" $key $scaling.max) }}{{ end }}
{{- if and (eq $scaling.by "hpa") (lt (int $scaling.min) 1) }}{{ fail (printf "%s.scaling.min: an HPA starts at 1; 0 needs scaling.by: keda" $key) }}{{ end }}
{{- end }}
{{- end }}
{{- range $name, $own := $values.vllm.servers }}
{{- $server := mustMergeOverwrite (deepCopy $values.vllm.defaults) (deepCopy $own) }}
{{- $cache := mustMergeOverwrite (deepCopy $values.vllm.cache) (deepCopy $server.cache) }}
{{- if and (gt (int $server.replicas) 1) (not $cache.existingClaim) (not (has "ReadWriteMany" $cache.accessModes)) }}
{{- fail (printf "\n\nvllm.servers.%s.replicas: several share their volume, so vllm.cache.accessModes must have ReadWriteMany" $name) }}
{{- end }}
{{- end }}
{{- if and $values.trainer.enabled (not $values.trainer.recipe) }}{{ fail "\n\ntrainer.recipe: say what to train and how (docs/how-to/training.md)" }}{{ end }}
{{- if and $values.trainer.enabled (not (or $values.dataset.url $values.dataset.existingClaim (has "ReadWriteMany" $values.dataset.accessModes))) }}
{{- fail "\n\ndataset.accessModes: trainer and aggregator share the volume; give it ReadWriteMany, or set dataset.url" }}
{{- end }}
{{- if and (include "chimera.usesKeda" .) (not (.Capabilities.APIVersions.Has "keda.sh/v1alpha1")) }}
{{- fail "\n\nscaling.by: keda, and trainer.enabled, need KEDA, and this cluster has no keda.sh/v1alpha1. Install KEDA first, or scale by fixed or hpa. (helm template: --api-versions keda.sh/v1alpha1)" }}
{{- end }}
{{- if and (or $values.monitoring.podMonitor.enabled $values.monitoring.prometheusRule.enabled $values.monitoring.alertmanagerConfig.enabled) (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) }}
{{- fail "\n\nmonitoring: podMonitor and prometheusRule need the Prometheus operator, and this cluster has no monitoring.coreos.com/v1. Install it first. (helm template: --api-versions monitoring.coreos.com/v1)" }}
{{- end }}
{{- end -}}
