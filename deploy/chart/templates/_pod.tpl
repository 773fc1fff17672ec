{{- /* SPDX-License-Identifier: GPL-3.0-or-later */ -}}

{{- /* One variable of the environment, unless the value is empty: (dict "top" . "name" NAME "value" VALUE). `false` and 0 are values; so is a template.
A number is written as JSON has it: Go's own words for 1000000 are 1e+06. */ -}}
{{- define "provisioner.variable" -}}
{{- if not (kindIs "invalid" .value) -}}
{{- with tpl (kindIs "string" .value | ternary .value (toJson .value)) .top }}
- name: {{ $.name }}
  value: {{ . | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /* NAME=true,... of those gates that have a value. The program's names begin with a capital. */ -}}
{{- define "provisioner.gates" -}}
{{- $pairs := list -}}
{{- range $name, $value := . -}}
{{- if has (toString $value) (list "true" "false") -}}
{{- $pairs = append $pairs (printf "%s%s=%v" (substr 0 1 $name | upper) (substr 1 -1 $name) $value) -}}
{{- end -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end -}}

{{- define "provisioner.environment" -}}
{{- $settings := .Values.settings -}}
- name: SYSTEM_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- include "provisioner.variable" (dict "top" . "name" "METRICS_PORT" "value" .Values.controller.metrics.port) }}
{{- include "provisioner.variable" (dict "top" . "name" "HEALTH_PROBE_PORT" "value" .Values.controller.healthProbe.port) }}
{{- include "provisioner.variable" (dict "top" . "name" "LEADER_ELECTION_NAMESPACE" "value" .Values.leaseNamespace) }}
{{- include "provisioner.variable" (dict "top" . "name" "LOG_LEVEL" "value" .Values.logLevel) }}
{{- include "provisioner.variable" (dict "top" . "name" "LOG_OUTPUT_PATHS" "value" (join "," (.Values.logOutputPaths | default list))) }}
{{- include "provisioner.variable" (dict "top" . "name" "LOG_ERROR_OUTPUT_PATHS" "value" (join "," (.Values.logErrorOutputPaths | default list))) }}
{{- range $key, $name := dict
    "amiRefreshInterval" "AMI_REFRESH_INTERVAL"
    "batchIdleDuration" "BATCH_IDLE_DURATION"
    "batchMaxDuration" "BATCH_MAX_DURATION"
    "clusterCABundle" "CLUSTER_CA_BUNDLE"
    "clusterEndpoint" "CLUSTER_ENDPOINT"
    "clusterName" "CLUSTER_NAME"
    "disableClusterStateObservability" "DISABLE_CLUSTER_STATE_OBSERVABILITY"
    "disableDryRun" "DISABLE_DRY_RUN"
    "eksControlPlane" "EKS_CONTROL_PLANE"
    "enableZonalShift" "ENABLE_ZONAL_SHIFT"
    "ignoreDRARequests" "IGNORE_DRA_REQUESTS"
    "interruptionQueue" "INTERRUPTION_QUEUE"
    "isolatedVPC" "ISOLATED_VPC"
    "minValuesPolicy" "MIN_VALUES_POLICY"
    "preferencePolicy" "PREFERENCE_POLICY"
    "reservedENIs" "RESERVED_ENIS"
    "subnetRefreshInterval" "SUBNET_REFRESH_INTERVAL"
    "vmMemoryOverheadPercent" "VM_MEMORY_OVERHEAD_PERCENT" }}
{{- include "provisioner.variable" (dict "top" $ "name" $name "value" (index $settings $key)) }}
{{- end }}
{{- include "provisioner.variable" (dict "top" . "name" "FEATURE_GATES" "value" (include "provisioner.gates" $settings.featureGates)) }}
{{- include "provisioner.variable" (dict "top" . "name" "AWS_FEATURE_GATES" "value" (include "provisioner.gates" $settings.awsFeatureGates)) }}
{{- with .Values.controller.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Pods that are to be near or far from each other, and how they are spread: without a labelSelector, those of this release are meant. */ -}}
{{- define "provisioner.placement" -}}
{{- $selector := dict "matchLabels" (include "provisioner.selector" . | fromYaml) -}}
{{- $affinity := deepCopy (.Values.affinity | default dict) -}}
{{- range $kind := list "podAffinity" "podAntiAffinity" -}}
{{- $terms := index $affinity $kind | default dict -}}
{{- range $terms.requiredDuringSchedulingIgnoredDuringExecution -}}
{{- if not (hasKey . "labelSelector") }}{{ $_ := set . "labelSelector" $selector }}{{ end -}}
{{- end -}}
{{- range $terms.preferredDuringSchedulingIgnoredDuringExecution -}}
{{- if not (hasKey .podAffinityTerm "labelSelector") }}{{ $_ := set .podAffinityTerm "labelSelector" $selector }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $spread := deepCopy (.Values.topologySpreadConstraints | default list) -}}
{{- range $spread -}}
{{- if not (hasKey . "labelSelector") }}{{ $_ := set . "labelSelector" $selector }}{{ end -}}
{{- end -}}
{{- with $affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $spread }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
