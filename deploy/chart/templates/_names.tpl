{{- /* SPDX-License-Identifier: GPL-3.0-or-later */ -}}

{{- define "provisioner.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* What all objects are called: the release, followed by the chart unless that is in it. */ -}}
{{- define "provisioner.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "provisioner.account" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "provisioner.fullname" .) "default") -}}
{{- end -}}

{{- define "provisioner.leaseNamespace" -}}
{{- .Values.leaseNamespace | default .Release.Namespace -}}
{{- end -}}

{{- /* Of the Lease, as the program will read it. */ -}}
{{- define "provisioner.leaseName" -}}
{{- $name := "karpenter-leader-election" -}}
{{- range .Values.controller.env -}}
{{- if eq .name "LEADER_ELECTION_NAME" -}}{{- $name = .value | default $name -}}{{- end -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "provisioner.selector" -}}
app.kubernetes.io/name: {{ include "provisioner.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "provisioner.labels" -}}
{{ include "provisioner.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- /* Name, labels and annotations of an object: (dict "top" . "name" NAME "namespace" NAMESPACE "labels" MORE "annotations" MORE); all but `top` may be left out. */ -}}
{{- define "provisioner.metadata" -}}
name: {{ .name | default (include "provisioner.fullname" .top) }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- merge (include "provisioner.labels" .top | fromYaml) (.labels | default dict) (.top.Values.additionalLabels | default dict) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) (.top.Values.additionalAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A binding of a role to our account: (dict "top" . "kind" "ClusterRole" "name" NAME "namespace" NAMESPACE). */ -}}
{{- define "provisioner.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  {{- include "provisioner.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
- kind: ServiceAccount
  name: {{ include "provisioner.account" .top }}
  namespace: {{ .top.Release.Namespace }}
{{- end -}}

{{- /* Karpenter's image answers to none of our arguments, and a values.yaml taken over from it names it. */ -}}
{{- define "provisioner.image" -}}
{{- $image := .Values.controller.image -}}
{{- $repository := required "controller.image.repository: the name of an image is needed; none is published: make it with `./dev image` and push it to a registry of yours" $image.repository -}}
{{- if hasSuffix "karpenter/controller" $repository -}}
{{- fail (printf "controller.image.repository: %s is Karpenter's image, this chart needs one of the provisioner; make it with `./dev image` and push it to a registry of yours, and set tag and digest to its own" $repository) -}}
{{- end -}}
{{- printf "%s:%s" $repository ($image.tag | default .Chart.AppVersion) -}}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}
