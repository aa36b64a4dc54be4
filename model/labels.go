package model

import (
	"maps"
	"slices"
)

// HostLabels is the body of a PackageLabels document: what a host was given with the token
// by which it joined. Its agent has no say in it.
type HostLabels struct {
	Host string `json:"host"`
	// Label is the text of the token, Labels its pairs of a key and a value.
	Label  string            `json:"label,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

// Equal says whether two are the same.
func (h HostLabels) Equal(other HostLabels) bool {
	return h.Host == other.Host && h.Label == other.Label && maps.Equal(h.Labels, other.Labels)
}

// Empty says that nothing was given.
func (h HostLabels) Empty() bool { return h.Label == "" && len(h.Labels) == 0 }

// Groups are the names of the groups that a host is in by its labels: of one key its value,
// or with "" each pair as KEY=VALUE, and the text.
func (h HostLabels) Groups(key string) (names []string) {
	if key != "" {
		if value, ok := h.Labels[key]; ok {
			names = append(names, value)
		}
		return names
	}
	if h.Label != "" {
		names = append(names, h.Label)
	}
	for _, k := range slices.Sorted(maps.Keys(h.Labels)) {
		names = append(names, k+"="+h.Labels[k])
	}
	return names
}
